"""The descent on a graph in a real browser: what is drawn and said is what Python computes."""

import re

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    check_contrast,
    computed,
    middle_of,
    seen_in,
    seen_on,
    slider,
    values_on,
    walk_sliders,
    written_rate,
)
from playwright.sync_api import expect

from cnnlesson import optimal_lr, optimal_momentum, spectral_radius
from cnnlesson.widgets import GraphDescent

GOALS = {"num_steps": 0.03, "lr": 0.2, "momentum": 0.4}
FIGURE = GraphDescent


def shown(page):
    """Return the settings, as Python reads them off the controls."""
    values = values_on(page)
    numbers = {name: float(values[name]) for name in GOALS}
    return {**values, **numbers, "num_steps": int(numbers["num_steps"])}


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


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host, settings={"graph": "grid"})
    check_drawn(page, GraphDescent(graph="grid"))
    walk_sliders(page, GOALS, shown, lambda page, now: check_drawn(page, GraphDescent(**now)))


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
    page.wait_for_function("() => location.search.includes('momentum')")
    check_drawn(
        open_figure(settings={"graph": graph, "lr": best.lr, "momentum": best.momentum}), best
    )
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, GraphDescent())


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


def test_the_steps_are_played(open_figure):
    page = open_figure(settings={"graph": "grid", "num_steps": 397})
    play = page.locator(".player button")
    steps = "document.querySelector('[name=num_steps]').value"
    play.press("Enter")
    expect(play).to_have_text("Play")  # at the end it rests
    check_drawn(page, GraphDescent(graph="grid", num_steps=400))
    play.press("Enter")  # and begins again
    page.wait_for_function(f"() => {steps} > 4 && {steps} < 300")
    play.press("Enter")
    expect(play).to_have_text("Play")
    at = shown(page)["num_steps"]
    check_drawn(page, GraphDescent(graph="grid", num_steps=at))
    page.wait_for_function(f"() => location.search.includes('num_steps={at}')")
    play.press("Enter")
    page.get_by_role("button", name="Reset").click()
    expect(play).to_have_text("Play")
    check_drawn(page, GraphDescent())


def test_a_finger_that_scrolls_leaves_the_steps_alone(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True, settings={"num_steps": 0})
    page.locator(".player button").tap()
    steps = "document.querySelector('[name=num_steps]').value"
    x, y = middle_of(page.locator(".colour-bar"))
    page.evaluate(f"onpointercancel = () => {{ window.then = {steps}; }}")
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        touches = {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": y} for y in points]}
        session.send("Input.dispatchTouchEvent", touches)

    touch("Start", y)
    page.wait_for_function(f"() => {steps} > 30")
    for k in range(1, 5):
        touch("Move", y - 20 * k)
    touch("End")
    page.wait_for_function("() => window.then > 30")


def test_without_motion_a_step_at_a_time(open_figure):
    page = open_figure(reduced_motion="reduce")
    page.get_by_role("button", name="Next step").click()
    check_drawn(page, GraphDescent(num_steps=31))


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
