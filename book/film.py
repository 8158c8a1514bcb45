"""Film the momentum slider and photograph the map, for the README, on the built book.

python book/film.py
"""

import io
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "book" / "readme"
_WIDTH = 640  # of a frame, in pixels
_COLOURS = 48
_PAUSE, _LAST = 90, 1500  # milliseconds that a frame, and the last one, stay


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def _picture(page: Page, box: dict[str, float]) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")


def film(page: Page, address: str) -> None:
    """Drag the slider of μ from 0 to 0.95 and back to 0.8, and write the frames as one file."""
    page.goto(f"{address}/book/intro.html?momentum_explorer.momentum=0")
    figure = page.locator(".is-live")
    figure.wait_for()
    slider = figure.locator("input[name=momentum]")
    page.add_style_tag(content=":focus-visible { outline: none !important; }")
    figure.evaluate("(e) => scrollTo(0, e.getBoundingClientRect().top + scrollY - 60)")
    corner = figure.bounding_box()
    end = slider.bounding_box()
    box = {**corner, "height": end["y"] + end["height"] - corner["y"] + 12}
    frames = []
    for momentum in [*np.linspace(0, 0.95, 30), *np.linspace(0.95, 0.8, 8)]:
        slider.fill(f"{momentum:.2f}")
        page.wait_for_timeout(60)
        picture = _picture(page, box)
        frames.append(picture.resize((_WIDTH, round(_WIDTH * picture.height / picture.width))))
    first, *others = (frame.quantize(_COLOURS, dither=Image.Dither.NONE) for frame in frames)
    first.save(
        FOLDER / "momentum.gif",
        save_all=True,
        append_images=others,
        duration=[_PAUSE] * len(others) + [_LAST],
        loop=0,
        optimize=True,
    )


def photograph_map(page: Page, address: str) -> None:
    """Write the map of chapter 10 as a picture."""
    page.goto(f"{address}/notebooks/10_map.html")
    place = page.locator('[data-module="run_explorer"]')
    place.scroll_into_view_if_needed()
    place.locator(".is-live").wait_for()
    picture = Image.open(io.BytesIO(place.locator(".plot").first.screenshot())).convert("RGB")
    picture.quantize(64).save(FOLDER / "map.png", optimize=True)


def main() -> None:
    """Write both."""
    FOLDER.mkdir(exist_ok=True)
    handler = partial(_Quiet, directory=str(ROOT / "_build" / "html"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": 1000, "height": 1000},
            color_scheme="light",
            bypass_csp=True,
        )
        film(page, address)
        photograph_map(page, address)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
