"""What a reader takes along of a figure: a link to this very setting, its QR code, its picture."""

from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
import zxingcpp
from figure_page import (
    HAND_AND_EYE,
    check_by_kind,
    check_within,
    frames,
    import_on,
    inside_of,
    open_menu,
    slider,
)
from PIL import Image
from playwright.sync_api import expect

from cnnlesson.widgets import DigitReader, ShapeExplorer, StabilityMap

COPIES = "() => { navigator.clipboard.writeText = (text) => { window.copied = text; }; }"
REFUSES = "() => { navigator.clipboard.writeText = async () => { throw new Error('no'); }; }"
FIGURE = StabilityMap
FIGURE_PAGES = {
    "index": [StabilityMap, StabilityMap],
    "digit_reader": [DigitReader],
    "shape_explorer": [ShapeExplorer],
}
SVG = "{http://www.w3.org/2000/svg}"
LIBRARY = Path(__file__).parents[2] / "book" / "_ext" / "lean_qr.mjs"


@pytest.fixture
def open_shared(open_figure):
    """Return ``open_shared(...) -> (page, menu)``, as `open_figure`: of the page's last figure."""

    def open_shared(*args, **options):
        page = open_figure(*args, **options)
        figures = page.locator(".cnnlesson-figure[data-module]")
        expect(page.locator(".share-menu")).to_have_count(figures.count())
        return page, open_menu(page)

    return open_shared


def button(menu, name):
    return menu.get_by_role("button", name=name)


def read_code(picture):
    """Return what another make of reader finds in a picture."""
    [found] = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


def saved(page, menu, name):
    with page.expect_download() as download:
        button(menu, name).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


@HAND_AND_EYE
def test_a_link_leads_to_this_setting_of_this_figure(open_shared, open_figure, width, theme, host):
    page, menu = open_shared(width, theme, host, tail="?keep=1&stability_map.momentum=0.1")
    second = page.locator(".is-live").last.locator("input[name=num_steps]")
    second.fill("7")
    page.evaluate(COPIES)
    button(menu, "Copy link").press("Enter")
    expect(menu.get_by_role("status")).to_have_text("Copied.")
    link = page.evaluate("copied")
    assert link == page.url.split("?")[0] + "?stability_map-2.num_steps=7#stability_map-2"

    page.evaluate(REFUSES)
    button(menu, "Copy link").click()
    expect(menu.get_by_role("status")).to_contain_text("by hand")
    assert (
        menu.get_by_label("Link to this setting").evaluate(
            "(e) => e.value.slice(e.selectionStart, e.selectionEnd)"
        )
        == link
    )
    check_by_kind(page, context=".share-menu[open]")
    check_within(page)

    there = open_figure(width, theme, host, tail=link.split("index.html")[1])
    expect(there.locator(".is-live").last.locator("input[name=num_steps]")).to_have_value("7")
    there.wait_for_function("() => scrollY > 200")
    top = there.locator(".is-live").last.evaluate("(e) => e.getBoundingClientRect().top")
    assert 0 <= top < 200


def test_a_page_that_others_cannot_reach_links_to_the_published_one(open_shared):
    for host in ("file", "server"):
        page, menu = open_shared(host=host)
        page.evaluate(
            """() => {
                const link = document.createElement("link");
                Object.assign(link, { rel: "canonical", href: "https://book.example/a.html" });
                document.head.append(link);
            }"""
        )
        page.evaluate(COPIES)
        button(menu, "Copy link").click()
        expect(menu.get_by_role("status")).to_have_text("Copied.")
        assert page.evaluate("copied") == "https://book.example/a.html#stability_map-2"


