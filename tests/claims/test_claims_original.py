"""What the book says of the original's trainings at full length is what the results say."""

import pytest

from cnnlesson import read_results, results_path
from cnnlesson.experiments.studies import ORIGINAL


@pytest.fixture(scope="module")
def runs():
    """Return the results of each of the three trainings."""
    results = read_results(results_path("original"))
    return [[r for r in results if r.run.momentum == run.momentum] for run in ORIGINAL]


def test_each_has_five_seeds_at_full_length(runs):
    for run, results in zip(ORIGINAL, runs, strict=True):
        assert {r.run.seed for r in results} == set(range(5))
        assert all(len(r.train_losses) == run.num_epochs for r in results)
        assert all(r.run.num_images == 42_000 for r in results)


def test_the_first_mean_loss_of_the_first_training_came_back_and_the_others_did_not(runs):
    losses = [r.train_losses for r in runs[0]]
    assert sum(0.3 < first < 0.5 for first, *_ in losses) >= 3
    assert min(first for first, *_ in losses) < 0.4391 < max(first for first, *_ in losses)
    assert all(second < 0.5028 / 5 and third < 0.3740 / 5 for _, second, third in losses)
    assert min(r.test_accuracy for r in runs[0]) > 0.9 > 0.8367


def test_with_more_momentum_the_loss_falls_in_every_run(runs):
    for result in runs[1]:
        assert result.train_losses[-1] < result.train_losses[0] / 5
        assert result.status == "completed"
        assert result.test_accuracy > 0.95


def test_a_new_network_does_not_begin_where_the_third_training_is_printed_to(runs):
    assert all(r.train_losses[0] > 1 and min(r.train_losses) < 0.0372 for r in runs[2])
    assert min(r.test_accuracy for r in runs[2]) > 0.9654
    assert min(r.train_accuracy for r in runs[2]) > 0.9693


def test_the_third_training_catches_up_and_no_more(runs):
    one, two, three = (sorted(r.test_accuracy for r in results) for results in runs)
    assert abs(three[2] - one[2]) < 0.005
    assert abs(three[2] - two[2]) < 0.005
    assert max(one[0], two[0], three[0]) < min(one[-1], two[-1], three[-1])
