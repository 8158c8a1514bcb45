"""The Python side of the convolution explorer: its digits, its output, its settings."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits as load_small_digits
from torch import nn
from torch.nn.functional import conv2d
from traitlets import TraitError

from cnnlesson import ConvNet, load_digits, train_model, widgets
from cnnlesson.widgets import ConvolutionExplorer

FOLDER = Path(widgets.__file__).parent
COUNTS = "expected 1, 4, 9, 16, 25, 36 or 49 numbers"


def test_the_digits_are_one_of_each_class_of_the_embedded_ones():
    images, labels, _ = load_digits("sklearn")
    for digit in range(10):
        image = ConvolutionExplorer(digit=digit).image().numpy()
        known = images[labels == digit, 0].double().numpy() / 255
        assert np.abs(known - image).max(axis=(1, 2)).min() <= 0.005 + 1e-6
        np.testing.assert_array_equal(np.round(100 * image) / 100, image)


def test_the_page_has_the_same_small_digits():
    source = (FOLDER / "shared" / "digits.js").read_text("utf-8")
    shipped = [
        [int(pixel, 17) for pixel in row]
        for row in re.findall(r'^  "([0-9a-g]{64})",?$', source, re.M)
    ]
    pixels, labels = load_small_digits(return_X_y=True)
    for digit, small in enumerate(shipped):
        assert (pixels[labels == digit] == small).all(axis=1).any()
    assert len(shipped) == 10


@pytest.mark.prove
def test_the_learned_kernels_are_what_their_command_gives():
    source = (FOLDER / "convolution_explorer" / "convolution_explorer.js").read_text("utf-8")
    shipped = {
        int(channel): [float(weight) for weight in weights.split(",")]
        for channel, weights in re.findall(r'"learned (\d+)": \[(.+)\]', source)
    }
    torch.manual_seed(0)
    digits, model = load_digits("sklearn"), ConvNet().double()
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images = (digits.images + 0.123).round().double() / 255
    train_model(
        model, sgd, nn.CrossEntropyLoss(), images, digits.labels, num_epochs=2, progress=False
    )
    learned = model.layers[0].weight.detach()[list(shipped), 0].reshape(-1, 9)
    np.testing.assert_allclose(list(shipped.values()), learned, atol=0.006)  # two decimals
    assert len(shipped) == 3


@pytest.mark.parametrize(
    ("stride", "padding", "size"), [(1, 0, 26), (1, 1, 28), (2, 2, 15), (3, 0, 9), (1, 3, 32)]
)
def test_the_output_has_the_size_of_the_formula(stride, padding, size):
    explorer = ConvolutionExplorer(stride=stride, padding=padding)
    assert explorer.output().shape == (size, size)
    assert f"into {size}×{size};" in explorer.summary()


@pytest.mark.parametrize("side", range(1, 8))
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_kernel_of_every_size_fits_at_every_dilation(side, dilation):
    weights = np.random.default_rng(side).uniform(-9, 9, (side, side))
    explorer = ConvolutionExplorer(kernel=weights.ravel(), dilation=dilation, pixel=(33, 33))
    reach = dilation * (side - 1) + 1
    size = 28 - reach + 1
    last = explorer.image().numpy()[-reach::dilation, -reach::dilation]
    assert explorer.output().shape == (size, size)
    assert explorer.output()[-1, -1].item() == pytest.approx((last * weights).sum())
    apart = f" with dilation {dilation}" if dilation > 1 else ""
    assert f"a {side}×{side} kernel{apart} turns 28×28 pixels into" in explorer.summary()
    assert f'width="{10 * reach}" height="{10 * reach}" fill="none"' in explorer.picture()


def test_the_output_is_a_sum_over_the_patch():
    random = np.random.default_rng(0)
    kernel = random.uniform(-9, 9, 9)
    explorer = ConvolutionExplorer(kernel=kernel, stride=2, digit=3)
    image = explorer.image().numpy()
    patch = image[2 * 5 : 2 * 5 + 3, 2 * 7 : 2 * 7 + 3]
    assert explorer.output()[5, 7].item() == pytest.approx((patch.ravel() * kernel).sum())
    explorer.activation = "ReLU"
    assert explorer.output().min() == 0


def test_a_pixel_beyond_the_output_means_its_last():
    explorer = ConvolutionExplorer(stride=3, pixel=(29, 2))
    assert "in row 8, column 2," in explorer.summary()
    assert explorer.pixel == (29, 2)


def test_messages_of_the_page_and_arrays_set_the_traits():
    explorer = ConvolutionExplorer()
    explorer.set_state({"kernel": [0, 0, 0, 0, 1, 0, 0, 0, 0.5], "pixel": [3, 4]})
    assert explorer.kernel == (0, 0, 0, 0, 1, 0, 0, 0, 0.5)
    assert explorer.pixel == (3, 4)
    explorer.kernel = np.full(9, 2, dtype=np.float32)
    explorer.pixel = np.array([1, 2])
    assert repr(explorer.kernel + explorer.pixel) == repr((2.0,) * 9 + (1, 2))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("kernel", [1] * 8, f"kernel: {COUNTS} from -9 to 9, found {[1] * 8}"),
        ("kernel", [9.5] * 9, f"kernel: {COUNTS} from -9 to 9, found {[9.5] * 9}"),
        ("kernel", [float("nan")] * 9, f"kernel: {COUNTS} from -9 to 9, found [nan,"),
        ("kernel", ["1"] * 9, f"kernel: {COUNTS} from -9 to 9, found ['1',"),
        ("kernel", [[1] * 3] * 3, f"kernel: {COUNTS} from -9 to 9, found [[1, 1, 1],"),
        ("kernel", 1, f"kernel: {COUNTS} from -9 to 9, found 1"),
        ("pixel", (1.5, 2), "pixel: expected 2 whole numbers from 0 to 33, found (1.5, 2)"),
        ("pixel", (34, 2), "pixel: expected 2 whole numbers from 0 to 33, found (34, 2)"),
        ("pixel", (True, 2), "pixel: expected 2 whole numbers from 0 to 33, found (True, 2)"),
        ("stride", 0, "stride: expected a whole number from 1 to 3, found 0"),
        ("padding", 4, "padding: expected a whole number from 0 to 3, found 4"),
        ("digit", 10, "digit: expected a whole number from 0 to 9, found 10"),
        ("activation", "relu", "activation: expected one of none, ReLU, found 'relu'"),
        ("activation", ["ReLU"], "activation: expected one of none, ReLU, found ['ReLU']"),
        (
            "drawing",
            ".58o",
            "drawing: expected strokes such as '.58ok', in at most 4000 characters",
        ),
        ("drawing", ".5s", "found '.5s'"),
        ("drawing", "58", "found '58'"),
        ("drawing", "." + 2000 * "58", "in at most 4000 characters, found '.58"),
        ("drawing", None, "found None"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    explorer = ConvolutionExplorer()
    before = getattr(explorer, name)
    with pytest.raises(TraitError, match=re.escape(expected)):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before


def still(explorer, part):
    """Return the image (part 0) or the output (part 1) that the picture shows, in its shades."""
    svg = ElementTree.fromstring(explorer.picture())
    groups = svg.findall("./g[@transform]") + svg.findall("./g/g[@transform]")
    group = [g for g in groups if "scale" in g.get("transform")][part]
    size = 28 + 2 * explorer.padding if part == 0 else len(explorer.output())
    shown = np.zeros((size, size))
    for path in group:
        sign = -1 if path.get("stroke") == "#2166ac" else 1
        for x, y, length in re.findall(r"M(\d+),(\d+)h(\d+)", path.get("d")):
            run = slice(int(x), int(x) + int(length))
            shown[int(y), run] = sign * float(path.get("stroke-opacity"))
    return shown


@pytest.mark.parametrize(
    "settings",
    [{}, {"padding": 2, "stride": 2, "kernel": (0, -1, 0, -1, 5, -1, 0, -1, 0), "digit": 4}],
    ids=["edges", "sharpen"],
)
def test_the_still_picture_shows_input_and_output(settings):
    explorer = ConvolutionExplorer(**settings)
    weights = torch.tensor(explorer.kernel, dtype=torch.float64)
    image = explorer.image()[None, None]
    output = conv2d(
        image, weights.reshape(1, 1, 3, 3), stride=explorer.stride, padding=explorer.padding
    )[0, 0]
    limit = max(weights.clamp(min=0).sum(), -weights.clamp(max=0).sum())
    padded = np.pad(image[0, 0], explorer.padding)
    # A quarter is the step between two shades.
    np.testing.assert_allclose(still(explorer, 0), padded, atol=0.125 + 1e-9)
    np.testing.assert_allclose(still(explorer, 1), output / limit, atol=0.125 + 1e-9)
    assert still(explorer, 1).any()


def test_a_kernel_of_zeros_is_no_failure():
    explorer = ConvolutionExplorer(kernel=(0,) * 9)
    assert explorer.limit == 0
    assert "add up to 0.00." in explorer.summary()
    assert not still(explorer, 1).any()


def test_a_drawing_lies_on_the_digit_or_on_a_clean_sheet():
    plain = ConvolutionExplorer(digit=3).image().numpy()
    line = np.zeros((28, 28))
    line[5, 8:21] = 1  # 8 and k: columns 8 and 20
    beside = np.zeros((28, 28))
    beside[4, 8:21] = beside[6, 8:21] = beside[5, [7, 21]] = 0.6
    pen = np.maximum(line, beside)

    def image(drawing):
        return ConvolutionExplorer(digit=3, drawing=drawing).image().numpy()

    np.testing.assert_array_equal(image("_"), 0)
    np.testing.assert_array_equal(image("_.585k"), pen)
    np.testing.assert_array_equal(image(".585k"), np.maximum(plain, pen))
    erased = plain.copy()
    erased[4:7, 7:22] = 0
    np.testing.assert_array_equal(image("-585k"), erased)
    np.testing.assert_array_equal(image("_.585k-585k"), 0)
    once = np.zeros((28, 28))
    once[5, [8, 20]] = 1
    np.testing.assert_array_equal(image("_*5858585k"), once)


def test_a_drawn_line_has_no_gaps():
    image = ConvolutionExplorer(drawing="_.00rr").image().numpy()
    np.testing.assert_array_equal(image == 1, np.eye(28) == 1)
    steep = ConvolutionExplorer(drawing="_.0rkb").image().numpy() == 1
    places = np.argwhere(steep)
    assert places[:, 0].tolist() == list(range(21))
    assert np.abs(places[:, 1] - (27 - 0.8 * places[:, 0])).max() <= 0.5
