"""A committed map of trainings, measured again by its reader, in the page or in the notebook."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from traitlets import default

from cnnlesson.experiments.run import RunResult
from cnnlesson.widgets.shared.map_picture import map_frame, map_picture, median_accuracy
from cnnlesson.widgets.shared.measured import (
    WORDS,
    Measured,
    by_settings,
    in_digits,
    measured_values,
)
from cnnlesson.widgets.shared.parcel import TrainedInPage
from cnnlesson.widgets.shared.settings import Whole

__all__ = ["MapLab"]

_AXES = ("pixels", "momentum", "lr", "seed")
_MOST_COLUMNS, _MOST_ROWS = 12, 8
_LEARNED = 0.5  # of the test images are right: as `find_edges` has it


class MapLab(TrainedInPage, module="map_lab"):
    """A map of step size and momentum, and the same map as your own processors measure it.

    It trains the cells that you choose, each with as many seeds as you choose, on the digits and
    with the kernel of `TrainingLab`, and counts in how many cells both maps agree on whether the
    network learned: at least half of the test digits right, with most of the seeds.

    Parameters
    ----------
    results : iterable of RunResult
        One pass over 6,000 shuffled images or fewer, for every cell of a grid of at most 12 step
        sizes and 8 momenta, each with the same seeds. They may differ in ``pixels`` too.
        Interrupted ones are left out.
    **settings
        The attributes below.

    Attributes
    ----------
    pixels : str
        Scale of the pixels, one of those in ``results``, by default the first run's.
    left, right : int, default 0 and 11
        The first and the last column that is measured, counted from 0; in any order.
    bottom, top : int, default 0 and 7
        The first and the last row, counted from 0 and from below; in any order.
    seed : int, default 0
        The first seed, 0 to 99.
    num_seeds : int, default 1
        Seeds of each cell, 1 to 5.
    axes : dict of str to list
        The values of ``pixels``, ``momentum``, ``lr`` and ``seed`` that occur in ``results``.

    Raises
    ------
    ValueError
        If ``results`` are not such runs, or a cell of the grid is missing.
    traitlets.TraitError
        If an attribute is set to something out of its range.
    """

    pixels = Measured()
    left = Whole(0, low=0, high=_MOST_COLUMNS - 1)
    right = Whole(_MOST_COLUMNS - 1, low=0, high=_MOST_COLUMNS - 1)
    bottom = Whole(0, low=0, high=_MOST_ROWS - 1)
    top = Whole(_MOST_ROWS - 1, low=0, high=_MOST_ROWS - 1)
    seed = Whole(0, low=0, high=99)
    num_seeds = Whole(1, low=1, high=5)

    def __init__(self, results: Iterable[RunResult], **settings: Any) -> None:
        self._runs = by_settings(results, _AXES)
        self.axes = measured_values(self._runs, _AXES)
        first = next(iter(self._runs.values())).run
        if (first.num_epochs, first.order, first.num_images <= 6000) != (1, "shuffled", True):
            raise ValueError(
                "results: expected one pass over at most 6,000 shuffled images, found "
                f"num_epochs={first.num_epochs}, num_images={first.num_images}, "
                f"order={first.order!r}"
            )
        self._budget = {name: getattr(first, name) for name in ("batch_size", "num_images")}
        self._axes = {
            pixels: measured_values([own for own in self._runs if own[0] == pixels], _AXES)
            for pixels in self.axes["pixels"]
        }
        for pixels, axes in self._axes.items():
            size = {name: len(values) for name, values in axes.items()}
            found = sum(settings[0] == pixels for settings in self._runs)
            wanted = size["lr"] * size["momentum"] * size["seed"]
            if found < wanted or size["lr"] > _MOST_COLUMNS or size["momentum"] > _MOST_ROWS:
                raise ValueError(
                    f"results: expected every cell of a grid of at most {_MOST_COLUMNS} step sizes "
                    f"and {_MOST_ROWS} momenta with every seed, found {found} of "
                    f"{size['lr']} × {size['momentum']} × {size['seed']} runs on {WORDS[pixels]}"
                )
        super().__init__(**({"pixels": first.pixels} | settings))

    @default("_limits")
    def _default_limits(self) -> dict[str, list[Any]]:
        return {name: self.trait_metadata(name, "limits") for name in self.settings} | {
            "pixels": self.axes["pixels"]
        }

    def data(self) -> dict[str, Any]:
        """Return the map, and in how many parts comes what is needed to train.

        Returns
        -------
        dict
            ``budget``, what every run has in common; ``maps``, for each scale of the pixels the
            values of ``lr`` and ``momentum``, and row by row from below the cells: the ``median``
            accuracies, ``fates``, what failed in each, and ``learned``, a 1 or 0 a seed.
        """
        return {
            "budget": self._budget,
            "maps": {pixels: self._map(pixels) for pixels in self.axes["pixels"]},
            **super().data(),
        }

    def picture(self) -> str:
        """Return the map as an ``<svg>``, with a frame around the cells to be measured."""
        axes = self._axes[self.pixels]
        columns, rows = self._chosen
        cells = {
            (lr, momentum): self._at(self.pixels, lr, momentum)
            for lr in axes["lr"]
            for momentum in axes["momentum"]
        }
        return map_picture(axes, cells, over=map_frame(axes, columns, rows))

    def summary(self) -> str:
        """Return in how many of the chosen cells the network learned, in one sentence."""
        axes = self._axes[self.pixels]
        (left, right), (bottom, top) = self._chosen
        cells = [
            self._at(self.pixels, lr, momentum)
            for lr in axes["lr"]
            for momentum in axes["momentum"]
            if left <= lr <= right and bottom <= momentum <= top
        ]
        learned = sum(2 * sum(map(_has_learned, runs)) > len(runs) for runs in cells)
        return (
            f"From α = {in_digits(left)} to {in_digits(right)} and μ = {in_digits(bottom)} to "
            f"{in_digits(top)}, on {WORDS[self.pixels]}, the network learned in {learned} of "
            f"{len(cells)} cells. With JavaScript, you measure them here again."
        )

    def __repr__(self) -> str:
        return super().__repr__().replace("(", f"({len(self._runs)} runs, ", 1)

    @property
    def _chosen(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The step sizes and the momenta of the corners."""
        axes = self._axes[self.pixels]
        corners = (axes["lr"], self.left, self.right), (axes["momentum"], self.bottom, self.top)
        (left, right), (bottom, top) = (
            [values[min(place, len(values) - 1)] for place in sorted(places)]
            for values, *places in corners
        )
        return (left, right), (bottom, top)

    def _at(self, pixels: str, lr: float, momentum: float) -> list[RunResult]:
        """Return the runs of a cell, by seed."""
        seeds = self._axes[pixels]["seed"]
        return [self._runs[pixels, momentum, lr, seed] for seed in seeds]

    def _map(self, pixels: str) -> dict[str, list[Any]]:
        axes = self._axes[pixels]
        cells = [self._at(pixels, lr, mu) for mu in axes["momentum"] for lr in axes["lr"]]
        return {
            "lr": axes["lr"],
            "momentum": axes["momentum"],
            "median": [round(np.nan_to_num(median_accuracy(runs)), 4) for runs in cells],
            "fates": [" ".join(sorted({r.status for r in runs} - {"completed"})) for runs in cells],
            "learned": ["".join(str(int(_has_learned(r))) for r in runs) for runs in cells],
        }


def _has_learned(result: RunResult) -> bool:
    return result.status == "completed" and result.test_accuracy >= _LEARNED
