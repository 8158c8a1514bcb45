"""Traits with an allowed range: what the sliders and points of a figure may be set to."""

import numbers
from collections.abc import Mapping, Sequence, Set
from operator import length_hint
from typing import Any, ClassVar

from traitlets import HasTraits, TraitError, TraitType

__all__ = ["Choice", "Number", "Numbers", "Point", "Setting", "Whole"]


class Setting(TraitType):
    """A trait that a reader may change, within ``limits``.

    Parameters
    ----------
    default_value : object
        The value a figure starts with.
    limits : list or dict
        What the JavaScript side needs to know of the range; see the subclasses. Text that is free
        but for a pattern has a dict with that regular expression as ``pattern``.
    """

    def __init__(self, default_value: Any, limits: list[Any] | dict[str, Any]) -> None:
        super().__init__(default_value)
        self.tag(sync=True, limits=limits)

    def validate(self, obj: HasTraits, value: Any) -> Any:
        """Return a value as the figure keeps it, if it is within the limits.

        Parameters
        ----------
        obj : traitlets.HasTraits
            The figure that is set.
        value : object
            What it is set to.

        Returns
        -------
        object
            The value, as the type that the subclass names.

        Raises
        ------
        traitlets.TraitError
            If the value is of another type, or beyond the limits.
        """
        raise NotImplementedError


class Number(Setting):
    """A number from ``low`` to ``high``, both included.

    Parameters
    ----------
    default_value : float
        The value a figure starts with.
    low, high : float
        The range. The limits sent to JavaScript are ``[low, high]``.
    """

    kind: ClassVar[Any] = numbers.Real
    noun: ClassVar[str] = "a number"

    def __init__(self, default_value: float, *, low: float, high: float) -> None:
        super().__init__(default_value, [low, high])

    def validate(self, obj: HasTraits, value: Any) -> float:
        """Return ``value`` as a float, if it is within the limits."""
        low, high = self.metadata["limits"][:2]
        if isinstance(value, bool) or not isinstance(value, self.kind) or not low <= value <= high:
            raise TraitError(
                f"{self.name}: expected {self.noun} from {low} to {high}, found {value!r}"
            )
        return float(value)


class Whole(Number):
    """A whole number from ``low`` to ``high``, both included.

    Parameters
    ----------
    default_value : int
        The value a figure starts with.
    low, high : int
        The range. The limits sent to JavaScript are ``[low, high, 1]``, 1 being the step.
    """

    kind = numbers.Integral
    noun = "a whole number"

    def __init__(self, default_value: int, *, low: int, high: int) -> None:
        super().__init__(default_value, low=low, high=high)
        self.metadata["limits"].append(1)

    def validate(self, obj: HasTraits, value: Any) -> int:
        """Return ``value`` as an int, if it is within the limits."""
        return int(super().validate(obj, value))


class Point(Setting):
    """A point in the plane, inside a rectangle.

    Parameters
    ----------
    default_value : tuple of float
        The point a figure starts with.
    x, y : tuple of float
        The range ``(low, high)`` of each coordinate. The limits sent to JavaScript are the two.
    """

    def __init__(
        self,
        default_value: tuple[float, float],
        *,
        x: tuple[float, float],
        y: tuple[float, float],
    ) -> None:
        super().__init__(default_value, [list(x), list(y)])

    def validate(self, obj: HasTraits, value: Any) -> tuple[float, float]:
        """Return ``value`` as two floats, if it is within the limits."""
        (left, right), (bottom, top) = self.metadata["limits"]
        if not (found := _numbers(value, self.metadata["limits"])):
            raise TraitError(
                f"{self.name}: expected a point (x, y) with x from {left} to {right} "
                f"and y from {bottom} to {top}, found {value!r}"
            )
        x, y = found
        return float(x), float(y)


class Numbers(Setting):
    """Some numbers, each from ``low`` to ``high``, both included.

    Parameters
    ----------
    default_value : tuple of float
        The numbers a figure starts with.
    low, high : float
        The range of each. The limits sent to JavaScript are ``[low, high, step, counts]``.
    whole : bool, default False
        Whether they are whole numbers, with step 1. The step is 0 otherwise: any value.
    counts : tuple of int, optional
        How many there may be; always as many as at the start by default.
    """

    def __init__(
        self,
        default_value: tuple[float, ...],
        *,
        low: float,
        high: float,
        whole: bool = False,
        counts: tuple[int, ...] = (),
    ) -> None:
        self.counts = counts or (len(default_value),)
        super().__init__(default_value, [low, high, int(whole), list(self.counts)])
        self.kind: Any = numbers.Integral if whole else numbers.Real

    def validate(self, obj: HasTraits, value: Any) -> tuple[float, ...]:
        """Return ``value`` as a tuple of floats or ints, if it is within the limits."""
        low, high = self.metadata["limits"][:2]
        whole = self.kind is numbers.Integral
        count = length_hint(value)
        ranges = [(low, high)] * (count if count in self.counts else self.counts[0])
        if not (found := _numbers(value, ranges, self.kind)):
            counts = " or ".join(", ".join(map(str, self.counts)).rsplit(", ", 1))
            raise TraitError(
                f"{self.name}: expected {counts} {'whole ' if whole else ''}numbers "
                f"from {low} to {high}, found {value!r}"
            )
        return tuple(map(int if whole else float, found))


def _numbers(
    value: Any, ranges: Sequence[tuple[float, float]], kind: Any = numbers.Real
) -> tuple[Any, ...]:
    """Return what ``value`` holds: one number in each range, in their order; nothing otherwise."""
    try:
        found = () if isinstance(value, Mapping | Set) else tuple(value)
    except TypeError:  # one number, say
        return ()
    fits = len(found) == len(ranges) and all(
        isinstance(number, kind) and not isinstance(number, bool) and low <= number <= high
        for number, (low, high) in zip(found, ranges, strict=True)
    )
    return found if fits else ()


class Choice(Setting):
    """One of a few words.

    Parameters
    ----------
    default_value : str
        The word a figure starts with.
    *others : str
        The other ones. The limits sent to JavaScript are all of them, the default first.
    """

    def __init__(self, default_value: str, *others: str) -> None:
        super().__init__(default_value, [default_value, *others])

    def validate(self, obj: HasTraits, value: Any) -> str:
        """Return ``value``, if it is within the limits."""
        options = self.metadata["limits"]
        if not isinstance(value, str) or value not in options:
            raise TraitError(f"{self.name}: expected one of {', '.join(options)}, found {value!r}")
        return value
