"""What a `Prediction` is made of, and what stands beside it."""

import json
import re
from html import unescape

import numpy as np
import pytest

from cnnlesson.widgets import Prediction


def data_of(prediction):
    """Return what the page is given."""
    html = prediction.to_html()
    return json.loads(unescape(re.search(r'data-state="([^"]*)"', html)[1]))["_data"]


def share():
    return Prediction.slider(
        "05-kernels", "What share?", low=0, high=1, step=0.01, label="share", unit=" of 1"
    )


def edge():
    return Prediction.curve(
        "10-edge",
        "Where?",
        columns=["0", "0.9"],
        low=1e-4,
        high=10,
        x_label="μ",
        y_label="largest α",
        is_log=True,
    )


def word():
    return Prediction.choose("06-limit", "Lower or higher?", ["lower", "higher"])


def test_the_truth_keeps_four_digits_and_what_was_asked():
    told = share().beside(np.float32(0.87123456))
    assert data_of(told) == {**data_of(share()), "truth": 0.8712}
    assert data_of(edge().beside([0.1, np.float64(0.01)]))["truth"] == [0.1, 0.01]
    assert data_of(word().beside("higher"))["truth"] == "higher"


def test_only_where_the_truth_is_told_it_is_in_the_page():
    assert "<p>What share?</p>" in share().to_html()
    assert "truth" not in data_of(share())
    assert "<p>It is 0.87 of 1.</p>" in share().beside(0.871).to_html()
    assert "<p>It is: higher.</p>" in word().beside("higher").to_html()
    assert "<p>largest α: 0.1 at 0, 0.01 at 0.9.</p>" in edge().beside([0.1, 0.01]).to_html()
    assert word().to_html().count("<li>") == 2
    assert word().beside("lower").to_html().count("<li>") == 0


def test_it_is_told_apart_by_its_name_alone():
    assert repr(share()) == "Prediction('05-kernels')"
    assert repr(share().beside(0.87)) == "Prediction('05-kernels').beside(0.87)"


@pytest.mark.parametrize(
    ("prediction", "truth"),
    [
        *((share(), 1.01), (share(), float("nan")), (share(), [0.1, 0.2])),
        *((word(), "the same"), (edge(), [0.1]), (edge(), [0.1, 11])),
    ],
)
def test_a_truth_that_nobody_could_predict_is_refused(prediction, truth):
    with pytest.raises(ValueError, match="truth: expected what could be predicted"):
        prediction.beside(truth)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Prediction.choose("06-limit", "?", ["one"]), "options: expected several"),
        (lambda: Prediction.choose("06-limit", "?", ["a", "a"]), "options: expected several"),
        (lambda: Prediction.choose("limit", "?", ["a", "b"]), "name: expected one such as"),
        (lambda: Prediction.choose("06-limit", " ", ["a", "b"]), "prompt: expected words"),
        (
            lambda: Prediction.slider("06-n", "?", low=0, high=1, step=2, label=""),
            "step: expected more than 0 and at most 1, found 2",
        ),
        (
            lambda: Prediction.curve(
                *("10-e", "?"), columns="ab", low=0, high=1, x_label="", y_label="", is_log=True
            ),
            "a range that can be drawn",
        ),
        (
            lambda: Prediction.slider("06-n", "?", low=0, high=float("inf"), step=2, label=""),
            "step: expected more than 0 and at most inf",
        ),
        (
            lambda: Prediction.curve(
                *("10-e", "?"), columns="ab", low=0, high=float("inf"), x_label="", y_label=""
            ),
            "a range that can be drawn",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
