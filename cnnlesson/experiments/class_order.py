"""The case of the original notebook: what it printed, and the runs that ask how it came about."""

import math
from collections.abc import Iterable
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from cnnlesson.experiments.run import Order, Pixels, Run, RunResult

__all__ = ["CLASS_ORDER", "PRINTED", "fit_to_printed", "misfit"]

# Mean loss of each epoch that the original printed, by momentum.
PRINTED: dict[float, tuple[float, ...]] = {
    0.8: (0.4391, 0.5028, 0.3740),
    0.9: (0.7226, 0.9345, 1.0569, 1.2068, 1.3955, 1.4714, 1.5313, 2.3326, 2.3109, 2.3154),
}

# Epochs that are compared: at 0.8 the original printed no more.
FITTED = 3

_SEEDS = range(5)
_MOMENTA = (0.8, 0.9, 0.0, 0.95)  # those of the original first
_PIXELS: tuple[Pixels, ...] = ("unit", "raw", "standardized")
_ORDERS: tuple[Order, ...] = ("sorted", "file", "shuffled")
_RIVALS = list(product(_PIXELS, _ORDERS))[1:]  # all but the first
_PARTLY: tuple[tuple[Order, int], ...] = (
    *(("windows", 100), ("windows", 1000), ("windows", 10_000)),
    *(("blocks", 32), ("blocks", 100), ("blocks", 1000)),
)

# The original's loop on what 18,000 test images drawn with replacement leave over. Just under a
# tenth of the 1,389 steps of an epoch: each class is looked at near the end of its turn.
_drawn = partial(
    Run, split="with-replacement", num_images=44_439, num_test_images=1000, measure_every=138
)
_sorted = partial(_drawn, pixels="unit", order="sorted")

CLASS_ORDER: dict[str, tuple[Run, ...]] = {
    # Sorted by class, pixels from 0 to 1, where there is a printed number to meet.
    "class_order": tuple(
        _sorted(momentum=momentum, seed=seed, num_epochs=10)
        for seed, momentum in product(range(10), PRINTED)
    ),
    # The same at the other momenta.
    "class_order_momenta": tuple(
        _sorted(momentum=momentum, seed=seed, num_epochs=4)
        for seed, momentum in product(_SEEDS, (0.0, 0.95))
    ),
    # Momentum, or the step that it makes? The effective step of 0.9 with less momentum, and none.
    "class_order_steps": tuple(
        _sorted(lr=lr, momentum=momentum, seed=seed, num_epochs=4)
        for seed, (lr, momentum) in product(_SEEDS, ((0.002, 0.8), (0.01, 0.0)))
    ),
    # Stopped after one epoch, to count the channels that are dead by then.
    "class_order_one_epoch": tuple(
        _sorted(momentum=momentum, seed=seed) for seed, momentum in product(_SEEDS, _MOMENTA)
    ),
    # Few images, more passes: where 0.8 and 0.9 part in seconds.
    "class_order_small": tuple(
        Run(
            momentum=momentum,
            pixels="unit",
            order="sorted",
            num_epochs=12,
            num_test_images=1000,
            seed=seed,
            measure_every=38,
        )
        for seed, momentum in product(_SEEDS, _MOMENTA)
    ),
    # Every other order and scale: the epochs that are compared, at the momenta of the original. At
    # the other momenta two epochs are enough to see who learns and who dies.
    "class_order_rivals": tuple(
        _drawn(momentum=momentum, pixels=pixels, order=order, seed=seed, num_epochs=num_epochs)
        for momenta, num_epochs in ((PRINTED, FITTED), ((0.0, 0.95), 2))
        for seed, (pixels, order), momentum in product(_SEEDS, _RIVALS, momenta)
    ),
    # The first epoch of the third training, in class order and shuffled.
    "class_order_first_epoch": tuple(
        _drawn(lr=0.01, momentum=0.0, batch_size=256, pixels="unit", order=order, seed=seed)
        for seed, order in product(_SEEDS, (_ORDERS[0], _ORDERS[2]))
    ),
    # The forty epochs that the first cell of the original asks for.
    "class_order_long": tuple(
        _sorted(seed=seed, num_epochs=40, num_test_images=2000, measure_every=278)
        for seed in _SEEDS
    ),
    # Scikit-learn's split in place of one with replacement: does it matter?
    "class_order_split": tuple(
        Run(
            momentum=momentum,
            pixels="unit",
            order="sorted",
            seed=seed,
            num_epochs=FITTED,
            num_images=42_000,
            num_test_images=1000,
            measure_every=130,
        )
        for seed, momentum in product(_SEEDS, PRINTED)
    ),
    # How much order it takes: shuffled within windows, or in blocks of one class.
    "class_order_partly": tuple(
        _drawn(
            momentum=momentum,
            pixels="unit",
            order=order,
            stretch=stretch,
            seed=seed,
            num_epochs=FITTED,
        )
        for seed, (order, stretch), momentum in product(
            _SEEDS,
            _PARTLY,
            PRINTED,
        )
    ),
    # The third training, begun with a new network and carried on: its cell prints 100 epochs.
    "class_order_third": tuple(
        _sorted(
            lr=0.01,
            momentum=0.0,
            batch_size=256,
            num_epochs=240,
            num_test_images=5000,
            measure_every=870,
            measure_training=True,
            seed=seed,
        )
        for seed in _SEEDS
    ),
}


