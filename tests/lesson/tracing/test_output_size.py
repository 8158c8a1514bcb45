"""The size of a convolution's output, against PyTorch itself."""

import itertools

import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from torch import nn

from cnnlesson import output_size


def size_by_torch(layer: nn.Module, size: int) -> int | None:
    """Return the side of the output, None where PyTorch refuses."""
    try:
        return layer(torch.empty(1, 1, size, size, device="meta")).shape[-1]
    except RuntimeError:
        return None


def size_by_us(*args, **kwargs) -> int | None:
    try:
        return output_size(*args, **kwargs)
    except ValueError:
        return None


@given(
    size=st.integers(0, 40),
    kernel_size=st.integers(1, 12),
    stride=st.integers(1, 7),
    padding=st.integers(0, 9),
    dilation=st.integers(1, 5),
)
@settings(max_examples=150, deadline=None)
def test_output_size_is_that_of_torch_convolutions(size, kernel_size, stride, padding, dilation):
    layer = nn.Conv2d(1, 1, kernel_size, stride, padding, dilation, device="meta")
    expected = size_by_torch(layer, size)
    assert size_by_us(size, kernel_size, stride, padding, dilation) == expected


@given(
    size=st.integers(0, 40),
    kernel_size=st.integers(1, 12),
    stride=st.integers(1, 14),
    padding=st.integers(0, 6),
    dilation=st.integers(1, 5),
    ceil_mode=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_output_size_is_that_of_torch_max_pooling(
    size, kernel_size, stride, padding, dilation, ceil_mode
):
    assume(padding <= kernel_size // 2)
    assume(size > 0 or ceil_mode)  # without ceil_mode it may be a convolution, and has room
    layer = nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    expected = size_by_torch(layer, size)
    assert size_by_us(size, kernel_size, stride, padding, dilation, ceil_mode) == expected


@given(
    size=st.integers(1, 40),
    kernel_size=st.integers(1, 12),
    stride=st.integers(1, 14),
    padding=st.integers(0, 6),
    ceil_mode=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_output_size_is_that_of_torch_average_pooling(
    size, kernel_size, stride, padding, ceil_mode
):
    assume(padding <= kernel_size // 2)
    layer = nn.AvgPool2d(kernel_size, stride, padding, ceil_mode=ceil_mode)
    expected = size_by_torch(layer, size)
    assert size_by_us(size, kernel_size, stride, padding, ceil_mode=ceil_mode) == expected


def test_no_empty_image_is_pooled_in_ceil_mode():
    for k, s, p, d in itertools.product(range(1, 7), range(1, 7), range(4), range(1, 4)):
        if p <= k // 2:
            assert size_by_us(0, k, s, p, d, ceil_mode=True) is None
            assert size_by_torch(nn.MaxPool2d(k, s, p, d, ceil_mode=True), 0) is None
    with pytest.raises(ValueError, match=r"^size: expected 1 or more.* found 0$"):
        output_size(0, 2, padding=1, ceil_mode=True)


pairs = st.tuples(st.integers(1, 5), st.integers(1, 5))


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(size=pairs, kernel=pairs, dilation=pairs, padding=st.sampled_from(["same", "valid", (1, 2)]))
@settings(max_examples=60, deadline=None)
def test_output_size_takes_pairs_and_words_as_torch_does(size, kernel, dilation, padding):
    layer = nn.Conv2d(1, 1, kernel, 1, padding, dilation)
    try:
        expected = tuple(layer(torch.zeros(1, 1, *size)).shape[2:])
    except RuntimeError:
        expected = None
    assert size_by_us(size, kernel, padding=padding, dilation=dilation) == expected


def test_output_size_of_numbers_beside_pairs():
    assert output_size((28, 20), 3, stride=(1, 2), padding="valid") == (26, 9)
    assert output_size(28, 3, padding="same", dilation=4) == 28
    with pytest.raises(ValueError, match=r"^stride: expected 1 where padding is 'same', found 2$"):
        output_size(28, 3, stride=2, padding="same")
    with pytest.raises(ValueError, match=r"one number for each axis.*2 in size, 3 in kernel_size"):
        output_size((28, 28), (3, 3, 3))
    with pytest.raises(ValueError, match=r"^padding: expected a whole number.*found 'full'$"):
        output_size(28, 3, padding="full")


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", -1), ("kernel_size", 0), ("stride", 0), ("padding", -1), ("dilation", 0)],
)
def test_output_size_names_a_bad_argument(name, value):
    with pytest.raises(ValueError, match=f"^{name}: expected a whole number, .*found {value}$"):
        output_size(**{"size": 28, "kernel_size": 3} | {name: value})


def test_output_size_names_a_flag_that_is_none():
    with pytest.raises(ValueError, match=r"^ceil_mode: expected True or False, found 'off'$"):
        output_size(5, 3, ceil_mode="off")


@pytest.mark.parametrize(
    ("arguments", "needed", "found"),
    [((2, 3), 3, 2), ((28, 5, 1, 1, 8), 33, 30), ((1, 9, 4, 2, 1, True), 6, 5), ((0, 1), 1, 0)],
)
def test_output_size_says_how_large_the_input_must_be(arguments, needed, found):
    message = f"^the window does not fit: expected an input of at least {needed} pixels .*"
    with pytest.raises(ValueError, match=f"{message}found {found} "):
        output_size(*arguments)
    size, *rest = arguments
    assert output_size(size + needed - found, *rest) == 1
