"""Shapes, against PyTorch itself, torchinfo and gradients; and what tracing leaves behind."""

import copy
from html.parser import HTMLParser

import pytest
import torch
import torchinfo
from hypothesis import assume, given, settings, strategies as st
from torch import nn

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
    assume(size > 0)  # torch pools no empty image, whatever the padding
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


def test_only_a_module_can_be_traced():
    with pytest.raises(
        TypeError, match=r"model: expected a torch.nn.Module, found builtin_function_or_method"
    ):
        ShapeTracer(torch.relu)


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
