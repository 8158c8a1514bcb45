"""Chapter 7: right answers, and for each exercise the ways to be wrong that are told apart."""

import numpy as np
from verdicts import checks_of

from cnnlesson import Run, RunResult, check, read_results, results_path

EFFECTIVE = [0.005, 0.01, 0.01, 0.1]
ASKED = {"order": "sorted", "pixels": "standardized", "lr": 0.01, "momentum": 0.9, "num_epochs": 2}


def instead(i, value):
    return [*EFFECTIVE[:i], value, *EFFECTIVE[i + 1 :]]


def after_epoch(epoch, reduce=np.median, **settings):
    accuracies = [
        result.test_accuracies[epoch - 1]
        for result in read_results(results_path("rerun"))
        if all(getattr(result.run, name) == value for name, value in settings.items())
    ]
    return reduce(accuracies)


WITHOUT = {"lr": 0.01, "momentum": 0.0, "batch_size": 32}
WITH = {"lr": 0.001, "momentum": 0.9, "num_epochs": 3}
PLAIN, HEAVY = after_epoch(1, **WITHOUT), after_epoch(1, **WITH)


def result(accuracy=0.1, **settings):
    run = Run(**settings)
    accuracies = [] if accuracy is None else [accuracy]
    losses = [1.0] * len(accuracies)
    return RunResult(
        run=run, status="completed", train_losses=losses, test_accuracies=accuracies, seconds=1.0
    )


def side(accuracy=0.9, seeds=(0, 1, 2), **settings):
    return [result(accuracy, seed=seed, **settings) for seed in seeds]


RIGHT = {
    "07-1": [EFFECTIVE],
    "07-2": [(PLAIN, HEAVY), (round(PLAIN, 2), round(HEAVY, 2))],
    "07-3": [result(**ASKED), result(**ASKED, seed=4, num_images=5600)],
    "07-4": [(0.16, 0.1)],
    "07-5": [(0.0625, 0.375), (1 / 16, 3 / 8)],
    "07-6": [
        (side(batch_size=8), side(0.8, batch_size=64)),
        (side(batch_size=8, num_images=800), side(0.8, batch_size=64, num_images=6400)),
        (side(num_epochs=2), side()),
    ],
}
WRONG = {
    "07-1": [
        (0.01, "Expected the shape 4"),
        (instead(0, 0.001), "Experiment 1, 0.001, is off. That is α alone."),
        (instead(1, 0.0001), "Experiment 2, 0.0001, is off. Momentum makes steps longer"),
        (instead(2, 0.1), "Experiment 3, 0.1, is off."),
        (instead(3, 0.00199), "μ = 0.99, 0.00199, is off. That is two terms"),
    ],
    "07-2": [
        (PLAIN, "Expected the shape 2"),
        ((100 * PLAIN, 100 * HEAVY), "at most 1"),
        ((HEAVY, PLAIN), "in the other order"),
        ((after_epoch(1, np.mean, **WITHOUT), HEAVY), "its worst seed"),
        ((after_epoch(1, max, **WITHOUT), HEAVY), "one seed, the best"),
        ((after_epoch(1, **WITHOUT | {"batch_size": 256}), HEAVY), "batches of 256"),
        ((0.5, HEAVY), "The first, 0.5, is off"),
        ((PLAIN, after_epoch(3, **WITH)), "after three epochs"),
        ((PLAIN, 0.5), "The second, 0.5, is off"),
    ],
    "07-3": [
        (0.09, "Expected what run_experiment returns, found float"),
        (Run(**ASKED), "Nothing has been trained"),
        ([result(**ASKED)], "without its list"),
        (result(**ASKED | {"order": "shuffled"}), "order='shuffled'"),
        (result(**ASKED | {"pixels": "unit"}), "pixels='unit'"),
        (result(**ASKED | {"num_epochs": 1}), "num_epochs=1"),
        (result(None, **ASKED), "before its first epoch"),
    ],
    "07-4": [
        (0.16, "Expected the shape 2"),
        ((16, 0.1), "sum over one class"),
        ((160, 0.1), "That is a sum"),
        ((0.08, 0.1), "first batch of a class"),
        ((1.6, 0.1), "those of one class"),
        ((0.16, 1), "kept what it had learned"),
        ((0.16, 0.9), "something else since"),
        ((0.16, 10), "at most 1"),
    ],
    "07-5": [
        (0.0625, "Expected the shape 2"),
        ((0.375, 0.0625), "no more probable"),
        ((6.25, 37.5), "at most 1"),
        ((1 / 32, 0.375), "The first, 0.03125, is off. So probable"),
        ((0.0625, 6 / 32), "for one of the two"),
        ((0.0625, 10 / 32), "four exactly"),
        ((0.0625, 2 / 32 + 1e-9), "The second, 0.0625, is off. In how many orders"),
    ],
    "07-6": [
        (side(), "Expected two sides"),
        ("smaller batches", "Expected two sides"),
        ((side(), [0.9, 0.8, 0.9]), "what run_experiment returns"),
        ((side(None), side(lr=0.01)), "has no accuracy"),
        ((side(seeds=(0, 1)), side(lr=0.01)), "an anecdote"),
        ((side(seeds=(0, 0, 1)), side(lr=0.01)), "comes twice"),
        ((side(seeds=(3, 4, 5)), side(lr=0.01)), "other seeds"),
        ((side()[:2] + side(seeds=[2], lr=0.1), side(lr=0.01)), "more than the seed"),
        ((side(), side()), "set alike"),
        ((side(), side(lr=0.01, momentum=0.0)), "lr, momentum change at once"),
        ((side(), side(batch_size=8, num_epochs=2)), "one of the two should be the same"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)


def test_a_fair_comparison_is_put_in_numbers():
    words = check("07-6", (side(0.9, lr=0.01), side(0.8, lr=0.02))).words
    assert "lr 0.01 against 0.02" in words
    assert "in 3 of 3 seeds, by +0.100 to +0.100" in words
    assert "Images seen: 6,000 and 6,000; steps: 188 and 188." in words
