"""What chapter 10 says about the measured map still holds for the committed results."""

import numpy as np
import pandas as pd
import pytest

from cnnlesson import load_results, read_results, results_path

SCALES = ("raw", "unit", "standardized")


@pytest.fixture(scope="module")
def runs():
    return load_results([results_path("map")])


@pytest.fixture(scope="module")
def edges(runs):
    """Largest step size that learned, where it is not the largest of the map."""
    learned = runs[runs["test_accuracy"] > 0.5]
    edges = learned.groupby(["pixels", "momentum", "seed"])["lr"].max()
    return edges[edges.lt(runs.groupby("pixels")["lr"].max(), level="pixels")]


def slope(edge):
    momenta = edge.index.get_level_values("momentum")
    return np.polyfit(np.log(1 - momenta), np.log(edge), 1)[0]


@pytest.mark.parametrize("pixels", SCALES)
def test_the_edge_follows_the_effective_step_and_not_the_bowl(edges, pixels):
    slopes = edges[pixels].groupby("seed").apply(slope)
    assert len(slopes) == 5
    assert slopes.between(0.5, 1.5).all()  # the bowl's is below 0


@pytest.mark.parametrize("pixels", ["unit", "standardized"])
def test_much_momentum_moves_the_edge_to_smaller_steps_for_every_seed(edges, pixels):
    by_seed = edges[pixels].unstack("momentum")
    assert (by_seed[0.9] <= by_seed[0.0] / 4).all()


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
