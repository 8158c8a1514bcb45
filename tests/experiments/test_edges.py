"""Edges of made-up runs that anyone can read off, and intervals against closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from cnnlesson import bootstrap_median, find_edges, find_ends, share_interval


def made_up(accuracies, momentum=0.0, seed=0, lrs=(1.0, 4.0, 16.0, 64.0)):
    """Return runs that nobody made, one for each step size."""
    return pd.DataFrame(
        {"lr": lrs, "test_accuracy": accuracies, "momentum": momentum, "seed": seed}
    )


@pytest.mark.parametrize(
    ("accuracies", "edge"),
    [
        ([0.9, 0.95, 0.1, 0.1], 8.0),  # between 4 and 16
        ([0.2, 0.95, 0.9, np.nan], 32.0),  # the first is slow, the last has diverged
        ([0.9, 0.4, 0.9, 0.1], 2.0),  # the first collapse counts, whatever comes after
        ([0.9, 0.9, 0.9, 0.9], np.inf),  # beyond the last
        ([0.2, 0.2, 0.2, 0.9], np.inf),
        ([np.nan] * 4, np.nan),
    ],
)
def test_the_edge_lies_between_what_works_and_what_does_not(accuracies, edge):
    table = find_edges(made_up(accuracies).sample(frac=1, random_state=1))
    assert list(table.columns) == ["momentum", "seed", "edge"]
    assert table["edge"].tolist() == pytest.approx([edge], nan_ok=True)


def test_every_seed_has_an_edge_of_its_own():
    frame = pd.concat(
        [
            made_up([0.9, 0.9, 0.9, 0.1], seed=0),
            made_up([0.9, 0.9, 0.1, 0.1], seed=1),
            made_up([0.9, 0.1, 0.1, 0.1], momentum=0.9),
        ]
    )
    table = find_edges(frame).set_index(["momentum", "seed"])["edge"]
    assert table.to_dict() == pytest.approx({(0.0, 0): 32.0, (0.0, 1): 8.0, (0.9, 0): 2.0})
    assert find_edges(frame, threshold=0.95)["edge"].isna().all()


def test_the_median_counts_the_seeds_whose_edge_lies_beyond():
    frames = [made_up([0.9, 0.9, 0.1, 0.1]), made_up([0.9, 0.9, 0.9, 0.1], seed=1)]
    frames += [made_up([0.9] * 4, seed=seed) for seed in (2, 3, 4)]
    assert find_edges(pd.concat(frames), ["momentum", "seed"])["edge"].median() == np.inf


def test_one_search_has_each_step_size_once():
    frame = pd.concat([made_up([0.9, 0.9, 0.1, 0.1]), made_up([0.9, 0.9, 0.1, 0.1], seed=1)])
    with pytest.raises(ValueError, match=r"found 1 twice \(momentum 0\.0\)"):
        find_edges(frame, "momentum")
    assert len(find_edges(frame, "seed")) == 2


def test_a_search_may_be_told_by_a_setting_that_was_left_out():
    frame = made_up([0.9, 0.9, 0.1, 0.1]).assign(measure_every=np.nan)
    assert find_edges(frame, ["measure_every"])["edge"].tolist() == pytest.approx([8.0])


@pytest.mark.parametrize("total", [1, 5, 60])
def test_no_collapse_in_n_runs_still_allows_some(total):
    low, high = share_interval(0, total)
    assert low == 0
    assert (1 - high) ** total == pytest.approx(0.05)  # so unlikely is it to have seen none
    assert share_interval(total, total) == pytest.approx((1 - high, 1))


@pytest.mark.parametrize(("count", "total"), [(1, 5), (2, 5), (30, 60)])
def test_both_ends_are_those_of_clopper_and_pearson(count, total):
    low, high = share_interval(count, total)
    assert low == pytest.approx(beta.ppf(0.025, count, total - count + 1))
    assert high == pytest.approx(beta.ppf(0.975, count + 1, total - count))


def test_more_runs_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"count: expected at most 5, found 6"):
        share_interval(6, 5)


def test_the_bootstrap_stays_within_the_values_and_narrows_with_their_number():
    rng = np.random.default_rng(0)
    low, high = bootstrap_median([3.0, 1.0, 2.0, 5.0, 4.0])
    assert (low, high) == (1.0, 5.0)
    assert bootstrap_median([1.0, 1.0, 1.0, 1.0, 1.0]) == (1.0, 1.0)
    values = rng.standard_normal(100)
    assert len({bootstrap_median(values) for _ in range(5)}) == 1  # the same draws every time
    with pytest.raises(ValueError, match="values: expected at least 5, found 4"):
        bootstrap_median([3.0, 1.0, 2.0, 4.0])
    few, many = (bootstrap_median(rng.standard_normal(n)) for n in (10, 1000))
    assert many.high - many.low < (few.high - few.low) / 3
    assert many.low < 0.1
    assert many.high > -0.1


def test_every_run_ends_in_one_of_five_ways():
    frame = made_up([0.2, 0.9, 0.95, 0.1, 0.11, np.nan], lrs=(1.0, 2.0, 4.0, 8.0, 16.0, 32.0))
    # The first answers the same to every image too, but it has not had the time.
    frame["status"] = ["dead", "completed", "completed", "completed", "dead", "diverged"]
    expected = ["slow", "works", "works", "astray", "dead", "exploded"]
    other = frame.assign(seed=1, lr=frame["lr"] * 100)  # its steps say nothing about the first
    both = pd.concat([frame, other], ignore_index=True).sample(frac=1, random_state=0)
    assert find_ends(both).sort_index().tolist() == 2 * expected
    assert find_ends(frame, "momentum", threshold=0.99).tolist()[1:3] == ["slow", "astray"]
