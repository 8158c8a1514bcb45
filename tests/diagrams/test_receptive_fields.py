"""Receptive fields, against gradients: chains, branches, functions, every kind of window."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings, strategies as st
from networks import AllFunctions, FunctionalLeNet, Inception, ResNet, UNet, transformer
from torch import nn
from torch.nn import functional as F  # noqa: N812

from cnnlesson.diagrams.receptive_fields import receptive_fields
from cnnlesson.model import AlexNet, ConvNet
from cnnlesson.tracing import ShapeError, ShapeTracer


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
    "layers",
    [
        [nn.Flatten(), nn.Linear(26 * 26, 26 * 26), nn.Unflatten(1, (1, 26, 26))],
        [nn.AdaptiveAvgPool2d(1), nn.Upsample(scale_factor=26)],
        [nn.AdaptiveMaxPool2d(1), nn.Upsample(scale_factor=26)],
        [nn.Linear(26, 26)],
    ],
    ids=["flatten", "mean", "max", "linear"],
)
def test_a_layer_that_sees_everything_ends_the_list(layers):
    model = nn.Sequential(nn.Conv2d(1, 1, 3), *layers, nn.Conv2d(1, 1, 3))
    assert receptive_fields(model, (1, 1, 28, 28)) == [("0", 3, 1)]


def test_a_linear_layer_that_takes_another_size_ends_it_too_if_no_window_comes_later():
    """The images of our choice do not fit, and nobody has to say which would."""
    layers = [nn.Conv2d(1, 2, 3), nn.Flatten(), nn.BatchNorm1d(7), nn.Linear(7, 64)]
    assert receptive_fields(nn.Sequential(*layers)) == [("0", 3, 1)]
    layers += [nn.Unflatten(1, (1, 8, 8)), nn.ConvTranspose2d(1, 1, 3)]
    with pytest.raises(ValueError, match=r"^model: could not be run .* give the shape"):
        receptive_fields(nn.Sequential(*layers))


class TwoHeads(nn.Module):
    """Classes and a mask from the same maps; a head of its own may fail on images of our choice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.Linear(26 * 26, 10)

    def forward(self, x):
        x = self.a(x)
        return self.fc(x.flatten(1)), self.b(x)


