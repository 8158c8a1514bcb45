"""Predictions on a page: chosen, set and drawn, kept, and put beside the truth."""

import json
import re

import numpy as np
import pytest
from asked import PREDICTIONS, TRUTHS
from figure_page import check_by_kind, check_within, come_back, drag, drag_slider, drawn
from playwright.sync_api import expect

from cnnlesson.widgets import Prediction

FIGURE = Prediction
FIGURE_PAGES = {
    "index": [lambda kind=kind: PREDICTIONS[kind] for kind in PREDICTIONS]
    + [lambda kind=kind: PREDICTIONS[kind].beside(TRUTHS[kind]) for kind in PREDICTIONS]
}
KINDS = list(PREDICTIONS)
ALONE = {
    "choose": "You made no prediction. It is “higher”.",
    "slider": "You made no prediction. It is 0.87.",
    "curve": "You drew no curve.",
}


def figure(page, i):
    there = page.locator(".cnnlesson-figure[data-module]").nth(i)
    there.scroll_into_view_if_needed()
    live = there.locator(".is-live")
    live.wait_for()
    return live


def asked(page, kind):
    return figure(page, KINDS.index(kind))


def told(page, kind):
    return figure(page, 3 + KINDS.index(kind))


def press_keep(page, kind):
    asked(page, kind).get_by_role("button", name="Keep this prediction").click()
    expect(asked(page, kind).get_by_role("status").last).to_contain_text("Kept.")


def test_whoever_predicts_nothing_reads_the_truth_alone(open_fresh):
    page = open_fresh(390, "dark", host="file")
    for kind, words in ALONE.items():
        expect(told(page, kind).locator(".beside")).to_have_text(words)
        expect(asked(page, kind)).not_to_contain_text("Kept.")
    check_within(page)


def test_a_word_stands_beside_the_truth_at_once_and_the_next_day(open_fresh):
    page = open_fresh()
    asked(page, "choose").get_by_role("button", name="lower").click()
    beside = told(page, "choose").locator(".beside")
    expect(beside).to_have_text("You said “lower”; it is “higher”.")
    asked(page, "choose").get_by_role("button", name="the same").click()
    expect(beside).to_have_text("You said “the same”; it is “higher”.")
    come_back(page)
    expect(beside).to_have_text("You said “the same”; it is “higher”.")
    expect(asked(page, "choose").locator("[aria-pressed=true]")).to_have_text("the same")


def test_a_number_is_kept_when_the_reader_says_so(open_fresh):
    page = open_fresh()
    drag_slider(page, "guess", 0.3)
    expect(told(page, "slider").locator(".beside")).to_have_text(ALONE["slider"])
    press_keep(page, "slider")
    said = asked(page, "slider").locator("output").text_content()
    assert re.fullmatch(r"0\.\d\d", said)
    assert said != "0.50"
    words = f"You said {said}; it is 0.87."
    expect(told(page, "slider").locator(".beside")).to_have_text(words)
    come_back(page)
    expect(told(page, "slider").locator(".beside")).to_have_text(words)
    expect(asked(page, "slider").locator("output")).to_have_text(said)


@pytest.mark.parametrize("hand", ["mouse", "keys"])
def test_a_curve_is_drawn_and_stands_over_the_measured_one(open_fresh, hand):
    page = open_fresh()
    kept = "JSON.parse(localStorage.getItem('cnnlesson.answers')).answers['00-edge'].given"
    plot = asked(page, "curve").locator(".plot")
    plot.scroll_into_view_if_needed()
    if hand == "mouse":
        box, svg = plot.bounding_box(), plot.locator(".inside")
        x, y, width, height = (
            float(svg.get_attribute(name)) for name in ("x", "y", "width", "height")
        )
        left, top = box["x"] + x, box["y"] + y
        drag(page, (left + 5, top + 0.25 * height), (left + width - 5, top + 0.75 * height))
        press_keep(page, "curve")
        first, middle, last = page.evaluate(kept)
        # Four decades, and five places of the mouse: the second is the last near the first column.
        assert np.log10([first, middle, last]) == pytest.approx([-0.5, -1, -2], abs=0.05)
    else:
        asked(page, "curve").get_by_text("Set it point by point").click()
        asked(page, "curve").get_by_role("slider", name="0.5").press("End")
        press_keep(page, "curve")
        assert page.evaluate(kept) == [0.1, 10, 0.1]
    given = page.evaluate(kept)
    told(page, "curve").wait_for()
    for kind, heights in (("plain", given), ("momentum", TRUTHS["curve"])):
        path, precision = drawn(page, 1, f".path.{kind}")
        # From the left end of the plot, which is 0.3 columns off the first.
        assert path[:, 0] * 2.6 - 0.3 == pytest.approx([0, 1, 2], abs=2.6 * precision)
        found = 0.001 * 10 ** (4 * path[:, 1])
        assert found == pytest.approx(heights, rel=20 * precision)
    expect(told(page, "curve").locator(".beside")).to_have_text(
        "Dashed is what you drew, solid what is."
    )
    come_back(page)
    expect(told(page, "curve").locator(".beside")).to_contain_text("what you drew")
    check_by_kind(page, context=".is-live")


@pytest.mark.parametrize("given", [2, "lower", None, [0.1, 0.1], [0.1, 0.1, 11]])
def test_what_nobody_could_have_predicted_is_left_out(open_fresh, given):
    page = open_fresh()
    names = [prediction.data()["name"] for prediction in PREDICTIONS.values()]
    answers = {name: {"given": given} for name in names if (name, given) != ("00-word", "lower")}
    stored = json.dumps({"version": 1, "answers": answers})
    page.evaluate("(text) => localStorage.setItem('cnnlesson.answers', text)", stored)
    come_back(page)
    expect(page.locator(".warning")).to_have_count(1)
    for kind, words in ALONE.items():
        expect(told(page, kind).locator(".beside")).to_have_text(words)
