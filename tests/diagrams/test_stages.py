"""Stages: grouped layers, compared with PyTorch's own hooks and gradients."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from networks import AllFunctions, FunctionalLeNet, Inception, ResNet, UNet, transformer
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import parametrizations

from cnnlesson.diagrams.stages import describe, trace_stages
from cnnlesson.model import AlexNet, ConvNet
from cnnlesson.tracing import ShapeError


def operations(layer: nn.Module, shape: tuple[int, ...]) -> tuple[str, ...]:
    return trace_stages(layer, shape)[-1].operations


def test_convnet_by_hand():
    stages = trace_stages(ConvNet(), (1, 1, 28, 28))
    assert [stage.label for stage in stages] == [
        "1@28×28",
        "32@26×26",
        "32@13×13",
        "64@11×11",
        "64@5×5",
        "1600",
        "10",
    ]
    assert [stage.operations for stage in stages] == [
        (),
        ("Conv 3×3", "ReLU"),
        ("MaxPool 2×2",),
        ("Conv 3×3", "ReLU"),
        ("MaxPool 2×2",),
        ("Flatten",),
        ("Linear",),
    ]


def test_alexnet_agrees_with_forward_hooks():
    with torch.device("meta"):
        model = AlexNet()
    shapes = {(3, 224, 224): None}
    for layer in model.layers:
        layer.register_forward_hook(lambda _, __, y: shapes.update({tuple(y.shape[1:]): None}))
    model(torch.empty(1, 3, 224, 224, device="meta"))
    stages = trace_stages(model, (1, 3, 224, 224))
    assert list(dict.fromkeys(stage.shape for stage in stages)) == list(shapes)
    assert len(stages) == 13  # input, 5 convolutions, 3 poolings, flatten, 3 linear
    assert stages[8].operations == ("MaxPool 3×3, stride 2", "AdaptiveAvgPool")


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Conv2d(2, 4, 3), (1, 2, 9, 9), "Conv 3×3"),
        (nn.Conv2d(2, 4, (3, 5)), (1, 2, 9, 9), "Conv 3×5"),
        (
            nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2),
            (1, 2, 9, 9),
            "Conv 3×3, stride 2, padding 1, dilation 2, groups 2",
        ),
        (nn.Conv2d(2, 4, 3, stride=(1, 2)), (1, 2, 9, 9), "Conv 3×3, stride 1×2"),
        (nn.Conv2d(2, 4, 3, padding="same"), (1, 2, 9, 9), "Conv 3×3, padding same"),
        (nn.Conv2d(2, 4, 3, padding="valid"), (1, 2, 9, 9), "Conv 3×3"),
        (nn.Conv1d(2, 4, 5, stride=2), (1, 2, 9), "Conv 5, stride 2"),
        (nn.MaxPool2d(2), (1, 2, 9, 9), "MaxPool 2×2"),
        (nn.MaxPool2d(2, ceil_mode=True), (1, 2, 9, 9), "MaxPool 2×2, ceil mode"),
        (nn.MaxPool2d(3, stride=1, padding=1), (1, 2, 9, 9), "MaxPool 3×3, stride 1, padding 1"),
        (nn.AvgPool2d((3, 2)), (1, 2, 9, 9), "AvgPool 3×2"),
        (nn.MaxPool1d(3, stride=2), (1, 2, 9), "MaxPool 3, stride 2"),
        (nn.AvgPool1d(3), (1, 2, 9), "AvgPool 3"),
        (nn.AdaptiveAvgPool2d(1), (1, 2, 9, 9), "AdaptiveAvgPool"),
        (nn.Linear(9, 3), (1, 9), "Linear"),
    ],
)
def test_a_layer_is_named_with_what_is_not_default(layer, shape, expected):
    assert operations(layer, shape) == (expected,)


def test_element_wise_layers_join_the_layer_before():
    model = nn.Sequential(
        nn.BatchNorm2d(1), nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout()
    )
    assert [stage.operations for stage in trace_stages(model, (1, 1, 4, 4))] == [
        (),
        ("BatchNorm",),  # nothing before it to join
        ("Conv 3×3, padding 1", "BatchNorm", "ReLU", "Dropout"),
    ]


def test_a_linear_layer_that_keeps_the_shape_is_a_stage():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    assert [stage.label for stage in trace_stages(model, (1, 8))] == ["8", "8", "8"]


@st.composite
def windows(draw):
    kernel = draw(st.integers(1, 4))
    settings = {
        "kernel_size": kernel,
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.integers(0, kernel // 2)),
    }
    kind = draw(st.sampled_from([nn.Conv2d, nn.AvgPool2d]))
    if kind is nn.AvgPool2d:
        return kind(**settings)
    layer = kind(1, 1, **settings, dilation=draw(st.integers(1, 3)), bias=False)
    nn.init.ones_(layer.weight)
    return layer


@given(layer=windows(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_window_covers_what_the_gradient_reaches(layer, data):
    x = torch.zeros(1, 1, 12, 12, requires_grad=True)
    y = layer(x)
    window = trace_stages(layer, (1, 1, 12, 12))[-1].window
    row = data.draw(st.integers(0, y.shape[2] - 1))
    column = data.draw(st.integers(0, y.shape[3] - 1))
    y[0, 0, row, column].backward()
    seen = x.grad[0, 0].nonzero()
    if not len(seen):
        return  # a dilated window may fall on padding only
    dilation = layer.dilation[0] if isinstance(layer, nn.Conv2d) else 1
    for axis, pixel in enumerate((row, column)):
        start, stop = window.seen_by(pixel, axis)
        inside = [p for p in range(start, stop, dilation) if 0 <= p < 12]
        assert (inside[0], inside[-1]) == (seen[:, axis].min(), seen[:, axis].max())
        if 0 <= start < stop <= 12:
            assert (start, stop) == (inside[0], inside[-1] + 1)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_same_padding_is_where_torch_puts_it(kernel):
    layer = nn.Conv1d(1, 1, kernel, padding="same", bias=False)
    nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 11, requires_grad=True)
    layer(x)[0, 0, 5].backward()
    seen = x.grad.nonzero()[:, 2]
    window = trace_stages(layer, (1, 1, 11))[-1].window
    assert window.seen_by(5, 0) == (seen.min(), seen.max() + 1)


def test_a_flatten_in_the_code_of_the_model_is_a_stage():
    class Viewed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(4 * 6 * 6, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(F.relu(self.conv(x)).view(len(x), -1))

    assert describe(Viewed(), (1, 1, 8, 8)) == (
        "Input: 1 feature map of 8×8. Conv 3×3, then ReLU: 4 feature maps of 6×6. "
        "Flatten: 144 numbers. Linear: 10 numbers."
    )


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (nn.Conv3d(1, 2, 3), (1, 1, 5, 5, 5), r"Conv3d \(Conv3d\).*found 1×1×5×5×5"),
        (nn.Sequential(nn.ReLU(), nn.LSTM(4, 3)), (1, 2, 4), r"1 \(LSTM\) cannot be drawn"),
        (nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 8, 8), r"0 \(Conv2d\).*expected a batch.*1×8×8"),
        (nn.Flatten(0), (1, 1, 8, 8), r"Flatten.*expected batch×features.*found 64"),
        (ConvNet(), (1, 0, 28, 28), r"input_shape: expected whole numbers, 1 or more"),
        ("ConvNet", (1, 1, 28, 28), r"model: expected a torch.nn.Module, found 'ConvNet'"),
    ],
)
def test_what_cannot_be_drawn_is_explained(model, shape, message):
    with pytest.raises(ValueError, match=message):
        describe(model, shape)


def test_an_impossible_network_fails_in_the_trace():
    nn_svg_default = nn.Sequential(
        nn.Conv2d(1, 8, 1), nn.MaxPool2d(2), nn.Conv2d(8, 24, 16, stride=1), nn.Conv2d(24, 24, 64)
    )
    with pytest.raises(ShapeError, match="failed: 3"):
        describe(nn_svg_default, (1, 1, 128, 128))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_input_has_the_precision_of_the_model(dtype):
    assert describe(ConvNet().to(dtype)) == describe(ConvNet())


def test_a_lazy_model_learns_its_size():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
    labels = [stage.label for stage in trace_stages(model, (1, 3, 6, 6))]
    assert labels == ["3@6×6", "4@4×4", "64", "2"]


# Functions, and networks that are no chain


def test_functions_are_named_as_the_layers_that_do_the_same():
    assert describe(FunctionalLeNet()) == (
        "Input: 1 feature map of 28×28. Conv 3×3, then ReLU: 32 feature maps of 26×26. "
        "Conv 3×3, then ReLU: 64 feature maps of 24×24. "
        "MaxPool 2×2, then Dropout: 64 feature maps of 12×12. Flatten: 9216 numbers. "
        "Linear, then ReLU, then Dropout: 128 numbers. Linear, then LogSoftmax: 10 numbers."
    )
    assert describe(AllFunctions(), (1, 1, 12, 12)) == (
        "Input: 1 feature map of 12×12. "
        "Conv 3×3, stride 2, padding 1, then ReLU: 2 feature maps of 6×6. "
        "AvgPool 2×2: 2 feature maps of 3×3. Flatten: 18 numbers. Linear: 10 numbers."
    )


class Calls(nn.Module):
    def __init__(self, code) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)
        self.code = code

    def forward(self, x: Tensor):
        return self.code(self, x)


@pytest.mark.parametrize(
    ("code", "operations", "shape"),
    [
        (lambda m, x: m.b(F.avg_pool2d(m.a(x), 2)), "AvgPool 2×2", (1, 14, 14)),
        (lambda m, x: m.b(F.max_pool2d(m.a(x), 3, 2, 1)), "MaxPool 3×3, stride 2, padding 1", None),
        (lambda m, x: m.b(F.pad(m.a(x), (1, 1, 1, 1))), "pad", (1, 30, 30)),
        (lambda m, x: m.b(F.interpolate(m.a(x), scale_factor=2)), "Upsample", (1, 56, 56)),
        (lambda m, x: m.b(m.a(x)[:, :, 2:]), "getitem", (1, 26, 28)),
    ],
)
def test_a_function_that_changes_the_shape_is_a_stage(code, operations, shape):
    stages = trace_stages(Calls(code), (1, 1, 28, 28))
    assert [len(stages), stages[2].operations] == [4, (operations,)]
    assert shape in (None, stages[2].shape)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda m, x: m.a(x) + m.b(x), r"^b \(Conv2d\) .* output of a \(Conv2d\), .* the input;"),
        (lambda m, x: x + m.b(m.a(x)), r"^add \(add\) .* found that it takes the input and b \(C"),
        (lambda m, x: torch.cat([x, m.a(x)], 1), r"^cat \(cat\) cannot be drawn"),
        (lambda m, x: [m.a(x), m.b(x)][1], r"^b \(Conv2d\) .* the input;"),
        (lambda m, x: (m.a(x), x), r"^the model .* to return .* a \(Conv2d\) alone.* of the input"),
        (lambda m, x: [y := m.a(x), m.b(y)], r"^the model .* found that of a \(Conv2d\) beside"),
        (lambda m, x: m.a(x) * torch.sigmoid(x), r"^sigmoid \(sigmoid\) .* takes the input;"),
    ],
)
def test_what_is_no_chain_is_refused_by_the_step_that_makes_it_none(code, message):
    with pytest.raises(ValueError, match=message) as caught:
        describe(Calls(code))
    assert str(caught.value).endswith("the diagrams show one chain of layers, no branches")


@pytest.mark.parametrize(
    ("network", "shape", "step"),
    [
        (ResNet, (1, 3, 64, 64), "block1.add"),
        (Inception, (1, 4, 9, 9), "one"),
        (UNet, (1, 1, 16, 16), "cat"),
        (transformer, (1, 5, 8), "layers.0.add"),
    ],
)
def test_networks_with_branches_are_refused(network, shape, step):
    with pytest.raises(ValueError, match=rf"^{step} \(\w+\) cannot be drawn: .*no branches$"):
        describe(network(), shape)


@pytest.mark.parametrize(
    "code",
    [
        lambda m, x: m.b(torch.from_numpy(m.a(x).numpy())),
        lambda m, x: m.b(torch.tensor(m.a(x).tolist())),
        lambda m, x: torch.tensor(m.a(x).numpy().mean((2, 3))),
    ],
)
def test_what_leaves_pytorch_is_refused_and_no_layer_left_out(code):
    with pytest.raises(ValueError, match=r"^the model cannot be drawn: .* by NumPy or lists\?$"):
        describe(Calls(code))


def test_constants_are_no_branch():
    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.places = nn.Parameter(torch.zeros(1, 4))
            self.register_buffer("mean", torch.ones(4))
            self.last = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last((x - self.mean) + self.places * torch.arange(4.0).cos())

    assert describe(Positions(), (1, 4)) == "Input: 4 numbers. sub, then add: 4 numbers. " + (
        "Linear: 2 numbers."
    )


def test_an_activation_of_ones_own_is_one_step():
    class Swish(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.sigmoid(x)

    model = nn.Sequential(nn.Conv2d(1, 2, 3), Swish())
    assert trace_stages(model, (1, 1, 8, 8))[-1].operations == ("Conv 3×3", "Swish")


def test_a_module_of_ones_own_has_the_window_of_what_it_calls():
    class Half(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.avg_pool2d(x, 3, stride=2)

    window = trace_stages(Half(), (1, 1, 9, 9))[-1].window
    assert window.seen_by(2, 0) == (4, 7)


@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose2d(1, 1, 4, 2, 1, bias=False),
        nn.ConvTranspose2d(1, 1, 3, 2, output_padding=1, bias=False),
        nn.ConvTranspose2d(1, 1, 2, 3, bias=False),
        nn.Upsample(scale_factor=3),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    ],
)
def test_maps_that_grow_are_seen_through_their_window(layer):
    if isinstance(layer, nn.ConvTranspose2d):
        nn.init.ones_(layer.weight)
    window = trace_stages(layer, (1, 1, 9, 9))[-1].window
    x = torch.zeros(1, 1, 9, 9, requires_grad=True)
    y = layer(x)
    for pixel in range(6, 15):
        (gradient,) = torch.autograd.grad(y[0, 0, pixel, pixel], x, retain_graph=True)
        seen = gradient[0, 0].nonzero()[:, 0]
        if len(seen):  # between the windows of a transposed convolution there may be none
            assert window.seen_by(pixel, 0) == (seen.min(), seen.max() + 1)


@pytest.mark.parametrize(
    "layer", [nn.AdaptiveAvgPool2d(3), nn.Upsample(5, align_corners=True, mode="bilinear")]
)
def test_a_window_that_differs_from_place_to_place_is_not_shown(layer):
    stage = trace_stages(layer, (1, 1, 8, 8))[-1]
    assert (stage.window, stage.mixes) == (None, False)
    assert trace_stages(nn.AdaptiveAvgPool2d(1), (1, 1, 8, 8))[-1].mixes


@pytest.mark.filterwarnings("ignore")
def test_a_parametrised_layer_is_described_as_what_it_is():
    layer = parametrizations.weight_norm(nn.Conv2d(1, 2, 3, 2))
    assert operations(layer, (1, 1, 9, 9)) == ("Conv 3×3, stride 2",)


def test_a_step_that_looks_at_its_own_pixel_has_no_window():
    stages = trace_stages(nn.Sequential(nn.ReLU(), nn.Conv2d(1, 4, 3)), (1, 1, 12, 12))
    assert [stage.window is not None for stage in stages] == [False, False, True]


@pytest.mark.parametrize(
    "inside",
    [
        lambda z: nn.functional.avg_pool2d(z, 2),
        lambda z: nn.functional.relu(z),
        lambda z: torch.vmap(lambda row: row.flip(-1))(z),
    ],
)
def test_what_runs_inside_vmap_is_refused_and_not_left_out(inside):
    class Mapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x):
            return self.b(torch.vmap(inside)(self.a(x)))

    with pytest.raises(ValueError, match=r"cannot be drawn: expected it to run on the batch"):
        describe(Mapped())
