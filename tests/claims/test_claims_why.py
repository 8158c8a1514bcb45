"""What the chapter on divergence says still follows from the committed measurements."""

import numpy as np
import pandas as pd
import pytest

from cnnlesson import find_edges, load_curvature, load_results, read_results, results_path


@pytest.fixture(scope="module")
def all_curvature():
    frame = load_curvature()
    return frame.assign(
        higher=2 * (1 + frame["momentum"]) / frame["lr"],
        lower=2 * (1 - frame["momentum"]) / frame["lr"],
        effective=frame["lr"] / (1 - frame["momentum"]),
        has_collapsed=~(frame["test_accuracy"] >= 0.5),
    )


@pytest.fixture(scope="module")
def curvature(all_curvature):
    return all_curvature.query("num_images == 250 or num_epochs == 1")


@pytest.fixture(scope="module")
def ten(all_curvature):
    return all_curvature.query("num_images == 6000 and num_epochs == 10 and step > 0")


@pytest.fixture(scope="module")
def grid():
    return load_results().query(
        "num_images == 6000 and num_test_images == 1000 and num_epochs == 1 and batch_size == 32"
        " and optimizer == 'sgd' and schedule == 'constant' and seed < 5 and activation == 'relu'"
    )


@pytest.fixture(scope="module")
def leaky():
    return load_results([results_path("leaky")])


@pytest.fixture(scope="module")
def edges(grid):
    return find_edges(grid.query("order == 'shuffled'"), ("pixels", "momentum", "seed"))


def last(frame):
    return frame.sort_values("step").groupby(["lr", "momentum", "seed"], as_index=False).last()


def test_five_seeds_of_every_setting(all_curvature):
    settings = ["lr", "momentum", "batch_size", "num_images", "num_epochs", "pixels", "schedule"]
    assert (all_curvature.groupby([*settings, "step"])["seed"].nunique() == 5).all()


@pytest.mark.parametrize("pixels", ["standardized", "unit"])
def test_the_edge_falls_with_momentum_where_the_bowl_says_it_rises(edges, pixels):
    medians = edges[edges["pixels"] == pixels].groupby("momentum")["edge"].median()
    assert medians[0.0] > medians[0.9] > medians[0.98]
    assert medians.is_monotonic_decreasing


def test_without_momentum_the_sharpness_settles_at_its_limit(curvature):
    plain = curvature.query(
        "batch_size == 32 and num_images == 6000 and schedule == 'constant' and step > 0"
    )
    ends = last(plain.query("momentum == 0 and lr < 0.5"))
    ratios = (ends["sharpness"] / ends["higher"]).groupby(ends["lr"]).median()
    assert ratios.between(0.5, 1.5).all()
    # All that work, and against a guess that knows nothing of the step size.
    work = last(plain.query("momentum == 0 and lr <= 0.5")).query("not has_collapsed")
    logs = np.log(work["sharpness"])
    near = [
        (abs(logs - guess) < np.log(2)).sum() for guess in (np.log(work["higher"]), logs.mean())
    ]
    assert near[0] > 0.9 * len(work) > 2 * near[1]


def test_with_momentum_batches_obey_the_lower_limit_and_not_the_higher(curvature):
    batches = curvature.query(
        "batch_size == 32 and num_images == 6000 and schedule == 'constant' and step > 0"
    )
    ends = last(batches[batches["effective"].between(0.15, 0.3)])
    assert sorted(ends["momentum"].unique()) == [0.0, 0.9, 0.98]
    lower = (ends["batch_sharpness"] / ends["lower"]).groupby(ends["momentum"]).median()
    assert lower.between(0.5, 2).all()
    rest = ends[ends["momentum"] > 0]
    assert (rest["sharpness"] / rest["higher"] < 0.5).all()


