"""What a record knows of the chapters."""

import json
import re
from html import unescape

from asked import ASKING, CHAPTERS, PREDICTIONS, QUESTIONS

from cnnlesson.widgets.reader_record import ReaderRecord


def test_it_knows_what_is_asked_but_not_what_is_said_to_an_answer():
    html = ReaderRecord([ASKING, *CHAPTERS]).to_html()
    data = json.loads(unescape(re.search(r'data-state="([^"]*)"', html)[1]))["_data"]
    first, *others = data["chapters"]
    assert (first["number"], first["name"]) == ("00", "0. What is asked")
    assert [p["name"] for p in first["predictions"]] == [
        prediction.data()["name"] for prediction in PREDICTIONS.values()
    ]
    assert all("truth" in prediction for prediction in first["predictions"])
    for question, known in zip(QUESTIONS.values(), first["questions"], strict=True):
        content = question.data()
        assert known == {key: content[key] for key in known}
        assert not {"because", "words", "wrong", "otherwise"} & set(known)
        assert content["because"] not in html
    assert [chapter["questions"] for chapter in others] == [[]] * 12
    [goal] = first["goals"]
    assert goal["module"] == "shape_explorer"
    assert goal.keys() >= {"rules", "fixed", "settings", "limits"}


def test_nothing_that_is_asked_or_true_is_read_before():
    text = re.sub(r"<[^>]*>", "", ReaderRecord([ASKING]).to_html())
    assert text.split() == ReaderRecord([]).summary().split()
