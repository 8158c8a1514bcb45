"""The figures in a real browser: what is drawn is what Python computes, for every kind of hand."""

import re

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    computed,
    contrast,
    drag,
    drag_slider,
    drawn,
    frames,
    inside_of,
    luminance,
    middle_of,
    seen_in,
    seen_on,
    slider,
    swipe_by,
    values_on,
    walk_sliders,
    written_rate,
)
from playwright.sync_api import expect

from cnnlesson.momentum.quadratic import max_stable_lr, optimal_momentum, spectral_radius
from cnnlesson.momentum.valley import RosenbrockValley
from cnnlesson.widgets import MomentumExplorer

FIGURE = MomentumExplorer
FIGURE_PAGES = {"index": [MomentumExplorer] * 2}
GOALS = {"lr": 0.93, "momentum": 0.3, "condition_number": 0.9, "num_steps": 0.1}
LOSSES = (1e-8, 1e4)
MINIMUM = RosenbrockValley.minimiser


def first(page):
    return page.locator(".is-live").first


def shown(page):
    """Return the settings, as Python reads them off the sliders and the point."""
    settings = values_on(page)
    settings = {n: v if n == "landscape" else float(v) for n, v in settings.items()}
    settings["condition_number"] = float(f"{10 ** settings['condition_number']:.3g}")
    label = first(page).locator(".point").get_attribute("aria-label")
    settings["start"] = [float(n.replace("−", "-")) for n in re.findall(r"−?\d+\.\d+", label)]
    settings["num_steps"] = int(settings["num_steps"])
    return settings


def check_drawn(page, explorer):
    """Compare both paths, both curves and both rates with Python's."""
    on_page = seen_on(page)
    map_, chart, *_ = on_page["plots"]
    for words, line, momentum in zip(
        on_page["words"], ("momentum", "plain"), (explorer.momentum, 0.0), strict=False
    ):
        w = explorer.path(momentum).w
        points, pixel = seen_in(map_, f"path {line}")
        end = 400 if explorer.landscape == "valley" else 40
        far = np.flatnonzero(~(np.abs(w).max(axis=1) <= end))
        assert len(points) == (far[0] + 1 if far.size else explorer.num_steps + 1)
        expected = (w[: len(points)] + np.array([10, 5])) / [20, 10]
        np.testing.assert_allclose(points, expected, atol=pixel)

        points, pixel = seen_in(chart, f"path {line}")
        loss = np.maximum(explorer.loss(w), 1e-300)
        loss = loss[np.isfinite(loss)]
        low, high = np.log10(LOSSES)
        expected = np.column_stack(
            [np.arange(len(loss)) / explorer.num_steps, (np.log10(loss) - low) / (high - low)]
        )
        np.testing.assert_allclose(points, expected, atol=pixel)

        rate = max(spectral_radius(c, explorer.lr, momentum) for c in explorer.curvatures)
        assert written_rate(rate) in words
        if explorer.landscape == "bowl":
            assert ("converges" if rate < 1 else "diverges") in words
        elif far.size:
            assert "diverges" in words
        else:
            away = np.hypot(*(w[-1] - MINIMUM))
            assert float(re.search(r"ends ([\d.]+) away", words)[1]) == pytest.approx(
                away, abs=0.006
            )


def plot_size(page):
    frame = first(page).locator(".plot").first.locator(".axes rect")
    return [float(frame.get_attribute(name)) for name in ("width", "height")]


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    assert shown(page) == {**MomentumExplorer().settings, "start": [-8, 2.5]}
    check_drawn(page, MomentumExplorer())
    walk_sliders(page, GOALS, shown, lambda page, now: check_drawn(page, MomentumExplorer(**now)))
    expect(page.get_by_role("slider", name="step size α")).to_have_count(2)
    expect(page.get_by_role("slider", name="Start at x = −8.00, y = 2.50")).to_have_count(2)


