"""What a network answers while it is trained, for digits in one order or another."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

from traitlets import TraitError, default

from cnnlesson.experiments.run import RunResult
from cnnlesson.widgets.order_explorer.packed_answers import (
    AXES,
    Moment,
    group_runs,
    moments_of,
    pack_answers,
)
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.measured import WORDS, Measured, in_digits, measured_values
from cnnlesson.widgets.shared.settings import Setting
from cnnlesson.widgets.shared.svg import svg_image, svg_path

__all__ = ["OrderExplorer"]

# Ten colours that colour-blind eyes tell apart (Petroff, arXiv:2107.02270), ordered such that those
# of neighbouring digits differ most.
COLOURS = (
    *("#3f90da", "#ffa90e", "#717581", "#b9ac70", "#bd1f01"),
    *("#94a4a2", "#832db6", "#e76300", "#92dadd", "#a96b59"),
)
_NAMED = 20  # per cent of the answers, from which on the sentence names a digit


class _Step(Setting):
    """A step of the longest run, counted from 1."""

    def __init__(self) -> None:
        super().__init__(1, [])

    def validate(self, obj: Any, value: Any) -> int:
        """Return the number as an int, or raise ``traitlets.TraitError``."""
        is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not is_whole or not 1 <= value <= obj.last_step:
            raise TraitError(
                f"{self.name}: expected a whole number from 1 to {obj.last_step}, found {value!r}"
            )
        return int(value)


class OrderExplorer(Figure, module="order_explorer"):
    """Measured runs, one at a time: running loss, true accuracy, and what the network answers.

    All three stand over the same time. A strip of ten colours shows which digits the test images
    are taken for: one sees a network learn the class of the moment and forget the others. What was
    not measured cannot be chosen.

    Parameters
    ----------
    results : sequence of RunResult
        One finished run or more that were measured along the way, in any order. They may differ in
        ``order``, ``pixels``, ``momentum`` and ``seed``, of which there is one run each, and need
        not fill a grid. They may be of different length, and measured more or less often and on
        more or fewer images. Interrupted ones are left out.
    **settings
        The attributes below. Those not given are the first run's, and its last moment.

    Attributes
    ----------
    order, pixels, momentum, seed : str, str, float, int
        The run that is shown, each one of the values in ``results``.
    step : int
        The sentence is about the moment measured nearest to this step: 1 to the last of the longest
        run. In a shorter run it is about the end.
    axes : dict of str to list
        The values of ``order`` to ``seed`` that occur in ``results``, sorted.
    last_step : int
        The last step of the longest run.

    Raises
    ------
    ValueError
        If there is no finished run, if two have the same settings, if they differ in something
        else, if one was not measured along the way, or has an order between sorted and shuffled.
    traitlets.TraitError
        If an attribute is set to something that no run was made with.
    """

    order = Measured()
    pixels = Measured()
    momentum = Measured()
    seed = Measured()
    step = _Step()

    def __init__(self, results: Sequence[RunResult], **settings: Any) -> None:
        self._runs = group_runs(results)
        self.axes = measured_values(self._runs, AXES)
        self.last_step = max(result.run.num_steps for result in self._runs.values())
        first = next(iter(self._runs))
        start = dict(zip(AXES, first, strict=True))
        super().__init__(**(start | {"step": self._runs[first].run.num_steps} | settings))

    @default("_limits")
    def _default_limits(self) -> dict[str, list[Any]]:
        ranges = {
            name: values if isinstance(values[0], str) else [values[0], values[-1]]
            for name, values in self.axes.items()
        }
        return {**ranges, "step": [1, self.last_step, 1]}

    @property
    def result(self) -> RunResult | None:
        """The run that is shown; none if it was not measured."""
        return self._runs.get((self.order, self.pixels, self.momentum, self.seed))

    @property
    def moment(self) -> Moment | None:
        """What was measured nearest to ``step``; none if nothing was."""
        moments = self._moments()
        if not moments:
            return None
        nearest = math.floor(self.step / moments[0].step + 0.5)
        return moments[min(max(nearest, 1), len(moments)) - 1]

    def data(self) -> dict[str, Any]:
        """Return all runs, packed, and the colours of the answers.

        Returns
        -------
        dict
            Under ``runs`` what
            ``cnnlesson.widgets.order_explorer.packed_answers.pack_answers`` returns; under
            ``colours`` those of 0 to 9.
        """
        return {"runs": pack_answers(self._runs), "colours": COLOURS}

    def picture(self) -> str:
        """Return loss, accuracy and the strip of answers over the same time, as an ``<svg>``."""
        run = self.result.run if self.result else None
        moments = self._moments()
        low, high = self._data["runs"]["low"], self._data["runs"]["high"]
        steps = run.num_steps if run else 1

        def across(step: float) -> float:
            return 60 + 570 * step / steps

        def curve(values: Sequence[float], bottom: float) -> str:
            """Return the `d` of a line, its values being shares of a height of 90."""
            points = zip(moments, values, strict=True)
            return svg_path((across(m.step), bottom - 90 * value) for m, value in points)

        curves = strip = here = ""
        if moments:
            heights = [math.log(m.loss / low) / math.log(high / low) for m in moments]
            curves = "".join(
                f'<path d="{d}"/>'
                for d in (curve(heights, 110), curve([m.accuracy for m in moments], 230))
            )
            wide = across(moments[0].step) - 60
            strip = "".join(
                f'<path fill="{colour}" d="{_stack(moments, digit, across, wide)}"/>'
                for digit, colour in enumerate(COLOURS)
            )
        if moment := self.moment:
            x = f"M{across(moment.step):.1f}"
            here = (
                f'<path d="{x},250v90" stroke="#fff" stroke-width="5"/>'
                f'<path d="{x},250v90" stroke="#000"/>'
                f'<path d="{x},20v90m0,30v90" stroke="currentColor"/>'
            )
        boxes = "".join(f'<rect x="60" y="{y}" width="570" height="90"/>' for y in (20, 140, 250))
        marks = "".join(
            f'<text x="54" y="{y}">{text}</text>'
            for y, text in (
                (30, in_digits(high)),
                (110, in_digits(low)),
                (150, "1"),
                (230, "0"),
            )
        )
        legend = "".join(
            f'<path fill="{colour}" d="M{60 + 57 * digit},376h16v12h-16z"/>'
            f'<text x="{80 + 57 * digit}" y="387">{digit}</text>'
            for digit, colour in enumerate(COLOURS)
        )
        label = (
            "Three pictures over the same time: the running loss on a logarithmic scale, the "
            "accuracy on new digits, and a strip whose ten colours show which digits the network "
            "takes them for."
        )
        epochs = f"{run.num_epochs} epochs" if run else ""
        body = (
            f'<g fill="none" stroke="#888">{boxes}</g><g shape-rendering="crispEdges">{strip}</g>'
            f'<g fill="none" stroke="currentColor" stroke-width="1.5">{curves}</g>'
            f'<g fill="none" stroke-width="1.5">{here}</g>'
            '<g fill="currentColor" font-size="13"><text x="60" y="13">running loss</text>'
            '<text x="60" y="133">accuracy on new digits</text>'
            f'<text x="60" y="246">answers</text><text x="60" y="357">0</text>{legend}</g>'
            f'<g fill="currentColor" font-size="13" text-anchor="end">{marks}'
            f'<text x="630" y="357">{epochs}</text></g>'
        )
        return svg_image(body, label=label, size=(640, 394))

    def summary(self) -> str:
        """Return what the network answers at the moment, and how the run ends, in two sentences."""
        words = f"{WORDS[self.order]}, {WORDS[self.pixels]}, μ = {in_digits(self.momentum)}"
        setting = f"{words[0].upper()}{words[1:]}, seed {self.seed}"
        result, moment = self.result, self.moment
        if result is None:
            return f"{setting}: no such run was made."
        if moment is None:
            return f"{setting}: it diverged before anything was measured."
        epoch = in_digits(moment.step * result.run.num_epochs / result.run.num_steps)
        named = sorted(
            (-share, digit) for digit, share in enumerate(moment.shares) if share >= _NAMED
        )
        answers = [f"{digit} to {-share}%" for share, digit in named]
        if answers:
            text = f"it answers {' and '.join(answers)} of the new digits"
        else:
            text = f"no answer goes to more than {max(moment.shares)}% of the new digits"
        last = f"{round(result.test_accuracy, 3):.3f}"
        ends = {
            "completed": f"The run ends with an accuracy of {last}.",
            "dead": f"The run ends dead, with one answer to all: accuracy {last}.",
            "diverged": "The run diverges after what is shown.",
        }
        return (
            f"{setting}: after {epoch} epochs the running loss is {in_digits(moment.loss)}; "
            f"{text}; accuracy {moment.accuracy:.3f}. {ends[result.status]}"
        )

    def __repr__(self) -> str:
        return super().__repr__().replace("(", f"({len(self._runs)} runs, ", 1)

    def _moments(self) -> list[Moment]:
        return moments_of(self.result) if self.result else []


def _stack(moments: Sequence[Moment], digit: int, across: Any, wide: float) -> str:
    """Return the `d` of one digit's boxes in the strip, 90 high: 0 at the bottom, 9 at the top."""
    boxes = []
    for moment in moments:
        if moment.shares[digit]:
            unit = 90 / sum(moment.shares)
            top = 340 - unit * sum(moment.shares[: digit + 1])
            left, tall = across(moment.step) - wide / 2, unit * moment.shares[digit]
            boxes.append(f"M{left:.1f},{top:.1f}h{wide:.1f}v{tall:.1f}h{-wide:.1f}z")
    return "".join(boxes)
