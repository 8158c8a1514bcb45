"""Where training stops working: the largest step size of measured runs, and how sure that is."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest, bootstrap

from cnnlesson._support.arguments import Count, NonNegativeCount, Vector, checked

__all__ = ["Interval", "bootstrap_median", "find_edges", "find_ends", "share_interval"]


class Interval(NamedTuple):
    """A range that is made to hold the true value of what was estimated in 95 of 100 such studies.

    Attributes
    ----------
    low, high : float
        Its ends.
    """

    low: float
    high: float


def find_edges(
    frame: pd.DataFrame, by: Sequence[str] = ("momentum", "seed"), *, threshold: float = 0.5
) -> pd.DataFrame:
    """Find the step size at which runs stop working, for each seed.

    From the best step size upward, a run has collapsed if its accuracy is below the threshold or
    there is none. The edge lies between the first that collapsed and the one before.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per run, with the columns ``lr``, ``test_accuracy`` and those of ``by``.
    by : sequence of str, default ("momentum", "seed")
        Columns that tell the runs of one search apart. Within it, step sizes differ.
    threshold : float, default 0.5
        The least accuracy of a run that works, in [0, 1].

    Returns
    -------
    pandas.DataFrame
        The columns of ``by``, and ``edge``: the geometric mean of the two step sizes; infinite if
        no run collapsed, so that the edge lies beyond them; NaN if none worked.

    Raises
    ------
    ValueError
        If two runs of one search have the same step size.

    Notes
    -----
    Of several best step sizes the smallest counts. A median over seeds that has infinite edges
    among its values is right where it is finite; a mean is not.
    """
    by = [by] if isinstance(by, str) else list(by)
    rows = []
    for key, group in frame.groupby(by, dropna=False):
        group = group.sort_values("lr").reset_index(drop=True)
        if group["lr"].duplicated().any():
            which = ", ".join(f"{name} {value}" for name, value in zip(by, key, strict=True))
            twice = group["lr"][group["lr"].duplicated()].iloc[0]
            raise ValueError(
                f"by: expected each step size once a search, found {twice:g} twice ({which})"
            )
        has_collapsed = ~(group["test_accuracy"] >= threshold)
        edge = math.nan
        if not has_collapsed.all():
            beyond = has_collapsed & (group.index > group["test_accuracy"].idxmax())
            first = int(beyond.idxmax())
            edge = math.sqrt(group["lr"][first] * group["lr"][first - 1]) if first else math.inf
        rows.append((*key, edge))
    return pd.DataFrame(rows, columns=[*by, "edge"])


def find_ends(
    frame: pd.DataFrame, by: Sequence[str] = ("momentum", "seed"), *, threshold: float = 0.5
) -> pd.Series:
    """Say in a word how each run ended.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per run, with the columns ``lr``, ``status``, ``test_accuracy`` and those of ``by``.
    by : sequence of str, default ("momentum", "seed")
        Columns that tell the runs of one search apart.
    threshold : float, default 0.5
        The least accuracy of a run that works, in [0, 1].

    Returns
    -------
    pandas.Series
        ``"works"``; ``"exploded"``, with a loss or a weight that is not a finite number;
        ``"slow"``, with a smaller step than the best of its search; ``"dead"``, with one answer to
        every image; else ``"astray"``. The index is that of ``frame``.
    """
    keys = [frame[name] for name in ([by] if isinstance(by, str) else by)]
    is_best = frame["test_accuracy"] == frame.groupby(keys)["test_accuracy"].transform("max")
    best_step = frame["lr"].where(is_best).groupby(keys).transform("max")
    ends = {
        "works": frame["test_accuracy"] >= threshold,
        "exploded": frame["status"] == "diverged",
        "slow": frame["lr"] < best_step,
        "dead": frame["status"] == "dead",
    }
    return pd.Series(np.select(list(ends.values()), list(ends), "astray"), frame.index, name="end")


@checked
def share_interval(count: NonNegativeCount, total: Count) -> Interval:
    """Return which shares agree with what was counted: Clopper's and Pearson's exact interval.

    Parameters
    ----------
    count : int
        Runs that did, from 0 to ``total``.
    total : int
        All runs, 1 or more.

    Returns
    -------
    Interval
        Both ends leave out 2.5%; where all runs agree, the only end leaves out 5%.

    Raises
    ------
    ValueError
        If ``count`` is more than ``total``.

    Notes
    -----
    Who decides for one end only after having seen that all agree is a little more confident than
    right: in the worst case such an interval holds the true share in 93 of 100 studies.

    Examples
    --------
    >>> round(share_interval(0, 100).high, 3)  # nearly 3/100: the rule of three
    0.03
    """
    if count > total:
        raise ValueError(f"count: expected at most {total}, found {count}")
    match count:
        case 0:
            side = "less"
        case _ if count == total:
            side = "greater"
        case _:
            side = "two-sided"
    interval = binomtest(count, total, alternative=side).proportion_ci(method="exact")
    return Interval(float(interval.low), float(interval.high))


@checked
def bootstrap_median(values: Vector) -> Interval:
    """Return how far the median would wander with other seeds: a 95% bootstrap interval.

    Parameters
    ----------
    values : array_like, shape (n,)
        One result per seed, n at least 5.

    Returns
    -------
    Interval
        The middle 95% of the medians of 10,000 draws, each of as many values as there are, with
        repetition; the same draws every time. Of five values that is their whole range, which holds
        the true median in 94 of 100 studies.

    Raises
    ------
    ValueError
        If there are fewer than five values: even their range misses the median too often.
    """
    if len(values) < 5:
        raise ValueError(f"values: expected at least 5, found {len(values)}")
    interval = bootstrap(
        (values,), np.median, n_resamples=10_000, method="percentile", rng=0
    ).confidence_interval
    return Interval(float(interval.low), float(interval.high))
