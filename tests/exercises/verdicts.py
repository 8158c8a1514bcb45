"""What is checked of the answers to every chapter's exercises."""

from collections.abc import Callable, Iterable, Mapping

import pytest

from cnnlesson import Run, RunResult, check


def checks_of(
    right: Mapping[str, Iterable], wrong: Mapping[str, Iterable[tuple]]
) -> tuple[Callable, Callable]:
    """Return two checks: right answers are called right, and what is off about others is said.

    Parameters
    ----------
    right : mapping of str to iterable
        Right answers to each exercise.
    wrong : mapping of str to iterable of tuple
        Wrong answers to each, with words that say what is off.
    """

    @pytest.mark.parametrize(
        ("name", "answer"), [(n, a) for n, all_ in right.items() for a in all_]
    )
    def is_right(name, answer):
        verdict = check(name, answer)
        assert verdict, verdict
        assert verdict.words.startswith("Right.")

    @pytest.mark.parametrize(
        ("name", "answer", "words"), [(n, *w) for n, all_ in wrong.items() for w in all_]
    )
    def is_off(name, answer, words):
        verdict = check(name, answer)
        assert not verdict
        assert verdict.words.startswith("Not yet. ")
        assert words in verdict.words, verdict.words

    return is_right, is_off


def ended(run: Run, accuracy: float) -> RunResult:
    """Return the result of a run that nobody did, with the accuracy that a test needs."""
    return RunResult(
        run=run, status="completed", train_losses=[1.0], test_accuracies=[accuracy], seconds=1.0
    )