class Digits(nn.Module):
    """Takes pixels in a row, as of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 1, 3)

    def forward(self, x):
        return self.a(x.view(-1, 1, 28, 28))


class Mixed(nn.Module):
    """By channels, the input at first hand and through a window, and then not all of them."""

    def __init__(self, take) -> None:
        super().__init__()
        self.a, self.take, self.b = nn.Conv2d(1, 1, 3, padding=1), take, nn.Conv2d(1, 1, 3)

    def forward(self, x):
        return self.b(self.take(torch.cat([x, self.a(x)], dim=1)))


def test_no_layer_is_left_out_where_our_own_images_do_not_fit():
    shape = (1, 1, 28, 28)
    for model, fields in [
        (TwoHeads(), [("a", 3, 1), ("b", 5, 1)]),
        (Digits(), [("a", 3, 1)]),
        (Calls(lambda x: x), [("a", 3, 1), ("b", 5, 1)]),
    ]:
        assert receptive_fields(model, shape) == fields
    for model in (TwoHeads(), Digits()):
        with pytest.raises(ValueError, match=r"^model: could not be run .* give the shape"):
            receptive_fields(model)
    with pytest.raises(ValueError, match=r"^a: expected maps, .* 1×784; give the shape of the"):
        receptive_fields(Digits(), (1, 784))


@pytest.mark.parametrize(
    ("take", "name"),
    [
        (lambda x: x[:, :1], "getitem"),
        (lambda x: x[:, 0, None], "getitem"),
        (lambda x: x.chunk(2, dim=1)[0], "chunk"),
        (lambda x: x.narrow(1, 0, 1), "narrow"),
        (lambda x: F.glu(x, 1), "glu"),
        (lambda x: F.pixel_shuffle(torch.cat([x, x], dim=1), 2), "pixel_shuffle"),
    ],
)
def test_channels_that_see_differently_are_not_taken_apart(take, name):
    """Of the first channel the field would be 3, of both 5."""
    with pytest.raises(ValueError, match=f"^{name}: expected channels that see alike, found some"):
        receptive_fields(Mixed(take), (1, 1, 28, 28))


def test_channels_that_see_differently_may_stay_together():
    joined = [("a", 3, 1), ("cat", 3, 1)]
    for take in (lambda x: x.amax(1, keepdim=True), lambda x: x.sum(1)[:, None]):
        assert receptive_fields(Mixed(take), (1, 1, 28, 28)) == [*joined, ("b", 5, 1)]
    mixing = nn.Conv2d(2, 4, 1)  # each of its channels sees what all see
    fields = receptive_fields(Mixed(lambda x: mixing(x)[:, 1:2]), (1, 1, 28, 28))
    assert fields[-1] == ("b", 5, 1)


def test_two_axes_of_the_input_are_no_window():
    for code in (lambda x: x + x.transpose(2, 3), lambda x: torch.stack([x, x.mT]).amax(0)):
        with pytest.raises(ValueError, match=r"expected a layer whose window is known"):
            receptive_fields(Calls(code), (1, 1, 28, 28))
    assert receptive_fields(Calls(lambda x: x.mT), (1, 1, 28, 28))[-1] == ("b", 5, 1)


@pytest.mark.parametrize(
    "code",
    [
        lambda x: F.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False),
        lambda x: x.flip(2),
        lambda x: x.gather(2, torch.zeros(x.shape, dtype=torch.int64)),
    ],
    ids=["grid_sample", "flip", "gather"],
)
def test_maps_that_cannot_be_followed_are_refused_at_the_end_too(code):
    model = Calls(code)
    model.b = nn.Identity()
    with pytest.raises(ValueError, match=r"expected a layer whose window is known"):
        receptive_fields(model, (1, 1, 16, 16))


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


# Functions and branches, against not-a-number: an input row of it makes it of all that it reaches


class Program(nn.Module):
    """A network that a test draws: its layers, and what it does with them."""

    def __init__(self, steps: list[tuple]) -> None:
        super().__init__()
        self.steps, channels = steps, 1
        self.layers = nn.ModuleList()
        for kind, *numbers in steps:
            layer: nn.Module = nn.Identity()
            if kind in ("conv", "skip", "cat"):
                layer = nn.Conv2d(channels, channels, *numbers)
            elif kind == "up":
                layer = nn.ConvTranspose2d(channels, channels, *numbers)
            elif kind in ("twice", "gate", "halves"):
                width = channels // 2 if kind == "halves" and channels > 1 else channels
                layer = nn.Conv2d(width, width, 3, padding=1)
            elif kind == "last":
                layer = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(inplace=True))
            self.layers.append(layer)
            channels *= 2 if kind == "cat" else 1
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        for (kind, *numbers), layer in zip(self.steps, self.layers, strict=True):
            match kind:
                case "conv" | "up":
                    x = layer(x)
                case "skip":
                    x = F.relu(x + layer(x))
                case "cat":
                    x = torch.cat([layer(x), x], dim=1)
                case "twice":
                    x = layer(F.relu(layer(x)))
                case "gate":
                    x = x * torch.sigmoid(layer(x))
                case "halves":
                    *kept, half = x.chunk(2, dim=1)
                    x = torch.cat([*kept, layer(half)], dim=1)
                case "last":
                    x = layer(x.permute(0, 2, 3, 1)).movedim(-1, 1)
                case "pool":
                    x = F.avg_pool2d(x, *numbers)
                case "max":
                    x = F.max_pool2d(x, *numbers)
                case "wide":
                    x = F.max_pool2d(x, 3, 1, 1) + torch.tanh(x)
                case "cut":
                    x = x[:, :, 1:, 1:]
                case "pad":
                    x = F.pad(x, (1, 0, 1, 0))
                case "double":
                    x = F.interpolate(x, scale_factor=2)
                case "scale":
                    x = x * self.scale.mean()
        return x


small = st.integers(1, 3)
PROGRAMS = st.lists(
    st.one_of(
        st.tuples(st.just("conv"), small, st.integers(1, 2), st.integers(0, 1), st.integers(1, 2)),
        st.sampled_from([("skip", 3, 1, 1), ("skip", 3, 1, 2, 2), ("skip", 1), ("cat", 5, 1, 2)]),
        st.sampled_from([("pool", 2), ("max", 3, 2, 1), ("wide",), ("cut",), ("pad",), ("scale",)]),
        st.sampled_from([("up", 2, 2), ("up", 3, 2), ("double",)]),
        st.sampled_from([("twice",), ("gate",), ("halves",), ("last",)]),
    ),
    min_size=1,
    max_size=5,
)


def traced(model: nn.Module, size: int) -> dict[str, list[torch.Tensor]]:
    """Return for each row, by its name, which output pixels depend on which row of the input."""
    model = model.double()
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.5, 1)  # no weight is 0
    x = torch.ones(size, 1, size, size, dtype=torch.float64)
    x[range(size), 0, range(size)] = torch.nan
    found = {}

    def keep(row, output):
        assert row.output_shape == tuple(output.shape)
        if output.dim() == 4:
            depends = output[..., output.shape[3] // 2].isnan().any(dim=1).T
            found.setdefault(row.name, []).append(depends)

    table = ShapeTracer(model, on_row=keep).trace(x)
    # Of a layer that is called twice both rows count it.
    used = sum({row.name: row.num_parameters for row in table.rows}.values())
    held = sum(p.numel() for p in model.parameters())
    assert table.num_parameters == held == used + model.scale.numel()
    assert table.notes[0] == "3 in no row: scale"
    assert table.rows[-1].output_shape == tuple(model(x).shape)
    return found


@given(PROGRAMS)
@settings(max_examples=40, deadline=None)
def test_of_functions_and_branches_too(steps):
    model, size = Program(steps), 48
    try:
        depends = traced(model, size)
    except ShapeError:
        return  # no room
    try:
        fields = receptive_fields(model, (1, 1, size, size))
    except ValueError as error:
        if "expected channels that see alike" in str(error):  # halves of what differs
            return
        raise
    assert fields == receptive_fields(model)
    for field in fields:
        rows = depends[field.name].pop(0)
        ends = [line.nonzero().flatten().tolist() for line in rows]
        # Away from the borders, those of the maps in between too, where windows are cut.
        margin = field.size + 6 * max(field.stride, 1)
        inside = [
            (e[0], e[-1]) if e and e[0] > margin and e[-1] < size - margin else None for e in ends
        ]
        sizes = [last - first + 1 for first, last in filter(None, inside)]
        assert all(found <= field.size for found in sizes)
        if sizes and None not in inside[len(inside) // 2 - 4 : len(inside) // 2 + 4]:
            assert max(sizes) == field.size
            period = max(8, Fraction(field.stride).denominator)  # a whole number of input pixels
            for k in range(len(inside) - period):
                if inside[k] and inside[k + period]:
                    assert inside[k + period][0] - inside[k][0] == period * field.stride


@pytest.mark.parametrize("kind", ["skip", "cat", "wide", "max", "pool"])
def test_such_programs_are_seen_at_all(kind):
    numbers = {"skip": (3, 1, 1), "cat": (3, 1, 1), "wide": (), "max": (2,), "pool": (2,)}[kind]
    fields = receptive_fields(Program([("conv", 3), (kind, *numbers)]))
    assert len(fields) > 1


class FunctionBetween(nn.Module):
    """The network of a well-known wrong answer: size 5, stride 1."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)

    def forward(self, x):
        return self.b(F.avg_pool2d(self.a(x), 2))