@HAND_AND_EYE
def test_the_start_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    point = first(page).locator(".point")
    point.scroll_into_view_if_needed()
    width, height = plot_size(page)
    x, y = middle_of(point.locator(".hit"))
    drag(page, (x + 5, y + 3), (x + 5 + 0.25 * width, y + 3 + 0.5 * height))
    frames(page)
    assert shown(page)["start"] == pytest.approx([-3, -2.5], abs=0.011)
    check_drawn(page, MomentumExplorer(start=shown(page)["start"]))

    expect(point).to_be_focused()
    before = np.array(shown(page)["start"])
    for key, step in (
        ("ArrowUp", (0, 0.1)),
        ("ArrowLeft", (-0.1, 0)),
        ("Shift+ArrowRight", (1, 0)),
        ("Shift+ArrowDown", (0, -1)),
    ):
        point.press(key)
        frames(page)
        assert shown(page)["start"] == pytest.approx(before + step)
        before = np.array(shown(page)["start"])
    check_drawn(page, MomentumExplorer(start=before))

    x, y = middle_of(point.locator(".hit"))
    drag(page, (x, y), (x + 2 * width, y - 3 * height))
    frames(page)
    assert shown(page)["start"] == [10, 5]


def test_fingers_drag_the_start_and_scroll_the_page_elsewhere(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    width, height = plot_size(page)
    top = page.evaluate("scrollY")
    x, y = middle_of(first(page).locator(".point .hit"))
    swipe_by(page, (x, y), (0.2 * width, 0.3 * height))
    assert page.evaluate("scrollY") == top
    assert shown(page)["start"] == pytest.approx([-4, -0.5], abs=0.02)
    check_drawn(page, MomentumExplorer(start=shown(page)["start"]))

    swipe_by(page, (x + 0.7 * width, y), (0, -200))
    page.wait_for_function("(top) => scrollY > top", arg=top)
    assert shown(page)["start"] == pytest.approx([-4, -0.5], abs=0.02)


def test_a_finger_that_scrolls_past_a_slider_moves_nothing(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    for name in ("momentum", "position"):
        slider(page, name).scroll_into_view_if_needed()
        top, before = page.evaluate("scrollY"), slider(page, name).input_value()
        box = slider(page, name).bounding_box()
        place = box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2
        swipe_by(page, place, (0, 200 if top > 200 else -200))
        page.wait_for_function("(top) => scrollY != top", arg=top)
        assert slider(page, name).input_value() == before
    assert "?" not in page.url


def test_a_finger_that_scrolls_leaves_what_plays_alone(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True, settings={"num_steps": 300})
    moment = first(page).locator(".moment")
    moment.scroll_into_view_if_needed()
    first(page).locator(".player button").tap()
    x, y = middle_of(moment)
    session = page.context.new_cdp_session(page)
    touch = [{"x": x, "y": y}]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touch})
    page.wait_for_function("() => document.querySelector('input[data-name=position]').value > 40")
    top = page.evaluate("scrollY")
    swipe_by(page, (x, y), (0, 120 if top > 120 else -120))
    page.wait_for_function("(top) => scrollY != top", arg=top)
    assert int(slider(page, "position").input_value()) > 40


def test_the_buttons(open_figure):
    page = open_figure()
    slider(page, "condition_number").press("End")
    page.get_by_role("button", name="Best α and μ for this κ").first.click()
    frames(page)
    lr, momentum, rate = optimal_momentum(1 / 1000, 1)
    expect(first(page).locator("output").nth(1)).to_have_text(f"{lr:.2f}")
    check_drawn(page, MomentumExplorer(lr=lr, momentum=momentum, condition_number=1000))
    words = first(page).locator(".readouts p.momentum")
    expect(words).to_contain_text(written_rate(rate))
    page.get_by_role("button", name="Reset").first.click()
    check_drawn(page, MomentumExplorer())


def choose(page, landscape):
    """Choose a landscape from the list, as a hand does."""
    first(page).get_by_label("landscape").select_option(landscape)


