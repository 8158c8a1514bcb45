"""The stability map in a real browser: what is drawn and said is what Python computes."""

import re

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    computed,
    contrast,
    drag,
    frames,
    inside_of,
    luminance,
    middle_of,
    points_of,
    seen_in,
    seen_on,
    slider,
    swipe_by,
    values_on,
    walk_sliders,
    written_rate,
)
from playwright.sync_api import expect

from cnnlesson.widgets import StabilityMap

FIGURE = StabilityMap
# Not 0.1 for μ: there ρ⁶ is a thousandth to the last bit, and either count of steps is right.
GOALS = {"scaled_lr": 0.73, "momentum": 0.3, "num_steps": 0.9}
TITLES = {
    "divergence": "Divergence",
    "boundary": "Boundary",
    "critical": "Critical",
    "ripples": "Ripples, under-damped",
    "monotone": "Monotone, over-damped",
    "zigzag": "Zigzag",
}


def shown(page):
    """Return the settings, as Python reads them off the sliders."""
    values = {name: float(value) for name, value in values_on(page).items()}
    return {**values, "num_steps": int(values["num_steps"])}


def domain(values):
    """Return the axis' end for these values."""
    far = np.abs(values).max()
    return 1.15 * next((size for size in (0.5, 1, 2) if far <= 1.1 * size), 5)


def check_drawn(page, figure):
    """Compare both paths, the place, the scale's marker and the words with Python's."""
    on_page = seen_on(page)
    map_, *charts = on_page["plots"]
    w, v = (part[:, 0] for part in figure.path())
    far = np.flatnonzero(np.abs(w) > 1e6)
    seen = slice(far[0] + 1 if far.size else None)
    across, up = domain(w), domain(v)
    for chart, *expected in (
        (charts[0], np.arange(len(w)) / figure.num_steps, (w + across) / (2 * across)),
        (charts[1], (w + across) / (2 * across), (v + up) / (2 * up)),
    ):
        points, pixel = seen_in(chart, "path momentum")
        expected = np.column_stack(expected)[seen]
        assert points.shape == expected.shape
        np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)

    left, top, width, height = map_["box"]
    place = page.locator(".point").get_attribute("transform")
    x, y = (float(n) for n in re.findall(r"-?[\d.]+", place))
    assert (x - left) / width * 4 == pytest.approx(figure.scaled_lr, abs=1e-9)
    assert 1 - (y - top) / height == pytest.approx(figure.momentum, abs=1e-9)
    marker = page.locator(".marker").get_attribute("transform")
    at = float(re.findall(r"-?[\d.]+", marker)[0])
    assert (at - left) / width * 3 == pytest.approx(figure.rate, abs=1e-7)

    [words] = on_page["words"]
    assert words.startswith(TITLES[figure.regime])
    if figure.rate > 1e-9:
        assert written_rate(figure.rate) in words
    if figure.regime in ("ripples", "monotone", "zigzag"):
        [steps] = re.findall(r"a thousandth every (\d+) steps?\.", words)
        assert figure.rate ** int(steps) <= 1e-3 < figure.rate ** (int(steps) - 1)


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_drawn(page, StabilityMap())
    walk_sliders(page, GOALS, shown, lambda page, now: check_drawn(page, StabilityMap(**now)))
    expect(page.get_by_role("slider", name="step size × curvature αλ")).to_have_count(1)
    expect(
        page.get_by_role("slider", name="Place on the map at αλ = 0.50, μ = 0.80")
    ).to_have_count(1)


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_the_place_by_mouse_tap_and_keyboard(open_figure, width, theme):
    page = open_figure(width, theme)
    point = page.locator(".point")
    point.scroll_into_view_if_needed()
    _, (_, _, width, height) = inside_of(page, 0)
    x, y = middle_of(point.locator(".hit"))
    drag(page, (x + 5, y + 3), (x + 5 + 0.25 * width, y + 3 + 0.5 * height))
    after = shown(page)
    assert [after["scaled_lr"], after["momentum"]] == pytest.approx([1.5, 0.3], abs=0.011)
    check_drawn(page, StabilityMap(**after))

    x, y = middle_of(point.locator(".hit"))
    page.mouse.click(x + 0.5 * width, y + 0.2 * height)
    after = shown(page)
    assert [after["scaled_lr"], after["momentum"]] == pytest.approx([3.5, 0.1], abs=0.021)
    check_drawn(page, StabilityMap(**after))
    expect(page.locator(".readouts b")).to_have_class("bad")

    expect(point).to_be_focused()
    place = np.array([after["scaled_lr"], after["momentum"]])
    for key, step in (
        ("ArrowUp", (0, 0.01)),
        ("ArrowLeft", (-0.02, 0)),
        ("Shift+ArrowRight", (0.2, 0)),
        ("Shift+ArrowUp", (0, 0.1)),
        ("ArrowDown", (0, -0.01)),
    ):
        point.press(key)
        frames(page)
        place = place + step
        now = shown(page)
        assert [now["scaled_lr"], now["momentum"]] == pytest.approx(place, abs=1e-9)
    check_drawn(page, StabilityMap(**shown(page)))
    label = point.get_attribute("aria-label")
    assert label == f"Place on the map at αλ = {place[0]:.2f}, μ = {place[1]:.2f}"


