"""Functions between the layers have rows, as layers have."""

import math

import pytest
import torch
import torchinfo
from networks import AllFunctions, FunctionalLeNet, Inception, ResNet, UNet, transformer
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torchinfo_rows import rows_by_torchinfo

from cnnlesson import ShapeTracer


def kinds(table):
    return [row.kind for row in table.rows]


def test_the_example_of_pytorch_itself():
    table = ShapeTracer(FunctionalLeNet()).trace(torch.zeros(2, 1, 28, 28))
    assert [(row.name, row.settings or row.kind, row.output_shape[1:]) for row in table.rows] == [
        ("conv1", "Conv2d", (32, 26, 26)),
        ("relu", "relu", (32, 26, 26)),
        ("conv2", "Conv2d", (64, 24, 24)),
        ("relu_1", "relu", (64, 24, 24)),
        ("max_pool2d", "max_pool2d(kernel_size=2)", (64, 12, 12)),
        ("dropout1", "Dropout", (64, 12, 12)),
        ("flatten", "flatten(start_dim=1)", (9216,)),
        ("fc1", "Linear", (128,)),
        ("relu_2", "relu", (128,)),
        ("dropout2", "Dropout", (128,)),
        ("fc2", "Linear", (10,)),
        ("log_softmax", "log_softmax(dim=1)", (10,)),
    ]
    assert sum(row.num_parameters for row in table.rows) == table.num_parameters == 1_199_882
    assert {row.num_parameters for row in table.rows if row.settings} == {0}
    assert "max_pool2d(kernel_size=2)" in repr(table)


@pytest.mark.parametrize(
    ("call", "settings"),
    [
        (lambda x: F.relu(x), "relu"),
        (lambda x: F.relu_(x), "relu"),
        (lambda x: x.relu(), "relu"),
        (lambda x: F.max_pool2d(x, 2, padding=1), "max_pool2d(kernel_size=2, padding=1)"),
        (lambda x: F.avg_pool2d(x, (2, 1)), "avg_pool2d(kernel_size=(2, 1))"),
        (lambda x: x.view(2, -1), "view(size=(2, -1))"),
        (lambda x: x.permute(0, 2, 3, 1), "permute(dims=(0, 2, 3, 1))"),
        (lambda x: torch.flatten(x, 1), "flatten(start_dim=1)"),
        (lambda x: x + 1, "add(other=1)"),
        (lambda x: 1 + x, "add(other=1)"),
        (lambda x: x + x, "add"),
        (lambda x: x.mul_(2), "mul(other=2)"),
        (lambda x: torch.cat([x, x], dim=1), "cat(dim=1)"),
        (lambda x: torch.cat([x, x]), "cat"),
        (lambda x: x[:, 0], "getitem[:, 0]"),
        (lambda x: x[..., 1:5:2], "getitem[..., 1:5:2]"),
        (lambda x: x.mT, "mT"),
        (lambda x: F.dropout(x, 0.3, training=False), "dropout(p=0.3)"),
        (lambda x: F.interpolate(x, scale_factor=2), "interpolate(scale_factor=2)"),
        (lambda x: F.conv2d(x, torch.ones(1, 3, 2, 2), stride=2), "conv2d(stride=2)"),
        (lambda x: x.mean((2, 3)), "mean(dim=(2, 3))"),
        (lambda x: x.chunk(3, 1), "chunk(chunks=3, dim=1)"),
    ],
)
def test_a_function_has_a_row_with_its_settings(call, settings):
    class Calls(nn.Module):
        def forward(self, x):
            return call(x)

    row = ShapeTracer(Calls()).trace(torch.zeros(2, 3, 6, 6)).rows[-1]
    output = call(torch.zeros(2, 3, 6, 6))
    shapes = tuple(tuple(part.shape) for part in (output if type(output) is tuple else [output]))
    assert row.settings == settings
    assert row.output_shape == (shapes[0] if len(shapes) == 1 else shapes)
    assert row.num_parameters == 0


