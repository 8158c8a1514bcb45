"""Receptive fields, against gradients: chains, branches, functions, every kind of window."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from cnnlesson.diagrams.receptive_fields import receptive_fields
from cnnlesson.model import AlexNet, ConvNet


@st.composite
def chains(draw):
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        kernel_size, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        dilation, padding = draw(st.integers(1, 3)), draw(st.integers(0, kernel_size // 2))
        match draw(st.sampled_from(["conv", "max", "avg"])):
            case "conv":
                layers.append(nn.Conv2d(1, 1, kernel_size, stride, padding, dilation))
            case "max":
                layers.append(nn.MaxPool2d(kernel_size, stride, padding, dilation))
            case "avg":
                layers.append(nn.AvgPool2d(kernel_size, stride, padding))
        layers += draw(st.sampled_from([[], [nn.ReLU()], [nn.BatchNorm2d(1), nn.Dropout()]]))
    return layers


def windowed(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d)


def seen_by(layers: list[nn.Module], place: int, size: int) -> tuple[int, int]:
    """Return the first and the last row of the input that one output pixel depends on."""
    x = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in filter(windowed, layers):
        # Any layer with this window, since a maximum has a gradient only where it is.
        stand_in = nn.Conv2d(
            1,
            1,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            getattr(layer, "dilation", 1),
            bias=False,
            dtype=torch.float64,
        )
        nn.init.ones_(stand_in.weight)
        y = stand_in(y)
    y[0, 0, place, place].backward()
    rows = x.grad[0, 0].sum(dim=1).nonzero().flatten()
    return int(rows[0]), int(rows[-1])


@given(chains())
@settings(max_examples=40, deadline=None)
def test_receptive_field_is_where_the_gradient_is_not_zero(layers):
    fields = receptive_fields(nn.Sequential(*layers))
    ends = [i for i, layer in enumerate(layers, start=1) if windowed(layer)]
    assert [field.name for field in fields] == [str(i - 1) for i in ends]
    size = 160
    for field, end in zip(fields, ends, strict=True):
        place = size // field.stride // 2 - 2
        first, last = seen_by(layers[:end], place, size)
        assert first > 0
        assert last < size - 1
        assert field.size == last - first + 1
        assert field.stride == seen_by(layers[:end], place + 1, size)[0] - first


def test_receptive_fields_of_convnet_by_hand():
    assert receptive_fields(ConvNet()) == [
        ("layers.0", 3, 1),
        ("layers.2", 4, 2),
        ("layers.3", 8, 2),
        ("layers.5", 10, 4),
    ]


def test_receptive_fields_of_alexnet_end_at_195_pixels():
    with torch.device("meta"):
        fields = receptive_fields(AlexNet())
    assert fields[-1].size == 195  # as in Araujo et al., table 1
    assert fields[-1].stride == 32


def test_a_layer_that_stands_twice_in_the_chain_counts_twice():
    layer = nn.Conv2d(1, 1, 3)
    assert [f.size for f in receptive_fields(nn.Sequential(layer, layer))] == [3, 5]


@pytest.mark.parametrize(
    "layer", [nn.Flatten(), nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), nn.Linear(5, 5)]
)
def test_a_layer_that_sees_everything_ends_the_list(layer):
    assert len(receptive_fields(nn.Sequential(nn.Conv2d(1, 1, 3), layer, nn.Conv2d(1, 1, 3)))) == 1


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 1, (3, 2)), nn.MaxPool2d(2, stride=(1, 2))])
def test_windows_that_are_not_square_are_refused(layer):
    with pytest.raises(ValueError, match=r"^1: expected a square window, found \("):
        receptive_fields(nn.Sequential(nn.ReLU(), layer))


@pytest.mark.parametrize(
    "layer", [nn.FractionalMaxPool2d(2, output_ratio=0.5), nn.AdaptiveAvgPool2d(3)]
)
def test_windows_of_another_kind_are_refused_not_passed_over(layer):
    name = type(layer).__name__
    with pytest.raises(ValueError, match=f"^0: expected a layer whose window is known.*{name}$"):
        receptive_fields(nn.Sequential(layer, nn.Conv2d(1, 1, 3)))


def test_square_windows_may_be_given_as_pairs():
    pairs = nn.Sequential(nn.Conv2d(1, 1, (3, 3), (2, 2)), nn.AvgPool2d((2, 2)))
    numbers = nn.Sequential(nn.Conv2d(1, 1, 3, 2), nn.AvgPool2d(2))
    assert receptive_fields(pairs) == receptive_fields(numbers)
