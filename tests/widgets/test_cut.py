"""Where curves leave a still picture; that the live one says the same, test_browser_twins holds."""

import re

import numpy as np
import pytest

from cnnlesson.widgets.shared.cut import cut_marks

BOX, ENDS = (10, 20, 400, 100), ((0, 4), (-1, 1))


def cut(*curves):
    return cut_marks([np.column_stack([range(5), ys]) for ys in curves], box=BOX, ends=ENDS)


def test_nothing_is_said_of_a_curve_that_stays():
    assert cut([0, 1, -1, 1.01, -1.01]) == ("", "")


def test_each_mark_stands_where_its_curve_crosses_the_edge():
    svg, sentence = cut([0, 0, 2, 9, 0], [0, -2, 0, 0, 0])
    tips = [tuple(map(float, tip)) for tip in re.findall(r"M([\d.]+),([\d.]+)l", svg)]
    assert tips == [(60, 120), (160, 20)]  # below half-way to 1, above half-way from 1 to 2
    assert "l-5,-8h10z" in svg
    assert "l-5,8h10z" in svg
    assert sentence == " Off the scale: 9."


@pytest.mark.parametrize(
    ("value", "words"),
    [(-2.3456, "−2.35"), (1234, "1230"), (-4e25, "−10²⁶"), (np.inf, "beyond 10³⁰⁸")],
)
def test_the_farthest_value_is_written(value, words):
    svg, sentence = cut([0, 0, 0, value, np.nan])
    assert f">off the scale: {words}<" in svg
    assert sentence == f" Off the scale: {words}."


@pytest.mark.parametrize("column", range(5))
def test_the_words_lie_between_the_ends(column):
    svg, _ = cut([3 * (i == column) for i in range(5)])
    [(x, rest)] = re.findall(r'<text x="([\d.]+)"([^>]*)>', svg)
    width = 6.5 * len("off the scale: 3")
    left = float(x) - width * ('"end"' in rest)
    assert 10 <= left <= 410 - width
