"""A network that cannot take its input says where, and what was expected."""

import pytest
import torch
from torch import nn

from cnnlesson import ConvNet, ShapeError, ShapeTracer


def test_a_wrong_in_features_is_explained():
    model = ConvNet()
    model.layers[7] = nn.Linear(64 * 24, 10)
    tracer = ShapeTracer(model)
    with pytest.raises(ShapeError) as caught:
        tracer.trace(torch.zeros(2, 1, 28, 28))
    error, message = caught.value, str(caught.value)
    assert isinstance(error, RuntimeError)
    assert message.startswith("the forward pass failed after 7 layers\n")
    assert repr(error.table) in message
    assert len(error.table.rows) == len(tracer.table.rows) == 7
    assert message.splitlines()[-4:] == [
        "failed: layers.7, Linear(in_features=1536, out_features=10, bias=True)",
        "found:    an input of shape 2×1600, torch.float32",
        "expected: a last dimension of in_features=1536",
        f"PyTorch says: {error.__cause__}",
    ]
    assert type(error.__cause__) is RuntimeError
    assert "1600" in str(error.__cause__)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Conv2d(3, 4, 5), (2, 1, 9, 9), "batch×3×height×width, that is in_channels=3"),
        (nn.Conv2d(1, 4, 5), (2, 1, 4, 4), "an input of at least 5×5 for its 5×5 kernel"),
        (nn.Conv1d(3, 4, 5), (2, 1, 9), "batch×3×length"),
        (nn.Conv3d(3, 4, 2), (2, 1, 9, 9, 9), "batch×3×depth×height×width"),
        (nn.BatchNorm2d(3), (2, 4, 5, 5), "num_features=3 channels in dimension 1"),
        (nn.Linear(3, 1), (2, 4), "a last dimension of in_features=3"),
    ],
)
def test_a_layer_that_knows_says_what_it_expects(layer, shape, expected):
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(nn.Sequential(nn.ReLU(), layer)).trace(torch.zeros(shape))
    lines = str(caught.value).splitlines()
    assert lines[0] == "the forward pass failed after 1 layer"
    assert f"found:    an input of shape {'×'.join(map(str, shape))}, torch.float32" in lines
    assert any(line.startswith("expected: ") and expected in line for line in lines)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float64])
def test_a_wrong_number_type_is_not_taken_for_a_wrong_shape(dtype):
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28, dtype=dtype))
    assert f"found:    an input of shape 1×1×28×28, {dtype}\n" in str(caught.value)
    assert "expected: torch.float32, like its weights" in str(caught.value)


def test_a_layer_that_does_not_know_leaves_it_to_pytorch():
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(nn.Sequential(nn.Unflatten(1, (2, 2)))).trace(torch.zeros(1, 5))
    assert "failed: 0, Unflatten" in str(caught.value)
    assert "expected:" not in str(caught.value)


class Fallible(nn.Module):
    """Calls a layer that fails, goes on, and may fail itself."""

    def __init__(self, *, fail: bool) -> None:
        super().__init__()
        self.first, self.second, self.fail = nn.Linear(3, 3), nn.Linear(4, 3), fail

    def forward(self, x):
        try:
            x = self.first(x)
        except RuntimeError:
            x = self.second(x)
        if self.fail:
            raise KeyError("of my own")
        return x


def test_an_error_that_the_model_catches_is_no_failure():
    model = nn.Sequential(Fallible(fail=False), nn.Linear(3, 2))
    table = ShapeTracer(model).trace(torch.zeros(1, 4))
    assert [row.name for row in table.rows] == ["0.second", "1"]
    assert table.rows[0].input_shape == (1, 4)


def test_an_error_that_the_model_caught_is_not_blamed_for_a_later_one():
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(nn.Sequential(Fallible(fail=True))).trace(torch.zeros(1, 4))
    assert "\nfailed: 0\n" in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)


def test_the_same_layer_may_fail_and_then_work():
    class Retry(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            try:
                return self.layer(x)
            except RuntimeError:
                return self.layer(x[:, :3])

    cut, row = ShapeTracer(Retry()).trace(torch.zeros(5, 4)).rows
    assert cut.settings == "getitem[:, :3]"
    assert row[:5] == ("layer", "Linear", (5, 3), (5, 2), 8)


def test_a_lazy_layer_that_cannot_learn_its_size_is_named():
    model = nn.Sequential(nn.ReLU(), nn.LazyConv2d(4, 3))
    with pytest.raises(ShapeError) as caught:
        ShapeTracer(model).trace(torch.zeros(2, 7))
    assert "\nfailed: 1, LazyConv2d(" in str(caught.value)
    assert not any(m._forward_hooks for m in model.modules())


def test_missing_arguments_are_explained_too():
    with pytest.raises(ShapeError, match="failed after 0 layers") as caught:
        ShapeTracer(ConvNet()).trace()
    assert "found:    no tensor" in str(caught.value)
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_tracer_inside_a_tracer():
    model = nn.Sequential(nn.ReLU(), ShapeTracer(nn.Sequential(nn.Tanh(), nn.Linear(3, 2))))
    outer, inner = ShapeTracer(model), model[1]
    table = outer.trace(torch.zeros(1, 3))
    assert [row.name for row in table.rows] == ["0", "1.model.0", "1.model.1"]
    assert [row.name for row in inner.table.rows] == ["0", "1"]
    with pytest.raises(ShapeError) as caught:
        outer.trace(torch.zeros(1, 4))
    message = str(caught.value)
    assert message.count("the forward pass failed") == 1
    assert "failed: 1.model.1, Linear(" in message
    assert not isinstance(caught.value.__cause__, ShapeError)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
