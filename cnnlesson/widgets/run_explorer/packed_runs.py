"""Thousands of measured runs, grouped by what was set, and packed small enough for a page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cnnlesson.experiments.run import CURVE_POINTS, RunResult
from cnnlesson.widgets.shared.measured import by_settings, measured_values

__all__ = ["AXES", "group_runs", "pack_runs"]

AXES = ("lr", "momentum", "batch_size", "pixels", "order")
_SIGNS = {"completed": ".", "diverged": "*", "dead": "0"}
_MOST_LOSSES = 13  # of a curve
_WIDEST = (0.03, 30.0)  # range of losses


def group_runs(results: Iterable[RunResult]) -> dict[tuple[Any, ...], list[RunResult]]:
    """Group finished runs by their values of ``AXES``.

    Parameters
    ----------
    results : iterable of RunResult
        Runs that may differ in ``AXES`` and the seed only. Interrupted ones are left out.

    Returns
    -------
    dict
        The runs of each cell by seed; the cells as in ``results``.

    Raises
    ------
    ValueError
        If there are no finished runs, if one was run twice, or if they differ in something else.
    """
    cells: dict[tuple[Any, ...], list[RunResult]] = {}
    for settings, result in by_settings(results, (*AXES, "seed")).items():
        cells.setdefault(settings[:-1], []).append(result)
    return {cell: sorted(runs, key=lambda r: r.run.seed) for cell, runs in cells.items()}


def pack_runs(cells: Mapping[tuple[Any, ...], Sequence[RunResult]]) -> dict[str, Any]:
    """Pack runs into a string of which a character holds six bits.

    A character from "?" to "~" is a number from 0 to 63: its code less 63. A cell begins with five
    of them, its places on the axes; its runs follow by seed, and a space parts it from the next.
    A run begins with a sign: "." completed, "*" diverged, "0" dead. Unless it diverged, the number
    of test images it answers rightly is next, in base 64: two digits or, for 4,096 images and
    more, three. Then come its losses, every second one of a long curve. They are levels of a
    logarithmic scale from ``low`` (0) to ``high`` (63), at whose ends stands what lies beyond.

    Parameters
    ----------
    cells : mapping of tuple to sequence of RunResult
        What ``group_runs`` returned.

    Returns
    -------
    dict
        The measured values of each axis; ``images``, the number of test images; for each batch
        size the ``steps`` of a run, and ``places``, the steps at which the losses of its curve
        stand; ``low`` and ``high``; and the string, ``cells``.

    Raises
    ------
    ValueError
        If an axis has more than 64 values.
    """
    axes = measured_values(cells, AXES)
    for name, values in axes.items():
        if len(values) > 64:
            raise ValueError(f"{name}: expected at most 64 different values, found {len(values)}")
    run = next(iter(cells.values()))[0].run
    steps = [run.num_epochs * math.ceil(run.num_images / size) for size in axes["batch_size"]]
    curves = [result.loss_curve for runs in cells.values() for result in runs]
    losses = np.clip([loss for curve in curves for loss in curve] or [1.0], *_WIDEST)
    low, high = float(losses.min()), float(max(losses.max(), 2 * losses.min()))

    def pack(result: RunResult, stride: int) -> str:
        shown = np.clip(result.loss_curve[::stride], low, high)
        levels = 63 * np.log(shown / low) / math.log(high / low)
        return _SIGNS[result.status] + _right(result) + _characters(levels.round().astype(int))

    packed = []
    for cell, runs in cells.items():
        at = [axes[name].index(value) for name, value in zip(AXES, cell, strict=True)]
        stride = _stride(steps[at[2]])
        packed.append(_characters(at) + "".join(pack(result, stride) for result in runs))
    return {
        **axes,
        "images": run.num_test_images,
        "steps": steps,
        "places": [_middles(count)[:: _stride(count)] for count in steps],
        "low": low,
        "high": high,
        "cells": " ".join(packed),
    }


def _characters(numbers: Iterable[int]) -> str:
    return "".join(chr(63 + number) for number in numbers)


def _right(result: RunResult) -> str:
    """Return the number of right answers, of a run that did not diverge."""
    if result.status == "diverged":
        return ""
    images = result.run.num_test_images
    right = round(result.test_accuracy * images)
    return _characters(right >> shift & 63 for shift in (12, 6, 0)[images < 4096 :])


def _middles(num_steps: int) -> list[float]:
    """Return the middle step of each part of ``RunResult.loss_curve``, the first step being 1."""
    edges = np.linspace(0, num_steps, min(CURVE_POINTS, num_steps) + 1).round()
    return ((edges[:-1] + edges[1:] + 1) / 2).tolist()


def _stride(num_steps: int) -> int:
    """Return every how many losses of a curve one travels."""
    return math.ceil(min(CURVE_POINTS, num_steps) / _MOST_LOSSES)
