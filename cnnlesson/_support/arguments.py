"""Argument checks: pydantic finds the bad value, the message says what was expected and found."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar, get_args, get_type_hints

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, validate_call

__all__ = [
    "ConditionNumber",
    "Count",
    "Counts",
    "Flag",
    "MomentumCoefficient",
    "NonNegative",
    "NonNegativeCount",
    "NonNegatives",
    "Positive",
    "Seed",
    "Vector",
    "checked",
]


def _refuse_text_and_bool(value: object) -> object:
    """Stop pydantic from reading a number in what nobody means as one."""
    if isinstance(value, str | bytes | bool | np.bool_):
        raise ValueError
    return value


_Number = BeforeValidator(_refuse_text_and_bool)

Positive = Annotated[
    float, _Number, Field(gt=0, allow_inf_nan=False, description="a positive finite number")
]
NonNegative = Annotated[
    float, _Number, Field(ge=0, allow_inf_nan=False, description="a finite number, 0 or more")
]
ConditionNumber = Annotated[
    float, _Number, Field(gt=1, allow_inf_nan=False, description="a finite number above 1")
]
MomentumCoefficient = Annotated[float, _Number, Field(ge=0, lt=1, description="a number in [0, 1)")]
Count = Annotated[int, _Number, Field(ge=1, description="a whole number, 1 or more")]
NonNegativeCount = Annotated[int, _Number, Field(ge=0, description="a whole number, 0 or more")]
# Strict, or pydantic would read "off" and 0.0 as False.
Flag = Annotated[bool, Field(strict=True, description="True or False")]
Seed = Annotated[
    int, _Number, Field(ge=0, lt=2**63, description="a whole number, 0 or more, below 2**63")
]


def _vector(kinds: str, accepts: Callable[[np.ndarray], np.ndarray]) -> BeforeValidator:
    """Read a number as a vector of length 1, and refuse what is no vector of accepted numbers."""

    def convert(value: object) -> np.ndarray:
        try:
            array = np.atleast_1d(np.asarray(value))
        except RuntimeError as error:  # a tensor with gradients
            raise ValueError from error
        if array.dtype.kind not in kinds or array.ndim != 1 or array.size == 0:
            raise ValueError
        if not accepts(array).all():
            raise ValueError
        return array.astype(int if kinds == "iu" else float)

    return BeforeValidator(convert)


Vector = Annotated[
    np.ndarray, _vector("iuf", np.isfinite), Field(description="a vector of finite numbers")
]
NonNegatives = Annotated[
    np.ndarray,
    _vector("iuf", lambda x: np.isfinite(x) & (x >= 0)),
    Field(description="a finite number, 0 or more, or a vector of them"),
]
Counts = Annotated[
    np.ndarray,
    _vector("iu", lambda x: x >= 0),
    Field(description="a whole number, 0 or more, or a vector of them"),
]

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
        # But not the object itself: before version 2.14 pydantic needs the name for its wrapper.
        itself = [arguments.pop("self")] if "self" in arguments else []
        try:
            return validated(*itself, **arguments)
        except ValidationError as error:
            if error.title != function.__qualname__:  # raised by something that function calls
                raise
            raise ValueError(_describe(error, function, arguments)) from None

    return wrapper


def _describe(
    error: ValidationError, function: Callable[..., object], arguments: dict[str, Any]
) -> str:
    hints = get_type_hints(function, include_extras=True)
    names = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors())
    return "; ".join(
        f"{name}: expected {_expected(hints[name])}, found {_found(arguments[name])}"
        for name in names
    )


def _expected(hint: Any) -> str:
    """Return the words that an annotated type brings along, else the name of the type."""
    for annotated in (hint, *get_args(hint)):
        for extra in getattr(annotated, "__metadata__", ()):
            if description := getattr(extra, "description", None):
                return description
    return inspect.formatannotation(hint)


def _found(value: object) -> str:
    """Return the value if it is short, else its type: an array or a network would fill pages."""
    text = repr(value)
    if len(text) <= 60 and "\n" not in text:
        return text
    return f"an object of type {inspect.formatannotation(type(value))}"
