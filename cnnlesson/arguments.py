"""Argument checks: pydantic finds the bad value, the message says what was expected and found."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec, TypeVar, get_type_hints

import torch
from pydantic import ConfigDict, Field, ValidationError, validate_call

__all__ = [
    "Count",
    "MomentumCoefficient",
    "NonNegative",
    "NonNegativeCount",
    "Positive",
    "check_pair",
    "checked",
]

Positive = Annotated[
    float, Field(gt=0, allow_inf_nan=False, description="a positive finite number")
]
NonNegative = Annotated[
    float, Field(ge=0, allow_inf_nan=False, description="a finite number, 0 or more")
]
MomentumCoefficient = Annotated[float, Field(ge=0, lt=1, description="a number in [0, 1)")]
Count = Annotated[int, Field(ge=1, description="a whole number, 1 or more")]
NonNegativeCount = Annotated[int, Field(ge=0, description="a whole number, 0 or more")]

P = ParamSpec("P")
R = TypeVar("R")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Validate the arguments of ``function`` against its annotations, each time it is called.

    Parameters
    ----------
    function : callable
        A function whose every argument can be given by name.

    Returns
    -------
    callable
        The same function, which raises ``ValueError`` when an argument does not fit.
    """
    validated = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)
    signature = inspect.signature(function)

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        # Bound by name: for a positional argument pydantic would report a bare index.
        arguments = signature.bind(*args, **kwargs).arguments
        try:
            return validated(**arguments)  # type: ignore[call-arg]
        except ValidationError as error:
            raise ValueError(_describe(error, function)) from None

    return wrapper


def _describe(error: ValidationError, function: Callable[..., object]) -> str:
    hints = get_type_hints(function, include_extras=True)
    lines = []
    for detail in error.errors():
        name = str(detail["loc"][0])
        field = getattr(hints.get(name), "__metadata__", (None,))[0]
        expected = getattr(field, "description", None) or detail["msg"].lower()
        lines.append(f"{name}: expected {expected}, found {detail['input']!r}")
    return "; ".join(lines)


def check_pair(x_name: str, x: torch.Tensor, y_name: str, y: torch.Tensor) -> None:
    """Raise ``ValueError`` unless there is one label for each image, and at least one image."""
    if len(x) == 0:
        raise ValueError(f"{x_name}: expected at least one image, found none")
    if y.shape != x.shape[:1]:
        raise ValueError(
            f"{y_name}: expected one label for each of the {len(x)} images in {x_name}, "
            f"found shape {tuple(y.shape)}"
        )