def test_a_pooling_in_the_code_of_the_model_counts():
    expected = [("a", 3, 1), ("avg_pool2d", 4, 2), ("b", 8, 2)]
    assert receptive_fields(FunctionBetween()) == expected
    assert receptive_fields(FunctionBetween(), (1, 1, 28, 28)) == expected


def test_networks_as_people_write_them():
    assert receptive_fields(FunctionalLeNet()) == [
        *[("conv1", 3, 1), ("conv2", 5, 1), ("max_pool2d", 6, 2)]
    ]
    names = ["one", "three.0", "three.2", "five.0", "five.2", "pooled", "cat", "max_pool2d"]
    sizes = {"three.2": 3, "five.2": 5, "pooled": 3, "max_pool2d": 3, "cat": 5}
    found = receptive_fields(Inception())
    assert {f.name: (f.size, f.stride) for f in found} == {n: (sizes.get(n, 1), 1) for n in names}
    resnet = {f.name: (f.size, f.stride) for f in receptive_fields(ResNet())}
    assert resnet["max_pool2d"] == (11, 4)
    assert resnet["block1.add"] == (27, 4)
    assert resnet["block2.downsample.0"] == (27, 8)
    assert resnet["block2.add"] == (51, 8)
    unet = {f.name: (f.size, f.stride) for f in receptive_fields(UNet())}
    assert unet["bottom"] == (18, 4)
    assert unet["up1"] == (22, 1)
    assert receptive_fields(transformer(), (1, 5, 8)) == []
    assert receptive_fields(AllFunctions(), (1, 1, 12, 12)) == [
        *[("conv2d", 3, 2), ("avg_pool2d", 5, 4)]
    ]