def test_a_tap_beside_the_map_moves_nothing(open_figure):
    page = open_figure()
    plot = page.locator(".plot").first
    size = plot.bounding_box()
    for x, y in ((size["width"] / 2, 6), (size["width"] / 2, size["height"] - 6), (6, 150)):
        plot.click(position={"x": x, "y": y})
    frames(page)
    assert slider(page, "momentum").input_value() == str(StabilityMap().momentum)
    assert slider(page, "scaled_lr").input_value() == str(StabilityMap().scaled_lr)


def test_a_finger_taps_drags_and_scrolls(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)

    def place():
        now = shown(page)
        return [now["scaled_lr"], now["momentum"]]

    _, (_, _, width, height) = inside_of(page, 0)
    top = page.evaluate("scrollY")
    x, y = middle_of(page.locator(".point .hit"))
    swipe_by(page, (x, y), (0.25 * width, 0.3 * height))
    assert page.evaluate("scrollY") == top
    assert place() == pytest.approx([1.5, 0.5], abs=0.03)
    page.touchscreen.tap(x + 0.5 * width, y + 0.1 * height)
    frames(page)
    assert place() == pytest.approx([2.5, 0.7], abs=0.03)
    check_drawn(page, StabilityMap(**shown(page)))
    before = place()
    swipe_by(page, (x + 0.1 * width, y + 0.5 * height), (0, -200))
    page.wait_for_function("(top) => scrollY > top", arg=top)
    assert place() == before


def test_on_a_phone_the_verdict_stands_right_below_what_is_tapped(open_figure):
    page = open_figure(width=390)
    frames(page)
    chart, verdict = (page.locator(f".is-live {part}").first for part in ("svg", ".readouts p"))
    tapped, told = chart.bounding_box(), verdict.bounding_box()
    assert 0 <= told["y"] - (tapped["y"] + tapped["height"]) < 30


def test_bands_and_lines_lie_where_the_spectral_radius_is_theirs(open_figure):
    page = open_figure()
    svg, box = inside_of(page, 0)
    bands = svg.locator("path[style]").evaluate_all("(all) => all.map((e) => e.getAttribute('d'))")
    rates = [3 - i / 4 for i in range(8)] + [i / 50 for i in range(50, 0, -1)]
    for d, rate in list(zip(bands, rates, strict=True))[::3]:
        corners = points_of(d, box) * [4, 1]
        for part in (0.1, 0.5, 0.9):
            lower = (1 - part) * corners[1] + part * corners[2]
            if lower[0] <= 4:
                figure = StabilityMap(scaled_lr=lower[0], momentum=max(0, lower[1]))
                assert figure.rate == pytest.approx(rate, abs=1e-3)
    edge = points_of(svg.locator(".edge").get_attribute("d"), box) * [4, 1]
    roots = np.linspace(0, 2, 61)
    np.testing.assert_allclose(edge[:61], np.column_stack([roots**2, (1 - roots) ** 2]), atol=1e-4)
    np.testing.assert_allclose(edge[61:], [[2, 0], [4, 1]], atol=1e-4)


