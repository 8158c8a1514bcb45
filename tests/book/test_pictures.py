"""Pictures: their size is known before they come, and not a pixel is another."""

import base64
import io
import json

import numpy as np
import pytest
from bs4 import BeautifulSoup
from building import PAGES, ROOT
from PIL import Image


@pytest.fixture(scope="module")
def pictures(book):
    """Return each picture of the pages, and its file."""
    found = []
    for page in PAGES:
        soup = BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")
        for image in soup.select("main article img"):
            found.append((image, (book / f"{page}.html").parent / image["src"]))
    assert len(found) > 80
    return found


def test_each_keeps_its_place_and_waits_until_it_is_near(pictures):
    for image, file in pictures:
        assert image["loading"] == "lazy"
        with Image.open(file) as picture:
            assert (int(image["width"]), int(image["height"])) == picture.size
            assert file.suffix == ".webp" or file.stat().st_size < 1000, file


def test_none_is_without_its_pixels(pictures):
    page = json.loads((ROOT / "notebooks" / "01_digits.ipynb").read_text("utf-8"))
    outputs = (output for cell in page["cells"] for output in cell.get("outputs", []))
    drawn = [out["data"]["image/png"] for out in outputs if "image/png" in out.get("data", {})]
    shown = [file for _, file in pictures][: len(drawn)]  # the first page with pictures
    assert len(drawn) > 5
    for png, file in zip(drawn, shown, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(png))) as one, Image.open(file) as other:
            assert np.array_equal(one.convert("RGB"), other.convert("RGB"))


def test_they_are_sharp_on_a_dense_screen(pictures):
    """On a phone a picture is 358 pixels wide at most, and a dense screen shows two for each."""
    widths = [int(image["width"]) for image, _ in pictures]
    assert sum(width >= 2 * 358 for width in widths) > 0.8 * len(widths)


def test_on_a_phone_the_letters_of_a_plot_can_be_read_and_its_end_is_reached(book, open_page):
    page = open_page((book / "notebooks" / "06_momentum.html").as_uri(), width=390).page
    box = page.locator("#fig-06-rates .pst-scrollable-table-container")
    plot = box.locator("img")
    plot.scroll_into_view_if_needed()
    page.wait_for_function("(e) => e.complete && e.naturalWidth", arg=plot.element_handle())
    shown, drawn = plot.evaluate("(e) => [e.getBoundingClientRect().width, e.naturalWidth]")
    assert 22 * shown / drawn > 10.5  # 11 points at 144 dots an inch
    assert box.evaluate("(e) => getComputedStyle(e).maskImage").startswith("linear-gradient")
    box.evaluate("(e) => e.scrollTo(e.scrollWidth, 0)")
    ends = box.evaluate(
        "(e) => [e, e.firstElementChild].map((x) => x.getBoundingClientRect().right)"
    )
    assert ends[0] - ends[1] > 30  # what fades is beyond the plot
