"""What networks answered along their trainings, packed small enough for a page."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, NamedTuple

from cnnlesson.experiments.run import Run, RunResult
from cnnlesson.widgets.shared.measured import by_settings, measured_values

__all__ = ["AXES", "Moment", "group_runs", "moments_of", "pack_answers"]

AXES = ("order", "pixels", "momentum", "seed")
_ORDERS = ("shuffled", "file", "sorted")
_STATUSES = ("completed", "diverged", "dead")
_LEAST, _MOST = 1e-4, 9.99e6  # range of losses
# A character each for the numbers from 0 to 100, none of which a page has to write in a longer way.
_ALPHABET = "".join(chr(code) for code in (*range(33, 127), *range(192, 205)))
_ALPHABET = _ALPHABET.translate(dict.fromkeys(map(ord, "\"&'<>\\")))


class Moment(NamedTuple):
    """What was measured at one moment of a training.

    Attributes
    ----------
    step : int
        After how many steps.
    loss : float
        Mean loss of the steps since the moment before, to three significant digits.
    accuracy : float
        Share of the test images that is right, to three decimals.
    shares : tuple of int
        Per cent of the test images that are taken for a 0, a 1, …, a 9, rounded each.
    """

    step: int
    loss: float
    accuracy: float
    shares: tuple[int, ...]


def group_runs(results: Iterable[RunResult]) -> dict[tuple[Any, ...], RunResult]:
    """Return finished runs by their values of ``AXES``.

    Parameters
    ----------
    results : iterable of RunResult
        Runs that were measured along the way. They may differ in ``AXES``, and in how long they
        were trained and how often and on how many images they were measured.

    Returns
    -------
    dict
        The runs by their settings, in the order of ``results``.

    Raises
    ------
    ValueError
        If there is no finished run, if two have the same settings, if they differ in something
        else, if one was not measured along the way, or has an order between sorted and shuffled.
    """
    free = ("num_epochs", "num_test_images", "measure_every")
    runs = by_settings(results, AXES, free)
    for result in runs.values():
        run = result.run
        if run.order not in _ORDERS:
            raise ValueError(
                f"results: expected an order among {', '.join(_ORDERS)}, found {run.order!r}"
            )
        if run.measure_every is None:
            raise ValueError(
                "results: expected runs with answers along the way, found one with "
                f"measure_every=None: {run}"
            )
        lengths = {len(result.losses_between), len(result.accuracy_curve), len(result.answers)}
        if len(lengths) > 1 or (lengths == {0} and result.status != "diverged"):
            raise ValueError(
                "results: expected a loss, an accuracy and ten answers at every moment measured, "
                f"found {len(result.losses_between)}, {len(result.accuracy_curve)} and "
                f"{len(result.answers)} of them in {run}"
            )
    return runs


def moments_of(result: RunResult) -> list[Moment]:
    """Return the moments at which a run was measured.

    Parameters
    ----------
    result : RunResult
        A run that was measured along the way.

    Returns
    -------
    list of Moment
        In their order; what is shown of them, and no more digits than that.
    """
    every = result.run.measure_every or 1
    measured = zip(result.losses_between, result.accuracy_curve, result.answers, strict=True)
    return [
        Moment(
            step=every * number,
            # A loss that is no number is beyond all bounds.
            loss=float(f"{max(loss, _LEAST) if loss < _MOST else _MOST:.2e}"),
            accuracy=round(accuracy, 3),
            shares=tuple(round(100 * count / sum(counts)) for count in counts),
        )
        for number, (loss, accuracy, counts) in enumerate(measured, start=1)
    ]


def pack_answers(runs: Mapping[tuple[Any, ...], RunResult]) -> dict[str, Any]:
    """Pack runs into a string of which a character holds a number from 0 to 100.

    A run begins with eight of them: its places on the four axes, its place among the ``lengths``,
    what became of it, 0 completed, 1 diverged, 2 dead, and its accuracy after the last epoch in
    thousandths, two digits in base 101. A space parts it from the next. Each moment has 14 more.
    The first two, in base 101, are the loss: three digits less 100, and 900 times the power of ten
    that they are multiplied by, plus 6. The next two are the accuracy, the last ten the answers,
    in per cent.

    Parameters
    ----------
    runs : mapping of tuple to RunResult
        What ``group_runs`` returned.

    Returns
    -------
    dict
        The measured values of each axis; ``lengths``, the different kinds of epochs, steps of an
        epoch, and steps from moment to moment; ``low`` and ``high``, the range of the losses;
        ``alphabet``, the characters for 0 to 100; and the string, ``rows``.

    Raises
    ------
    ValueError
        If an axis has more than 101 values.
    """
    axes = measured_values(runs, AXES)
    for name, values in axes.items():
        if len(values) > len(_ALPHABET):
            raise ValueError(f"{name}: expected at most 101 different values, found {len(values)}")
    lengths = {_length_of(result.run): None for result in runs.values()}
    every = {settings: moments_of(result) for settings, result in runs.items()}
    losses = [moment.loss for moments in every.values() for moment in moments] or [1.0]
    rows = []
    for settings, result in runs.items():
        head = [axes[name].index(value) for name, value in zip(AXES, settings, strict=True)]
        head += [list(lengths).index(_length_of(result.run)), _STATUSES.index(result.status)]
        head += _two(1e3 * result.test_accuracy if result.test_accuracies else 0)
        numbers = chain(head, *map(_numbers, every[settings]))
        rows.append("".join(_ALPHABET[number] for number in numbers))
    return {
        **axes,
        "lengths": list(map(list, lengths)),
        "low": min(losses),
        "high": max(max(losses), 2 * min(losses)),
        "alphabet": _ALPHABET,
        "rows": " ".join(rows),
    }


def _length_of(run: Run) -> tuple[int, int, int]:
    """Return the epochs of a run, the steps of an epoch, and those from moment to moment."""
    return run.num_epochs, run.num_steps // run.num_epochs, run.measure_every or 1


def _two(number: float) -> tuple[int, int]:
    """Return the two digits of a number, to the nearest whole one, in base 101."""
    return divmod(round(number), 101)


def _numbers(moment: Moment) -> tuple[int, ...]:
    digits, power = f"{moment.loss:.2e}".split("e")
    loss = 900 * (int(power) + 4) + int(digits.replace(".", "")) - 100
    return (*_two(loss), *_two(1e3 * moment.accuracy), *moment.shares)
