"""Values read off a plot: by mouse, by a finger, by keys; what is read is what was computed."""

import math
import re
from functools import partial

import numpy as np
import pytest
from asked import PREDICTIONS, TRUTHS
from figure_page import check_by_kind, check_within, computed, frames, go_to, slider, swipe_by
from playwright.sync_api import expect
from test_run_explorer import random_results

from cnnlesson.widgets import (
    EigenBasis,
    ErrorMilestones,
    GraphDescent,
    MomentumExplorer,
    PolynomialFit,
    RunExplorer,
    StabilityMap,
)

RUNS = random_results(5)
PLAIN = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹·", "--0123456789e")


def by_step(values):
    return {f"step {t}": value for t, value in enumerate(values)}


# A figure, which of its plots that can be read, and the values there: by the name of a curve, then
# by what its places are called.
CASES = {
    "momentum_explorer": (
        MomentumExplorer,
        0,
        lambda r: {
            "gradient descent": by_step(r["plain"]["loss"]),
            "momentum": by_step(r["momentum"]["loss"]),
        },
    ),
    # Its curves go on to the horizon, whatever the steps are.
    "eigen_basis": (
        partial(EigenBasis, num_steps=60),
        0,
        lambda r: {"component": by_step(r["components"][0])},
    ),
    "stability_map": (StabilityMap, 0, lambda r: {"w": by_step(r["w"])}),
    "error_milestones": (
        ErrorMilestones,
        0,
        lambda r: {
            "sum": by_step(np.add(r["deterministic"], r["stochastic"])),
            "deterministic": by_step(r["deterministic"]),
            "noise": by_step(r["stochastic"]),
        },
    ),
    "graph_descent": (GraphDescent, 0, lambda r: {"largest error": by_step(r["errors"])}),
    "polynomial_fit": (
        PolynomialFit,
        0,
        lambda r: {
            name: {f"x = {i / 40 - 1:.2f}".replace("-", "−"): y for i, y in enumerate(curve)}
            for name, curve in (
                ("early stopping", r["early"]["curve"]),
                ("Tikhonov", r["tikhonov"]["curve"]),
            )
        },
    ),
}
FIGURE_PAGES = {
    **{module: [make] for module, (make, *_) in CASES.items()},
    "run_explorer": [lambda: RunExplorer(RUNS)],
    "prediction": [lambda: PREDICTIONS["curve"].beside(TRUTHS["curve"])],
}


def reader(page, plot=0):
    return page.locator(".read-area").nth(plot)


def words(page):
    """Return what stands beside the line: how the place is called, and the values by name."""
    frames(page)
    place, *lines = page.locator(".read-here text").all_text_contents()
    pairs = (line.rsplit(" ", 1) for line in lines)
    return place, {name: float(value.replace("·10", "·").translate(PLAIN)) for name, value in pairs}


def focus(page, name):
    """Go to what values are read off with; what reads them is brought then."""
    area = page.get_by_role("slider", name=name)
    area.focus()
    page.locator(".read-here text").first.wait_for()
    return area


def hover(page, part, plot=0):
    """Move the mouse over a plot, to a part of its width."""
    reader(page, plot).scroll_into_view_if_needed()
    box = reader(page, plot).bounding_box()
    page.mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
    page.locator(".read-here text").first.wait_for()


def check(page, module):
    """Check that the values beside the line are those that were computed for its place."""
    cls, _, values_of = CASES[module]
    [result] = computed(page, [cls()])
    place, found = words(page)
    values = values_of(result)
    assert (
        found.items()
        >= {
            name: pytest.approx(at[place], rel=0.005, abs=1e-12) for name, at in values.items()
        }.items()
    )
    return place


@pytest.mark.parametrize("module", CASES)
def test_where_the_mouse_is_the_values_are_those_computed(open_figure, module):
    page = open_figure(figure=module)
    places = []
    for part in (0.02, 0.3, 0.55, 0.98):
        hover(page, part, CASES[module][1])
        places.append(check(page, module))
    assert len(set(places)) == 4
    page.mouse.move(2, 2)
    frames(page)
    assert page.locator(".read-here text").count() == 0


