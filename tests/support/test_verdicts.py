"""Verdicts: of each layer what it wants, never what it has; read as a beginner would."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812

from cnnlesson import ConvNet, ShapeError, ShapeTracer, load_digits
from cnnlesson._support.verdicts import unmet


def verdict(model: nn.Module, *inputs, trace=True, last="PyTorch says: ") -> list[str]:
    """Return the message of a failure, without the table."""
    tracer = ShapeTracer(model)
    with pytest.raises(ShapeError) as caught:
        tracer.trace(*inputs) if trace else tracer(*inputs)
    lines = str(caught.value).splitlines()
    assert not lines[0].startswith("PyTorch")
    assert lines[-1].startswith(last)
    return [line for line in lines if line.startswith(("the input", "found", "expected", "failed"))]


small = st.integers(1, 3)


@st.composite
def layers(draw):
    """Draw a layer that knows what it wants, and an input in which anything may be wrong."""
    axes = draw(st.integers(1, 2))
    c, k, s, d = draw(small), draw(st.integers(1, 4)), draw(small), draw(small)
    p = draw(st.integers(0, k // 2))
    kind = draw(st.sampled_from(["Conv", "ConvTranspose", "MaxPool", "AvgPool", "BatchNorm", "Li"]))
    match kind:
        case "Conv":
            p = draw(st.sampled_from([p, "same", "valid"]))
            layer = getattr(nn, f"Conv{axes}d")(c, 1, k, 1 if p == "same" else s, p, d)
        case "ConvTranspose":
            layer = getattr(nn, f"ConvTranspose{axes}d")(c, 1, k, s, p)
        case "MaxPool":
            layer = getattr(nn, f"MaxPool{axes}d")(k, s, p, d, ceil_mode=draw(st.booleans()))
        case "AvgPool":
            layer = getattr(nn, f"AvgPool{axes}d")(k, s, p, ceil_mode=draw(st.booleans()))
        case "BatchNorm":
            layer = getattr(nn, f"BatchNorm{axes}d")(c).train(draw(st.booleans()))
        case _:
            layer = nn.Linear(c, 2)
    shape = draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))
    if draw(st.booleans()):
        shape = [draw(small), c, *draw(st.lists(st.integers(1, 9), min_size=axes, max_size=axes))]
    dtype = draw(st.sampled_from([torch.float32, torch.float32, torch.float64, torch.int64]))
    return layer, torch.zeros(shape, dtype=dtype)


def failure_of(layer: nn.Module, x: torch.Tensor) -> str | None:
    try:
        # Of several images a transposed convolution makes maps of no pixel, where one image fails.
        return None if layer(x).numel() else "an empty output"
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        return str(error)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(layers())
@settings(max_examples=400, deadline=None)
def test_a_layer_that_runs_has_nothing_to_demand(drawn):
    layer, x = drawn
    if failure_of(layer, x) is None:
        assert unmet(layer, (x,)) is None


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(layers())
@settings(max_examples=400, deadline=None)
def test_a_layer_that_fails_says_what_it_wants(drawn):
    layer, x = drawn
    failure = failure_of(layer, x)
    if failure is not None and "not implemented for" not in failure:  # whole numbers in a pooling
        assert unmet(layer, (x,)) is not None, failure


@pytest.mark.parametrize(
    ("x", "found", "expected"),
    [
        (
            torch.zeros(28, 28),
            "an input of shape 28×28, torch.float32",
            "batch×1×height×width, 4 dimensions; x[None, None] adds the two that are missing",
        ),
        (
            torch.zeros(7, 28, 28),
            "an input of shape 7×28×28, torch.float32",
            "batch×1×height×width; x[:, None] adds the dimension of the one channel",
        ),
        (
            torch.zeros(7, 28, 28, 1),
            "an input of shape 7×28×28×1, torch.float32",
            "batch×1×height×width, that is in_channels=1; "
            "x.permute(0, 3, 1, 2) puts the last dimension second",
        ),
        (
            (torch.zeros(1, 1, 28, 28), torch.zeros(1)),
            "a tuple of 2 tensors, 1×1×28×28 and 1",
            "a tensor; take one out of the tuple, such as x[0]",
        ),
        (
            np.zeros((1, 1, 28, 28)),
            "a NumPy array of shape 1×1×28×28, float64",
            "a tensor; torch.from_numpy(x).float() makes one",
        ),
        (
            "digits.png",
            "no tensor, but a str",
            "a tensor; give the model its input, such as torch.zeros(1, 1, 28, 28)",
        ),
        (
            torch.zeros(1, 1, 28, 28, dtype=torch.float64),
            "an input of shape 1×1×28×28, torch.float64",
            "torch.float32, like its weights; x.to(torch.float32) converts x",
        ),
    ],
)
def test_the_first_layer_says_what_it_found_and_expected(x, found, expected):
    assert verdict(ConvNet(), x) == [
        "failed: layers.0, Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1))",
        f"found:    {found}",
        f"expected: {expected}",
    ]


def test_a_missing_batch_dimension_is_said_first():
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(ConvNet()).trace(torch.zeros(1, 28, 28))
    assert str(caught.value).splitlines()[:4] == [
        "the input has no batch dimension",
        "found:    an input of shape 1×28×28, torch.float32 at layers.0, "
        "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1))",
        "expected: batch×1×height×width; x[None] makes a batch of one",
        "the forward pass failed after 7 layers",
    ]


def test_weights_on_another_device():
    model = nn.Sequential(nn.ReLU(), nn.Linear(3, 2))
    lines = verdict(model.to("meta"), torch.zeros(1, 3))
    assert lines[-1] == (
        'expected: a tensor on meta, like its weights, not on cpu; x.to("meta") moves x'
    )


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Conv2d(1, 2, 5, dilation=3), (1, 1, 9, 20), "13×13 for its 5×5 kernel with dilation 3"),
        (nn.Conv2d(1, 2, 9, padding=1), (1, 1, 5, 9), "7×7 for its 9×9 kernel with padding 1"),
        (nn.MaxPool2d(4, ceil_mode=False), (1, 1, 3, 3), "4×4 for its 4×4 kernel"),
        (nn.AvgPool1d(5, padding=2), (1, 1, 0), "1 for its 5 kernel with padding 2"),
    ],
)
def test_how_large_the_input_must_be(layer, shape, expected):
    assert verdict(layer, torch.zeros(shape))[-1] == f"expected: an input of at least {expected}"


def test_a_batch_of_one_in_training():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    lines = verdict(model, torch.zeros(1, 3), trace=False)
    assert lines[-1] == (
        "expected: more than one number for each channel while training; give it a larger batch"
    )


def test_a_function_that_fails_is_named_with_its_settings():
    class Pools(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return F.max_pool2d(self.conv(x), 40)

    assert verdict(nn.Sequential(Pools()), torch.zeros(1, 1, 28, 28)) == [
        "failed: max_pool2d(kernel_size=40), called by 0",
        "found:    an input of shape 1×2×26×26, torch.float32",
    ]


def test_pages_of_signatures_are_left_out():
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(nn.Conv2d(1, 1, 1)).trace("x")
    assert len(str(caught.value).splitlines()) == 5


class Calls(nn.Module):
    """A layer, and some code."""

    def __init__(self, code) -> None:
        super().__init__()
        self.layer, self.code = nn.Linear(3, 2), code

    def forward(self, x):
        return self.code(self.layer, x)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (lambda layer, x: 1 / 0, "raised: ZeroDivisionError: division by zero"),
        (lambda layer, x: {}["key"], "raised: KeyError: 'key'"),
        (
            lambda layer, x: x.nope,
            "raised: AttributeError: 'Tensor' object has no attribute 'nope'",
        ),
        (lambda layer, x: layer(x).view(7), "PyTorch says: shape '[7]' is invalid"),
        (lambda layer, x: layer(x[:, :2]), "PyTorch says: mat1 and mat2 shapes"),
    ],
)
def test_what_the_caller_wrote_is_not_put_into_pytorchs_mouth(code, said):
    verdict(Calls(code), torch.zeros(1, 3), last=said)


def test_a_call_that_does_not_fit_says_what_forward_takes():
    expected = "expected: what its forward takes, (x)"
    x = torch.zeros(1, 1, 28, 28)
    assert verdict(ConvNet())[-1] == expected
    assert verdict(ConvNet(), x, x)[-1] == expected
    assert verdict(Calls(lambda layer, x: layer(x, 3)), torch.zeros(1, 3))[-1] == (
        "expected: what its forward takes, (input)"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "a tensor; give the model its input, such as torch.zeros(1, 1, 28, 28)"),
        ((1, 1, 28, 28), "a tensor; torch.zeros((1, 1, 28, 28)) makes one of this shape"),
        ([1, 1, 28, 28], "a tensor; torch.zeros((1, 1, 28, 28)) makes one of this shape"),
        (load_digits("sklearn"), "a tensor; standardize(x.images)[:1] is one"),
        (torch.zeros(1, 1, 28, 28).to_sparse(), "a dense tensor; x.to_dense() makes one"),
    ],
)
def test_what_is_no_dense_tensor_has_a_way_to_one(given, expected):
    assert verdict(ConvNet(), given)[-1] == f"expected: {expected}"


def test_a_tensor_without_numbers_cannot_be_moved():
    lines = verdict(nn.Linear(3, 2), torch.zeros(1, 3, device="meta"))
    assert lines[-1] == (
        "expected: a tensor on cpu, like its weights, not on meta; "
        "torch.zeros(shape, device='cpu') makes one"
    )


@pytest.mark.parametrize("holder", [nn.ModuleList([nn.ReLU()]), nn.ModuleDict({"a": nn.ReLU()})])
def test_a_list_of_modules_does_not_run(holder):
    assert verdict(holder, torch.zeros(1))[-1].endswith("nn.Sequential runs them in turn")
