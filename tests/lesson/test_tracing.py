"""Shapes, against PyTorch itself, torchinfo and gradients; and what tracing leaves behind."""

import copy
import itertools
import math
from html.parser import HTMLParser

import pytest
import torch
import torchinfo
from hypothesis import assume, given, settings, strategies as st
from networks import AllFunctions, Bare, FunctionalLeNet, Inception, ResNet, UNet, transformer
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import parametrizations

from cnnlesson import AlexNet, ConvNet, LayerShape, ShapeError, ShapeTable, ShapeTracer, output_size

# The formula


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


# The table, against torchinfo


class Block(nn.Module):
    """A residual block: nested, and its shortcut is an empty container."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.shortcut = nn.Sequential()

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class Shared(nn.Module):
    """One layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        return self.last(self.layer(self.layer(x)))


class TwoInputs(nn.Module):
    """Two inputs, one by name; a dict of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.join = nn.Bilinear(4, 3, 5)

    def forward(self, a, *, b):
        return {"joined": self.join(a, b), "pair": (a, [b])}


def noisy() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3)
    )


MODELS = {
    "convnet": (ConvNet, (2, 1, 28, 28)),
    "nested": (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), Block(8), Block(8)), (2, 3, 8, 8)),
    "noisy": (noisy, (2, 1, 8, 8)),
    "one layer": (lambda: nn.Linear(3, 2), (5, 3)),
    "shared": (Shared, (3, 6)),
    "embedding": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 4)), (2, 3, 4)),
}


def rows_by_torchinfo(model: nn.Module, shape: tuple[int, ...]) -> list[tuple]:
    summary = torchinfo.summary(model, shape, depth=20, verbose=0, device="cpu")
    return [
        (info.class_name, tuple(info.input_size), tuple(info.output_size), info.num_params)
        for info in summary.summary_list
        if info.is_leaf_layer
    ]


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


# Calling the tracer is calling the model


@pytest.mark.parametrize("training", [True, False])
def test_result_and_gradients_are_those_of_the_model(training):
    model = noisy().train(training)
    plain = copy.deepcopy(model)
    tracer = ShapeTracer(model)
    x = torch.rand(4, 1, 8, 8)
    torch.manual_seed(1)
    output = tracer(x)
    torch.manual_seed(1)
    expected = plain(x)
    assert torch.equal(output, expected)
    output.square().sum().backward()
    expected.square().sum().backward()
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)
    for a, b in zip(model.buffers(), plain.buffers(), strict=True):
        assert torch.equal(a, b)
    assert len(tracer.table.rows) == 5


def test_the_output_is_passed_on_as_it_is():
    output = ShapeTracer(TwoInputs())(torch.zeros(2, 4), b=torch.zeros(2, 3))
    assert output.keys() == {"joined", "pair"}


# What tracing leaves behind


HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def snapshot(model: nn.Module) -> dict:
    return {
        "hooks": [[dict(getattr(m, name)) for name in HOOKS] for m in model.modules()],
        "modes": [m.training for m in model.modules()],
        "random": torch.get_rng_state().tolist(),
        "state": {k: v.tolist() for k, v in model.state_dict().items()},
        "gradients": [p.grad for p in model.parameters()],
        "grad mode": torch.is_grad_enabled(),
    }


class Draws(nn.Module):
    """A layer that is random in every mode, then fails if told so."""

    def forward(self, x):
        noise = torch.rand_like(x)
        if len(x) == 13:
            raise RuntimeError("an unlucky number")
        return x + noise


def mixed() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), Draws(), Shared4())
    model.train()
    model[1].eval()
    model[4].layer.eval()
    model[0].register_forward_hook(lambda module, args, output: None)
    model[0].register_forward_pre_hook(lambda module, args: None)
    return model


class Shared4(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(self.layer(x))


@pytest.mark.parametrize("n", [5, 13])
def test_trace_leaves_nothing_behind(n):
    model, x = mixed(), torch.rand(n, 4)
    before = snapshot(model)
    tracer = ShapeTracer(model)
    if n == 13:
        with pytest.raises(ShapeError):
            tracer.trace(x)
    else:
        assert tracer.trace(x).rows[3].kind == "Draws"
    assert snapshot(model) == before


def test_a_call_leaves_no_hook_either_when_it_fails():
    model, x = mixed(), torch.rand(13, 4)
    hooks, modes = snapshot(model)["hooks"], snapshot(model)["modes"]
    with pytest.raises(ShapeError):
        ShapeTracer(model)(x)
    assert snapshot(model)["hooks"] == hooks
    assert snapshot(model)["modes"] == modes


def test_an_interrupt_goes_through_and_leaves_nothing_behind():
    class Interrupted(nn.Module):
        def forward(self, x):
            raise KeyboardInterrupt

    model = nn.Sequential(nn.Linear(2, 2), Interrupted()).train()
    before = snapshot(model)
    with pytest.raises(KeyboardInterrupt):
        ShapeTracer(model).trace(torch.zeros(1, 2))
    assert snapshot(model) == before


def test_tracing_while_training_changes_nothing():
    x, y = torch.rand(20, 1, 8, 8), torch.randint(0, 3, (20,))

    def train(trace):
        torch.manual_seed(0)
        model = noisy()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(5):
            if trace:
                ShapeTracer(model).trace(x)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        return model.state_dict()

    for a, b in zip(train(True).values(), train(False).values(), strict=True):
        assert torch.equal(a, b)


# Functions between the layers


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


# Parameters, in rows or outside


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
    assert kinds(table) == ["Linear", "ReLU", "Unflatten", "Conv1d"]
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


# Failures


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


# How the table looks


def test_repr_of_convnet():
    text = repr(ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28)))
    lines = text.splitlines()
    assert lines[0].split() == ["name", "layer", "input", "output", "parameters"]
    assert lines[2].split() == ["layers.0", "Conv2d", "1×1×28×28", "1×32×26×26", "320"]
    assert lines[9].split() == ["layers.7", "Linear", "1×1600", "1×10", "16,010"]
    assert lines[1] == lines[10] == "─" * len(lines[0])
    assert lines[-1].strip() == "34,826 parameters"
    assert len({len(line) for line in lines}) == 1


class Outline(HTMLParser):
    """Check that every tag is closed, and collect the cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.rows, self.spans = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.spans.append(int(dict(attrs).get("colspan", 1)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.rows[-1][-1] += data


def test_html_is_well_formed_and_complete():
    table = ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28))
    outline = Outline()
    outline.feed(table._repr_html_())
    outline.close()
    assert outline.open == []
    assert outline.rows[0] == ["name", "layer", "input", "output", "parameters"]
    assert outline.rows[4] == ["layers.3", "Conv2d", "1×32×13×13", "1×64×11×11", "18,496"]
    assert outline.rows[-1] == ["all", "34,826"]
    assert sum(outline.spans[-2:]) == 5


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\r\0")))
def test_html_is_escaped(text):
    table = ShapeTable([LayerShape(text, text, (1,), (1,), 0)], 0)
    outline = Outline()
    outline.feed(table._repr_html_())
    outline.close()
    assert outline.open == []
    assert outline.rows[1] == [text, text, "1", "1", "0"]


def test_a_scalar_output_and_an_empty_table():
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean()

    assert "scalar" in repr(ShapeTracer(Mean()).trace(torch.zeros(3)))
    assert "0 parameters" in repr(ShapeTable([], 0))