@HAND_AND_EYE
def test_the_valley_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    names = first(page).get_by_label("landscape")
    names.focus()
    names.press("ArrowDown")
    expect(names).to_have_value("valley")
    check_drawn(page, MomentumExplorer(landscape="valley"))
    walk_sliders(page, GOALS, shown, lambda page, now: check_drawn(page, MomentumExplorer(**now)))
    expect(first(page).get_by_role("slider", name="steepness κ")).to_have_count(1)

    point = first(page).locator(".point")
    point.scroll_into_view_if_needed()
    wide, high = plot_size(page)
    x, y = middle_of(point.locator(".hit"))
    drag(page, (x, y), (x + 0.5 * wide, y + 0.5 * high))
    frames(page)
    assert shown(page)["start"] == pytest.approx([2, -2.5], abs=0.011)
    check_drawn(page, MomentumExplorer(landscape="valley", start=shown(page)["start"]))
    point.press("ArrowUp")
    check_drawn(page, MomentumExplorer(landscape="valley", start=shown(page)["start"]))
    page.wait_for_function("() => location.search.includes('landscape=valley')")
    first(page).get_by_role("button", name="Reset").click()
    check_drawn(page, MomentumExplorer())
    expect(first(page).get_by_role("slider", name="condition number κ")).to_have_count(1)


def test_in_the_valley_the_theory_of_bowls_is_about_the_minimum_alone(open_figure):
    page = open_figure()
    bound, formula = first(page).locator(".slider small").all()
    expect(bound).to_have_text("momentum converges for α < 2(1 + μ) = 3.60")
    expect(formula).to_have_text("loss (x²/κ + y²)/2")
    axes = first(page).locator(".axes").first
    expect(axes).to_contain_text("y, steep: curvature 1")
    choose(page, "valley")
    flat, steep = RosenbrockValley(100).curvatures
    limit = max_stable_lr(steep, 0.8)
    expect(bound).to_have_text(f"near the minimum momentum converges for α < {limit:.2f}")
    expect(formula).to_contain_text("((x − 8)²/κ + (y + 4 − x²/8)²)/10: H. H. Rosenbrock’s of 1960")
    expect(axes).to_contain_text(f"curvatures at the minimum: {flat:.5f} and {steep:.1f}")
    expect(axes).not_to_contain_text("steep")
    words = first(page).locator(".readouts p.momentum")
    expect(words).to_contain_text("Near the minimum ρ = ")
    expect(words).not_to_contain_text("converges")
    first(page).get_by_role("button", name="Best α and μ near the minimum").click()
    lr, momentum, _ = optimal_momentum(flat, steep)
    check_drawn(page, MomentumExplorer(landscape="valley", lr=lr, momentum=momentum))
    choose(page, "bowl")
    expect(first(page).get_by_role("button", name="Best α and μ for this κ")).to_be_visible()


def test_a_path_that_the_valley_throws_out_is_cut_and_said(open_figure):
    """As chapter 6 has it: more momentum, and all else as it was."""
    page = open_figure(width=390, settings={"landscape": "valley", "momentum": 0.95})
    words = first(page).locator(".readouts p.momentum")
    expect(words).to_contain_text("ends 0.09 away")
    slider(page, "momentum").press("End")
    expect(words.locator(".bad")).to_have_text("diverges")
    expect(words).to_contain_text("Loss at the end: beyond 10³⁰⁸.")
    check_drawn(page, MomentumExplorer(landscape="valley", momentum=0.99))
    for key in ("Home", "End"):
        slider(page, "position").press(key)
        frames(page)
    expect(first(page).locator(".moment")).to_have_text(
        "Step 100: momentum is farther out than numbers go."
    )
    expect(first(page).locator(".vector")).to_be_hidden()
    cut = first(page).locator("text.cut")
    expect(cut).to_have_text("off the scale: beyond 10³⁰⁸")
    box, frame = cut.bounding_box(), first(page).locator(".plot").nth(1).bounding_box()
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    said = first(page).get_by_role("status").first
    expect(said).to_contain_text("Momentum diverges. Near the minimum ρ = 0.995 a step")
    assert not re.search("NaN|Infinity|undefined", first(page).evaluate("(e) => e.outerHTML"))


def test_the_words_name_the_slower_direction(open_figure):
    page = open_figure()
    words = first(page).locator(".readouts p.plain")
    expect(words).to_contain_text("a tenth every 127 steps.")
    expect(words).to_contain_text("The flat direction is slower.")
    slider(page, "condition_number").press("Home")
    expect(words).to_contain_text("Both directions keep pace.")
    words = open_figure(settings={"lr": 1.995}).locator(".readouts p.plain").first
    expect(words).to_contain_text("The steep direction is slower.")


