"""Every parameter stands in a row, or outside and is named; and what a row costs."""

import pytest
import torch
from networks import Bare, Shared
from torch import nn
from torch.nn.utils import parametrizations

from cnnlesson import ConvNet, ShapeError, ShapeTable, ShapeTracer


def test_a_bare_parameter_stands_outside_and_is_named():
    table = ShapeTracer(Bare()).trace(torch.zeros(1, 6))
    assert sum(row.num_parameters for row in table.rows) == 21
    assert table.num_parameters == 93
    assert table.notes == ["72 in no row: scale"]
    assert repr(table).splitlines()[-1].strip() == "72 in no row: scale"
    assert "72 in no row: scale" in table._repr_html_()


def test_a_shared_layer_is_named_too():
    table = ShapeTracer(Shared()).trace(torch.zeros(1, 6))
    assert table.notes == ["42 in several rows, counted once: layer.weight, layer.bias"]
    assert sum(row.num_parameters for row in table.rows) - 42 == table.num_parameters


@pytest.mark.parametrize(
    "norm", [parametrizations.weight_norm, parametrizations.spectral_norm, nn.utils.spectral_norm]
)
def test_a_parametrised_layer_is_a_layer(norm):
    model = nn.Sequential(norm(nn.Linear(4, 3)), nn.ReLU(), norm(nn.Conv1d(1, 2, 2)))
    model.insert(2, nn.Unflatten(1, (1, 3)))
    table = ShapeTracer(model).trace(torch.zeros(1, 4))
    assert [row.kind for row in table.rows] == ["Linear", "ReLU", "Unflatten", "Conv1d"]
    assert sum(row.num_parameters for row in table.rows) == table.num_parameters
    assert table.num_parameters == sum(p.numel() for p in model.parameters())
    assert table.notes == []


@pytest.mark.filterwarnings("ignore")
def test_packed_weights_count():
    plain = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    model = torch.ao.quantization.quantize_dynamic(plain, {nn.Linear})
    table = ShapeTracer(model).trace(torch.zeros(1, 4))
    assert [row.num_parameters for row in table.rows] == [15, 0]
    assert (table.num_parameters, table.notes) == (15, [])


def test_a_data_frame_of_what_it_costs():
    model = ConvNet()
    model.layers[0].requires_grad_(False)
    frame = ShapeTracer(model).trace(torch.zeros(2, 1, 28, 28)).to_frame()
    assert frame.columns.tolist() == [
        *["layer", "input", "output", "parameters", "trainable", "multiply_adds", "bytes"]
    ]
    first = frame.loc["layers.0"]
    assert first.tolist() == ["Conv2d", (2, 1, 28, 28), (2, 32, 26, 26), 320, 0, 389376, 173056]
    assert frame["trainable"].sum() == 34_826 - 320
    assert frame["multiply_adds"].sum() == 2 * (194_688 + 2_230_272 + 16_000)
    assert len(ShapeTable([], 0).to_frame()) == 0


def test_work_that_is_not_known_is_missing():
    frame = ShapeTracer(nn.LSTM(4, 6)).trace(torch.zeros(2, 7, 4)).to_frame()
    assert frame["multiply_adds"].isna().all()


# Models that are not run as they are


def test_a_compiled_model_is_traced_as_what_it_wraps():
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2))
    expected = ShapeTracer(plain).trace(torch.zeros(1, 1, 5, 5)).rows
    inside = nn.Sequential(plain[0], torch.compile(plain[1]), plain[2], plain[3])
    inside[3].compile()
    for model in (torch.compile(plain), inside, torch.compile(inside)):
        assert ShapeTracer(model).trace(torch.zeros(1, 1, 5, 5)).rows == expected
    with pytest.raises(ShapeError, match=r"failed: 0, Conv2d\("):
        ShapeTracer(torch.compile(plain)).trace(torch.zeros(1, 3, 5, 5))


@pytest.mark.filterwarnings("ignore")
def test_a_scripted_model_is_refused_with_the_way_out():
    scripted = torch.jit.script(nn.Sequential(nn.Linear(2, 2)))
    message = "expected layers that run in Python, found a scripted one{}, RecursiveScriptModule; "
    for model, where in ((scripted, ""), (nn.Sequential(nn.ReLU(), scripted), " at 1")):
        with pytest.raises(TypeError, match=message.format(where)):
            ShapeTracer(model)
