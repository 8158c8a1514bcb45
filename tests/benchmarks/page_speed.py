"""How soon each page of the built book is there, on a slow phone: the browser's own figures.

    python tests/benchmarks/page_speed.py [page ...]

Slow 4G (1.6 Mbit/s, 150 ms), a processor four times slower than this one, files gzipped, nothing
kept from the page before. Prints when the first and the largest part of a page is painted, how long
its scripts and layout keep a finger waiting, how far it jumps, and what it weighs.
"""

import argparse
import gzip
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, sync_playwright

BUILT = Path(__file__).parents[2] / "_build" / "html"
SCREEN = {"width": 390, "height": 844}
LATENCY, RATE = 150, 1.6e6 / 8  # milliseconds, bytes a second
SLOWDOWN = 4
QUIET = 3000  # milliseconds after the page was loaded, to let it finish
PACKED = (".html", ".css", ".js", ".svg")
OBSERVE = """
    globalThis.seen = { jumps: 0, largest: 0, tasks: [] };
    const watch = (type, see) => new PerformanceObserver((list) =>
        list.getEntries().forEach(see)).observe({ type, buffered: true });
    watch("layout-shift", (shift) => { if (!shift.hadRecentInput) seen.jumps += shift.value; });
    watch("largest-contentful-paint", (paint) => { seen.largest = paint.startTime; });
    watch("longtask", ({ startTime, duration }) => seen.tasks.push([startTime, duration]));
"""
READ = """() => {
    const [first] = performance.getEntriesByName("first-contentful-paint");
    const files = performance.getEntriesByType("resource");
    const [page] = performance.getEntriesByType("navigation");
    return {
        first: first.startTime,
        largest: seen.largest,
        blocked: seen.tasks.filter(([start]) => start > first.startTime)
            .reduce((sum, [, duration]) => sum + duration - 50, 0),
        jumps: seen.jumps,
        bytes: [page, ...files].reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
        requests: 1 + files.length,
        elements: document.querySelectorAll("*").length,
    };
}"""


class _Packed(SimpleHTTPRequestHandler):
    """A server that gzips."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_error(404)
            return
        body = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        if file.suffix in PACKED:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(folder: Path):
    """Serve a folder, gzipped, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Packed, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def measure(browser: Browser, address: str, *, slow: bool = True) -> dict[str, float]:
    """Return what a first visit to a page is like.

    Parameters
    ----------
    browser : Browser
        Chromium.
    address : str
        The page's.
    slow : bool, default True
        Whether on slow 4G and a slow processor.

    Returns
    -------
    dict of str to float
        ``first`` and ``largest`` paint and the time ``blocked`` in milliseconds, ``jumps`` as
        layout shift, ``bytes``, ``requests`` and ``elements``.
    """
    context = browser.new_context(viewport=SCREEN, device_scale_factor=3, is_mobile=True)
    page = context.new_page()
    page.add_init_script(OBSERVE)
    session = context.new_cdp_session(page)
    if slow:
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": LATENCY,
                "downloadThroughput": RATE,
                "uploadThroughput": RATE / 2,
            },
        )
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_timeout(QUIET if slow else 1000)
    seen = page.evaluate(READ)
    context.close()
    return seen


def pages_of(book: Path) -> list[str]:
    """Return the names of all pages of a built book."""
    files = [file for folder in ("book", "notebooks") for file in (book / folder).rglob("*.html")]
    return sorted(str(file.relative_to(book).with_suffix("")) for file in files)


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="such as notebooks/08_bowl (default: all)")
    pages = parser.parse_args().pages or pages_of(BUILT)
    print(
        f"{'page':34}{'first':>8}{'largest':>9}{'blocked':>9}{'jumps':>7}{'kB':>6}"
        f"{'files':>7}{'elements':>10}"
    )
    with sync_playwright() as playwright, served(BUILT) as address:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        for page in pages:
            seen = measure(browser, f"{address}/{page}.html")
            print(
                f"{page:34}{seen['first']:8.0f}{seen['largest']:9.0f}{seen['blocked']:9.0f}"
                f"{seen['jumps']:7.3f}{seen['bytes'] / 1000:6.0f}{seen['requests']:7.0f}"
                f"{seen['elements']:10.0f}"
            )
        browser.close()


if __name__ == "__main__":
    main()
