"""Sights along one axis, and the size after a transposed convolution, against PyTorch."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from cnnlesson.diagrams.windows import Sight, resampling, sliding, spreading, transposed_output_size

numbers = st.integers(1, 4)


@given(st.integers(1, 12), numbers, numbers, st.integers(0, 4), st.integers(0, 4), numbers)
@settings(max_examples=150, deadline=None)
def test_the_size_after_a_transposed_convolution_is_that_of_torch(size, k, s, p, extra, d):
    try:
        layer = nn.ConvTranspose1d(1, 1, k, s, p, extra, dilation=d)
        expected = layer(torch.zeros(1, 1, size)).shape[-1]
    except (RuntimeError, ValueError):
        expected = None
    try:
        found = transposed_output_size(size, k, s, p, extra, d)
    except ValueError:
        found = None
    assert found == (expected or None)


def test_the_size_after_a_transposed_convolution_by_axis():
    layer = nn.ConvTranspose2d(1, 1, (2, 3), (2, 1), (0, 1))
    expected = tuple(layer(torch.zeros(1, 1, 7, 5)).shape[2:])
    assert transposed_output_size((7, 5), (2, 3), (2, 1), (0, 1)) == expected
    with pytest.raises(ValueError, match=r"^output_padding: expected less than.*found 2$"):
        transposed_output_size(4, 2, 2, output_padding=2)
    with pytest.raises(ValueError, match=r"^padding: expected to cut off less than all of 2 pixel"):
        transposed_output_size(1, 2, padding=1)
    with pytest.raises(ValueError, match=r"^size: expected a whole number, 1 or more.*found 0$"):
        transposed_output_size(0, 2)


def seen(layer: nn.Module, size: int) -> list[tuple[int, int] | None]:
    """Return the first and the last pixel that each output pixel depends on, by not-a-number."""
    x = torch.ones(size, 1, size, dtype=torch.float64)
    x[range(size), 0, range(size)] = torch.nan
    with torch.no_grad():
        y = layer.double()(x)[:, 0].isnan()
    places = [column.nonzero().flatten().tolist() for column in y.T]
    return [(found[0], found[-1]) if found else None for found in places]


STEPS = st.one_of(
    st.tuples(st.just("slide"), numbers, numbers, st.integers(0, 1), st.integers(1, 2)),
    st.tuples(st.just("spread"), numbers, st.integers(1, 3), st.just(0), st.integers(1, 2)),
    st.tuples(st.just("nearest"), st.integers(1, 3)),
    st.tuples(st.just("linear"), st.just(2)),
)


@given(st.lists(STEPS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_sight_is_where_not_a_number_goes(steps):
    sight, layers, size = Sight(), [], 48
    for kind, *values in steps:
        match kind:
            case "slide":
                k, s, p, d = values
                sight = sliding(sight, k, s, p, d)
                layers.append(nn.Conv1d(1, 1, k, s, p, d))
            case "spread":
                k, s, p, d = values
                sight = spreading(sight, k, s, p, d)
                layers.append(nn.ConvTranspose1d(1, 1, k, s, p, dilation=d))
            case _:
                sight = resampling(sight, Fraction(values[0]), kind)
                layers.append(nn.Upsample(scale_factor=values[0], mode=kind))
    try:
        found = seen(nn.Sequential(*layers), size)
    except RuntimeError:
        return  # no room
    for pixel, ends in enumerate(found):
        expected = sight.seen_by(pixel)
        if expected is None:
            assert ends is None
        elif expected[0] >= 8 and expected[1] < size - 8:  # away from the border
            assert ends == expected
    stride = sight.stride
    assert sight.seen_by(stride.denominator * sight.period) is None or stride > 0


def test_a_sight_repeats_as_soon_as_it_can():
    up = spreading(Sight(), 2, 2, 0)
    assert (up.period, up.advance, up.size, up.stride) == (2, 1, 1, Fraction(1, 2))
    assert sliding(up, 2, 2, 0) == Sight()
    assert spreading(Sight(), 1, 2, 0).seen_by(1) is None
    assert sliding(Sight(), 3, 1, 0).beside(sliding(Sight(), 1, 2, 0)) is None
