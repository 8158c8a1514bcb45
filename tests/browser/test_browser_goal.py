"""Goals on a page: reached by hand alone, told by how much they are missed, the best kept."""

import json
import math
import random
from functools import partial

import pytest
from asked import SMALL
from figure_page import check_by_kind, check_within, come_back, go_to, import_on, slider
from playwright.sync_api import expect
from test_browser_shape_explorer import random_stack

from cnnlesson.widgets import ErrorMilestones, Goal, MomentumExplorer, ShapeExplorer, TrainingLab

FIGURE = ShapeExplorer
FORTY = Goal(
    "00-forty",
    "Let momentum’s loss end below 0.0001.",
    rules=[("loss at the end", "<", 1e-4)],
    fixed=["condition_number", "start", "num_steps"],
)
READ = Goal(
    "00-read",
    "Read a third of the digits.",
    rules=[("test accuracy", ">=", 1 / 3), ("seeds", ">=", 2)],
    fixed=["num_images"],
)
QUICK = {"num_images": 500, "batch_size": 8, "pixels": "standardized", "lr": 0.02}
FIGURE_PAGES = {
    "index": [lambda: ShapeExplorer(goal=SMALL)],
    "bowl": [lambda: MomentumExplorer(num_steps=40, goal=FORTY)],
    "lab": [lambda: TrainingLab(**QUICK, goal=READ)],
}
PLACE = "cnnlesson.answers"
PATIENCE = 240_000  # milliseconds: on a busy machine too
BETTER = "1x28x28 pool7 pool4 flatten linear1to10"  # 20 parameters
WORSE = "1x28x28 conv9k14 pool15 flatten linear9to10"


def goal(page):
    return page.locator(".goal")


def verdict(page):
    return goal(page).get_by_role("status")


def best(page):
    return goal(page).get_by_text("Best: ")


def build(page, stack):
    """Have the figure show a network, as if the reader had built it."""
    go_to(page, {"stack": stack}, "shape_explorer")


def kept(page):
    text = page.evaluate(f"localStorage.getItem('{PLACE}')")
    return json.loads(text)["answers"].get("00-small") if text else None


@pytest.mark.parametrize("look", [(1280, "light", "server"), (390, "dark", "file")])
def test_it_says_what_is_missing_then_that_it_is_reached_and_keeps_the_best(open_fresh, look):
    page = open_fresh(*look)
    expect(goal(page)).to_contain_text(
        "Goal: See 28×28 pixels with fewer than 2,000 parameters. Not yet: "
        "parameters 34,826 (32,826 over), receptive field 10 (18 short)."
    )
    expect(best(page)).to_be_hidden()
    build(page, "1x28x28 conv9k15d2 flatten")
    expect(goal(page)).to_contain_text("dilation 2 (1 over), output none (not 10)")
    build(page, WORSE)
    expect(verdict(page)).to_have_text("Reached. ")
    expect(goal(page)).to_contain_text("What it reads, only a training tells.")
    expect(best(page)).to_have_text("Best: parameters 1,873.")
    build(page, BETTER)
    expect(best(page)).to_have_text("Best: parameters 20.")
    build(page, WORSE)
    expect(verdict(page)).to_have_text("Reached. ")
    expect(best(page)).to_have_text("Best: parameters 20.")
    assert kept(page) == {
        "given": {"settings": {"stack": BETTER}, "value": 20},
        "right": True,
    }
    check_within(page)
    check_by_kind(page, context=".goal")
    page.get_by_role("button", name="Reset").click()
    expect(verdict(page)).to_have_text("Not yet: ")
    come_back(page)
    expect(best(page)).to_have_text("Best: parameters 20.")
    goal(page).get_by_role("button", name="Show my best").focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(verdict(page)).to_have_text("Reached. ")
    come_back(page)  # the address has the settings now
    expect(verdict(page)).to_have_text("Reached. ")


def test_what_an_address_opens_with_is_not_reached(open_fresh):
    page = open_fresh(settings={"stack": BETTER})
    expect(verdict(page)).to_have_text("Not yet: ")
    expect(goal(page)).to_contain_text("what it opens with does not count.")
    assert kept(page) is None
    build(page, WORSE)
    expect(best(page)).to_have_text("Best: parameters 1,873.")


