"""Chapter 10: right answers, and for each exercise the ways to be wrong that are told apart."""

from dataclasses import replace
from itertools import product

import numpy as np
from verdicts import checks_of, ended

from cnnlesson import Run, load_results, results_path

RUNS = load_results([results_path("map")])
CELL = ["pixels", "momentum", "lr"]
ON_MAP = RUNS.groupby(CELL)["test_accuracy"].median()
IN_ORDER = load_results([results_path("order")])
SORTED = IN_ORDER.groupby(CELL)["test_accuracy"]
PLACE = SORTED.median().idxmax()
BEST, SHUFFLED = SORTED.median().max(), ON_MAP[PLACE]
EDGE = np.sqrt(0.5 * 1.0)  # on standardised pixels without momentum: three of five seeds have it


def mixed(runs):
    share = (runs["test_accuracy"] > 0.5).groupby([runs[key] for key in CELL]).mean()
    return share[(share > 0) & (share < 1)].reset_index()


STANDARDIZED = mixed(RUNS[RUNS["pixels"] == "standardized"])
CELLS = STANDARDIZED[STANDARDIZED["lr"] >= 0.001]
EFFECTIVE = CELLS["lr"] / (1 - CELLS["momentum"])


def measured(reads=lambda run: 0.9 if run.lr < 0.1 else 0.1, **axes):
    """Make results as `sweep` returns them, one for each combination."""
    grid = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    runs = [Run(**{"num_images": 1000, **settings}) for settings in grid]
    return [ended(run, reads(run)) for run in runs]


FOUR = {"lr": (0.01, 0.1), "momentum": (0.0, 0.9), "seed": (0, 1)}
OWN = measured(**FOUR)
EIGHT = {"lr": (0.01, 0.05, 0.2, 0.5), "seed": (0, 1)}
AXIS = measured(**EIGHT, num_epochs=(1, 5))

RIGHT = {
    "10-1": [(len(CELLS), EFFECTIVE.min()), [9, 0.4]],
    "10-2": [0.03 * EDGE, 0.021],
    "10-3": [(BEST, SHUFFLED)],
    "10-4": [(OWN, list(OWN))],
    "10-5": [(0.01, np.sqrt(0.1 * 0.2) / 0.01), (0.01, 14.1)],
    "10-6": [
        AXIS,
        measured(**EIGHT) + measured(**EIGHT, order=("blocks",), stretch=(9,)),
    ],
}
WRONG = {
    "10-1": [
        (9, "Expected the shape 2"),
        ((len(STANDARDIZED), 0.4), "only slow"),
        ((len(mixed(RUNS)), 0.4), "on three maps"),
        ((480, 0.4), "Count cells, not runs"),
        ((8, 0.4), "8 is off"),
        ((9, CELLS["lr"].min()), "their smallest α"),
        ((9, (CELLS["lr"] * (1 - CELLS["momentum"])).min()), "multiplies by 1 − μ"),
        ((9, EFFECTIVE.max()), "the largest α/(1 − μ)"),
        ((9, 0.5), "The second is off"),
    ],
    "10-2": [
        ("small", "Expected a number"),
        (EDGE, "the edge without momentum"),
        (1.97 * EDGE, "so says the bowl"),
        (EDGE / 0.03, "has to become smaller"),
        (0.97 * EDGE, "1 − μ counts, not μ"),
        (np.sqrt(0.02 * 0.05), "the edge of μ = 0.98"),
        (np.sqrt(0.1 * 0.2), "the edge of μ = 0.95"),
        (0.05, "α/(1 − μ) is not what it is"),
    ],
    "10-3": [
        (BEST, "Expected the shape 2"),
        ((33, 87), "at most 1"),
        ((SHUFFLED, BEST), "in the other order"),
        ((IN_ORDER["test_accuracy"].max(), SHUFFLED), "the best run"),
        ((SORTED.mean().max(), SHUFFLED), "a mean over the seeds"),
        ((ON_MAP.max(), SHUFFLED), "of shuffled digits"),
        ((0.2, SHUFFLED), "not the best median"),
        ((BEST, ON_MAP.max()), "of all maps"),
        ((BEST, ON_MAP[PLACE[0]].max()), "on these pixels, at another"),
        ((BEST, 0.5), "the same α, μ and pixels"),
    ],
    "10-4": [
        (OWN, "Expected two lists"),
        (([], []), "It holds no runs"),
        ((OWN, [r.run for r in OWN]), "found Run"),
        ((measured(**FOUR | {"lr": (0.1,)}),) * 2, "Expected 2 step sizes, found 1"),
        ((measured(**FOUR | {"momentum": (0.0, 0.5, 0.9)}),) * 2, "Expected 2 momenta, found 3"),
        ((measured(**FOUR | {"seed": (0,)}),) * 2, "Expected 2 seeds, found 1"),
        ((measured(**FOUR, num_epochs=(1, 2)),) * 2, "these vary: num_epochs"),
        ((OWN + OWN[:1], OWN), "stands there twice"),
        (([r for r in OWN if (r.run.lr < 0.1) == (r.run.momentum == 0)], OWN), "4 runs cannot"),
        ((measured(**FOUR, num_images=(2000,)),) * 2, "found 2,000"),
        ((OWN, OWN[:4]), "has other runs"),
        ((OWN, [replace(r, seconds=2.0) for r in OWN]), "measured again"),
    ],
    "10-5": [
        (0.01, "Expected the shape 2"),
        ((0.1, 1.4), "It keeps α"),
        ((1.0, 0.14), "upside down"),
        ((0.13, 1.1), "as the bowl has it"),
        ((0.005, 28), "lengthened the steps already"),
        ((0.2, 1), "That is α/(1 − μ) itself"),
        ((0.02, 7), "With 0.02 it has not stayed"),
        ((0.01, 1.414), "from the α of μ = 0.5"),
        ((0.01, 70.7), "to the edge of μ = 0.5"),
        ((0.01, 0.0707), "downward"),
        ((0.01, 10), "a step size that learns"),
        ((0.01, 0.1414), "is an edge, and no factor"),
        ((0.01, 20), "elsewhere"),
    ],
    "10-6": [
        ("more epochs", "Expected what sweep returns, found str"),
        (measured(**EIGHT | {"lr": (0.01, 0.2)}, num_epochs=(1, 5)), "4 step sizes or more"),
        (measured(**EIGHT | {"seed": (0,)}, num_epochs=(1, 5)), "Expected 2 seeds or more"),
        (measured(**EIGHT), "nothing varies"),
        (measured(**EIGHT, num_epochs=(1, 5), weight_decay=(None, 0.1)), "vary at once"),
        (measured(**EIGHT, momentum=(0.0, 0.9)), "The map varies momentum already"),
        (measured(**EIGHT, num_epochs=(1, 2, 5)), "Expected 2 values of num_epochs, found 3"),
        (AXIS[:-1], "15 runs cannot be all"),
        (measured(lambda run: 0.9, **EIGHT, num_epochs=(1, 5)), "4 of 4 edges are not among"),
        (measured(lambda run: 0.1, **EIGHT, num_epochs=(1, 5)), "4 of 4 edges are not among"),
    ],
}

test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