def test_the_words_say_why(open_figure):
    page = open_figure(settings={"lr": 3, "momentum": 0.5})
    words = first(page).locator(".readouts p.momentum")
    expect(words).to_contain_text("never settles")
    expect(words).to_contain_text("α is exactly 3.00")
    slider(page, "lr").press("ArrowRight")
    expect(words).to_contain_text("diverges")
    expect(words).to_contain_text("α is above 3.00")
    expect(words).to_contain_text("100 of 100 steps lie outside the picture")
    slider(page, "condition_number").press("Home")
    page.get_by_role("button", name="Best α and μ for this κ").first.click()
    expect(words).to_contain_text("arrives at once")
    said = first(page).get_by_role("status").first
    expect(said).to_contain_text("Momentum arrives at once. ρ = 0: one step.")


def check_moment(page, explorer, t):
    """Compare the arrow, the marks and the words about one step with Python's."""
    frames(page)
    w, v = explorer.path().w, explorer.path().v
    svg, (left, top, width, height) = inside_of(page, 0)
    scales = np.array([width / 20, -height / 10])
    corner = np.array([left + width / 2, top + height / 2])
    assert int(slider(page, "position").input_value()) == t
    expect(first(page).locator(".player output")).to_have_text(f"{t} of {explorer.num_steps}")
    length = np.hypot(*(v[t] * scales))
    for arrow in svg.locator(".velocity").all():
        if length < 3:
            assert arrow.get_attribute("d") == ""
            continue
        x, y, angle = map(
            float, re.findall(r"-?[\d.]+(?:e-?\d+)?", arrow.get_attribute("transform"))
        )
        np.testing.assert_allclose([x, y], corner + w[t] * scales, atol=0.01)
        tip = float(re.match(r"M0,0H([\d.]+)", arrow.get_attribute("d"))[1])
        turn = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        np.testing.assert_allclose(tip * turn, v[t] * scales, atol=0.01)
    seen = "visible" if length > 3 else "hidden"
    assert svg.locator(".vector").evaluate("(e) => getComputedStyle(e).visibility") == seen
    for name, momentum in (("momentum", explorer.momentum), ("plain", 0.0)):
        path = explorer.path(momentum).w
        mark = svg.locator(f".now.{name}")
        at = [float(mark.get_attribute(part)) for part in ("cx", "cy")]
        np.testing.assert_allclose(at, corner + path[t] * scales, atol=0.01)
        dots = svg.locator(f".dots.{name}").get_attribute("d")
        assert dots.count("M") == t + 1
    words = first(page).locator(".moment").inner_text().replace("−", "-")
    found = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", words)]
    assert found[0] == t
    np.testing.assert_allclose(found[1:5], [*w[t], *v[t]], atol=0.0051)
    assert found[5] == pytest.approx(explorer.loss(w[t]), rel=0.051)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_the_velocity_step_by_step(open_figure, width, theme):
    page = open_figure(width, theme)
    check_moment(page, MomentumExplorer(), 7)
    position = slider(page, "position")
    for key, t in (("ArrowRight", 8), ("Home", 0), ("End", 100)):
        position.press(key)
        check_moment(page, MomentumExplorer(), t)
    slider(page, "num_steps").press("Home")  # who stands at the end stays there
    check_moment(page, MomentumExplorer(num_steps=1), 1)
    slider(page, "num_steps").fill("50")
    check_moment(page, MomentumExplorer(num_steps=50), 50)
    drag_slider(page, "position", 0.1)
    slider(page, "momentum").fill("0.9")
    check_moment(page, MomentumExplorer(num_steps=50, momentum=0.9), 5)
    slider(page, "num_steps").fill("60")
    check_moment(page, MomentumExplorer(num_steps=60, momentum=0.9), 5)
    expect(first(page).get_by_role("status").first).to_contain_text("Step 5: momentum is at w = (")
    assert "position" not in page.url
    check_drawn(page, MomentumExplorer(num_steps=60, momentum=0.9))


