"""The rows of the table, against torchinfo."""

import pytest
import torch
from networks import Shared, TwoInputs, noisy
from torch import nn
from torchinfo_rows import rows_by_torchinfo

from cnnlesson import AlexNet, ConvNet, LayerShape, ShapeError, ShapeTable, ShapeTracer


class Block(nn.Module):
    """A residual block: nested, and its shortcut is an empty container."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.shortcut = nn.Sequential()

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


MODELS = {
    "convnet": (ConvNet, (2, 1, 28, 28)),
    "nested": (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), Block(8), Block(8)), (2, 3, 8, 8)),
    "noisy": (noisy, (2, 1, 8, 8)),
    "one layer": (lambda: nn.Linear(3, 2), (5, 3)),
    "shared": (Shared, (3, 6)),
    "embedding": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 4)), (2, 3, 4)),
}


@pytest.mark.parametrize("name", MODELS)
def test_rows_are_those_of_torchinfo(name):
    make, shape = MODELS[name]
    model = make()
    table = ShapeTracer(model, functions=False).trace(torch.zeros(shape))
    assert [row[1:5] for row in table.rows] == rows_by_torchinfo(model, shape)
    assert table.num_parameters == sum(p.numel() for p in model.parameters())


def test_convnet_by_hand():
    rows = ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28)).rows
    assert rows[0][:5] == ("layers.0", "Conv2d", (1, 1, 28, 28), (1, 32, 26, 26), 320)
    shapes = ((1, 32, 13, 13), (1, 64, 11, 11))
    work, size = 64 * 11 * 11 * 32 * 9, 4 * 64 * 11 * 11
    assert rows[3] == LayerShape("layers.3", "Conv2d", *shapes, 18496, 18496, work, size, "")
    assert [row.output_shape for row in rows[4:]] == [
        (1, 64, 11, 11),
        (1, 64, 5, 5),
        (1, 1600),
        (1, 10),
    ]


def test_alexnet_on_the_meta_device():
    with torch.device("meta"):
        model, x = AlexNet(), torch.empty(1, 3, 224, 224)
    table = ShapeTracer(model).trace(x)
    assert table.num_parameters == sum(row.num_parameters for row in table.rows) == 61_100_840
    sides = [row.output_shape[-1] for row in table.rows if row.kind in ("Conv2d", "MaxPool2d")]
    assert sides == [55, 27, 27, 13, 13, 13, 13, 6]
    assert all(p.is_meta for p in model.parameters())


def test_a_layer_called_twice_has_two_rows_and_counts_once():
    table = ShapeTracer(Shared()).trace(torch.zeros(1, 6))
    assert [row.name for row in table.rows] == ["layer", "layer", "last"]
    assert table.num_parameters == 42 + 14


def test_a_layer_under_two_names_counts_once():
    layer = nn.Linear(3, 3)
    table = ShapeTracer(nn.Sequential(layer, nn.ReLU(), layer)).trace(torch.zeros(1, 3))
    assert len(table.rows) == 3
    assert table.num_parameters == 12


def test_lazy_layers_on_any_device():
    for device in ("cpu", "meta"):
        with torch.device(device):
            model = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
        tracer = ShapeTracer(model)
        assert tracer.table.num_parameters == 0
        table = tracer.trace(torch.zeros(1, 2, 5, 5, device=device))
        assert [row.kind for row in table.rows] == ["Conv2d", "Flatten", "Linear"]
        assert [row.num_parameters for row in table.rows] == [4 * 2 * 9 + 4, 0, 36 * 2 + 2]
        assert table.num_parameters == 76 + 74


def test_several_inputs_keywords_and_a_dict_of_outputs():
    table = ShapeTracer(TwoInputs()).trace(torch.zeros(2, 4), b=torch.zeros(2, 3))
    (row,) = table.rows
    assert row[:5] == ("join", "Bilinear", ((2, 4), (2, 3)), (2, 5), 5 * 12 + 5)


def test_a_recurrent_layer_has_three_outputs():
    (row,) = ShapeTracer(nn.LSTM(4, 6, batch_first=True)).trace(torch.zeros(2, 7, 4)).rows
    assert row.output_shape == ((2, 7, 6), (1, 2, 6), (1, 2, 6))
    assert "2×7×6, 1×2×6, 1×2×6" in repr(ShapeTable([row], 0))


def test_a_module_that_uses_its_children_without_calling_them_is_a_layer():
    attention = nn.MultiheadAttention(8, 2)
    x = torch.zeros(5, 1, 8)
    (row,) = ShapeTracer(attention).trace(x, x, x).rows
    assert row.kind == "MultiheadAttention"
    assert row.num_parameters == 4 * (64 + 8)


def test_a_container_of_an_empty_container_is_no_layer():
    rows = ShapeTracer(nn.Sequential(nn.Sequential())).trace(torch.zeros(3)).rows
    assert [row.name for row in rows] == ["0"]


def test_before_the_first_call_the_table_is_empty():
    table = ShapeTracer(ConvNet()).table
    assert table.rows == []
    assert table.num_parameters == 34_826


def test_each_call_has_its_own_table():
    tracer = ShapeTracer(ConvNet())
    first = tracer.trace(torch.zeros(1, 1, 28, 28))
    tracer.trace(torch.zeros(7, 1, 28, 28))
    assert first.rows[0].input_shape[0] == 1
    assert tracer.table.rows[0].input_shape[0] == 7
    assert len(tracer.table.rows) == 8


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (torch.relu, "a builtin_function_or_method"),
        (ConvNet, r"the class ConvNet; ConvNet\(\) makes a model"),
        (nn.Linear(2, 2).state_dict(), "a dictionary; to use saved weights"),
    ],
)
def test_only_a_module_can_be_traced(model, found):
    with pytest.raises(TypeError, match=f"^model: expected a torch.nn.Module, found {found}"):
        ShapeTracer(model)


def test_an_exported_model_is_traced_by_its_functions():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    exported = torch.export.export(model, (torch.zeros(2, 4),)).module()
    table = ShapeTracer(exported).trace(torch.zeros(2, 4))
    assert [row.kind for row in table.rows][-2:] == ["linear", "relu"]  # after its own checks
    assert table.num_parameters == 15
    assert table.notes == ["15 in no row: 0.weight, 0.bias"]


def test_an_exported_model_says_for_which_input_it_was_exported():
    model = torch.export.export(nn.Linear(4, 3), (torch.zeros(2, 4),)).module()
    with pytest.raises(ShapeError) as raised:
        ShapeTracer(model).trace(torch.zeros(5, 4))
    verdict = str(raised.value).split("failed: ")[1].splitlines()
    assert verdict[1] == "found:    an input of shape 5×4, torch.float32"
    assert verdict[2] == (
        "expected: what the model was exported for, input.size()[0] == 2; export it anew with "
        "dynamic_shapes, or take the model as it was before torch.export"
    )
    with pytest.raises(TypeError, match=r"found an ExportedProgram; its module\(\) is a model$"):
        ShapeTracer(torch.export.export(nn.ReLU(), (torch.zeros(2, 4),)))


def test_a_long_setting_is_cut():
    class Table(nn.Module):
        def forward(self, x):
            return x + torch.tensor(x.tolist())

    rows = ShapeTracer(Table()).trace(torch.zeros(1, 1, 9, 9)).rows
    assert [row.kind for row in rows] == ["tensor", "add"]
    assert rows[0].settings.endswith("…)")
    assert len(rows[0].settings) < 60
