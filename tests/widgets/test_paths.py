"""Ways through the book: their times are the chapters' own."""

import json
import re
from html import unescape
from itertools import product

import pytest
from asked import CHAPTERS

from cnnlesson.widgets.paths import Paths
from cnnlesson.widgets.shared.chapters import in_hours


def data_of(paths):
    return json.loads(unescape(re.search(r'data-state="([^"]*)"', paths.to_html())[1]))["_data"]


def test_a_way_takes_as_long_as_its_chapters():
    words = {way["key"]: way["words"] for way in data_of(Paths(CHAPTERS))["ways"]}
    assert words == {
        "network": "Chapters 1 to 5: 2 hours 30 minutes to read.",  # 10 + 20 + … + 50
        "momentum": "Chapters 6 to 12: 10 hours 30 minutes to read.",
        "all": "Chapters 1 to 12: 13 hours to read.",
    }
    still = Paths(CHAPTERS).to_html()
    assert all(text in still for text in words.values())


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "1 minute"), (45, "45 minutes"), (60, "1 hour"), (61, "1 hour 1 minute")],
)
def test_times_are_said_in_words(minutes, words):
    assert in_hours(minutes) == words


def test_there_is_advice_for_each_pair_of_answers_and_each_way_is_advised():
    data = data_of(Paths(CHAPTERS))
    options = [list(question["options"]) for question in data["asked"]]
    assert set(data["advice"]) == {" ".join(pair) for pair in product(*options)}
    assert {way for way, _ in data["advice"].values()} == {way["key"] for way in data["ways"]}


def test_who_never_trained_a_network_is_sent_past_none_that_momentum_needs():
    advice = data_of(Paths(CHAPTERS))["advice"]
    assert "momentum" not in {way for pair, (way, _) in advice.items() if pair.startswith("no")}


@pytest.mark.parametrize("chapters", [CHAPTERS[:5], CHAPTERS[::-1], []])
def test_all_chapters_are_expected(chapters):
    with pytest.raises(ValueError, match="expected those from 1 to 12, found"):
        Paths(chapters)
