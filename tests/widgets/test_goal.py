"""What a `Goal` is made of, and what it refuses."""

import json
import re
from html import unescape

import pytest

from cnnlesson.widgets import Goal, ShapeExplorer, StabilityMap

SEES = {
    "name": "03-sees",
    "words": "See all of it.",
    "rules": [("receptive field", ">=", 28), ("output", "==", "10")],
}
EVERYTHING = "1x28x28 pool7 pool4 flatten linear1to10"  # that sees it


def data_of(figure):
    """Return what the page is given."""
    return json.loads(unescape(re.search(r'data-state="([^"]*)"', figure.to_html())[1]))


def test_a_figure_takes_its_goal_to_the_page():
    goal = Goal(**SEES, fixed=["stack"], beyond="Whether it reads, nobody knows.")
    assert data_of(ShapeExplorer(goal=goal))["_data"]["goal"] == {
        "name": "03-sees",
        "words": "See all of it.",
        "rules": [["receptive field", ">=", 28], ["output", "==", "10"]],
        "fixed": ["stack"],
        "beyond": "Whether it reads, nobody knows.",
    }
    assert "_data" not in data_of(ShapeExplorer())


def test_a_network_is_measured_as_far_as_it_runs():
    assert ShapeExplorer().measures() == {
        "parameters": 34_826,
        "receptive field": 10,
        "convolutions": 2,
        "dilation": 1,
        "input": "1×28×28",
        "output": "10",
    }
    found = ShapeExplorer(stack="3x9x8 conv2k3d2 flatten linear7to10").measures()
    assert list(found.values()) == [2 * 3 * 9 + 2, 5, 1, 2, "3×9×8", "none"]
    assert ShapeExplorer(stack="1x8x8 linear9to10").measures()["parameters"] == 0


REFUSED = {
    "a name of another form": (
        {"name": "Sees"},
        "name: expected one such as '03-sees', found 'Sees'",
    ),
    "no words": ({"words": " "}, "words: expected a sentence, found ' '"),
    "a comparison that is none": (
        {"rules": [("parameters", "<", 9), ("dilation", "=", 1)]},
        "rules: expected comparisons among < <= == >= >, found '='",
    ),
    "no rule": ({"rules": []}, "expected a first one whose measure can get better"),
    "nothing to get better": (
        {"rules": [("output", "==", "10")]},
        "expected a first one whose measure can get better",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_goal_is_refused(case):
    change, message = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        Goal(**SEES | change)


MISPLACED = {
    "a measure that is not there": (
        {"rules": [("colour", "<", 3)]},
        {},
        "goal 03-sees: expected measures among parameters, receptive field, "
        "convolutions, dilation, input, output, found 'colour'",
    ),
    "a limit of another kind": (
        {"rules": [("parameters", "<", 3), ("output", "==", 10)]},
        {},
        "goal 03-sees: expected a limit for output such as '10', found 10",
    ),
    "a setting that is not there": (
        {"fixed": ["stack", "lr"]},
        {},
        "goal 03-sees: expected fixed settings among stack, found lr",
    ),
    "reached before anybody moves": (
        {},
        {"stack": EVERYTHING},
        "expected a figure that does not reach it as it opens, found receptive field 28, output "
        "10; open it with other settings, or ask for more",
    ),
}


@pytest.mark.parametrize("case", MISPLACED)
def test_a_figure_refuses_a_goal_that_it_cannot_judge_or_has_reached(case):
    change, settings, message = MISPLACED[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        ShapeExplorer(goal=Goal(**SEES | change), **settings)


def test_a_figure_without_measures_refuses_every_goal():
    with pytest.raises(ValueError, match="expected measures among none, found 'receptive field'"):
        StabilityMap(goal=Goal(**SEES))