def test_the_dashed_lines_are_eigenvectors(open_figure):
    page = open_figure(tail="?stability_map.scaled_lr=0.15&stability_map.momentum=0.2")
    svg, box = inside_of(page, 2)
    lines = points_of(svg.locator(".mode").get_attribute("d"), box).reshape(2, 2, 2)
    figure = StabilityMap(scaled_lr=0.15, momentum=0.2)
    w, v = (part[:, 0] for part in figure.path())
    sizes = 2 * np.array([domain(w), domain(v)])
    directions = (lines[:, 1] - lines[:, 0]) * sizes
    for (dw, dv), (_, vector) in zip(
        directions,
        sorted(zip(*eigen(figure), strict=True), reverse=True, key=lambda e: e[0]),
        strict=True,
    ):
        assert dv / dw == pytest.approx(vector[1] / vector[0], abs=1e-3)
    slider(page, "momentum").press("End")
    frames(page)
    assert svg.locator(".mode").get_attribute("d") == ""


def eigen(figure):
    values, vectors = np.linalg.eig(figure.matrix)
    return values, vectors.T


def test_the_buttons_and_the_words(open_figure):
    page = open_figure(tail="?stability_map.scaled_lr=2.5")
    page.get_by_role("button", name="Critical μ for this αλ").click()
    check_drawn(page, StabilityMap(scaled_lr=2.5, momentum=(1 - 2.5**0.5) ** 2))
    said = page.get_by_role("status").first
    expect(said).to_contain_text("Critical: The two eigenvalues coincide. ρ = 0.581")
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, StabilityMap())
    expect(page.locator(".readouts p")).to_contain_text("a thousandth every 62 steps.")
    for place, words in (((1, 0), "arrives in one step"), ((3, 0.5), "no number of steps")):
        a, momentum = place
        tail = f"?stability_map.scaled_lr={a}&stability_map.momentum={momentum}"
        expect(open_figure(tail=tail).locator(".readouts p")).to_contain_text(words)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_scale_is_monotone_in_lightness_and_lines_stand_out(open_figure, theme):
    page = open_figure(theme=theme, tail="?stability_map.scaled_lr=4")
    svg, _ = inside_of(page, 0)
    scale = np.array([luminance(band, "fill") for band in svg.locator("path[style]").all()])
    lightness = np.cbrt(scale[8:])  # CIELAB's, but for its scale and offset
    steps = np.diff(lightness) * (-1 if theme == "light" else 1)
    assert (steps > 0).all()
    assert steps.max() < 2.5 * np.median(steps)
    edge, halo = (luminance(svg.locator(name), "stroke") for name in (".edge", ".halo"))
    mode = luminance(page.locator(".mode").last, "stroke")
    bad = luminance(page.locator(".bad").first, "color")
    for ground in scale:  # a line with its halo differs from every colour of the map
        assert max(contrast(edge, ground), contrast(halo, ground)) >= 3
    assert contrast(mode, halo) >= 3
    assert contrast(bad, halo) >= 4.5


