"""The polynomial fit in a real browser: what is drawn and said is what Python computes."""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cnnlesson.widgets import PolynomialFit

SLIDERS = ("num_steps", "degree", "lr", "momentum")
HAND_AND_EYE = pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
)


@pytest.fixture(scope="module")
def book(figure_book):
    return figure_book(PolynomialFit())


@pytest.fixture
def open_figure(book, open_page):
    """Open the page; afterwards nothing went wrong on it."""
    visits = []

    def open_figure(width=1280, theme="light", **settings):
        query = "&".join(f"polynomial_fit.{name}={value}" for name, value in settings.items())
        visit = open_page(f"{book.as_uri()}/index.html?{query}", width, theme)
        visits.append(visit)
        visit.page.locator(".is-live").wait_for(timeout=10_000)
        return visit.page

    yield open_figure
    for visit in visits:
        assert visit.errors == []
        assert visit.foreign == []


def slider(page, name):
    return page.locator(f"input[name={name}]")


def seen_on(page):
    """Let what was asked for be painted, and return all that is drawn and said."""
    return page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
            const plots = [...document.querySelectorAll(".plot")].map((plot) => {
                const inside = plot.querySelector(".inside");
                const box = ["x", "y", "width", "height"].map((a) => +inside.getAttribute(a));
                const paths = [...inside.querySelectorAll("path")].map((path) =>
                    [path.getAttribute("class"), path.getAttribute("d")]);
                return { box, paths: Object.fromEntries(paths) };
            });
            const words = [...document.querySelectorAll(".readouts p")].map((p) => p.innerText);
            done({ plots, words });
        })))"""
    )


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def slide(page, name, to):
    """Drag a slider's thumb to a fraction of its track."""
    slider(page, name).scroll_into_view_if_needed()
    box = slider(page, name).bounding_box()
    now = slider(page, name).evaluate("(e) => (e.value - e.min) / (e.max - e.min)")
    start, end = (box["x"] + 10 + part * (box["width"] - 20) for part in (now, to))
    drag(page, (start, box["y"] + 22), (end, box["y"] + 22))


def drawn(plot, name):
    """Return the points of a path, as fractions of its plot from the left and from the bottom."""
    box, path = plot["box"], plot["paths"][name].replace("h0", "")
    assert "NaN" not in path
    assert "Infinity" not in path
    points = np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2)
    points = (points - box[:2]) / box[2:]
    return np.column_stack([points[:, 0], 1 - points[:, 1]]), 0.011 / min(box[2:])


def shown(page):
    """Return the settings, as Python reads them off the controls."""
    values = {name: float(slider(page, name).input_value()) for name in SLIDERS}
    values["num_steps"] = round(10 ** values["num_steps"])
    choice = page.locator("select[name=shown]").input_value()
    return {**values, "degree": int(values["degree"]), "shown": choice}


def check_drawn(page, figure):
    """Compare the curves, the points, the bars, the marks and the words with Python's."""
    on_page = seen_on(page)
    chart, table = on_page["plots"]
    early, tikhonov = figure.early_stopping(), figure.tikhonov()
    places = np.linspace(-1, 1, 81)
    across = np.arange(81) / 80
    for name, curve, is_shown in (
        ("path sum truth", np.sin(np.pi * places), True),
        ("path fit momentum", figure.curve(early, places), figure.shown != "Tikhonov"),
        ("path fit plain", figure.curve(tikhonov, places), figure.shown != "early stopping"),
    ):
        points, pixel = drawn(chart, name)
        expected = np.column_stack([across, (curve + 2) / 4])[: 81 * is_shown]
        assert points.shape == expected.shape
        np.testing.assert_allclose(points, expected, atol=pixel)
    points, pixel = drawn(chart, "dots point-cloud")
    expected = np.column_stack([(figure.problem.x + 1) / 2, (figure.problem.y + 2) / 4])
    np.testing.assert_allclose(points, expected, atol=pixel)

    most = 2 if early.max() > 1.2 else 1.2
    count = figure.degree + 1
    heights = 1 - (np.arange(count) + 0.5) / count
    bars, pixel = drawn(table, "bar")
    if figure.shown == "Tikhonov":
        assert bars.size == 0
    else:
        bars = bars.reshape(count, 2, 2)
        np.testing.assert_allclose(bars[:, 0, 0], 0, atol=pixel)
        np.testing.assert_allclose(bars[:, 1, 0], early / most, atol=pixel)
        np.testing.assert_allclose(bars[..., 1], np.stack([heights] * 2, 1), atol=pixel)
    marks, pixel = drawn(table, "edge")
    if figure.shown == "early stopping":
        assert marks.size == 0
    else:
        marks = marks.reshape(count, 2, 2)
        np.testing.assert_allclose(marks[..., 0], np.stack([tikhonov / most] * 2, 1), atol=pixel)
        np.testing.assert_allclose(marks.mean(axis=1)[:, 1], heights, atol=pixel)

    own, other = on_page["words"]
    assert f"Early stopping after {figure.num_steps:,} steps" in own
    assert f"{np.sum(early > 0.5)} of {count} eigenfeatures are more than half learned." in own
    for card, kept in ((own, early), (other, tikhonov)):
        said = re.search(r"([\d.]+) from the points, ([\d.]+) from the truth\.", card).groups()
        np.testing.assert_allclose([float(part) for part in said], figure.errors(kept), atol=5.1e-4)


