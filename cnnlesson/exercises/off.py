"""What is off about an answer, and how every check begins: is the answer of the right kind."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = [
    "AnswerError",
    "called",
    "in_turn",
    "number",
    "off_if",
    "off_if_near",
    "tensor",
    "times",
]


class AnswerError(Exception):
    """What is off about an answer, in words for a learner.

    `check` catches it, and shows the words.
    """


def off_if(is_off: bool | Tensor, words: str) -> None:
    """End the check here if something is off.

    Parameters
    ----------
    is_off : bool or torch.Tensor
        Whether it is.
    words : str
        What it is, in whole sentences.

    Raises
    ------
    AnswerError
        With these words.
    """
    if is_off:
        raise AnswerError(words)


def off_if_near(found: float, mistakes: Mapping[float, str], tolerance: float = 0.01) -> None:
    """End the check here if a number is one that a mistake leads to.

    Parameters
    ----------
    found : float
        The number.
    mistakes : mapping of float to str
        What each mistake leads to, and what it is, in whole sentences.
    tolerance : float, default 0.01
        How near is the same, as a share of the larger of the two.

    Raises
    ------
    AnswerError
        With the words of the first mistake that fits.
    """
    for wrong, words in mistakes.items():
        off_if(math.isclose(found, wrong, rel_tol=tolerance), words)


def times(shape: tuple[int, ...]) -> str:
    """Return a shape in words.

    Parameters
    ----------
    shape : tuple of int
        The shape.

    Returns
    -------
    str
        Such as "3×3".
    """
    return "×".join(map(str, shape)) or "a single number"


def number(answer: object) -> float:
    """Return an answer as a number.

    Parameters
    ----------
    answer : object
        A number, also in a tensor or an array of one element.

    Returns
    -------
    float
        The number.

    Raises
    ------
    AnswerError
        If it is none.
    """
    try:
        return float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        raise AnswerError(f"Expected a number, found {type(answer).__name__}.") from None


def tensor(answer: object, *shape: int) -> Tensor:
    """Return an answer as a tensor of a given shape.

    Parameters
    ----------
    answer : object
        A tensor, an array, or lists of numbers.
    *shape : int
        The shape that is asked for.

    Returns
    -------
    torch.Tensor, float32
        The numbers.

    Raises
    ------
    AnswerError
        If it cannot be one, or has another shape.
    """
    try:
        # A copy: PyTorch takes no view that runs backwards.
        own = answer.copy() if isinstance(answer, np.ndarray) else answer
        found = torch.as_tensor(own).detach().float()
    except (TypeError, ValueError, RuntimeError):
        raise AnswerError(f"Expected a tensor of numbers, found {type(answer).__name__}.") from None
    off_if(found.shape != shape, f"Expected the shape {times(shape)}, found {times(found.shape)}.")
    return found


def in_turn(found: Iterable[float], *expected: tuple[str, float, Mapping[float, str]]) -> None:
    """Compare numbers one by one, and end the check at the first that is off.

    Parameters
    ----------
    found : iterable of float
        The numbers of an answer.
    *expected : tuple of str, float and mapping
        Of each its name, what it should be, and words for values that a mistake leads to.

    Raises
    ------
    AnswerError
        With the name of a number that is off by more than half a per cent, and these words.
    """
    for value, (name, right, mistakes) in zip(found, expected, strict=True):
        if math.isclose(value, right, rel_tol=5e-3):
            continue
        said = [
            words for wrong, words in mistakes.items() if math.isclose(value, wrong, rel_tol=5e-3)
        ]
        raise AnswerError(" ".join([f"{name}, {value:g}, is off.", *said]))


def called(answer: object, *arguments: Any, returns: bool = True) -> Any:
    """Return what a learner's function gives.

    Parameters
    ----------
    answer : object
        The function.
    *arguments : object
        What it is given.
    returns : bool, default True
        Whether it is to return something; else it changes what it is given.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    AnswerError
        If it is no function, or fails.
    """
    if not callable(answer):
        found = type(answer).__name__
        raise AnswerError(f"Expected a function, found {found}. Hand it over without ().")
    try:
        result = answer(*arguments)
    except Exception as error:  # whatever a learner's code raises
        raise AnswerError(f"Your function fails: {type(error).__name__}: {error}") from None
    off_if(returns and result is None, "Your function returns nothing.")
    return result
