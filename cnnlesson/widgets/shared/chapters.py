"""What a reader's way through the book, and the record of it, need to know of a chapter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Chapter", "in_hours"]


@dataclass(frozen=True)
class Chapter:
    """A chapter of the book.

    Parameters
    ----------
    number : str
        Its number, in two digits.
    title : str
        Its title, without the number.
    address : str
        Where its page is, seen from the page that shows this.
    minutes : int
        How long it takes to read, as it says itself.
    predictions : sequence of mapping
        What it asks before it answers, each as `Prediction.data` returns it with the truth.
    questions : sequence of mapping
        What it asks at its end, each as `Question.data` returns it.
    goals : sequence of mapping
        What its figures judge, each as `Goal.data` returns it, with the figure's ``"module"``, its
        ``"settings"`` as it opens, and their ``"limits"``.
    """

    number: str
    title: str
    address: str
    minutes: int
    predictions: Sequence[Mapping[str, Any]] = ()
    questions: Sequence[Mapping[str, Any]] = ()
    goals: Sequence[Mapping[str, Any]] = ()

    @property
    def name(self) -> str:
        """Number and title, as the contents have them."""
        return f"{int(self.number)}. {self.title}"


def in_hours(minutes: int) -> str:
    """Return a time in words.

    Parameters
    ----------
    minutes : int
        The time.

    Returns
    -------
    str
        Hours and minutes.

    Examples
    --------
    >>> in_hours(185)
    '3 hours 5 minutes'
    """
    parts = zip(divmod(minutes, 60), ("hour", "minute"), strict=True)
    return " ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in parts if n)
