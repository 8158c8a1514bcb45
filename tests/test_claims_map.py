"""What chapter 10 says about the measured map still holds for the committed results."""

import numpy as np
import pandas as pd
import pytest

from cnnlesson import load_results, results_path


@pytest.fixture(scope="module")
def runs():
    return load_results([results_path("map")])


@pytest.fixture(scope="module")
def largest(runs):
    """Return the largest step sizes that learned."""
    learned = runs[runs["test_accuracy"] > 0.5]
    return learned.groupby(["pixels", "momentum", "seed"])["lr"].max()


@pytest.fixture(scope="module")
def edges(runs, largest):
    """Return these where the map goes on beyond them."""
    return largest[largest.lt(runs.groupby("pixels")["lr"].max(), level="pixels")]


def slope(edge):
    momenta = edge.index.get_level_values("momentum")
    return np.polyfit(np.log(1 - momenta), np.log(edge), 1)[0]


@pytest.mark.parametrize("pixels", ["unit", "standardized"])
def test_the_edge_is_nearer_to_the_effective_step_than_to_the_bowl(edges, pixels):
    slopes = edges[pixels].groupby("seed").apply(slope)
    momenta = edges[pixels].index.unique("momentum")
    bowl = slope(pd.Series(1 + momenta, momenta))
    assert len(slopes) == 5
    assert ((1 - slopes).abs() < (slopes - bowl).abs()).all()
    assert slopes.max() < 1  # it falls more slowly, though


@pytest.mark.parametrize("pixels", ["unit", "standardized"])
def test_momentum_moves_the_edge_to_smaller_steps_for_every_seed(largest, pixels):
    by_seed = largest[pixels].unstack("momentum")
    assert (by_seed[0.9] < by_seed[0.0]).all()
    assert (by_seed[0.99] < by_seed[0.9]).all()


def test_raw_pixels_are_worst(runs):
    medians = runs.groupby(["pixels", "lr", "momentum"])["test_accuracy"].median()
    best = medians.groupby("pixels").max()
    assert best["raw"] < min(best["unit"], best["standardized"])


def test_beyond_the_edge_networks_die_more_often_than_they_explode(runs):
    statuses = runs["status"].value_counts()
    assert statuses.get("dead", 0) > 5 * statuses.get("diverged", 0)


def test_nothing_is_learned_from_sorted_digits(runs):
    keys = ["pixels", "momentum", "lr"]
    in_order = load_results([results_path("order")]).groupby(keys)["test_accuracy"].median()
    shuffled = runs.groupby(keys)["test_accuracy"].median().reindex(in_order.index)
    assert in_order.max() < 0.5 < 0.9 < shuffled.max()