def test_play_and_pause(open_figure):
    page = open_figure(settings={"num_steps": 40})
    position, play = slider(page, "position"), first(page).locator(".player button")
    play.press("Enter")
    expect(play).to_have_text("Pause")
    page.wait_for_function("() => document.querySelector('input[data-name=position]').value > 9")
    play.press("Enter")
    expect(play).to_have_text("Play")
    at = int(position.input_value())
    assert 9 < at < 40
    check_moment(page, MomentumExplorer(num_steps=40), at)
    position.fill("38")
    play.click()
    page.wait_for_function("() => document.querySelector('input[data-name=position]').value == 40")
    expect(play).to_have_text("Play")
    play.click()  # from the end it begins again
    page.wait_for_function("() => document.querySelector('input[data-name=position]').value < 20")
    expect(play).to_have_text("Pause")
    position.press("ArrowRight")  # a hand on the slider takes over
    expect(play).to_have_text("Play")
    play.click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(play).to_have_text("Play")


def test_reset_stops_and_brings_back_the_step_that_the_page_opened_with(open_figure):
    page = open_figure()
    play = first(page).locator(".player button")
    slider(page, "num_steps").press("Home")
    play.click()
    page.get_by_role("button", name="Reset").first.click()
    expect(play).to_have_text("Play")
    check_moment(page, MomentumExplorer(), 7)


def test_fewer_steps_and_as_many_again_keep_the_step(open_figure):
    page = open_figure()
    for count, at in ((5, 5), (100, 7)):
        slider(page, "num_steps").fill(str(count))
        check_moment(page, MomentumExplorer(num_steps=count), at)
    slider(page, "position").press("End")  # who stands at the end stays there
    for count in (50, 200):
        slider(page, "num_steps").fill(str(count))
        check_moment(page, MomentumExplorer(num_steps=count), count)


@pytest.mark.parametrize("num_steps", [1, 2])
def test_names_stand_by_curves_of_few_points(open_figure, num_steps):
    page = open_figure(settings={"num_steps": num_steps})
    names = page.locator(".plot").nth(1).locator(".inside .note").all()
    for name, line in zip(names, (".path.plain", ".path.momentum"), strict=True):
        points, _ = drawn(page, 1, line)
        base = 1 - (float(name.get_attribute("y")) - 8) / 198
        assert points[:, 1].min() - 0.15 < base < points[:, 1].max() + 0.15


def test_nothing_is_named_where_no_curve_is_seen(open_figure):
    page = open_figure(settings={"start": "0_0"})
    for name in page.locator(".plot").nth(1).locator(".inside .note").all():
        expect(name).to_be_hidden()


def test_far_away_nothing_invalid_is_drawn(open_figure):
    page = open_figure(settings={"lr": 4, "momentum": 0})
    slider(page, "position").press("End")  # and the console stays silent
    expect(first(page).locator(".moment")).to_contain_text("Step 100: momentum is at w = (")


def test_a_rate_just_below_one_is_not_written_as_one(open_figure):
    page = open_figure(settings={"lr": 0.01, "momentum": 0, "condition_number": 1000})
    expect(first(page).locator("p.momentum")).to_contain_text("converges")
    expect(first(page).locator("p.momentum")).to_contain_text("ρ = 0.99999 a step")


def test_colours_stay_where_colours_are_forced(open_figure):
    usual, forced = (open_figure(forced_colors=colours) for colours in ("none", "active"))
    for part in (".slider input", ".slope", "p.momentum"):
        style = "(e) => [getComputedStyle(e).color, getComputedStyle(e).fill]"
        assert first(forced).locator(part).first.evaluate(style) == first(usual).locator(
            part
        ).first.evaluate(style)
    ground = "(e) => getComputedStyle(e).backgroundColor"
    assert forced.locator(".cnnlesson-figure").first.evaluate(ground) != "rgba(0, 0, 0, 0)"


def test_without_motion_a_step_at_a_time(open_figure):
    page = open_figure(reduced_motion="reduce", settings={"num_steps": 9})
    button = first(page).get_by_role("button", name="Next step")
    for t in (8, 9, 0, 1):
        button.click()
        check_moment(page, MomentumExplorer(num_steps=9), t)