@HAND_AND_EYE
def test_the_qr_code_is_read_from_the_screen(open_shared, width, theme, host):
    page, menu = open_shared(width, theme, host)
    page.locator(".is-live").last.locator("input[name=momentum]").press("ArrowLeft")
    button(menu, "QR code").press("Enter")
    code = page.get_by_role("dialog").locator("svg")
    assert code.bounding_box()["width"] > 0.6 * min(page.viewport_size.values())
    picture = Image.open(BytesIO(code.screenshot()))
    link = read_code(picture)
    dark = np.asarray(picture.convert("L")) < 128
    row, column = np.argwhere(dark)[0]
    corner = np.argmin(dark[row, column:])  # seven modules wide; the quiet zone has four
    assert min(row, column) >= 4 / 7 * corner - 1
    assert link.endswith("index.html?stability_map-2.momentum=0.79#stability_map-2")
    expect(page.get_by_role("dialog")).to_contain_text(link)
    check_by_kind(page, context="dialog")
    check_within(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button(menu, "QR code")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button(menu, "QR code")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_another_make_of_reader_reads_links_of_every_length(open_page):
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789._-*%&=?#/:"))
    lengths = [*random.integers(20, 400, size=40), 1000, 2000, 2952]  # the most that fits
    links = ["".join(random.choice(letters, size=length)) for length in lengths]
    codes = import_on(
        open_page("about:blank").page,
        LIBRARY.read_text("utf-8"),
        """({ generate }, links) => links.map((link) => {
            const code = generate(link);
            const all = [...Array(code.size).keys()];
            return all.map((y) => all.map((x) => (code.get(x, y) ? 0 : 255)));
        })""",
        links,
    )
    for link, code in zip(links, codes, strict=True):
        quiet = np.pad(np.array(code, dtype=np.uint8), 4, constant_values=255)
        assert read_code(np.kron(quiet, np.ones((4, 4), dtype=np.uint8))) == link


def test_a_drawing_too_long_for_a_code_is_said_to_be(open_shared):
    page, menu = open_shared(figure="digit_reader", settings={"drawing": "." + "58ok" * 900})
    button(menu, "QR code").click()
    expect(page.get_by_role("dialog")).to_contain_text("too long for a QR code")
    button(page, "Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_shows_what_is_seen(open_shared, theme):
    page, menu = open_shared(theme=theme)
    name, content = saved(page, menu, "Save as SVG")
    assert name == "stability-map.svg"
    root = ElementTree.fromstring(content)
    plots = root.findall(f"{SVG}svg")
    assert len(plots) == 3
    seen, _ = inside_of(page, 4)  # the second figure's second plot
    path = seen.locator(".path").get_attribute("d")
    assert path in [drawn.get("d") for drawn in plots[1].iter(f"{SVG}path")]
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert words[0] == "Stability map"
    assert "Ripples, under-damped" in words
    assert (
        words[-1]
        == "step t: 0 of 40 · step size × curvature αλ: 0.50 · momentum μ: 0.80 · steps: 40"
    )
    assert not {"Play", "Reset", "Tap anywhere on the map, or drag the point."} & set(words)

    name, content = saved(page, menu, "Save as PNG")
    assert name == "stability-map.png"
    picture = np.asarray(Image.open(BytesIO(content)).convert("RGB")).astype(int)
    assert picture.shape[:2] == (2 * int(root.get("height")), 2 * int(root.get("width")))
    ground = picture[0, 0].mean()
    assert ground > 240 if theme == "light" else ground < 60
    check_as_on_the_screen(page, picture, plots[1])


def check_as_on_the_screen(page, picture, plot):
    """Compare the part of a picture with a screenshot of what it shows, at half its size."""
    frames(page)
    shown = page.locator(".is-live").last.locator(".plot").nth(1)
    shot = np.asarray(Image.open(BytesIO(shown.screenshot())).convert("RGB")).astype(int)
    x, y = (round(2 * float(plot.get(name))) for name in ("x", "y"))
    height, width = (2 * side for side in shot.shape[:2])
    part = picture[y : y + height, x : x + width].reshape(height // 2, 2, width // 2, 2, 3)
    assert np.abs(part.mean(axis=(1, 3)) - shot).mean() < 4


def test_a_picture_of_pixels_shows_them(open_shared):
    page, menu = open_shared(figure="digit_reader")
    _, content = saved(page, menu, "Save as PNG")
    picture = np.asarray(Image.open(BytesIO(content)).convert("L"))
    root = ElementTree.fromstring(saved(page, menu, "Save as SVG")[1])
    image = root.find(f"{SVG}image")
    x, y, width, height = (int(2 * float(image.get(n))) for n in ("x", "y", "width", "height"))
    shown = picture[y : y + height, x : x + width]
    levels = page.locator(".is-live canvas").first.evaluate(
        """(e) => [...e.getContext("2d").getImageData(0, 0, e.width, e.height).data]
            .filter((_, i) => i % 4 === 0)"""
    )
    side = int(len(levels) ** 0.5)
    at = ((np.arange(side) + 0.5) * width / side).astype(int)
    np.testing.assert_allclose(shown[np.ix_(at, at)].ravel(), levels, atol=2)


def test_a_picture_of_a_table_that_scrolls_has_all_of_it(open_shared):
    stack = "3x64x64 " + "conv8k3p1 relu " * 12 + "flatten"
    page, menu = open_shared(figure="shape_explorer", settings={"stack": stack})
    layers = page.locator(".layers")
    layers.evaluate("(e) => { e.scrollTop = 60; }")
    before = layers.evaluate("(e) => [e.scrollTop, e.clientHeight < e.scrollHeight, scrollY]")
    assert before[:2] == [60, True]
    root = ElementTree.fromstring(saved(page, menu, "Save as SVG")[1])
    found = [(text.text, float(text.get("y"))) for text in root.findall(f"{SVG}text")]
    rows = [y for words, y in found if words == "ReLU"]
    assert len(rows) == 12
    assert np.diff(rows).min() > 40
    [first_of_code] = [y for words, y in found if words == "from torch import nn"]
    assert first_of_code > rows[-1]
    after = layers.evaluate("(e) => [e.scrollTop, e.clientHeight < e.scrollHeight, scrollY]")
    assert after == before


def test_what_is_offered_comes_when_it_is_asked_for(addresses, open_page):
    page = open_page(f"{addresses['server']}/index.html").page
    page.locator(".is-live").first.wait_for()
    requests = []
    page.on("request", lambda request: requests.append(urlsplit(request.url).path.split("/")[-1]))
    slider(page, "momentum").press("ArrowLeft")
    assert "offers.js" not in requests
    page.route("**/offers.js", lambda route: route.abort())
    menu = page.locator(".share-menu").first
    menu.locator("summary").press("Enter")
    expect(menu).to_contain_text("It did not arrive.")
    page.unroute("**/offers.js")
    menu.locator("summary").press("Escape")
    menu.locator("summary").press("Enter")
    expect(menu.get_by_role("button")).to_have_count(4)
    assert requests.count("offers.js") == 2
