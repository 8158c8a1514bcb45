"""What chapter 10 says about the measured map still holds for the committed results."""

import numpy as np
import pandas as pd
import pytest

from cnnlesson import find_edges, load_results, read_results, results_path


@pytest.fixture(scope="module")
def runs():
    return load_results([results_path("map")])


@pytest.fixture(scope="module")
def edges(runs):
    keys = ["pixels", "momentum", "seed"]
    return find_edges(runs, keys).set_index(keys)["edge"]


def slope(edge):
    momenta = edge.index.get_level_values("momentum")
    return np.polyfit(np.log(1 - momenta), np.log(edge), 1)[0]


@pytest.mark.parametrize("pixels", ["unit", "standardized"])
def test_the_edge_is_nearer_to_the_effective_step_than_to_the_bowl(edges, pixels):
    known = edges[np.isfinite(edges)][pixels]
    slopes = known.groupby("seed").apply(slope)
    momenta = known.index.unique("momentum")
    bowl = slope(pd.Series(1 + momenta, momenta))
    assert len(slopes) == 5
    assert ((1 - slopes).abs() < (slopes - bowl).abs()).all()
    assert slopes.max() < 1  # it falls more slowly, though


def test_finer_steps_more_time_and_the_clock_lift_the_exponent_to_four_fifths(edges):
    keys = ["momentum", "seed"]
    fine = find_edges(load_results([results_path("edges")]), keys).set_index(keys)["edge"]
    medians = {}
    for name, edge, steps in (("map", edges["standardized"], 188), ("fine", fine, 752)):
        known = edge[np.isfinite(edge)].unstack("seed")
        mu = known.index.to_numpy()
        # On a steady slope the k-th step is 1 + μ + … + μᵏ⁻¹ times as long as without momentum.
        lengths = [np.cumsum(m ** np.arange(steps)).mean() for m in mu]
        for against, x in (("effective", np.log(1 - mu)), ("mean", -np.log(lengths))):
            each = [
                np.polyfit(x[of_seed.notna()], np.log(of_seed.dropna()), 1)[0]
                for _, of_seed in known.items()
            ]
            assert len(each) == 5
            assert max(each) < 1
            medians[name, against] = np.median(each)
    assert medians["map", "effective"] < 0.75
    del medians["map", "effective"]
    assert list(medians.values()) == pytest.approx([0.8] * 3, abs=0.03)


@pytest.mark.parametrize("pixels", ["unit", "standardized"])
def test_momentum_moves_the_edge_to_smaller_steps_for_every_seed(edges, pixels):
    by_seed = edges[pixels].unstack("momentum")
    assert (by_seed[0.9] < by_seed[0.0]).all()
    assert (by_seed[0.99] < by_seed[0.9]).all()


def test_raw_pixels_are_worst(runs):
    medians = runs.groupby(["pixels", "lr", "momentum"])["test_accuracy"].median()
    best = medians.groupby("pixels").max()
    assert best["raw"] < min(best["unit"], best["standardized"])


def test_no_network_of_the_map_explodes_and_most_beyond_the_edge_die(runs):
    assert "diverged" not in set(runs["status"])
    rows = runs.groupby(["pixels", "momentum"])["lr"].transform("median")
    lost = runs[(runs["test_accuracy"] < 0.5) & (runs["lr"] > rows)]
    assert (lost["status"] == "dead").mean() > 0.5


def test_nothing_is_learned_from_sorted_digits(runs):
    keys = ["pixels", "momentum", "lr"]
    in_order = load_results([results_path("order")]).groupby(keys)["test_accuracy"].median()
    shuffled = runs.groupby(keys)["test_accuracy"].median().reindex(in_order.index)
    assert in_order.max() < 0.5 < 0.9 < shuffled.max()


EVENT = ["batch", "line", "momentum"]


@pytest.fixture(scope="module")
def steps():
    """Steps to 95 and 97% of every run."""
    rows = [
        (r.run.batch_size, line, r.run.momentum, r.run.lr, r.run.seed, r.steps_to(line))
        for r in read_results(results_path("race"))
        for line in (0.95, 0.97)
    ]
    return pd.DataFrame(rows, columns=[*EVENT, "lr", "seed", "steps"])


@pytest.fixture(scope="module")
def finish(steps):
    """The same, each momentum at the best of its step sizes."""
    medians = steps.groupby([*EVENT, "lr"])["steps"].median().reset_index()
    winners = medians.loc[medians.groupby(EVENT)["steps"].idxmin(), [*EVENT, "lr"]]
    return steps.merge(winners).set_index([*EVENT, "seed"])["steps"].sort_index()