def check_shapes(page, figure):
    """Compare the small pictures of the eigenfeatures with Python's polynomials."""
    path = page.locator(".path.feature").get_attribute("d")
    curves = [
        np.array(re.findall(r"-?[\d.]+", part), dtype=float).reshape(81, 2)
        for part in path.split("M")[1:]
    ]
    features = figure.problem.eigenfeatures(np.linspace(-1, 1, 81)).T
    assert len(curves) == len(features)
    room = 330 / len(features)
    for i, (curve, feature) in enumerate(zip(curves, features, strict=True)):
        middle = 30 + (i + 0.5) * room
        expected = middle - 0.4 * room * feature / np.abs(feature).max()
        np.testing.assert_allclose(curve[:, 1], expected, atol=0.051)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme):
    page = open_figure(width, theme)
    check_drawn(page, PolynomialFit())
    check_shapes(page, PolynomialFit())
    for name, to in zip(SLIDERS, (0.2, 0.5, 0.4, 0.9), strict=True):
        before = shown(page)
        slide(page, name, to)
        after = shown(page)
        assert [key for key in after if after[key] != before[key]] == [name]
        check_drawn(page, PolynomialFit(**after))
        slider(page, name).press("ArrowLeft")
        assert shown(page)[name] < after[name]
        for key in ("End", "Home"):
            slider(page, name).press(key)
            figure = PolynomialFit(**shown(page))
            check_drawn(page, figure)
            check_shapes(page, figure)
        back = np.log10(before[name]) if name == "num_steps" else before[name]
        slider(page, name).fill(str(round(back, 2)))


def test_what_is_shown_is_chosen_by_keyboard_too(open_figure):
    page = open_figure()
    choice = page.locator("select[name=shown]")
    choice.focus()
    for expected in ("early stopping", "Tikhonov"):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(choice).to_have_value(expected)
        check_drawn(page, PolynomialFit(shown=expected))


def test_the_buttons_and_the_words(open_figure):
    page = open_figure(num_steps=100_000, degree=6)
    figure = PolynomialFit(num_steps=100_000, degree=6)
    check_drawn(page, figure)
    page.get_by_role("button", name="Stop when nearest to the truth").click()
    stopped = shown(page)
    errors = {}
    for num_steps in sorted({round(10 ** (i / 20)) for i in range(101)}):
        figure.num_steps = num_steps
        errors[num_steps] = figure.errors(figure.early_stopping())[1]
    figure.num_steps = min(errors, key=errors.get)
    assert stopped["num_steps"] == pytest.approx(figure.num_steps, rel=0.06)
    check_drawn(page, figure)
    expect(page.get_by_role("status").first).to_contain_text("Early stopping after")
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, PolynomialFit())


