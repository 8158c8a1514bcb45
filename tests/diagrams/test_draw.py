"""The diagrams: what is drawn, compared with PyTorch and arithmetic; legible in both themes."""

import importlib.util
import re
from collections import Counter
from itertools import combinations, pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import nn

from cnnlesson.diagrams.draw import INK, draw_boxes, draw_feature_maps, save_svg
from cnnlesson.diagrams.stages import describe
from cnnlesson.model import AlexNet, ConvNet
from cnnlesson.tracing import ShapeError

DRAWINGS = pytest.mark.parametrize("draw", [draw_feature_maps, draw_boxes])
PAGES = ("#ffffff", "#14181e", "#121212")  # the book's pages, light and dark


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )


def alexnet() -> nn.Module:
    with torch.device("meta"):
        return AlexNet()


def deep() -> nn.Module:
    layers: list[nn.Module] = []
    for k in range(12):
        layers += [nn.LazyConv2d(8 * 2 ** (k // 4), 3, padding=1, stride=1 + (k % 4 == 3))]
        layers += [nn.LazyBatchNorm2d(), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(10))


def signal() -> nn.Module:
    layers = [nn.Conv1d(2, 16, 9, dilation=2), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(16, 32, 5)]
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


NETWORKS = pytest.mark.parametrize(
    ("network", "shape"),
    [
        (ConvNet, (1, 1, 28, 28)),
        (alexnet, (1, 3, 224, 224)),
        (lenet, (1, 1, 32, 32)),
        (deep, (1, 3, 64, 64)),
        (signal, (1, 2, 128)),
        (perceptron, (1, 1, 28, 28)),
    ],
)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def polygon(ax: Axes, name: str) -> np.ndarray:
    return next(patch.get_xy()[:-1] for patch in ax.patches if patch.get_gid() == name)


def extent(points: np.ndarray) -> np.ndarray:
    """Return left, top, right and bottom, y downwards."""
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    return np.array([left, -top, right, -bottom])


def shapes_by_hooks(model: nn.Module, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes after the layers that are not element-wise, batch left out."""
    shapes = [shape[1:]]
    elementwise = (nn.ReLU, nn.Tanh, nn.Dropout, nn.AdaptiveAvgPool2d)
    for layer in model.modules():
        if not any(layer.children()) and not isinstance(layer, elementwise):
            layer.register_forward_hook(lambda _, __, y: shapes.append(tuple(y.shape[1:])))
    device = next(model.parameters()).device
    model(torch.empty(shape, device=device))
    return shapes


@pytest.mark.parametrize(
    ("network", "shape", "repeated"),
    [
        (ConvNet, (1, 1, 28, 28), (0, 0)),
        (lenet, (1, 1, 32, 32), (0, 0)),
        (alexnet, (1, 3, 224, 224), (1, 1)),  # two rows: one stage is shown twice
    ],
)
def test_the_numbers_are_those_of_pytorch(network, shape, repeated):
    shapes = shapes_by_hooks(network(), shape)
    stacks = [f"{s[0]}@{s[1]}×{s[2]}" if len(s) == 3 else f"{s[0]}" for s in shapes]
    drawn = [t for t in texts(draw_feature_maps(network(), shape)) if re.match(r"\d", t)]
    assert sum((Counter(drawn) - Counter(stacks)).values()) == repeated[0]
    assert not Counter(stacks) - Counter(drawn)
    assert list(dict.fromkeys(drawn)) == list(dict.fromkeys(stacks))

    edges = [str(number) for s in shapes for number in s]
    drawn = [t for t in texts(draw_boxes(network(), shape)) if re.match(r"\d", t)]
    assert sum((Counter(drawn) - Counter(edges)).values()) == 3 * repeated[1]
    assert not Counter(edges) - Counter(drawn)


@DRAWINGS
def test_the_captions_name_every_layer(draw):
    captions = [t for t in texts(draw(alexnet(), (1, 3, 224, 224))) if not re.match(r"\d", t)]
    assert Counter(captions) == {
        "Conv 11×11": 1,
        "Conv 5×5": 1,
        "Conv 3×3": 3,
        "MaxPool 3×3": 3,
        "AdaptiveAvgPool": 1,
        "stride 4": 1,
        "stride 2": 3,
        "padding 2": 2,
        "padding 1": 3,
        "ReLU": 7,
        "Dropout": 2,
        "Flatten": 1,
        "Linear": 3,
    }


def test_sides_are_proportional_to_pixels():
    ax = draw_feature_maps(ConvNet())
    sides = np.array([np.ptp(polygon(ax, f"stage-{k}"), axis=0) for k in range(5)])
    assert sides[:, 0] == pytest.approx(sides[:, 1])
    assert sides[:, 0] / sides[0, 0] == pytest.approx(np.array([28, 26, 13, 11, 5]) / 28)
    columns = [np.ptp(polygon(ax, f"stage-{k}")[:, 1]) for k in (5, 6)]
    assert columns[0] > columns[1]  # 1600 features, then 10


@DRAWINGS
def test_more_pixels_are_drawn_larger(draw):
    ax = draw(alexnet(), (1, 3, 224, 224))
    heights = [np.ptp(polygon(ax, f"stage-{k}")[:, 1]) for k in range(9)]
    pixels = [224, 55, 27, 27, 13, 13, 13, 13, 6]
    assert all(
        a == pytest.approx(b) if m == n else a > b
        for (a, b), (m, n) in zip(pairwise(heights), pairwise(pixels), strict=True)
    )


def test_a_box_is_wider_for_more_channels():
    ax = draw_boxes(alexnet(), (1, 3, 224, 224))
    widths = [np.ptp(polygon(ax, f"stage-{k}")[:, 0]) for k in range(9)]
    assert np.argsort(widths, kind="stable").tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 5]


def test_a_box_has_its_rows_upright_and_its_columns_into_the_page():
    ax = draw_boxes(nn.Conv2d(3, 5, 1), (1, 3, 20, 40))
    first = [text.get_text() for text in ax.texts[:3]]
    assert first == ["3", "40", "20"]
    channels, columns, rows = (text.get_position()[1] for text in ax.texts[:3])
    assert channels < rows < columns
    stack = draw_feature_maps(nn.Conv2d(3, 5, 1), (1, 3, 20, 40))
    heights = [np.ptp(polygon(axes, "stage-0")[:, 1]) for axes in (ax, stack)]
    assert heights[0] == pytest.approx(heights[1])


@st.composite
def windowed(draw):
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    if draw(st.booleans()):
        return nn.AvgPool2d(kernel, stride, padding)
    layer = nn.Conv2d(1, 1, kernel, stride, padding, draw(st.integers(1, 2)), bias=False)
    nn.init.ones_(layer.weight)
    return layer


@given(layer=windowed())
@settings(max_examples=25, deadline=None)
def test_the_window_drawn_is_the_one_the_pixel_sees(layer):
    ax = draw_feature_maps(layer, (1, 1, 20, 15), ax=Figure(figsize=(6, 3)).add_axes((0, 0, 1, 1)))
    maps = [extent(polygon(ax, f"stage-{k}")) for k in (0, 1)]
    window, pixel = extent(polygon(ax, "window-1")), extent(polygon(ax, "pixel-1"))
    x = torch.zeros(1, 1, 20, 15, requires_grad=True)
    y = layer(x)
    size = np.array([y.shape[3], y.shape[2]])
    column, row, *end = (
        (pixel - np.tile(maps[1][:2], 2)) * np.tile(size, 2) / np.tile(maps[1][2:] - maps[1][:2], 2)
    )
    assert (column + 1, row + 1) == pytest.approx(tuple(end))
    y[0, 0, round(row), round(column)].backward()
    seen = x.grad[0, 0].nonzero().flip(1).numpy()
    pixels = (
        (window - np.tile(maps[0][:2], 2))
        * [15, 20, 15, 20]
        / np.tile(maps[0][2:] - maps[0][:2], 2)
    )
    first, last = seen.min(axis=0), seen.max(axis=0) + 1
    dilated = isinstance(layer, nn.Conv2d) and layer.dilation[0] > 1
    slack = 1 if dilated else 1e-6  # a dilated window may reach past the last pixel it uses
    assert np.all(np.abs(pixels - np.concatenate([first, last])) <= slack + 1e-6)


def assert_legible(ax: Axes) -> None:
    """Assert that no text touches another text, a line, or the edge of the picture."""
    renderer = ax.figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in ax.texts]
    for (first, a), (second, b) in combinations(boxes, 2):
        assert not a.overlaps(b), f"{first} overlaps {second}"
    lines = [patch for patch in ax.patches if len(patch.get_xy()) == 2]
    for line in lines:
        path = ax.transData.transform_path(line.get_path())
        for text, around in boxes:
            assert not path.intersects_bbox(around, filled=False), f"a line crosses {text}"
    for text, around in boxes:
        assert ax.figure.bbox.containsx(around.x0), text
        assert ax.figure.bbox.containsx(around.x1), text
        assert ax.figure.bbox.containsy(around.y0), text
        assert ax.figure.bbox.containsy(around.y1), text


@DRAWINGS
@NETWORKS
def test_labels_are_legible(draw, network, shape):
    ax = draw(network(), shape)
    assert_legible(ax)
    assert ax.figure.get_size_inches()[0] <= 10
    # Shown 720 pixels wide, or at 100 pixels an inch if that is less, letters are 9 pixels tall.
    shown = min(720, 100 * ax.figure.get_size_inches()[0])
    for text in ax.texts:
        assert text.get_size() / 72 * shown / ax.figure.get_size_inches()[0] >= 9


@DRAWINGS
def test_long_names_have_room(draw):
    class SqueezeAndExcitation(nn.Identity):
        pass

    layers = [nn.Linear(4, 4), SqueezeAndExcitation()]
    assert_legible(draw(nn.Sequential(*layers, *layers, *layers), (1, 4)))


@DRAWINGS
@pytest.mark.parametrize("size", [(4, 3), (12, 2), (3, 9)])
def test_labels_are_legible_on_any_axes(draw, size):
    _, axes = plt.subplots(1, 2, figsize=size)
    for ax in axes:
        draw(lenet(), (1, 1, 32, 32), ax=ax)
        assert_legible(ax)
        ax.apply_aspect()
        assert np.ptp(ax.transData.transform([(0, 0), (1, 1)]), axis=0) == pytest.approx(
            np.repeat(ax.texts[0].get_size() / 10 * ax.figure.dpi / 72, 2)
        )


@st.composite
def random_networks(draw):
    channels, kernels = st.integers(1, 600), st.integers(1, 5)
    layers: list[nn.Module] = []
    with torch.device("meta"):
        for kind in draw(st.lists(st.sampled_from("ccccpparu"), max_size=9)):
            kernel = draw(kernels)
            layers.append(
                {
                    "c": nn.LazyConv2d(
                        draw(channels), kernel, draw(st.integers(1, 2)), kernel // 2
                    ),
                    "p": nn.MaxPool2d(2, ceil_mode=True),
                    "a": nn.AdaptiveAvgPool2d(kernel),
                    "r": nn.ReLU(),
                    "u": nn.Upsample(scale_factor=2),
                }[kind]
            )
        layers.append(nn.Flatten())
        for width in draw(st.lists(st.integers(1, 100_000), max_size=3)):
            layers.append(nn.LazyLinear(width))
    sizes = st.integers(1, 400)
    return nn.Sequential(*layers), (1, draw(channels), draw(sizes), draw(sizes))


@given(random_networks(), st.sampled_from([draw_feature_maps, draw_boxes]))
@settings(max_examples=15, deadline=None)
def test_labels_of_any_network_are_legible(network, draw):
    ax = draw(*network)
    assert_legible(ax)
    plt.close(ax.figure)


@DRAWINGS
def test_it_draws_where_it_is_told(draw):
    before = plt.get_fignums()
    figure = Figure()
    ax = figure.subplots()
    assert draw(ConvNet(), ax=ax) is ax
    assert ax.texts
    assert figure.axes == [ax]
    assert plt.get_fignums() == before


@DRAWINGS
def test_without_axes_it_makes_one_figure(draw):
    ax = draw(ConvNet())
    assert plt.get_fignums() == [ax.figure.number]


def test_importing_draws_nothing():
    spec = importlib.util.find_spec("cnnlesson.diagrams.draw")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert plt.get_fignums() == []


@DRAWINGS
def test_the_axes_say_in_words_what_they_show(draw):
    assert draw(ConvNet()).get_label() == describe(ConvNet())


@DRAWINGS
def test_the_model_is_left_alone(draw):
    model = lenet().train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    draw(model, (1, 1, 32, 32))
    assert model.training
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@DRAWINGS
def test_what_cannot_be_drawn_makes_no_figure(draw):
    with pytest.raises(ValueError, match=r"Conv3d.*expected.*found 1×1×5×5×5"):
        draw(nn.Conv3d(1, 2, 3), (1, 1, 5, 5, 5))
    with pytest.raises(ShapeError, match=r"in_features=1600"):
        draw(ConvNet(), (1, 1, 32, 32))
    with pytest.raises(ValueError, match=r"ax: expected"):
        draw(ConvNet(), ax=plt)
    assert plt.get_fignums() == []


def luminance(colour: np.ndarray) -> float:
    """Return the relative luminance of WCAG 2."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    dark, light = sorted([luminance(a), luminance(b)])
    return (light + 0.05) / (dark + 0.05)


def inverted(colour: np.ndarray) -> np.ndarray:
    """Return a colour after the CSS filters invert(.93) hue-rotate(180deg)."""
    grey = np.array([0.213, 0.715, 0.072])
    return np.clip((2 * np.outer(np.ones(3), grey) - np.eye(3)) @ (0.93 - 0.86 * colour), 0, 1)


@DRAWINGS
def test_contrast_in_both_themes(draw):
    ax = draw(ConvNet())
    for text in ax.texts:
        ink, paper = np.array(to_rgb(text.get_color())), np.ones(3)
        assert contrast(ink, paper) >= 4.5
        assert contrast(inverted(ink), inverted(paper)) >= 4.5
    for patch in ax.patches:
        line = np.array(to_rgb(patch.get_edgecolor()))
        assert contrast(line, np.ones(3)) >= 3
        assert contrast(inverted(line), inverted(np.ones(3))) >= 3
        if mpl.colors.to_hex(line) != INK:
            assert all(contrast(line, np.array(to_rgb(page))) >= 3 for page in PAGES)


@DRAWINGS
def test_svg_is_legible_on_any_page(draw, tmp_path):
    save_svg(draw(alexnet(), (1, 3, 224, 224)), tmp_path / "net.svg")
    root = ElementTree.parse(tmp_path / "net.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.find(f"{name}title").text == describe(alexnet(), (1, 3, 224, 224))
    written = [text.text for text in root.iter(f"{name}text")]
    assert {"MaxPool 3×3", "Linear", "9216"} <= set(written)
    assert all("fill: currentColor" in text.get("style") for text in root.iter(f"{name}text"))
    style = root.find(f"{name}style").text
    night = re.search(r"prefers-color-scheme: dark.*svg:root.*(#\w{6})", style)[1]
    assert all(contrast(np.array(to_rgb(night)), np.array(to_rgb(p))) >= 4.5 for p in PAGES[1:])
    colours = set()
    for shape in root.iter(f"{name}path"):
        colours |= set(re.findall(r"(?:stroke|fill): ([^;]+)", shape.get("style") or ""))
    for colour in colours - {"none", "currentColor"}:
        assert all(contrast(np.array(to_rgb(colour)), np.array(to_rgb(p))) >= 3 for p in PAGES)


@DRAWINGS
def test_svg_is_the_same_each_time(draw, tmp_path):
    paths = [tmp_path / name for name in ("first.svg", "second.svg")]
    for path in paths:
        _, (ax, beside) = plt.subplots(1, 2)
        beside.plot([1, 2])
        save_svg(draw(ConvNet(), ax=ax), path)
    assert len({path.read_bytes() for path in paths}) == 1
    assert not re.search(rb"\d{4}-\d\d-\d\dT", paths[0].read_bytes())
