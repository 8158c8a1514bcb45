"""Settings that were measured: runs by their settings, and a trait that takes no others."""

import numbers
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from traitlets import TraitError

from cnnlesson.experiments.run import RunResult
from cnnlesson.widgets.shared.settings import Setting

__all__ = ["WORDS", "Measured", "by_settings", "in_digits", "measured_values"]

WORDS = {  # in the order in which they are offered
    "raw": "raw pixels",
    "unit": "pixels from 0 to 1",
    "standardized": "standardised pixels",
    "shuffled": "shuffled images",
    "file": "images in the order of their file",
    "sorted": "images sorted by class",
}


class Measured(Setting):
    """One of the values that a figure's runs were made with: those in its ``axes``."""

    def __init__(self) -> None:
        super().__init__(None, [])

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value as the runs have it, or raise ``traitlets.TraitError``."""
        values = obj.axes[self.name]
        if isinstance(value, str | numbers.Real) and value in values:
            return values[values.index(value)]
        expected = ", ".join(map(in_digits, values))
        raise TraitError(f"{self.name}: expected one of {expected}, found {value!r}")


def by_settings(
    results: Iterable[RunResult], axes: Sequence[str], free: Iterable[str] = ()
) -> dict[tuple[Any, ...], RunResult]:
    """Return finished runs by the settings in which they differ.

    Parameters
    ----------
    results : iterable of RunResult
        Runs in any order. Interrupted ones are left out.
    axes : sequence of str
        Settings in which they may differ, and by which each is found.
    free : iterable of str, optional
        Settings in which they may differ besides.

    Returns
    -------
    dict
        The runs by their values of ``axes``, in the order of ``results``.

    Raises
    ------
    ValueError
        If there are no finished runs, if two have the same settings, or if they differ in
        something else.
    """
    finished = [result for result in results if result.status != "interrupted"]
    if not finished:
        raise ValueError("results: expected at least one finished run, found none")
    values: dict[str, dict[Any, None]] = defaultdict(dict)
    found: dict[tuple[Any, ...], RunResult] = {}
    for result in finished:
        for name, value in {**asdict(result.run), "digits": result.digits}.items():
            values[name][value] = None
        settings = tuple(getattr(result.run, name) for name in axes)
        if settings in found:
            raise ValueError(f"results: expected every run once, found {result.run} twice")
        found[settings] = result
    for name, different in values.items():
        if name not in (*axes, *free) and len(different) > 1:
            text = ", ".join(map(repr, different))
            raise ValueError(f"results: expected one value of {name} in all runs, found {text}")
    return found


def measured_values(settings: Iterable[tuple[Any, ...]], axes: Sequence[str]) -> dict[str, list]:
    """Return the values of each setting that occur.

    Parameters
    ----------
    settings : iterable of tuple
        Values of ``axes``, in their order, at least one tuple.
    axes : sequence of str
        Names of settings.

    Returns
    -------
    dict of str to list
        For each name the values that occur: numbers by size, words in the order of ``WORDS``.
    """
    rank = {word: place for place, word in enumerate(WORDS)}
    columns = zip(*settings, strict=True)
    return {
        name: sorted(set(values), key=lambda value: rank.get(value, value))
        for name, values in zip(axes, columns, strict=True)
    }


def in_digits(value: float | str) -> str:
    """Return a number with three digits and no power of ten; text as it is.

    Parameters
    ----------
    value : float or str
        The value of a setting, or another number.

    Returns
    -------
    str
        Such as ``"0.00123"``.
    """
    if isinstance(value, str):
        return value
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")