def test_javascript_computes_what_python_computes(open_page):
    page = open_page("about:blank").page
    random = np.random.default_rng(0)
    figures = [
        StabilityMap(
            scaled_lr=random.uniform(0, 4),
            momentum=random.uniform(0, 1),
            num_steps=random.integers(1, 201),
        )
        for _ in range(100)
    ]
    places = [(0.6, 0.02), (1.1, 0.001), (0.25, 0.25), (2.25, 0.25), (1, 0), (3, 0.5), (0, 0.5)]
    figures += [StabilityMap(scaled_lr=a, momentum=momentum) for a, momentum in places]
    results = computed(page, figures)
    for figure, result in zip(figures, results, strict=True):
        w, v = (part[:, 0] for part in figure.path())
        np.testing.assert_allclose(result["w"], w, rtol=1e-9)
        np.testing.assert_allclose(result["v"], v, rtol=1e-9)
        values = np.sort_complex([complex(*parts) for parts in result["eigenvalues"]])
        expected = np.sort_complex(np.linalg.eigvals(figure.matrix))
        # A solver finds a double eigenvalue to half its digits only.
        precision = 1e-7 if figure.regime == "critical" else 1e-9
        np.testing.assert_allclose(values, expected, rtol=precision, atol=precision)
        assert result["rate"] == pytest.approx(figure.rate, rel=1e-9)
        assert result["regime"] == figure.regime
        assert result["bound"] == pytest.approx(2 + 2 * figure.momentum, rel=1e-12)
    assert {result["regime"] for result in results} == set(TITLES)


def check_moment(page, figure, t):
    """Compare the ball in both charts and the words about it with Python's."""
    frames(page)
    w, v = (part[:, 0] for part in figure.path())
    assert int(slider(page, "position").input_value()) == t
    across, up = domain(w), domain(v)
    for plot, place in (
        (1, (t / figure.num_steps, (w[t] + across) / (2 * across))),
        (2, ((w[t] + across) / (2 * across), (v[t] + up) / (2 * up))),
    ):
        inside, (left, top, width, height) = inside_of(page, plot)
        ball = inside.locator(".now")
        x, y = (float(ball.get_attribute(name)) for name in ("cx", "cy"))
        found = (x - left) / width, 1 - (y - top) / height
        assert found == pytest.approx(place, abs=1e-6)
    words = page.locator(".moment").inner_text().replace("−", "-")
    found = [float(n) for n in re.findall(r"-?\d+\.?\d*", words)]
    assert found == pytest.approx([t, w[t], v[t]], abs=0.0051)


def test_the_ball_step_by_step(open_figure):
    page = open_figure()
    check_moment(page, StabilityMap(), 0)
    position = slider(page, "position")
    for key, t in (("ArrowRight", 1), ("End", 40), ("ArrowLeft", 39)):
        position.press(key)
        check_moment(page, StabilityMap(), t)
    slider(page, "num_steps").fill("9")
    check_moment(page, StabilityMap(num_steps=9), 9)
    slider(page, "num_steps").fill("60")
    check_moment(page, StabilityMap(num_steps=60), 39)
    assert "position" not in page.url
    page.get_by_role("button", name="Reset").click()
    check_moment(page, StabilityMap(), 0)


def test_the_ball_rolls_and_rests(open_figure):
    page = open_figure(settings={"num_steps": 12})
    play = page.locator(".player button")
    play.press("Enter")
    expect(play).to_have_text("Pause")
    page.wait_for_function("() => document.querySelector('input[data-name=position]').value > 2")
    slider(page, "momentum").press("ArrowLeft")  # a place chosen under way is rolled on
    page.wait_for_function("() => document.querySelector('input[data-name=position]').value == 12")
    expect(play).to_have_text("Play")
    check_moment(page, StabilityMap(num_steps=12, momentum=0.79), 12)


def test_without_motion_the_ball_goes_a_step_at_a_time(open_figure):
    page = open_figure(reduced_motion="reduce")
    for t in (1, 2):
        page.get_by_role("button", name="Next step").click()
        check_moment(page, StabilityMap(), t)


def test_a_ball_beyond_all_bounds_is_written_short(open_figure):
    page = open_figure(settings={"scaled_lr": 4, "momentum": 0, "num_steps": 200})
    slider(page, "position").press("End")
    expect(page.locator(".moment")).to_contain_text(re.compile(r"w = 2\.7e\+95, v = 3\.5e\+95"))
