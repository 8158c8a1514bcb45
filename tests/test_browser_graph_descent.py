"""The descent on a graph in a real browser: what is drawn and said is what Python computes."""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cnnlesson import optimal_lr, optimal_momentum, spectral_radius
from cnnlesson.widgets import GraphDescent

SLIDERS = ("num_steps", "lr", "momentum")
HAND_AND_EYE = pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
)


@pytest.fixture(scope="module")
def book(figure_book):
    return figure_book(GraphDescent())


@pytest.fixture
def open_figure(book, open_page):
    """Open the page; afterwards nothing went wrong on it."""
    visits = []

    def open_figure(width=1280, theme="light", **settings):
        query = "&".join(f"graph_descent.{name}={value}" for name, value in settings.items())
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
    graph = page.locator("select[name=graph]").input_value()
    return {**values, "num_steps": int(values["num_steps"]), "graph": graph}


def rate_of(figure):
    extremes = figure.problem.curvatures[[0, -1]]
    return max(spectral_radius(c, figure.lr, figure.momentum) for c in extremes)


def check_drawn(page, figure):
    """Compare the nodes, the edges, both charts and the words with Python's."""
    on_page = seen_on(page)
    wave, chart = on_page["plots"]
    graph, w = figure.problem, figure.path().w[-1]
    nodes = page.locator(".graph circle").evaluate_all(
        "(all) => all.map((e) => [e.cx.baseVal.value, e.cy.baseVal.value, e.style.fill, "
        "e.getAttribute('class')])"
    )
    places = np.array([node[:2] for node in nodes])
    edges = page.locator(".graph .tie").get_attribute("d")
    ends = np.array(re.findall(r"-?[\d.e-]+", edges), dtype=float).reshape(-1, 2, 2)
    np.testing.assert_allclose(ends, places[graph.edges], atol=1e-6)
    for (_, _, fill, kind), distance, weight in zip(nodes, graph.distances, w, strict=True):
        if distance > figure.num_steps:
            assert weight == 0
            assert (fill, kind) == ("var(--paper)", "silent")
        elif np.isfinite(weight):
            red, _, blue = (int(part) for part in re.findall(r"\d+", fill))
            # Red above zero, blue below: the scale is that of the colour bar, from -2 to 2.
            assert abs(weight) < 0.02 or (red > blue) == (weight > 0)

    far = graph.distances.max()
    points, pixel = drawn(wave, "dots momentum")
    is_seen = np.abs(w) < 99
    expected = np.column_stack([(graph.distances + 0.5) / (far + 1), (w + 0.6) / 2.8])[is_seen]
    assert points.shape == expected.shape
    np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)
    shade, pixel = drawn(wave, "shade")
    assert shade[0, 0] == pytest.approx((figure.num_steps + 1) / (far + 1), abs=pixel)

    whole = GraphDescent(**{**figure.settings, "num_steps": 400})
    errors = whole.errors()
    steps = np.flatnonzero(np.abs(errors) < 99)
    points, pixel = drawn(chart, "path momentum")
    least = -1.5  # an error of 1e-9, far below the picture: beyond it rounding
    expected = np.column_stack([steps / 400, (np.log10(np.maximum(errors[steps], 1e-99)) + 3) / 4])
    assert points.shape == expected.shape
    points, expected = np.maximum(points, least), np.maximum(expected, least)
    np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)
    bound, pixel = drawn(chart, "edge")
    lower = graph.lower_bound(400)
    np.testing.assert_allclose(bound[:2, 0], [0, lower.sum() / 400], atol=pixel)
    np.testing.assert_allclose(bound[:2, 1], 0.75, atol=pixel)
    now, pixel = drawn(chart, "rest")
    np.testing.assert_allclose(now[:, 0], figure.num_steps / 400, atol=pixel)

    [words] = on_page["words"]
    assert f"news in {np.sum(graph.distances <= figure.num_steps)} of 64 nodes" in words
    assert f"below 1 before step {far}." in words
    if errors[figure.num_steps] < 9999:
        said = float(re.search(r"Largest error ([\d.]+)\.", words)[1])
        assert said == pytest.approx(errors[figure.num_steps], abs=5.1e-4)
    rate = rate_of(figure)
    assert f"ρ = {rate:.3f} a step" in words
    assert ("does not shrink" in words) == (rate > 1 - 1e-9)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme):
    page = open_figure(width, theme, graph="grid")
    check_drawn(page, GraphDescent(graph="grid"))
    for name, to in zip(SLIDERS, (0.03, 0.2, 0.4), strict=True):
        before = shown(page)
        slide(page, name, to)
        after = shown(page)
        assert [key for key in after if after[key] != before[key]] == [name]
        check_drawn(page, GraphDescent(**after))
        slider(page, name).press("ArrowRight")
        assert shown(page)[name] > after[name]
        for key in ("End", "Home"):
            slider(page, name).press(key)
            check_drawn(page, GraphDescent(**shown(page)))
        slider(page, name).fill(str(before[name]))