def test_a_signal_a_volume_and_a_map_that_grows():
    signal = nn.Sequential(nn.Conv1d(2, 3, 5, 2, dilation=3), nn.ReLU(), nn.MaxPool1d(2))
    assert receptive_fields(signal) == [("0", 13, 2), ("2", 15, 4)]
    volume = nn.Sequential(nn.Conv3d(1, 2, 3), nn.AvgPool3d(2))
    assert receptive_fields(volume) == [("0", 3, 1), ("1", 4, 2)]
    grows = nn.Sequential(nn.Conv2d(1, 1, 3, 2), nn.ConvTranspose2d(1, 1, 4, 2, 1))
    assert receptive_fields(grows) == [("0", 3, 2), ("1", 5, 1)]
    finer = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3))
    assert receptive_fields(finer) == [("0", 1, Fraction(1, 2)), ("1", 2, Fraction(1, 2))]


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_the_kind_of_padding_does_not_matter_inside(mode):
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode)
    assert receptive_fields(nn.Sequential(layer, nn.Conv2d(1, 1, 3))) == [("0", 3, 1), ("1", 5, 1)]


@pytest.mark.parametrize(
    "layer",
    [
        *[
            nn.BatchNorm2d(2),
            nn.PReLU(),
            nn.GELU(),
            nn.Hardswish(),
            nn.LogSigmoid(),
            nn.Dropout2d(),
        ],
        *[nn.Softmax2d(), nn.LocalResponseNorm(2), nn.Identity(), nn.Mish(), nn.ChannelShuffle(2)],
    ],
)
def test_what_looks_at_one_place_is_passed_over(layer):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), layer, nn.Conv2d(2, 1, 3))
    assert receptive_fields(model) == [("0", 3, 1), ("2", 5, 1)]


@pytest.mark.parametrize(
    "layer",
    [nn.GroupNorm(1, 2), nn.InstanceNorm2d(2), nn.BatchNorm2d(2, track_running_stats=False)],
)
def test_what_takes_means_of_all_places_ends_the_list(layer):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), layer, nn.Conv2d(2, 1, 3))
    assert receptive_fields(model) == [("0", 3, 1)]


def test_channels_last_are_followed():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.mix = nn.Conv2d(4, 4, 7, padding=3, groups=4), nn.Linear(4, 4)

        def forward(self, x):
            y = self.mix(F.gelu(self.conv(x).permute(0, 2, 3, 1)))
            return x + y.permute(0, 3, 1, 2)

    fields = receptive_fields(nn.Sequential(nn.Conv2d(3, 4, 4, 4), Block(), Block()))
    assert [(f.name, f.size) for f in fields] == [
        *[("0", 4), ("1.conv", 28), ("1.add", 28), ("2.conv", 52), ("2.add", 52)]
    ]


class Calls(nn.Module):
    """A convolution, some code, and another one."""

    def __init__(self, code) -> None:
        super().__init__()
        self.a, self.code, self.b = nn.Conv2d(1, 2, 3, padding=1), code, nn.Conv2d(2, 1, 3)

    def forward(self, x):
        return self.b(self.code(self.a(x)))