def misfit(result: RunResult) -> float:
    """Return how far the first epochs of a run are from those that the original printed.

    Parameters
    ----------
    result : RunResult
        A run with momentum 0.8 or 0.9.

    Returns
    -------
    float
        The factor by which a mean loss is off, as the root mean square of its logarithm: 1 is a
        perfect fit, 2 twice or half the printed loss in every epoch. The first three epochs count;
        infinite if the run did not finish them.

    Raises
    ------
    ValueError
        If the original printed nothing for such a momentum.
    """
    momentum = result.run.momentum
    if momentum not in PRINTED:
        raise ValueError(
            f"momentum: expected one of {', '.join(map(str, PRINTED))}, found {momentum}"
        )
    printed = PRINTED[momentum][:FITTED]
    if len(result.train_losses) < len(printed):
        return math.inf
    measured = np.array(result.train_losses[: len(printed)])
    return math.exp(math.sqrt(np.mean(np.log(measured / printed) ** 2)))


def fit_to_printed(results: Iterable[RunResult]) -> pd.DataFrame:
    """Compare measured settings with what the original printed.

    Parameters
    ----------
    results : iterable of RunResult
        Runs; those with a momentum for which nothing was printed are left out.

    Returns
    -------
    pandas.DataFrame
        One row a setting, best fit first within each momentum. Index: ``momentum``, ``pixels``,
        ``order``. Columns: ``seeds``; ``misfit``, ``least`` and ``most``, the median of `misfit`
        over the seeds and its range; then for each epoch that was printed, counted from 1, a list
        of the seeds' mean losses, least first.
    """
    cells: dict[tuple[float, str, str], list[RunResult]] = {}
    for result in results:
        run = result.run
        if run.momentum in PRINTED:
            cells.setdefault((run.momentum, run.pixels, run.order), []).append(result)
    rows = {}
    for setting, runs in cells.items():
        misfits = [misfit(result) for result in runs]
        row: dict[str | int, object] = {
            "seeds": len(runs),
            "misfit": float(np.median(misfits)),
            "least": min(misfits),
            "most": max(misfits),
        }
        for i in range(max(map(len, PRINTED.values()))):
            row[i + 1] = sorted(r.train_losses[i] for r in runs if len(r.train_losses) > i)
        rows[setting] = row
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=["momentum", "pixels", "order"])
    return table.sort_values("misfit").sort_index(level="momentum", sort_remaining=False)
