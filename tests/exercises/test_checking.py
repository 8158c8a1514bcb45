"""`check` as a whole: what it tells, and that each exercise has its ways to be wrong."""

import inspect
from importlib import import_module

import pytest

import cnnlesson
from cnnlesson import check

CHAPTERS = [import_module(f"test_chapter_{i}") for i in (*range(1, 7), *range(10, 13))]
RIGHT = {name: answers for chapter in CHAPTERS for name, answers in chapter.RIGHT.items()}
WRONG = {name: answers for chapter in CHAPTERS for name, answers in chapter.WRONG.items()}


def names():
    with pytest.raises(ValueError, match="expected one of") as caught:
        check("00-1", 0)
    return str(caught.value).split("one of ")[1].split(", found")[0].split(", ")


def test_an_exercise_that_is_not_there_is_named_and_the_others_too():
    with pytest.raises(ValueError, match=r"01-1, .*02-6.*, found '2-1'; it stands beside"):
        check("2-1", 0)


def test_each_exercise_has_a_right_answer_and_three_kinds_of_wrong_ones():
    assert set(RIGHT) == set(WRONG) == set(names())
    for name, answers in WRONG.items():
        assert len({words for _, words in answers}) >= 3, name


def test_help_holds_no_answer():
    help_texts = inspect.getdoc(check) + inspect.getdoc(cnnlesson.exercises)
    assert len(help_texts) > 200
    for name in names():
        look = cnnlesson.exercises.checking._CHECKS[name]
        assert look.__doc__ is None


def test_a_verdict_shows_its_words_and_nothing_else():
    verdict = check("02-2", 0)
    assert repr(verdict) == str(verdict) == verdict.words
    assert not verdict.is_right
