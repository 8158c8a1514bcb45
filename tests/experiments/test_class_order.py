"""How near a run comes to the printed losses is measured as said."""

import math

import pytest

from cnnlesson import Run, RunResult
from cnnlesson.experiments.class_order import CLASS_ORDER, PRINTED, fit_to_printed, misfit


def result(losses, **settings):
    return RunResult(
        run=Run(**settings), status="completed", train_losses=losses, test_accuracies=[], seconds=0
    )


def test_a_perfect_fit_is_one_and_a_factor_is_a_factor():
    for momentum, printed in PRINTED.items():
        assert misfit(result(list(printed), momentum=momentum)) == 1
        for factor in (0.5, 2):
            losses = [factor * loss for loss in printed]
            assert misfit(result(losses, momentum=momentum)) == pytest.approx(2)


def test_later_epochs_do_not_count_and_missing_ones_do_not_fit():
    assert misfit(result([*PRINTED[0.8], 100.0], momentum=0.8)) == 1
    assert misfit(result([*PRINTED[0.9][:3], 100.0], momentum=0.9)) == 1
    assert misfit(result(list(PRINTED[0.9][:2]), momentum=0.9)) == math.inf


def test_nothing_was_printed_for_other_momenta():
    with pytest.raises(ValueError, match=r"momentum: expected one of 0.8, 0.9, found 0.5"):
        misfit(result([1.0], momentum=0.5))


def test_settings_are_compared_by_the_median_of_their_seeds():
    first, second, third = PRINTED[0.8]
    runs = [
        *(
            result([f * first, f * second, f * third], order="sorted", momentum=0.8, seed=i)
            for i, f in enumerate((1.1, 1.2, 9.0))
        ),
        *(result([2 * first, 2 * second, 2 * third], momentum=0.8, seed=i) for i in range(3)),
        result([1.0], momentum=0.5),
    ]
    table = fit_to_printed(runs)
    assert list(table.index) == [(0.8, "raw", "sorted"), (0.8, "raw", "shuffled")]
    assert table["misfit"].tolist() == pytest.approx([1.2, 2.0])
    best = table.iloc[0]
    assert (best["seeds"], best["least"], best["most"]) == pytest.approx((3, 1.1, 9.0))
    assert best[1] == pytest.approx([1.1 * first, 1.2 * first, 9 * first])
    assert best[4] == []


def test_each_cell_has_its_seeds():
    cells = {}
    for study in ("class_order", "class_order_momenta", "class_order_rivals"):
        for run in CLASS_ORDER[study]:
            cells.setdefault((run.momentum, run.pixels, run.order), []).append(run.seed)
    assert len(cells) == 4 * 3 * 3
    for (momentum, *setting), seeds in cells.items():
        is_headline = setting == ["unit", "sorted"] and momentum in PRINTED
        assert sorted(seeds) == list(range(10 if is_headline else 5))