@pytest.mark.parametrize("race", [(32, 0.95), (32, 0.97), (256, 0.95)])
def test_tuned_momentum_is_never_later_and_mostly_earlier_by_a_quarter_or_so(finish, race):
    ratio = finish[(*race, 0.9)] / finish[(*race, 0.0)]
    assert len(ratio) == 5
    assert 0.4 < ratio.min() <= ratio.max() <= 1
    assert (ratio < 1).sum() >= 3
    assert 0.65 < ratio.median() < 0.9


def test_to_the_second_line_with_large_batches_hardly_without_momentum(steps, finish):
    arrives = steps.assign(arrives=np.isfinite(steps["steps"])).groupby([*EVENT, "lr"])["arrives"]
    assert arrives.sum()[256, 0.97, 0.0].max() == 1
    assert arrives.count()[256, 0.97, 0.0].tolist() == [5, 5, 5, 5]
    assert np.isfinite(finish[256, 0.97, 0.9]).all()


@pytest.mark.parametrize("race", [(32, 0.95), (32, 0.97), (256, 0.95), (256, 0.97)])
def test_half_does_as_much_and_a_lot_hardly_more_than_none(finish, race):
    none, half, usual, much = (finish[(*race, mu)].median() for mu in (0.0, 0.5, 0.9, 0.98))
    assert 0.75 < half / usual < 1.3
    assert much > 0.85 * none or np.isinf([much, none]).all()
    assert race != (256, 0.95) or much > none


def test_the_sizes_of_batches_differ_by_less_than_the_seeds(finish):
    small, large = (finish[size, 0.95, 0.9] / finish[size, 0.95, 0.0] for size in (32, 256))
    assert abs(small.median() - large.median()) < np.ptp(small) < np.ptp(large) * 2


def test_with_large_batches_the_best_step_size_of_much_momentum_is_the_largest_it_was_given():
    results = read_results(results_path("race"))
    for line in (0.95, 0.97):
        rows = [
            (r.run.lr, r.steps_to(line))
            for r in results
            if (r.run.batch_size, r.run.momentum) == (256, 0.9)
        ]
        medians = pd.DataFrame(rows, columns=["lr", "steps"]).groupby("lr")["steps"].median()
        assert medians.idxmin() == medians.index.max()


def test_the_edge_falls_more_slowly_on_pixels_from_0_to_1(edges):
    known = edges[np.isfinite(edges)][["unit", "standardized"]]
    slopes = known.groupby(["pixels", "seed"]).apply(slope)
    assert slopes["unit"].max() < slopes["standardized"].min()
    medians = slopes.groupby("pixels").median()
    assert medians["unit"] == pytest.approx(0.5, abs=0.1)  # half the way
    assert medians["standardized"] == pytest.approx(0.75, abs=0.1)  # to four fifths of it


def test_with_much_momentum_the_median_edge_is_a_fifth(edges):
    medians = edges["standardized"].groupby("momentum").median()
    assert medians[0.9] / medians[0.0] == pytest.approx(0.2, abs=0.03)


def test_the_best_step_size_falls_with_momentum(runs):
    medians = runs.groupby(["pixels", "momentum", "lr"])["test_accuracy"].median()
    best = medians.groupby(["pixels", "momentum"]).idxmax().str[2].unstack()
    assert (best[0.99] < best[0.9]).all()
    assert (best[0.9] < best[0.0]).all()


def test_from_8_to_32_the_best_step_grows_and_large_batches_gain_more_from_momentum(runs):
    keys = ["momentum", "batch_size"]
    standardized = runs[runs["pixels"] == "standardized"]
    sizes = pd.concat([standardized, load_results([results_path("batch_size")])])
    sizes = sizes[sizes["momentum"].isin([0.0, 0.9]) & (sizes["lr"] >= 0.005)]
    medians = sizes.groupby([*keys, "lr"])["test_accuracy"].median().unstack()
    best, accuracy = medians.idxmax(axis=1), medians.max(axis=1)
    for momentum in (0.0, 0.9):
        assert best[momentum, 8] < best[momentum, 32]
    assert accuracy[:, 512].max() < 0.85 < accuracy[:, 128].min()
    gain = accuracy[0.9] - accuracy[0.0]
    assert max(gain[8], gain[32]) < min(gain[128], gain[512])
