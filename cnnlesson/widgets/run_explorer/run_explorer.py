"""A map of measured trainings of the real network, to tap, and the losses of every seed."""

import math
from collections.abc import Sequence
from typing import Any

from traitlets import default

from cnnlesson.experiments.run import RunResult
from cnnlesson.widgets.run_explorer.packed_runs import AXES, group_runs, pack_runs
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.map_picture import map_frame, map_picture, median_accuracy
from cnnlesson.widgets.shared.measured import WORDS, Measured, in_digits, measured_values
from cnnlesson.widgets.shared.settings import Choice
from cnnlesson.widgets.shared.svg import svg_path

__all__ = ["RunExplorer"]


class RunExplorer(Figure, module="run_explorer"):
    r"""Measured runs: a map of accuracy over step size and momentum, and every seed's losses.

    Runs that differ in nothing but the seed are one cell of the map. In a cell's median a diverged
    run counts as worse than any other. What was not measured is shown as not measured; the sliders
    go round it, to the nearest cell that was.

    Parameters
    ----------
    results : sequence of RunResult
        One finished run or more, in any order. They may differ in ``lr``, ``momentum``,
        ``batch_size``, ``pixels``, ``order`` and ``seed``, and need not fill a grid. Interrupted
        ones are left out.
    **settings
        The attributes below. Those not given are the first run's.

    Attributes
    ----------
    lr, momentum, batch_size, pixels, order : float, float, int, str, str
        The cell that is shown, each one of the values in ``results``.
    lines : {"none", "effective", "quadratic", "both"}, default "none"
        Lines over the map, through the cell. Along ``"effective"`` α/(1−μ) stays the same, along
        ``"quadratic"`` α/(1+μ), as on the bound :math:`2(1+\mu)/\lambda` of a quadratic loss.
    axes : dict of str to list
        The values of ``lr`` to ``order`` that occur in ``results``, sorted.

    Raises
    ------
    ValueError
        If there is no finished run, if one was run twice, or if they differ in something else.
    traitlets.TraitError
        If an attribute is set to something that no run was made with.
    """

    lr = Measured()
    momentum = Measured()
    batch_size = Measured()
    pixels = Measured()
    order = Measured()
    lines = Choice("none", "effective", "quadratic", "both")

    def __init__(self, results: Sequence[RunResult], **settings: Any) -> None:
        self._cells = group_runs(results)
        self.axes = measured_values(self._cells, AXES)
        first = dict(zip(AXES, next(iter(self._cells)), strict=True))
        super().__init__(**(first | settings))

    @default("_limits")
    def _default_limits(self) -> dict[str, list[Any]]:
        ranges = {
            name: values if isinstance(values[0], str) else [values[0], values[-1]]
            for name, values in self.axes.items()
        }
        return {**ranges, "lines": self.trait_metadata("lines", "limits")}

    @property
    def runs(self) -> list[RunResult]:
        """The runs of the cell that is shown, by seed; an empty list if it was not measured."""
        return self._at(self.lr, self.momentum)

    @property
    def median_accuracy(self) -> float:
        """Median test accuracy of these runs; NaN if half of them diverged, or more."""
        return median_accuracy(self.runs)

    def data(self) -> dict[str, Any]:
        """Return all runs, packed.

        Returns
        -------
        dict
            Under ``runs`` what ``cnnlesson.widgets.run_explorer.packed_runs.pack_runs`` returns.
        """
        return {"runs": pack_runs(self._cells)}

    def picture(self) -> str:
        """Return the map as an ``<svg>``: the darker a cell, the fewer errors its median has."""
        own = (cell for cell in self._cells if cell[3] == self.pixels)
        axes = measured_values(own, AXES)
        rates = axes["lr"]
        width, bottom = 560 / len(rates), 28 * len(axes["momentum"])
        lines = "".join(
            f'<path d="{svg_path(points)}"{look}/>'
            for name, sign, look in (
                ("effective", -1, ""),
                ("quadratic", 1, ' stroke-dasharray="5 4"'),
            )
            if self.lines in (name, "both") and len(rates) > 1
            for points in [
                [
                    (width * (_across(rates, lr) + 0.5), bottom - 28 * j - 14)
                    for j, momentum in enumerate(axes["momentum"])
                    for lr in [self.lr * (1 + sign * momentum) / (1 + sign * self.momentum)]
                ]
            ]
        )
        if lines:
            lines = (
                f'<svg role="presentation" x="72" width="560" height="{bottom}" fill="none" '
                f'stroke="currentColor" stroke-width="1.5">{lines}</svg>'
            )
        here = map_frame(axes, (self.lr, self.lr), (self.momentum, self.momentum))
        runs = {cell[:2]: runs for cell, runs in self._cells.items() if cell[2:] == self._slice}
        return map_picture(axes, runs, over=here + lines)

    def summary(self) -> str:
        """Return what came of the runs of the cell, in one sentence."""
        setting = (
            f"α = {in_digits(self.lr)}, μ = {in_digits(self.momentum)}, "
            f"batches of {self.batch_size}, {WORDS[self.pixels]} and {WORDS[self.order]}"
        )
        number, statuses = len(self.runs), [result.status for result in self.runs]
        if number == 0:
            return f"No run was made with {setting}."
        reached = [r.test_accuracy for r in self.runs if r.status != "diverged"]
        facts = [
            f"{statuses.count(status)} {verb}"
            for status, verb in (("diverged", "diverged"), ("dead", "ended dead"))
            if status in statuses
        ]
        if reached:
            span = f"{min(reached):.3f} to {max(reached):.3f}"
            facts.insert(0, f"{len(reached)} reached a test accuracy of {span}")
        if math.isfinite(self.median_accuracy):
            facts.insert(1, f"the median is {self.median_accuracy:.3f}")
        return f"Of {number} run{'s' * (number > 1)} with {setting}, {', '.join(facts)}."

    def __repr__(self) -> str:
        number = sum(map(len, self._cells.values()))
        return super().__repr__().replace("(", f"({number} runs, ", 1)

    def _at(self, lr: float, momentum: float) -> list[RunResult]:
        """Return the runs of another cell of the same map."""
        return self._cells.get((lr, momentum, *self._slice), [])

    @property
    def _slice(self) -> tuple[int, str, str]:
        return self.batch_size, self.pixels, self.order


def _across(columns: Sequence[float], lr: float) -> float:
    """Return where a step size lies among the columns: between two of them by its logarithm."""
    k = min(max(sum(other <= lr for other in columns), 1), len(columns) - 1)
    return k - 1 + math.log(lr / columns[k - 1]) / math.log(columns[k] / columns[k - 1])