def test_the_address_holds_the_settings(open_figure):
    page = open_figure()
    slider(page, "degree").press("ArrowLeft")
    slider(page, "num_steps").press("End")
    page.wait_for_function("location.search.includes('num_steps')")
    assert page.url.endswith("?polynomial_fit.degree=6&polynomial_fit.num_steps=100000")
    wild = open_figure(degree=99, num_steps=2.6, lr="x", shown="ridge")
    check_drawn(wild, PolynomialFit(num_steps=3))


@HAND_AND_EYE
def test_accessible_and_within_the_page(open_figure, width, theme):
    page = open_figure(width, theme)
    options = {"resultTypes": ["violations"], "preload": False}
    results = Axe().run(page, context=".cnnlesson-figure", options=options)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    targets = page.locator(".is-live").locator("input, button, select, .hit").all()
    assert len(targets) == 7
    for target in targets:
        box = target.bounding_box()
        assert round(min(box["width"], box["height"]), 3) >= 44
    for name in SLIDERS:
        assert slider(page, name).get_attribute("aria-valuetext")
    slider(page, "lr").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


LUMINANCE = """(element, property) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = getComputedStyle(element)[property];
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) =>
        c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out(open_figure, theme):
    page = open_figure(theme=theme, degree=4)

    def contrast(selector, style):
        found = page.locator(selector).first.evaluate(LUMINANCE, style)
        paper = page.locator(".is-live button").first.evaluate(LUMINANCE, "backgroundColor")
        darker, lighter = sorted([found, paper])
        return (lighter + 0.05) / (darker + 0.05)

    for selector in (
        ".truth",
        ".fit.momentum",
        ".fit.plain",
        ".point-cloud",
        ".bar",
        ".edge",
        ".mode",
        ".feature",
    ):
        assert contrast(selector, "stroke") >= 3, selector
    for selector in (".readouts span", ".readouts b"):
        assert contrast(selector, "color") >= 4.5, selector


def test_one_input_is_painted_in_the_next_frame(open_figure):
    page = open_figure()
    slider(page, "momentum").evaluate(
        """(input) => new Promise((painted) => {
            input.value = 0.5;
            input.dispatchEvent(new Event("input"));
            requestAnimationFrame(painted);
        })"""
    )
    check_drawn(page, PolynomialFit(momentum=0.5))


def test_without_javascript_a_picture_and_a_sentence_remain(book, open_page):
    page = open_page(f"{book.as_uri()}/index.html", java_script_enabled=False).page
    expect(page.locator(".cnnlesson-figure").get_by_role("img")).to_be_visible()
    expect(page.locator(".cnnlesson-figure")).to_contain_text(
        "5 of 8 eigenfeatures are more than half learned"
    )


def computed(page, figures):
    """Return what the module computes for each figure."""
    results = page.evaluate(
        """async ([source, states]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { compute } = await import(address);
            return JSON.stringify(JSON.parse(states).map(compute));
        }""",
        [figures[0]._esm, json.dumps([{**f.settings, **f.data()} for f in figures])],
    )
    return json.loads(results, parse_int=float)


def test_javascript_computes_what_python_computes(open_page):
    random = np.random.default_rng(0)
    figures = [
        PolynomialFit(
            degree=random.integers(2, 8),
            num_steps=int(10 ** random.uniform(0, 5)),
            lr=random.uniform(0.01, 1),
            momentum=random.choice([0, random.uniform(0, 0.99)]),
        )
        for _ in range(300)
    ]
    results = computed(open_page("about:blank").page, figures)
    places = np.linspace(-1, 1, 81)
    for figure, result in zip(figures, results, strict=True):
        for name, kept in (
            ("early", figure.early_stopping()),
            ("tikhonov", figure.tikhonov()),
        ):
            found, problem = result[name], figure.problem
            np.testing.assert_allclose(found["kept"], kept, atol=1e-9)
            np.testing.assert_allclose(found["weights"], problem.weights(kept), atol=1e-9)
            np.testing.assert_allclose(found["curve"], figure.curve(kept, places), atol=1e-9)
            assert found["errors"] == pytest.approx(figure.errors(kept), abs=1e-9)
        features = figure.problem.eigenfeatures(places)
        np.testing.assert_allclose(np.transpose(result["features"]), features, atol=1e-9)
        assert result["penalty"] == pytest.approx(figure.penalty, rel=1e-12)