def added_elsewhere(x):
    flat = x.view(-1)
    flat.add_(flat.roll(5))
    return x


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (lambda x: x.roll(2, dims=2), "roll"),
        (lambda x: x.flip(2), "flip"),
        (lambda x: x.cumsum(2), "cumsum"),
        (lambda x: x.view(-1, 2, 4, x.shape[3]), "view"),
        (lambda x: torch.cat([x, x], dim=2), "cat"),
        (lambda x: x[:, :, torch.arange(5)], "getitem"),
        (
            lambda x: (
                x
                + F.interpolate(
                    x[:, :, ::2, ::2], size=x.shape[2:], mode="bicubic", align_corners=True
                )
            ),
            "interpolate",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(code, name):
    with pytest.raises(ValueError, match=f"^{name}: expected a layer whose window is known"):
        receptive_fields(Calls(code), (1, 1, 16, 16))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (lambda x: F.unfold(x, 3, padding=1).view(-1, 18, 16, 16).sum(1, keepdim=True), "unfold"),
        (lambda x: F.fold(F.unfold(x, 2, stride=2), x.shape[2:], 2, stride=2), "unfold"),
        (lambda x: x.unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2)), "unfold"),
    ],
)
@pytest.mark.parametrize("shape", [None, (1, 1, 16, 16)])
def test_patches_are_windows_that_nobody_passes_over(code, name, shape):
    """Even where nothing slides after them, and where the network fails on our own images."""
    model = Calls(code)
    model.b = nn.Identity()
    with pytest.raises(ValueError, match=f"^{name}: expected a layer whose window is known"):
        receptive_fields(model, shape)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (lambda x: torch.from_numpy(x.numpy()), "b"),
        (lambda x: torch.tensor(x.tolist()), "b"),
        (torch.ones_like, "b"),
    ],
)
def test_data_that_left_pytorch_are_not_taken_for_an_end(code, name):
    with pytest.raises(ValueError, match=f"^{name}: expected data that come from the input"):
        receptive_fields(Calls(code), (1, 1, 16, 16))


def test_a_view_of_what_was_changed_in_place_is_followed():
    code = lambda x: F.relu(x.permute(0, 2, 3, 1), inplace=True).permute(0, 3, 1, 2)  # noqa: E731
    assert receptive_fields(Calls(code), (1, 1, 16, 16)) == [("a", 3, 1), ("b", 5, 1)]


def test_numbers_written_under_another_name_are_not_missed():
    with pytest.raises(ValueError, match=r"expected a layer whose window is known"):
        receptive_fields(Calls(added_elsewhere), (1, 1, 16, 16))


def test_a_window_as_large_as_the_map_depends_on_the_image():
    model = Calls(lambda x: F.avg_pool2d(x, x.shape[-1] - 4, 1))
    with pytest.raises(ValueError, match=r"^avg_pool2d: its window depends on the size.*_shape"):
        receptive_fields(model)
    assert receptive_fields(model, (1, 1, 16, 16))[1] == ("avg_pool2d", 14, 1)


def test_a_model_that_needs_its_own_shape_asks_for_it():
    class Picky(nn.Module):
        def forward(self, x):
            assert x.shape[-1] == 30
            return F.max_pool2d(x, 2)

    with pytest.raises(ValueError, match=r"^model: could not be run.*give the shape of the input"):
        receptive_fields(Picky())
    assert receptive_fields(Picky(), (1, 1, 30, 30)) == [("max_pool2d", 2, 2)]
    with pytest.raises(ValueError, match=r"^Conv2d: expected a batch, .* found an input of 1×8×8$"):
        receptive_fields(nn.Conv2d(1, 1, 3), (1, 8, 8))
    with pytest.raises(ValueError, match=r"^input_shape: expected whole numbers"):
        receptive_fields(nn.Conv2d(1, 1, 3), (1, 0, 8))
    with pytest.raises(ShapeError, match=r"in_channels=1"):
        receptive_fields(nn.Conv2d(1, 1, 3), (1, 3, 8, 8))


def test_a_lazy_model_learns_nothing_from_it():
    model = nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(3))
    assert receptive_fields(model) == [("0", 3, 1)]
    assert isinstance(model[2], nn.LazyLinear)


def test_the_model_is_left_alone():
    model = ResNet().train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    receptive_fields(model)
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
