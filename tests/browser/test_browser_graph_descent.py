"""The descent on a graph in a real browser: what is drawn and said is what Python computes."""

import re

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    check_accessible,
    check_contrast,
    check_sliders,
    check_targets,
    computed,
    drag_slider,
    seen_in,
    seen_on,
    set_within_a_frame,
    slider,
    written_rate,
)
from playwright.sync_api import expect

from cnnlesson import optimal_lr, optimal_momentum, spectral_radius
from cnnlesson.widgets import GraphDescent

SLIDERS = ("num_steps", "lr", "momentum")
FIGURE = GraphDescent


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
    points, pixel = seen_in(wave, "dots momentum")
    is_seen = np.abs(w) < 99
    expected = np.column_stack([(graph.distances + 0.5) / (far + 1), (w + 0.6) / 2.8])[is_seen]
    assert points.shape == expected.shape
    np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)
    shade, pixel = seen_in(wave, "shade")
    assert shade[0, 0] == pytest.approx((figure.num_steps + 1) / (far + 1), abs=pixel)

    whole = GraphDescent(**{**figure.settings, "num_steps": 400})
    errors = whole.errors()
    steps = np.flatnonzero(np.abs(errors) < 99)
    points, pixel = seen_in(chart, "path momentum")
    least = -1.5  # an error of 1e-9, far below the picture: beyond it rounding
    expected = np.column_stack([steps / 400, (np.log10(np.maximum(errors[steps], 1e-99)) + 3) / 4])
    assert points.shape == expected.shape
    points, expected = np.maximum(points, least), np.maximum(expected, least)
    np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)
    bound, pixel = seen_in(chart, "edge")
    lower = graph.lower_bound(400)
    np.testing.assert_allclose(bound[:2, 0], [0, lower.sum() / 400], atol=pixel)
    np.testing.assert_allclose(bound[:2, 1], 0.75, atol=pixel)
    now, pixel = seen_in(chart, "rest")
    np.testing.assert_allclose(now[:, 0], figure.num_steps / 400, atol=pixel)

    [words] = on_page["words"]
    assert f"news in {np.sum(graph.distances <= figure.num_steps)} of 64 nodes" in words
    assert f"below 1 before step {far}." in words
    if errors[figure.num_steps] < 9999:
        said = float(re.search(r"Largest error ([\d.]+)\.", words)[1])
        assert said == pytest.approx(errors[figure.num_steps], abs=5.1e-4)
    rate = rate_of(figure)
    assert f"{written_rate(rate)} a step" in words
    assert ("does not shrink" in words) == (rate > 1 - 1e-9)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme):
    page = open_figure(width, theme, settings={"graph": "grid"})
    check_drawn(page, GraphDescent(graph="grid"))
    for name, to in zip(SLIDERS, (0.03, 0.2, 0.4), strict=True):
        before = shown(page)
        drag_slider(page, name, to)
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
    page = open_figure(settings={"num_steps": 3})
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
    page = open_figure(settings={"num_steps": 0})
    for step in range(1, 6):
        page.get_by_role("button", name="One step").click()
        check_drawn(page, GraphDescent(num_steps=step))
        assert page.locator(".graph .silent").count() == 63 - step
    slider(page, "num_steps").press("ArrowRight")
    expect(page.locator(".graph .silent")).to_have_count(57)
    expect(page.get_by_role("status").first).to_contain_text("After 6 steps: news in 7 of 64 nodes")


@pytest.mark.parametrize("graph", ["path", "grid", "expander"])
def test_the_buttons_the_table_and_the_address(open_figure, graph):
    page = open_figure(settings={"graph": graph})
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
    check_drawn(
        open_figure(settings={"graph": graph, "lr": best.lr, "momentum": best.momentum}), best
    )
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, GraphDescent())
    wild = open_figure(settings={"graph": "ring", "lr": 9, "momentum": "x", "num_steps": 2.4})
    check_drawn(wild, GraphDescent(lr=1, num_steps=2))


@HAND_AND_EYE
def test_accessible_and_within_the_page(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_accessible(page)
    check_targets(page.locator(".is-live").locator("input, button, select, .hit"), 8)
    check_sliders(page, SLIDERS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out(open_figure, theme):
    page = open_figure(theme=theme, settings={"lr": 1})

    check_contrast(
        page,
        (
            ".pinned",
            ".silent",
            ".inside .dots",
            ".inside .mode",
            ".inside .edge",
            ".inside .rest",
        ),
        (".bad", ".readouts b", ".chosen th", "caption", "td"),
    )


def test_weights_beyond_all_numbers_keep_their_colours(open_figure):
    for num_steps in (300, 380):
        page = open_figure(
            settings={"graph": "grid", "lr": 1, "momentum": 0, "num_steps": num_steps}
        )
        fills = page.locator(".graph circle:not(.pinned)").evaluate_all(
            "(all) => all.map((e) => e.style.fill)"
        )
        assert set(fills) == {"rgb(103, 0, 31)", "rgb(5, 48, 97)"}


def test_one_input_is_painted_in_the_next_frame(open_figure):
    page = open_figure()
    set_within_a_frame(page, "momentum", 0.5)
    check_drawn(page, GraphDescent(momentum=0.5))


def test_without_javascript_a_picture_and_a_sentence_remain(book, open_page):
    page = open_page(f"{book.as_uri()}/index.html", java_script_enabled=False).page
    expect(page.locator(".cnnlesson-figure").get_by_role("img")).to_be_visible()
    expect(page.locator(".cnnlesson-figure")).to_contain_text("has reached 31 nodes")


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