def test_the_graph_is_chosen_by_keyboard_too(open_figure):
    page = open_figure(num_steps=3)
    choice = page.locator("select[name=graph]")
    choice.focus()
    check_drawn(page, GraphDescent(num_steps=3))
    for graph in ("grid", "expander"):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(choice).to_have_value(graph)
        check_drawn(page, GraphDescent(graph=graph, num_steps=3))
        expect(page.locator(".chosen")).to_contain_text(graph)
    expect(page.get_by_role("img", name="The expander of 64 nodes")).to_be_visible()


def test_news_travels_one_node_a_step(open_figure):
    page = open_figure(num_steps=0)
    for step in range(1, 6):
        page.get_by_role("button", name="One step").click()
        check_drawn(page, GraphDescent(num_steps=step))
        assert page.locator(".graph .silent").count() == 63 - step
    slider(page, "num_steps").press("ArrowRight")
    expect(page.locator(".graph .silent")).to_have_count(57)
    expect(page.get_by_role("status").first).to_contain_text("After 6 steps: news in 7 of 64 nodes")


@pytest.mark.parametrize("graph", ["path", "grid", "expander"])
def test_the_buttons_the_table_and_the_address(open_figure, graph):
    page = open_figure(graph=graph)
    extremes = GraphDescent(graph=graph).problem.curvatures[[0, -1]]
    plain, fast = optimal_lr(*extremes), optimal_momentum(*extremes)
    cells = page.locator(".chosen").inner_text().split("\t")
    steps = [
        ", ".join(str(int(np.ceil(np.log(part) / np.log(rate)))) for part in (0.5, 0.1))
        for rate in (plain.rate, fast.rate)
    ]
    assert cells == [graph, f"{extremes[1] / extremes[0]:.0f}", *steps]
    page.get_by_role("button", name="Best α, μ = 0").click()
    check_drawn(page, GraphDescent(graph=graph, lr=plain.lr, momentum=0))
    page.get_by_role("button", name="Best α and μ").click()
    best = GraphDescent(graph=graph, lr=fast.lr, momentum=fast.momentum)
    check_drawn(page, best)
    page.wait_for_function("location.search.includes('momentum')")
    check_drawn(open_figure(graph=graph, lr=best.lr, momentum=best.momentum), best)
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, GraphDescent())
    wild = open_figure(graph="ring", lr=9, momentum="x", num_steps=2.4)
    check_drawn(wild, GraphDescent(lr=1, num_steps=2))


@HAND_AND_EYE
def test_accessible_and_within_the_page(open_figure, width, theme):
    page = open_figure(width, theme)
    options = {"resultTypes": ["violations"], "preload": False}
    results = Axe().run(page, context=".cnnlesson-figure", options=options)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    targets = page.locator(".is-live").locator("input, button, select, .hit").all()
    assert len(targets) == 8
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
    page = open_figure(theme=theme, lr=1)

    def contrast(selector, style):
        found = page.locator(selector).first.evaluate(LUMINANCE, style)
        paper = page.locator(".is-live button").first.evaluate(LUMINANCE, "backgroundColor")
        darker, lighter = sorted([found, paper])
        return (lighter + 0.05) / (darker + 0.05)

    for selector in (
        ".pinned",
        ".silent",
        ".inside .dots",
        ".inside .mode",
        ".inside .edge",
        ".inside .rest",
    ):
        assert contrast(selector, "stroke") >= 3, selector
    for selector in (".bad", ".readouts b", ".chosen th", "caption", "td"):
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
    check_drawn(page, GraphDescent(momentum=0.5))


def test_without_javascript_a_picture_and_a_sentence_remain(book, open_page):
    page = open_page(f"{book.as_uri()}/index.html", java_script_enabled=False).page
    expect(page.locator(".cnnlesson-figure").get_by_role("img")).to_be_visible()
    expect(page.locator(".cnnlesson-figure")).to_contain_text("has reached 31 nodes")


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
        GraphDescent(
            graph=("path", "grid", "expander")[i % 3],
            num_steps=random.integers(0, 401),
            lr=random.uniform(0.01, 1),
            momentum=random.choice([0, random.uniform(0, 0.99)]),
        )
        for i in range(90)
    ]
    results = computed(open_page("about:blank").page, figures)
    for figure, result in zip(figures, results, strict=True):
        w, errors = figure.path().w[-1], figure.errors()
        if errors.max() < 1e300:
            np.testing.assert_allclose(result["weights"], w, atol=1e-9 * max(1, np.abs(w).max()))
            found = result["errors"][: len(errors)]
            np.testing.assert_allclose(found, errors, rtol=1e-9, atol=1e-12)
        assert result["rate"] == pytest.approx(rate_of(figure), rel=1e-7)
        reached = np.sum(figure.problem.distances <= figure.num_steps)
        assert result["numReached"] == reached
