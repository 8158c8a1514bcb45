"""Arguments: what is taken, what is refused, and whether the message helps."""

import re
from collections.abc import Callable
from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import BaseModel, Field, ValidationError
from torch import nn

from cnnlesson._support.arguments import (
    ConditionNumber,
    Count,
    Counts,
    Flag,
    MomentumCoefficient,
    NonNegative,
    NonNegativeCount,
    NonNegatives,
    Positive,
    Seed,
    Vector,
    checked,
)


@checked
def receive(
    positive: Positive = 1.0,
    non_negative: NonNegative = 0.0,
    momentum: MomentumCoefficient = 0.0,
    condition_number: ConditionNumber = 2.0,
    count: Count = 1,
    non_negative_count: NonNegativeCount = 0,
    seed: Seed = 0,
    tensor: torch.Tensor | None = None,
    flag: Flag = True,
) -> dict[str, object]:
    return dict(locals())


ACCEPTED = {
    "positive": [5e-324, 1, 0.1, 1e308, np.float32(0.5), np.float64(2), np.int64(3)],
    "non_negative": [0, 0.0, 1e308, np.float32(0.5)],
    "momentum": [0, 0.9, np.float64(0.999), 1 - 2**-53],
    "condition_number": [1 + 2**-52, 2, np.float32(1.5), 1e308],
    "count": [1, 60_000, np.int64(7), np.int32(7), 7.0],
    "non_negative_count": [0, 1, np.uint8(7)],
    "seed": [0, 2**63 - 1],
    "tensor": [None, torch.zeros(2)],
    "flag": [True, False],
}
NO_NUMBERS = ["1", b"1", True, np.True_, None, 1j, [1], (1,), {}, float("nan"), float("inf")]
REFUSED = {
    "positive": [0, -1e-300, -float("inf"), *NO_NUMBERS],
    "non_negative": [-1e-300, *NO_NUMBERS],
    "momentum": [1, 1.0, -0.1, 1.5, *NO_NUMBERS],
    "condition_number": [1, 0.5, -2, *NO_NUMBERS],
    "count": [0, -1, 1.5, *NO_NUMBERS],
    "non_negative_count": [-1, 0.5, *NO_NUMBERS],
    "seed": [-1, 2**63, 0.5, *NO_NUMBERS],
    "tensor": [np.zeros(2), 3, [1.0]],
    "flag": ["off", "yes", 1, 0.0, None],
}
EXPECTED = {
    "positive": "a positive finite number",
    "non_negative": "a finite number, 0 or more",
    "momentum": "a number in [0, 1)",
    "condition_number": "a finite number above 1",
    "count": "a whole number, 1 or more",
    "non_negative_count": "a whole number, 0 or more",
    "seed": "a whole number, 0 or more, below 2**63",
    "tensor": "torch.Tensor | None",
    "flag": "True or False",
}


def cases(values: dict[str, list]) -> list:
    return [
        pytest.param(name, value, id=f"{name}={value!r}")
        for name, listed in values.items()
        for value in listed
    ]


@pytest.mark.parametrize(("name", "value"), cases(ACCEPTED))
def test_accepts(name, value):
    received = receive(**{name: value})[name]
    assert received is value or received == value


@pytest.mark.parametrize(("name", "value"), cases(REFUSED))
def test_refuses_by_name_with_expected_and_found(name, value):
    message = f"{name}: expected {EXPECTED[name]}, found {value!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        receive(**{name: value})


def test_a_positional_argument_is_named_too():
    with pytest.raises(ValueError, match=r"^non_negative: expected .*, found -1$"):
        receive(1.0, -1)


def test_every_bad_argument_is_reported_once():
    with pytest.raises(ValueError, match=r"^positive: [^;]*; count: [^;]*; tensor: [^;]*$"):
        receive(positive=-1, count=0, tensor=3)


@pytest.mark.parametrize("value", [np.zeros((50, 50)), nn.Linear(2, 2), ["a" * 100]])
def test_a_large_value_is_reported_by_its_type(value):
    with pytest.raises(ValueError, match="found an object of type") as caught:
        receive(tensor=nn.Sequential(value) if isinstance(value, nn.Module) else value)
    message = str(caught.value)
    assert len(message) < 120
    assert "\n" not in message


def test_a_bad_element_is_reported_with_the_whole_argument():
    @checked
    def take(shape: Annotated[tuple[Count, ...], Field(description="whole numbers")]) -> None: ...

    with pytest.raises(ValueError, match=r"^shape: expected whole numbers, found \(1, 0, -3\)$"):
        take((1, 0, -3))


def test_python_itself_reports_missing_and_unknown_arguments():
    @checked
    def take(count: Count) -> None: ...

    with pytest.raises(TypeError, match="count"):
        take()
    with pytest.raises(TypeError, match="colour"):
        take(1, colour="red")


def test_objects_arrive_as_they_are():
    @checked
    def take(model: nn.Module, tensor: torch.Tensor, call: Callable[[int], int]) -> tuple:
        return model, tensor, call

    given = nn.ReLU(), torch.zeros(3), abs
    assert all(a is b for a, b in zip(given, take(*given), strict=True))


def test_errors_of_the_function_itself_pass_through():
    class Bowl(BaseModel):
        curvature: float

    @checked
    def fail(count: Count, how: str) -> None:
        if how == "value":
            raise ValueError("my own words")
        Bowl(curvature="steep")

    with pytest.raises(ValueError, match=r"^my own words$"):
        fail(1, "value")
    with pytest.raises(ValidationError, match="curvature"):
        fail(1, "pydantic")


def test_the_function_keeps_name_docstring_and_defaults():
    assert receive.__name__ == "receive"
    assert receive()["count"] == 1


VECTORS = {
    Vector: (float, [0, -1.5, [1, -2], (1.0,), np.float32(3), torch.ones(2)], []),
    NonNegatives: (float, [0, [0.0, 2.0], np.arange(3)], [-1e-300, [1.0, -1.0]]),
    Counts: (int, [0, [3, 1, 2], np.uint8(7), range(4)], [-1, [0, -1], 0.5, [1.0]]),
}
NO_VECTORS = ["1", ["1"], True, [True], None, 1j, {}, [], [[1, 2]], [[1], [1, 2]], [1, np.nan]]


@pytest.mark.parametrize("kind", VECTORS, ids=["Vector", "NonNegatives", "Counts"])
def test_vectors_are_of_one_kind_and_a_number_is_a_short_one(kind):
    dtype, accepted, refused = VECTORS[kind]

    @checked
    def take(x: kind) -> np.ndarray:
        return x

    for value in accepted:
        taken = take(value)
        assert taken.dtype == dtype
        assert taken.tolist() == np.atleast_1d(value).tolist()
    for value in [*refused, *NO_VECTORS, np.inf, torch.ones(2, requires_grad=True)]:
        with pytest.raises(ValueError, match=r"^x: expected a .*, found "):
            take(value)