def test_over_a_hundredfold_batch_sharpness_goes_with_the_effective_step(ten):
    """Above a constant, and nowhere near the limit of the bowl; near its own to a factor of two."""
    late = ten.query("step == 1880")
    assert len(late) == 75
    assert not late["has_collapsed"].any()
    cells = late.pivot_table(
        index=late["effective"].round(3),
        columns="momentum",
        values="batch_sharpness",
        aggfunc="median",
    )
    assert cells.shape == (5, 3)
    assert (cells.iloc[0] / cells.iloc[-1]).min() > 8  # down a column
    assert (cells.max(axis=1) / cells.min(axis=1)).median() < 2  # along a row
    logs = np.log(late["batch_sharpness"])
    off = {
        name: (logs - np.log(guess)).abs().median()
        for name, guess in (
            *(("lower", late["lower"]), ("higher", late["higher"])),
            ("constant", np.exp(logs.mean())),
        )
    }
    assert off["lower"] < off["constant"] < off["higher"]
    slopes = [
        np.polyfit(np.log(rows["lower"]), np.log(rows["batch_sharpness"]), 1)[0]
        for _, rows in late.groupby("seed")
    ]
    assert 0.5 < min(slopes) < max(slopes) < 0.9


def test_noise_makes_a_difference_at_one_step_size_and_hardly_any_at_the_other(curvature):
    heavy = curvature.query("momentum == 0.9 and schedule == 'constant' and num_images == 250")
    calm, noisy = (heavy.query("batch_size == @size") for size in (250, 32))
    after = {
        (name, lr, step): rows.query("lr == @lr and step == @step")["sharpness"]
        for name, rows in (("calm", calm), ("noisy", noisy))
        for lr, step in ((0.02, 2), (0.02, 32), (0.1, 32))
    }
    assert after["calm", 0.02, 32].min() > 2 * after["noisy", 0.02, 32].max()
    assert after["calm", 0.02, 32].median() > 2 * after["calm", 0.02, 2].median()
    assert after["noisy", 0.02, 32].median() < after["noisy", 0.02, 2].median()
    assert 0.4 < after["calm", 0.1, 32].median() / after["noisy", 0.1, 32].median() < 1
    full = calm.query("lr == 0.02")
    assert (full["sharpness"] < full["higher"]).all()


def test_up_to_a_quarter_the_lower_limit_holds_within_a_factor_of_two(curvature):
    batches = curvature.query(
        "batch_size == 32 and num_images == 6000 and schedule == 'constant' and step > 0"
    )
    ends = last(batches[batches["effective"] < 0.3])
    ratios = ends["batch_sharpness"] / ends["lower"]
    assert ends.groupby(["lr", "momentum"]).ngroups == 5
    assert ratios.groupby([ends["lr"], ends["momentum"]]).median().between(0.5, 2).all()
    assert ratios.between(0.4, 2).all()


def test_after_one_epoch_it_is_near_the_lower_limit_to_a_factor_of_two_or_three(ten):
    early = ten.query("step == 188 and effective > 0.01 and effective < 0.3")
    medians = (early["batch_sharpness"] / early["lower"]).groupby([early["lr"], early["momentum"]])
    assert medians.ngroups == 9
    assert medians.median().between(1 / 3, 2).all()


def test_with_the_most_memory_the_batch_sharpness_climbs_first(curvature):
    climb = curvature.query(
        "momentum == 0.98 and lr == 0.005 and batch_size == 32 and num_images == 6000"
    )
    medians = climb.groupby("step")["batch_sharpness"].median()
    assert medians[32] > 5 * medians[188]


def test_collapsed_networks_have_more_dead_channels_in_the_second_layer(grid):
    results = [r for r in read_results(results_path("map")) if r.dead_channels]
    rows = [(r.run.pixels, r.run.lr, r.test_accuracy, *r.dead_channels) for r in results]
    dead = pd.DataFrame(rows, columns=["pixels", "lr", "accuracy", "first", "second"])
    for _, runs in dead.groupby("pixels"):
        works = runs["accuracy"] >= 0.5
        collapsed = runs[~works & (runs["lr"] > runs.loc[works, "lr"].median())]
        assert collapsed["second"].median() > 0.9
        assert runs.loc[works, "second"].median() < 0.5


def test_the_more_memory_the_later_the_channels_die(curvature):
    constant = curvature.query("batch_size == 32 and num_images == 6000 and schedule == 'constant'")
    beyond = constant[constant["dead_2"] >= 0.5].query(
        "(momentum == 0 and lr == 1) or (momentum == 0.9 and lr == 0.2)"
        " or (momentum == 0.98 and lr == 0.05)"
    )
    first = beyond.groupby(["momentum", "seed"])["step"].min().groupby("momentum").median()
    assert first.is_monotonic_increasing
    assert first[0.0] < first[0.98]