TAMPERED = {
    "no network": {"settings": {"stack": "1x28x28 <b>"}, "value": 3},
    "not reached": {"settings": {"stack": "1x28x28 relu"}, "value": 3},
    "impossible": {"settings": {"stack": "1x28x28 flatten pool2 linear784to10"}, "value": 3},
    "no settings": {"value": 3},
    "no value": {"settings": {"stack": BETTER}},
    "a list": [3],
    "nothing": None,
    "a number": 3,
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_kept_is_judged_again(open_fresh, case):
    page = open_fresh()
    answers = {"00-small": {"given": TAMPERED[case], "right": True}}
    stored = json.dumps({"version": 1, "answers": answers})
    page.evaluate(f"(text) => localStorage.setItem('{PLACE}', text)", stored)
    come_back(page)
    expect(verdict(page)).to_have_text("Not yet: ")
    expect(best(page)).to_be_hidden()
    expect(goal(page).locator(".warning")).to_contain_text("fits no question here")
    build(page, WORSE)
    expect(best(page)).to_have_text("Best: parameters 1,873.")


def test_a_value_that_was_written_by_hand_is_measured_again(open_fresh):
    page = open_fresh()
    answers = {"00-small": {"given": {"settings": {"stack": WORSE}, "value": -5}}}
    stored = json.dumps({"version": 1, "answers": answers})
    page.evaluate(f"(text) => localStorage.setItem('{PLACE}', text)", stored)
    come_back(page)
    expect(best(page)).to_have_text("Best: parameters 1,873.")


def measured(page, figures):
    """Return what the figures' JavaScript measures at their settings."""
    states = [figure.settings for figure in figures]
    use = "({ measure }, states) => states.map((state) => measure(state))"
    return import_on(page, figures[0]._esm, use, states)


def test_a_network_is_measured_as_python_measures_it(open_page):
    rng = random.Random(1)
    figures = [ShapeExplorer(stack=random_stack(rng)) for _ in range(60)]
    found = measured(open_page("about:blank").page, figures)
    assert found == [figure.measures() for figure in figures]
    assert {measures["output"] == "none" for measures in found} == {True, False}


def random_settings(rng, cls, names):
    """Return settings anywhere in their limits."""
    limits = cls()._limits
    return {
        name: rng.randint(*limits[name][:2]) if limits[name][2:] else rng.uniform(*limits[name])
        for name in names
    }


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (MomentumExplorer, ["lr", "momentum", "condition_number", "num_steps"]),
        (
            partial(MomentumExplorer, landscape="valley"),
            ["lr", "momentum", "condition_number", "num_steps"],
        ),
        (ErrorMilestones, ["lr", "momentum", "condition_number", "noise", "num_steps"]),
    ],
)
def test_a_bowl_is_measured_as_python_measures_it(open_page, cls, names):
    rng = random.Random(0)
    figures = [cls(**random_settings(rng, cls, names)) for _ in range(40)]
    figures += [cls(lr=0.2), cls(lr=3.9, momentum=0.96)]
    results = measured(open_page("about:blank").page, figures)
    for found, figure in zip(results, figures, strict=True):
        [(name, value)] = figure.measures().items()
        if math.isfinite(value):
            assert found == {name: pytest.approx(value, rel=1e-9)}
        else:
            assert not math.isfinite(found[name])


def test_what_must_stay_is_named_when_it_moves(open_fresh):
    page = open_fresh(figure="bowl", host="file", width=390)
    expect(goal(page)).to_contain_text("Not yet: loss at the end 0.000493 (0.000393 over).")
    slider(page, "lr").fill("3.1")
    slider(page, "momentum").fill("0.68")
    expect(verdict(page)).to_have_text("Reached. ")
    expect(best(page)).to_contain_text("Best: loss at the end ")
    slider(page, "num_steps").fill("41")
    expect(goal(page)).to_contain_text("Not yet: steps changed.")
    slider(page, "num_steps").fill("40")
    slider(page, "condition_number").fill("1")
    expect(goal(page)).to_contain_text("condition number changed.")
    expect(verdict(page)).to_have_text("Not yet: ")
    goal(page).get_by_role("button", name="Show my best").click()
    expect(verdict(page)).to_have_text("Reached. ")
    expect(slider(page, "lr")).to_have_value("3.1")
    check_within(page)


def test_a_goal_stays_with_its_landscape_and_what_was_kept_before_there_were_two(open_fresh):
    page = open_fresh(figure="bowl", host="file")
    kept = {**MomentumExplorer(lr=3.1, momentum=0.68, num_steps=40).settings, "start": [-8, 2.5]}
    del kept["landscape"]
    answers = {"00-forty": {"given": {"settings": kept, "value": 4e-6}, "right": True}}
    stored = json.dumps({"version": 1, "answers": answers})
    page.evaluate(f"(text) => localStorage.setItem('{PLACE}', text)", stored)
    come_back(page)
    expect(best(page)).to_contain_text("Best: loss at the end ")
    page.get_by_label("landscape").select_option("valley")
    slider(page, "lr").fill("3")
    expect(goal(page)).to_contain_text("landscape changed.")
    expect(verdict(page)).to_have_text("Not yet: ")
    goal(page).get_by_role("button", name="Show my best").click()
    expect(page.get_by_label("landscape")).to_have_value("bowl")
    expect(verdict(page)).to_have_text("Reached. ")


def train(page):
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("learned").first.wait_for(timeout=PATIENCE)


def test_a_training_that_went_to_its_end_reaches_and_is_kept(open_fresh):
    page = open_fresh(figure="lab", host="file")
    expect(goal(page)).to_contain_text("Not yet: test accuracy unknown, seeds 1 (1 short).")
    train(page)
    expect(goal(page)).to_contain_text("Not yet: seeds 1 (1 short).")
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("More settings").click()
    slider(page, "num_seeds").fill("2")
    train(page)
    expect(verdict(page)).to_have_text("Reached. ")
    expect(best(page)).to_contain_text("Best: test accuracy 0.")
    answers = json.loads(page.evaluate(f"localStorage.getItem('{PLACE}')"))["answers"]
    assert answers["00-read"]["given"]["settings"].items() >= {**QUICK, "num_seeds": 2}.items()
    slider(page, "num_seeds").fill("1")
    come_back(page)
    expect(verdict(page)).to_have_text("Not yet: ")
    goal(page).get_by_role("button", name="Show my best").click()
    expect(slider(page, "num_seeds")).to_have_value("2")
    expect(goal(page)).to_contain_text("Not yet: test accuracy unknown.")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(goal(page).get_by_role("button")).to_be_disabled()


@pytest.mark.parametrize("value", ["0.9", None, 0.1])
def test_of_a_training_the_settings_and_a_number_are_judged(open_fresh, value):
    page = open_fresh(figure="lab", host="file")
    settings = TrainingLab(**QUICK, num_seeds=2).settings
    answers = {"00-read": {"given": {"settings": settings, "value": value}, "right": True}}
    stored = json.dumps({"version": 1, "answers": answers})
    page.evaluate(f"(text) => localStorage.setItem('{PLACE}', text)", stored)
    come_back(page)
    expect(goal(page).locator(".warning")).to_contain_text("fits no question here")
    expect(best(page)).to_be_hidden()
