"""Arguments that are one number for all axes or one for each, as PyTorch takes them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from cnnlesson._support.arguments import Count, NonNegativeCount

__all__ = ["AxisCounts", "AxisPadding", "NonNegativeAxisCounts", "along_each_axis"]

AxisCounts = Annotated[
    Count | tuple[Count, ...], Field(description="a whole number, 1 or more, or one for each axis")
]
NonNegativeAxisCounts = Annotated[
    NonNegativeCount | tuple[NonNegativeCount, ...],
    Field(description="a whole number, 0 or more, or one for each axis"),
]
AxisPadding = Annotated[
    NonNegativeCount | tuple[NonNegativeCount, ...] | Literal["same", "valid"],
    Field(description="a whole number, 0 or more, one for each axis, 'same' or 'valid'"),
]


def along_each_axis(formula: Callable[..., int], **arguments: Any) -> Any:
    """Apply a formula for one axis to numbers, or to each axis of tuples.

    Parameters
    ----------
    formula : callable
        A function of as many numbers as there are arguments, in their order.
    **arguments
        Numbers, or tuples with one for each axis; numbers beside tuples stand for all axes.

    Returns
    -------
    int or tuple of int
        A tuple if any argument is one.

    Raises
    ------
    ValueError
        If tuples differ in length, or are empty.
    """
    lengths = {name: len(v) for name, v in arguments.items() if isinstance(v, tuple)}
    if not lengths:
        return formula(*arguments.values())
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        found = ", ".join(f"{length} in {name}" for name, length in lengths.items())
        raise ValueError(f"expected one number for each axis, as many in each tuple, found {found}")
    number = max(lengths.values())
    axes = [v if isinstance(v, tuple) else (v,) * number for v in arguments.values()]
    return tuple(formula(*axis) for axis in zip(*axes, strict=True))