def test_the_schedule_saves_some_but_not_all(curvature):
    cycle = last(curvature.query("schedule == 'one-cycle'"))
    steady = last(
        curvature.query("schedule == 'constant' and batch_size == 32 and num_images == 6000")
    )
    steady = steady.merge(cycle[["lr", "momentum"]].drop_duplicates())
    assert 0 < cycle["has_collapsed"].sum() < steady["has_collapsed"].sum()
    rows = curvature.query("schedule == 'one-cycle' and step > 0")
    losses = rows.groupby(["momentum", "step"])["loss"].median()
    assert losses[0.0, 94] > 1.5 > 1 > losses[0.0, 188]  # saved by the end of the schedule
    assert losses[0.9, 32] < 1 < 2 < losses[0.9, 94]
    assert losses[0.98, 32] < 1


def test_runs_learn_above_their_limit_just_inside_the_edge(curvature):
    batches = curvature.query(
        "batch_size == 32 and num_images == 6000 and schedule == 'constant' and momentum > 0"
    )
    near = last(batches[np.isclose(batches["effective"], 1)])
    assert near["test_accuracy"].median() > 0.8
    assert (near["batch_sharpness"] / near["lower"]).median() > 2


def test_the_edge_moves_less_with_the_pixels_than_the_sharpness_of_the_start(curvature, edges):
    start = curvature.query("step == 0").pivot_table("sharpness", "seed", "pixels")
    sharper = start["raw"] / start["standardized"]
    both = edges.dropna().pivot_table("edge", ["momentum", "seed"], "pixels").dropna()
    shift = both["standardized"] / both["raw"]
    assert sharper.min() > 5 * shift.median()
    assert shift.median() > 5


def test_sorted_digits_collapse_with_and_without_momentum(grid):
    keys = ["lr", "momentum", "pixels", "seed"]
    halves = grid[grid["order"] == "sorted"], grid[grid["order"] == "shuffled"]
    pairs = halves[0].merge(halves[1], on=keys, suffixes=("", "_shuffled"))
    good = pairs[pairs["test_accuracy_shuffled"] >= 0.9]
    collapsed = (~(good["test_accuracy"] >= 0.5)).groupby(good["momentum"]).mean()
    assert {0.0, 0.8, 0.9} <= set(collapsed.index)
    assert collapsed.min() > 0.5


def test_no_measured_run_of_the_original_setting_collapses(grid):
    original = load_results().query(
        "pixels == 'raw' and order == 'shuffled' and lr == 0.001 and momentum == 0.9"
        " and optimizer == 'sgd' and schedule == 'constant' and batch_size == 32"
        " and num_images == 6000 and num_test_images == 1000"
    )
    assert len(original) >= 65
    assert (original["test_accuracy"] >= 0.5).all()
    raw = grid.query("pixels == 'raw' and order == 'shuffled'")
    edges = find_edges(raw, ("momentum", "seed"))
    assert edges.query("momentum == 0.9")["edge"].min() > 0.001
    near = raw[raw["lr"].between(0.0005, 0.002) & raw["momentum"].between(0.8, 0.95)]
    assert near.groupby(["lr", "momentum"]).ngroups == 9
    assert (near["test_accuracy"] >= 0.5).all()


def test_networks_that_cannot_die_explode_and_at_no_larger_steps(grid, leaky):
    assert (leaky.groupby(["momentum", "lr"])["seed"].nunique() == 5).all()
    failed = leaky[~(leaky["test_accuracy"] >= 0.5)]
    assert len(failed) > 20
    assert set(failed["status"]) == {"diverged"}
    relus = grid.query("order == 'shuffled' and pixels == 'standardized'")
    largest = {
        name: frame.assign(works=frame["test_accuracy"] >= 0.5)
        .groupby(["momentum", "lr"])["works"]
        .mean()
        .loc[lambda share: share > 0.5]
        .reset_index()
        .groupby("momentum")["lr"]
        .max()
        for name, frame in (("leaky", leaky), ("ReLU", relus))
    }
    pairs = pd.DataFrame(largest).dropna()
    assert list(pairs.index) == [0.0, 0.9, 0.98]
    assert (pairs["leaky"] <= pairs["ReLU"]).all()
    assert (pairs["leaky"] < pairs["ReLU"])[[0.0, 0.9]].all()