def test_the_address_holds_the_settings(open_figure):
    page = open_figure(host="file", tail="?keep=1#after-the-figures")
    page.evaluate("scrollTo(0, 0)")  # the heading was behind both
    expect(page.locator(".is-live")).to_have_count(2)
    slider(page, "lr").press("ArrowRight")
    first(page).locator(".point").press("ArrowUp")
    page.locator(".is-live").nth(1).locator("input[name=num_steps]").press("Home")
    page.wait_for_function("() => location.search.includes('num_steps')")
    assert page.url.endswith(
        "?keep=1&momentum_explorer.lr=1.81&momentum_explorer.start=-8_2.6"
        "&momentum_explorer-2.num_steps=1#after-the-figures"
    )
    again = open_figure(host="file", tail=page.url.split("index.html")[1])
    check_drawn(again, MomentumExplorer(lr=1.81, start=(-8, 2.6)))
    expect(again.locator(".is-live").nth(1).locator("output").nth(4)).to_have_text("1")
    first(again).get_by_role("button", name="Reset").click()
    again.wait_for_function("() => !location.search.includes('momentum_explorer.')")
    check_drawn(again, MomentumExplorer())


def test_an_address_out_of_range_is_clamped_and_nonsense_is_ignored(open_figure):
    settings = "lr=99&momentum=-1&condition_number=many&start=50_-50&num_steps=7.6"
    query = "&".join(f"momentum_explorer.{setting}" for setting in settings.split("&"))
    page = open_figure(tail=f"?{query}&momentum_explorer._limits=0&momentum_explorer-2.start=1_x")
    check_drawn(page, MomentumExplorer(lr=4, momentum=0, start=(10, -5), num_steps=8))


def test_back_and_forward_show_what_the_address_says(open_figure):
    page = open_figure()
    slider(page, "lr").press("Home")
    page.wait_for_function("() => location.search.includes('lr=0.01')")
    page.evaluate("location.hash = 'after-the-figures'")
    slider(page, "lr").press("End")
    page.wait_for_function("() => location.search.includes('lr=4')")
    page.go_back()
    page.wait_for_function("() => location.search.includes('lr=0.01')")
    check_drawn(page, MomentumExplorer(lr=0.01))
    page.go_forward()
    page.wait_for_function("() => location.search.includes('lr=4')")
    check_drawn(page, MomentumExplorer(lr=4))


def test_a_change_just_before_a_jump_within_the_page_is_not_lost(open_figure):
    page = open_figure()
    slider(page, "lr").evaluate(
        """(input) => {
            input.value = 1;
            input.dispatchEvent(new Event("input"));
            location.hash = "after-the-figures";
        }"""
    )
    page.wait_for_function("() => location.search.includes('lr=1')")
    check_drawn(page, MomentumExplorer(lr=1))


def test_a_fragment_that_is_none_leaves_the_figures_as_they_are(open_figure):
    page = open_figure(tail="?momentum_explorer.lr=1#%")
    check_drawn(page, MomentumExplorer(lr=1))


def test_the_address_leads_to_its_figure_and_headings_keep_theirs(open_figure):
    page = open_figure(tail="?momentum_explorer-2.lr=1")
    assert 0 <= page.locator(".is-live").nth(1).bounding_box()["y"] < 200
    page = open_figure(tail="?momentum_explorer.lr=1#after-the-figures")
    assert -1 <= page.locator("#after-the-figures").bounding_box()["y"] < 100
    page = open_figure()
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_of_what_axe_cannot_see(open_figure, theme):
    page = open_figure(theme=theme, settings={"lr": 3})
    grounds = {
        "paper": luminance(first(page).locator(".knob"), "stroke"),
        "slope": luminance(first(page).locator(".slope"), "fill"),
    }
    for selector, style, ground, least in (
        (".axes text", "fill", "paper", 4.5),
        (".bad", "color", "paper", 4.5),
        (".slider small", "color", "paper", 4.5),
        (".path.momentum", "stroke", "slope", 3),
        (".path.plain", "stroke", "slope", 3),
        (".knob", "fill", "slope", 3),
        (".now.momentum", "fill", "slope", 3),
        (".now.plain", "fill", "slope", 3),
        (".velocity:not(.halo)", "stroke", "slope", 3),
    ):
        colour = luminance(first(page).locator(selector).first, style)
        assert contrast(colour, grounds[ground]) >= least, selector