def test_what_is_written_to_a_given_place_has_a_row():
    class Out(nn.Module):
        def forward(self, x):
            return torch.add(x, 1, out=torch.empty_like(x))

    rows = ShapeTracer(Out()).trace(torch.zeros(2, 3)).rows
    assert [row.settings for row in rows] == ["empty_like", "add(other=1)"]


def test_what_only_moves_or_asks_has_no_row():
    class Asks(nn.Module):
        def forward(self, x):
            assert x.dim() == 2
            x = x.contiguous().to(torch.float64).detach().clone()
            return x.tanh() if x.size(0) == len(x) else x

    assert kinds(ShapeTracer(Asks()).trace(torch.zeros(2, 3))) == ["tanh"]


def test_functions_are_switched_off():
    table = ShapeTracer(FunctionalLeNet(), functions=False).trace(torch.zeros(2, 1, 28, 28))
    assert kinds(table) == ["Conv2d", "Conv2d", "Dropout", "Linear", "Dropout", "Linear"]


def test_functions_inside_a_layer_are_its_own_affair():
    class Swish(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(x)

    table = ShapeTracer(nn.Sequential(nn.Linear(3, 3), Swish())).trace(torch.zeros(1, 3))
    assert [row.name for row in table.rows] == ["0", "1"]


def test_a_function_has_nothing_that_trains():
    rows = ShapeTracer(FunctionalLeNet()).trace(torch.zeros(1, 1, 28, 28)).rows
    functions = [row for row in rows if row.settings]
    assert len(functions) >= 4
    assert all(row.num_parameters == row.num_trainable == 0 for row in functions)


def test_a_network_that_is_all_functions():
    table = ShapeTracer(AllFunctions()).trace(torch.zeros(4, 1, 12, 12))
    assert kinds(table) == ["conv2d", "relu", "avg_pool2d", "reshape", "linear"]
    assert table.rows[0].input_shape == (4, 1, 12, 12)  # its kernel is no input
    assert table.rows[0].multiply_adds == 4 * 2 * 6 * 6 * 9
    assert table.notes == ["198 in no row: kernel, weight"]
    (whole,) = ShapeTracer(AllFunctions(), functions=False).trace(torch.zeros(4, 1, 12, 12)).rows
    assert whole[:5] == ("AllFunctions", "AllFunctions", (4, 1, 12, 12), (4, 10), 198)


def test_names_are_given_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x):
            return F.relu(self.relu(F.relu(x)))

    rows = ShapeTracer(nn.Sequential(Twice(), Twice())).trace(torch.zeros(1, 2)).rows
    assert [row.name for row in rows] == [
        *("0.relu_1", "0.relu", "0.relu_2"),
        *("1.relu_1", "1.relu", "1.relu_2"),
    ]


def test_a_callback_sees_each_output():
    seen = []
    tracer = ShapeTracer(ResNet(), on_row=lambda row, output: seen.append((row, output.shape)))
    table = tracer.trace(torch.zeros(2, 3, 64, 64))
    assert [row for row, _ in seen] == table.rows
    assert all(row.output_shape == tuple(shape) for row, shape in seen)


ORACLES = {
    "resnet": (ResNet, (2, 3, 64, 64)),
    "inception": (Inception, (2, 4, 9, 9)),
    "u-net": (UNet, (2, 1, 16, 16)),
    "lenet": (FunctionalLeNet, (2, 1, 28, 28)),
}
FUNCTIONS = {
    "resnet": ["relu", "max_pool2d", "add", "add", "adaptive_avg_pool2d", "flatten"],
    "inception": ["max_pool2d", "cat"],
    "u-net": [*["relu", "max_pool2d"] * 2, "relu", "cat", "relu", "cat"],
    "lenet": ["relu", "relu", "max_pool2d", "flatten", "relu", "log_softmax"],
}


