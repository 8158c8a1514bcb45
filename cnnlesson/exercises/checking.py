"""`check`: look at an answer to an exercise, and say what is off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnlesson._support.arguments import checked
from cnnlesson.exercises import (
    chapter_1,
    chapter_2,
    chapter_3,
    chapter_4,
    chapter_5,
    chapter_6,
    chapter_7,
    chapter_8,
    chapter_9,
    chapter_10,
    chapter_11,
    chapter_12,
)
from cnnlesson.exercises.off import AnswerError

__all__ = ["Verdict", "check"]

_CHAPTERS = (
    *(chapter_1, chapter_2, chapter_3, chapter_4, chapter_5, chapter_6),
    *(chapter_7, chapter_8, chapter_9, chapter_10, chapter_11, chapter_12),
)
# A check returns what is said to a right answer, if there is more to say than that it is right.
_CHECKS: dict[str, Callable[[Any], str | None]] = {
    f"{chapter:02d}-{i}": look
    for chapter, module in enumerate(_CHAPTERS, start=1)
    for i, look in enumerate(module.CHECKS, start=1)
}


@dataclass(frozen=True)
class Verdict:
    """What `check` found. It is true if the answer is right, and shows its words.

    Attributes
    ----------
    is_right : bool
        Whether the answer is right.
    words : str
        What is off, in sentences; or that nothing is.
    """

    is_right: bool
    words: str

    def __bool__(self) -> bool:
        return self.is_right

    def __repr__(self) -> str:
        return self.words


@checked
def check(exercise: str, answer: Any) -> Verdict:
    """Look at an answer to an exercise, and say what is off.

    Parameters
    ----------
    exercise : str
        Chapter and number, as they stand beside the exercise, such as ``"02-1"``.
    answer : object
        What the exercise asks for: a number, a tensor, a function.

    Returns
    -------
    Verdict
        Whether it is right, and if not, the first thing that is off. What would be right is not
        said.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    if exercise not in _CHECKS:
        raise ValueError(
            f"exercise: expected one of {', '.join(_CHECKS)}, found {exercise!r}; "
            "it stands beside the exercise"
        )
    try:
        more = _CHECKS[exercise](answer)
    except AnswerError as off:
        return Verdict(False, f"Not yet. {off}")
    return Verdict(True, f"Right. {more or ''}".strip())