def test_on_paper_it_is_dark_on_light_without_buttons(open_figure):
    page = open_figure(theme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Reset").first).to_be_hidden()
    colour = first(page).evaluate("(e) => getComputedStyle(e).color")
    assert colour == "rgb(0, 0, 0)"


def test_only_pages_with_a_figure_load_the_script(book):
    assert re.search(r'_static/figures\.js\?v=\w{8}"', (book / "index.html").read_text())
    assert "figures." not in (book.parent / "plain.html").read_text()


def test_javascript_computes_what_python_computes(open_page):
    page = open_page("about:blank").page
    random = np.random.default_rng(0)
    explorers = [
        MomentumExplorer(
            lr=random.uniform(0.01, 4),
            momentum=random.uniform(0, 0.99),
            condition_number=10 ** random.uniform(0, 3),
            start=random.uniform([-10, -5], [10, 5]),
            num_steps=random.integers(1, 301),
        )
        for _ in range(100)
    ]
    num_diverging = 0
    for explorer, result in zip(explorers, computed(page, explorers), strict=True):
        for name, momentum in (("momentum", explorer.momentum), ("plain", 0.0)):
            w = explorer.path(momentum).w
            rates = [spectral_radius(c, explorer.lr, momentum) for c in explorer.curvatures]
            num_diverging += max(rates) > 1
            np.testing.assert_allclose(result[name]["w"], w, rtol=1e-9)
            v = explorer.path(momentum).v
            np.testing.assert_allclose(result[name]["v"], v, rtol=1e-9)
            np.testing.assert_allclose(result[name]["loss"], explorer.loss(w), rtol=1e-9)
            np.testing.assert_allclose(result[name]["rates"], rates, rtol=1e-9)
            np.testing.assert_allclose(result[name]["bound"], 2 * (1 + momentum), rtol=1e-9)
        lr, momentum, _ = optimal_momentum(*explorer.curvatures)
        np.testing.assert_allclose(result["optimum"]["lr"], lr, rtol=1e-9)
        np.testing.assert_allclose(result["optimum"]["momentum"], momentum, rtol=1e-9)
    assert 25 < num_diverging < 175


def test_in_the_valley_javascript_computes_what_python_computes(open_page):
    """To the last bit: where a path bounces wildly, other roundings would soon be other paths."""
    page = open_page("about:blank").page
    random = np.random.default_rng(1)
    explorers = [
        MomentumExplorer(
            landscape="valley",
            lr=random.uniform(0.01, 4),
            momentum=0.99 * random.uniform() ** 0.2,
            condition_number=10 ** random.uniform(0, 3),
            start=random.uniform([-10, -5], [10, 5]),
            num_steps=random.integers(1, 301),
        )
        for _ in range(100)
    ]
    num_lost = 0
    for explorer, result in zip(explorers, computed(page, explorers), strict=True):
        np.testing.assert_allclose(result["curvatures"], explorer.curvatures, rtol=1e-12)
        for name, momentum in (("momentum", explorer.momentum), ("plain", 0.0)):
            path = explorer.path(momentum)
            for part, expected in (("w", path.w), ("v", path.v)):
                found = np.array(result[name][part], dtype=float)  # JSON has null for what is none
                is_number = np.isfinite(expected)
                np.testing.assert_array_equal(found[is_number], expected[is_number])
                assert np.isnan(found[~is_number]).all()
            loss = explorer.loss(path.w)
            found = np.array(result[name]["loss"], dtype=float)
            np.testing.assert_allclose(found[loss < np.inf], loss[loss < np.inf], rtol=1e-9)
            assert np.isnan(found[loss == np.inf]).all()
            num_lost += loss[-1] == np.inf
            rates = [spectral_radius(c, explorer.lr, momentum) for c in explorer.curvatures]
            np.testing.assert_allclose(result[name]["rates"], rates, rtol=1e-9)
            bound = max_stable_lr(explorer.curvatures[1], momentum)
            np.testing.assert_allclose(result[name]["bound"], bound, rtol=1e-9)
        lr, momentum, _ = optimal_momentum(*explorer.curvatures)
        np.testing.assert_allclose(result["optimum"]["lr"], lr, rtol=1e-9)
        np.testing.assert_allclose(result["optimum"]["momentum"], momentum, rtol=1e-9)
    assert 10 < num_lost < 190