@pytest.mark.parametrize("name", ORACLES)
def test_every_row_is_that_of_torchinfo_or_a_function(name):
    make, shape = ORACLES[name]
    model = make()
    table = ShapeTracer(model).trace(torch.zeros(shape))
    layers = [row[1:5] for row in table.rows if not row.settings]
    assert layers == rows_by_torchinfo(model, shape)
    assert [row.kind for row in table.rows if row.settings] == FUNCTIONS[name]
    unused = sum(p.numel() for p in model.parameters())
    assert sum(row.num_parameters for row in table.rows) == table.num_parameters == unused


def test_every_row_of_a_transformer_is_that_of_torchinfo(monkeypatch):
    model, shape = transformer(), (2, 5, 8)
    # Its shortcut runs past the layers, and torchinfo would see none of them.
    monkeypatch.setattr(torch.backends.mha, "_is_fastpath_enabled", False)
    summary = torchinfo.summary(model, shape, depth=20, verbose=0, device="cpu")
    kinds = ("MultiheadAttention", "Dropout", "LayerNorm", "Linear")
    theirs = [
        (info.class_name, tuple(info.input_size), tuple(info.output_size), info.num_params)
        for info in summary.summary_list
        if info.class_name in kinds and info.executed
    ]
    table = ShapeTracer(model).trace(torch.zeros(shape))
    ours = [row[1:5] for row in table.rows if not row.settings]
    assert [row[0] for row in ours] == [*(kinds[i] for i in (0, 1, 2, 3, 1, 3, 1, 2))] * 2
    # Attention takes queries, keys and values; torchinfo names the first of them.
    first = [(kind, i[0] if kind == kinds[0] else i, o, n) for kind, i, o, n in ours]
    assert first == theirs
    assert [r.kind for r in table.rows if r.settings] == ["add", "relu", "add"] * 2
    assert sum(row.num_parameters for row in table.rows) == table.num_parameters


@pytest.mark.parametrize("name", ORACLES)
def test_multiply_adds_are_weights_times_places(name):
    make, shape = ORACLES[name]
    model = make()
    frame = ShapeTracer(model).trace(torch.zeros(shape)).to_frame()
    expected = sum(
        p.numel() * math.prod(row.output_shape[2:]) * shape[0]
        for row in ShapeTracer(model).trace(torch.zeros(shape)).rows
        if row.kind in ("Conv2d", "Linear")
        for p in [model.get_submodule(row.name).weight]
    )
    transposed = sum(
        model.get_submodule(row.name).weight.numel() * math.prod(row.input_shape[2:]) * shape[0]
        for row in ShapeTracer(model).trace(torch.zeros(shape)).rows
        if row.kind == "ConvTranspose2d"
    )
    assert frame["multiply_adds"].sum() == expected + transposed


def test_a_transformer_with_a_mask_that_takes_the_fast_path():
    mask = torch.zeros(3, 5, dtype=torch.bool)
    mask[0, 3:] = True
    before = torch.backends.mha.get_fastpath_enabled()
    model = transformer()
    table = ShapeTracer(model).trace(torch.zeros(3, 5, 8), src_key_padding_mask=mask)
    layers = [row for row in table.rows if row.name.startswith("layers.0.") and not row.settings]
    assert [(row.kind, row.num_parameters) for row in layers] == [
        ("MultiheadAttention", 4 * (64 + 8)),
        *[("Dropout", 0), ("LayerNorm", 16), ("Linear", 8 * 16 + 16), ("Dropout", 0)],
        *[("Linear", 16 * 8 + 8), ("Dropout", 0), ("LayerNorm", 16)],
    ]
    assert {row.output_shape[0] for row in layers} == {3}
    assert sum(row.num_parameters for row in table.rows) == table.num_parameters
    assert torch.backends.mha.get_fastpath_enabled() == before