def test_by_keys_and_for_ears(open_figure):
    page = open_figure(390, "dark", figure="momentum_explorer")
    area = focus(page, "Read off: The loss after each step")
    assert check(page, "momentum_explorer") == "step 0"
    for key, place in {
        "ArrowRight": 1,
        "PageUp": 11,
        "ArrowLeft": 10,
        "Shift+ArrowRight": 20,
        "PageDown": 10,
        "End": 100,
        "Home": 0,
    }.items():
        page.keyboard.press(key)
        assert check(page, "momentum_explorer") == f"step {place}"
        spoken = [f"step {place}", *page.locator(".read-here text").all_text_contents()[1:]]
        expect(area).to_have_attribute("aria-valuetext", ", ".join(spoken))
        expect(area).to_have_attribute("aria-valuenow", str(place))
    expect(area).to_have_attribute("aria-valuemax", "100")
    check_by_kind(page, context=".is-live")
    check_within(page)
    page.keyboard.press("Escape")
    expect(page.locator(".read-here text")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    assert check(page, "momentum_explorer") == "step 1"
    page.keyboard.press("Tab")
    expect(page.locator(".read-here text")).to_have_count(0)


def test_what_comes_late_changes_nothing_for_who_went_on(open_figure):
    page = open_figure(figure="momentum_explorer")
    held = []
    page.route("**/values.js", lambda route: held.append(route))
    area = page.get_by_role("slider", name="Read off")
    with page.expect_request("**/values.js"):
        area.focus()
    area.blur()
    before = page.locator(".is-live").inner_html()
    held[0].continue_()
    page.wait_for_function("() => 'values' in cnnlessonModules")
    frames(page)
    assert page.locator(".is-live").inner_html() == before
    focus(page, "Read off")
    assert check(page, "momentum_explorer") == "step 0"


def test_what_is_read_follows_the_curves(open_figure):
    page = open_figure(figure="momentum_explorer")
    focus(page, "Read off")
    page.keyboard.press("End")
    before = words(page)
    go_to(page, {"num_steps": 20, "lr": 0.3}, "momentum_explorer")
    frames(page)
    [result] = computed(page, [MomentumExplorer(num_steps=20, lr=0.3)])
    place, found = words(page)
    assert place == "step 20"
    assert found["momentum"] == pytest.approx(result["momentum"]["loss"][20], rel=0.005)
    assert found != before[1]


def test_a_finger_reads_across_and_scrolls_up(open_figure):
    page = open_figure(390, "light", figure="graph_descent", has_touch=True)
    reader(page).scroll_into_view_if_needed()
    box = reader(page).bounding_box()
    start = (box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    page.touchscreen.tap(*start)  # what reads is brought
    page.locator(".read-here text").first.wait_for()
    swipe_by(page, start, (0.5 * box["width"], 0))
    at = int(check(page, "graph_descent").split()[1])
    last = max(
        int(text) for text in re.findall(r"\d+", reader(page).get_attribute("aria-valuemax"))
    )
    assert at == pytest.approx(0.7 * last, abs=3)
    height = page.evaluate("scrollY")
    swipe_by(page, start, (0, -200))
    page.wait_for_function("(before) => scrollY > before + 50", arg=height)


def test_words_stay_inside_the_plot(open_figure):
    page = open_figure(390, figure="error_milestones")
    for part in (0.01, 0.45, 0.55, 0.99):
        hover(page, part)
        frames(page)
        box = reader(page).bounding_box()
        for text in page.locator(".read-here text").all():
            inside = text.bounding_box()
            assert box["x"] <= inside["x"]
            assert inside["x"] + inside["width"] <= box["x"] + box["width"]
            assert box["y"] - 2 <= inside["y"]


def test_of_several_runs_the_highest_the_median_and_the_lowest(open_figure):
    page = open_figure(figure="run_explorer")
    hover(page, 0.5)
    frames(page)
    place, *lines = page.locator(".read-here text").all_text_contents()
    assert re.fullmatch(r"step [\d,]+", place)
    values = [re.fullmatch(r"(\w+) [≈≥≤] ([\d.e-]+)", line).groups() for line in lines]
    assert [name for name, _ in values] in (["highest", "median", "lowest"], ["loss"])
    numbers = [float(value) for _, value in values]
    assert numbers == sorted(numbers, reverse=True)
    state = {
        name: slider(page, name).get_attribute("aria-valuetext") for name in ("lr", "momentum")
    }
    shown = [
        result
        for result in RUNS
        if all(f"{getattr(result.run, name):.3g}" == value for name, value in state.items())
    ]
    step = int(place.removeprefix("step ").replace(",", ""))
    losses = [
        loss
        for result in shown
        for loss in result.loss_curve
        if math.isfinite(loss) and step <= result.run.num_steps
    ]
    assert min(losses) / 1.2 <= numbers[-1]
    assert numbers[0] <= max(losses) * 1.2


def test_a_prediction_is_read_beside_what_was_measured(open_figure):
    page = open_figure(figure="prediction")
    focus(page, "Read off")
    page.keyboard.press("End")
    place, found = words(page)
    assert place == PREDICTIONS["curve"].data()["columns"][-1]
    assert found == {"measured": TRUTHS["curve"][-1]}
