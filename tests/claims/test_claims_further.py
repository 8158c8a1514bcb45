"""What the chapter on going further says of its runs is what the committed results say."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from cnnlesson import read_results, results_path
from cnnlesson.experiments.studies import BEYOND, RECIPE, STUDIES, WITHOUT
from cnnlesson.widgets.digit_reader.digit_reader import WEIGHTS

SEEDS = sorted({run.seed for run in STUDIES["recipe"]})


@pytest.fixture(scope="module")
def rules():
    """Return accuracies by seed, a row for each rule and step size; 0 for a diverged run."""
    runs = read_results(results_path("map")) + read_results(results_path("rules"))
    frame = pd.DataFrame([run.to_dict() for run in runs]).query("pixels == 'standardized'")
    frame["test_accuracy"] = frame["test_accuracy"].fillna(0)
    settings = ["optimizer", "momentum", "lr"]
    table = frame.pivot(index=settings, columns="seed", values="test_accuracy")
    return table.dropna(axis=1)  # the seeds that every rule was given


@pytest.fixture(scope="module")
def recipe():
    """Return accuracies by seed, one column for each part that is left out."""
    found = {result.run: result.test_accuracy for result in read_results(results_path("recipe"))}
    columns = {}
    for part, changes in WITHOUT.items():
        tries = [[found[replace(RECIPE, **c, seed=seed)] for seed in SEEDS] for c in changes]
        columns[part] = max(tries, key=lambda accuracies: np.median(np.nan_to_num(accuracies)))
    return pd.DataFrame(columns, index=SEEDS)


def edge(rules, optimizer, momentum):
    """Return for each seed the largest step size that reaches 90%."""
    learns = rules.loc[optimizer, momentum] >= 0.9
    return learns.apply(lambda column: column[column].index.max())


def test_every_rule_and_every_recipe_has_three_seeds_or_more(rules, recipe):
    for study in ("rules", "recipe"):
        assert {result.run for result in read_results(results_path(study))} == set(STUDIES[study])
    assert rules.shape[1] >= 3
    assert recipe.shape == (len(SEEDS), len(WITHOUT))
    assert len(SEEDS) >= 3
    assert recipe.notna().all(axis=None)


def test_momentum_moves_the_edge_of_plain_steps_and_not_that_of_an_average(rules):
    sgd = edge(rules, "sgd", 0.9) / edge(rules, "sgd", 0.98)
    adam = edge(rules, "adam", 0.9) / edge(rules, "adam", 0.98)
    assert sgd.median() >= 4  # five times, where step sizes are a factor of 2 or 2.5 apart
    assert 0.4 <= adam.median() <= 2.5
    assert (sgd > adam).all()


def test_the_recipe_comes_close_to_99_percent_and_with_all_images_above_it(recipe):
    record = json.loads(WEIGHTS.with_suffix(".json").read_text("utf-8"))
    with_all_images = list(record["test accuracy by seed"].values())
    assert len(with_all_images) >= 3
    assert min(with_all_images) > 0.99 > recipe["nothing"].median() > 0.989
    assert recipe["nothing"].max() > 0.99


@pytest.mark.parametrize("part", [part for part in WITHOUT if part not in ("nothing", "momentum")])
def test_each_part_of_the_recipe_is_worth_something(recipe, part):
    assert (recipe["nothing"] > recipe[part]).all()


def test_momentum_is_worth_nothing_that_five_seeds_see_if_its_rival_is_tuned(recipe):
    worth = recipe["nothing"] - recipe["momentum"]
    interval = ttest_1samp(worth, 0).confidence_interval(0.95)
    assert interval.low < 0 < interval.high
    assert abs(worth.median()) < 0.0005
    mistakes = sorted(18_000 * worth)
    assert mistakes[-2] < 25
    assert mistakes[-1] > 100
    # The step before the best: nearly as good in the median, and safe.
    found = {result.run: result.test_accuracy for result in read_results(results_path("recipe"))}
    safe = [found[replace(RECIPE, **WITHOUT["momentum"][1], seed=seed)] for seed in SEEDS]
    lost = 18_000 * (recipe["nothing"] - safe)
    assert lost.max() < 25
    assert ttest_1samp(lost, 0).confidence_interval(0.95).low < 0 < lost.mean()


@pytest.mark.parametrize("part", [part for part, tries in WITHOUT.items() if len(tries) > 1])
def test_the_best_step_size_of_each_part_lies_between_others(part):
    found = {result.run: result.test_accuracy for result in read_results(results_path("recipe"))}
    tries = [
        np.nan_to_num([found[replace(RECIPE, **change, seed=seed)] for seed in SEEDS])
        for change in WITHOUT[part]
    ]
    assert 0 < np.argmax(np.median(tries, axis=1)) < len(tries) - 1


@pytest.mark.parametrize("part", ["schedule", "momentum", "four epochs of five"])
def test_the_images_are_worth_more_than_how_they_are_shown(recipe, part):
    assert (recipe["most of the images"] < recipe[part]).all()


def test_the_schedule_is_behind_after_one_epoch_and_ahead_in_the_end():
    found = {result.run: result.test_accuracies for result in read_results(results_path("recipe"))}
    for change in WITHOUT["schedule"]:
        for seed in SEEDS:
            whole = found[replace(RECIPE, seed=seed)]
            constant = found[replace(RECIPE, **change, seed=seed)]
            assert whole[0] < constant[0]
            assert whole[-1] > constant[-1]


def test_shifts_pass_99_percent_and_more_epochs_pay_only_with_them(recipe):
    found = {result.run: result for result in read_results(results_path("beyond"))}
    runs = {str(c): [found[replace(RECIPE, **c, seed=seed)] for seed in SEEDS] for c in BEYOND}
    decayed, small, large, longer, longer_small, longer_large, *_ = (
        np.array([run.test_accuracy for run in own]) for own in runs.values()
    )
    assert min(map(np.median, (small, large, longer_small, longer_large))) > 0.99
    assert max(np.median(decayed), np.median(longer)) < 0.99
    assert max(map(np.median, (longer_small, longer_large))) < 0.993
    assert (longer_small > small).all()
    apart = ttest_1samp(longer - recipe["nothing"], 0).confidence_interval(0.95)
    assert apart.low < 0 < apart.high
    by_heart = runs[str({"num_epochs": 15})]
    assert max(run.train_losses[-1] for run in by_heart) < 0.001


def test_more_epochs_a_shift_and_weight_decay_together_pass_99_3_percent():
    found = {result.run: result for result in read_results(results_path("beyond"))}

    def accuracies(**change):
        return np.array(
            [found[replace(RECIPE, **change, seed=seed)].test_accuracy for seed in SEEDS]
        )

    decay = {"weight_decay": 5e-4}
    best = accuracies(num_epochs=15, shift=1, **decay)
    assert min(best) > 0.993
    rest = [accuracies(**c) for c in BEYOND if c != {"num_epochs": 15, "shift": 1, **decay}]
    assert max(map(np.median, rest)) < 0.993
    assert np.median(accuracies(num_epochs=15, **decay)) > 0.99
    for change in ({}, {"shift": 1}, {"shift": 2}):
        saved = accuracies(num_epochs=15, **change, **decay) - accuracies(num_epochs=15, **change)
        assert ttest_1samp(saved, 0).confidence_interval(0.95).low > 0
