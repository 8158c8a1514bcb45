"""The Python side of the digit reader: its weights, its drawing, what it says."""

import base64
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional
from traitlets import TraitError

from cnnlesson import ConvNet, evaluate, load_digits, standardize
from cnnlesson.widgets import DigitReader
from cnnlesson.widgets.digit_reader import digit_reader
from cnnlesson.widgets.digit_reader.digit_reader import WEIGHTS, centred, percent

RECORD = json.loads(WEIGHTS.with_suffix(".json").read_text("utf-8"))
CORNER = ".13616a.3898"


def test_the_weights_are_those_of_the_network_in_half_precision():
    assert WEIGHTS.stat().st_size == 2 * 34_826
    assert len(base64.b64encode(WEIGHTS.read_bytes())) < 100_000
    numbers = np.frombuffer(WEIGHTS.read_bytes(), "<f2")
    model = DigitReader().model
    flat = np.concatenate([weight.detach().numpy().ravel() for weight in model.parameters()])
    np.testing.assert_array_equal(flat, numbers.astype(np.float32))


def test_the_record_tells_how_good_they_are(request):
    accuracies = list(RECORD["test accuracy by seed"].values())
    assert len(accuracies) >= 3
    assert RECORD["median test accuracy"] == np.median(accuracies)
    assert min(accuracies) > 0.987
    if not request.config.has_mnist:
        pytest.skip("MNIST is not there")
    images, labels, _ = load_digits("mnist-test")
    accuracy = evaluate(DigitReader().model, standardize(images), labels)
    assert accuracy == pytest.approx(accuracies[RECORD["seed"]], abs=2e-4)


def test_it_reads_its_samples():
    for placing in ("centred", "as drawn"):
        read = [
            DigitReader(drawing=drawing, placing=placing).probabilities().argmax().item()
            for drawing in DigitReader.samples
        ]
        assert read == list(range(10))


def test_the_logits_are_those_of_the_layers_written_out():
    reader = DigitReader(drawing=DigitReader.samples[3], placing="as drawn")
    kernels1, biases1, kernels2, biases2, weights, biases = (
        weight.detach().double() for weight in reader.model.parameters()
    )
    x = (reader.image()[None] - 0.1307) / 0.3081
    x = functional.max_pool2d(functional.conv2d(x, kernels1, biases1).relu(), 2)
    x = functional.max_pool2d(functional.conv2d(x, kernels2, biases2).relu(), 2)
    logits = weights @ x.flatten() + biases
    np.testing.assert_allclose(reader.logits(), logits, atol=1e-9)
    powers = np.exp(logits.numpy())
    np.testing.assert_allclose(reader.probabilities(), powers / powers.sum(), atol=1e-9)


@pytest.mark.parametrize("drawing", [*DigitReader.samples, CORNER, ".00rr", "*dd", ".0r"])
def test_centring_scales_the_box_to_20_and_moves_the_mass_to_the_middle(drawing):
    drawn = DigitReader(drawing=drawing, placing="as drawn").image()
    rows, columns = np.nonzero(drawn.numpy())
    step = max(np.ptp(rows) + 1, np.ptp(columns) + 1) / 20
    middle = np.array(ndimage.center_of_mass(drawn.numpy()))
    offset = middle - 13.5 * step
    expected = ndimage.affine_transform(
        drawn.numpy(), [step, step], offset, order=1, mode="grid-constant"
    )
    image = DigitReader(drawing=drawing).image()
    np.testing.assert_allclose(image, expected, atol=1e-9)
    assert 0 <= image.min() <= image.max() <= 1
    if step < 1.4:  # smaller, and the interpolation leaves gaps
        np.testing.assert_allclose(ndimage.center_of_mass(image.numpy()), 13.5, atol=0.25)


def test_centring_forgets_where_the_digit_was_drawn():
    def moved(drawing, rows, columns):
        places = re.findall(r"[0-9a-r]{2}", drawing)
        alphabet = "0123456789abcdefghijklmnopqr"
        moves = [(int(a, 28) + rows, int(b, 28) + columns) for a, b in places]
        return "." + "".join(alphabet[i] + alphabet[j] for i, j in moves)

    seven = DigitReader.samples[7]
    here, there = (DigitReader(drawing=moved(seven, *by)) for by in ((0, 0), (-5, -5)))
    np.testing.assert_allclose(here.image(), there.image(), atol=1e-9)
    as_drawn = DigitReader(drawing=there.drawing, placing="as drawn")
    assert (here.probabilities() - as_drawn.probabilities()).abs().max() > 0.5


def test_clean_paper_is_no_failure():
    reader = DigitReader(drawing="")
    assert not reader.image().any()
    assert not centred(torch.zeros(28, 28, dtype=torch.float64)).any()
    assert reader.probabilities().sum().item() == pytest.approx(1)
    assert "The network reads a" in reader.summary()


def test_it_runs_a_model_of_yours_as_it_was_given():
    torch.manual_seed(1)
    model = ConvNet()
    reader = DigitReader(model, drawing=DigitReader.samples[2], placing="as drawn")
    expected = model((reader.image().float()[None, None] - 0.1307) / 0.3081)
    np.testing.assert_allclose(reader.logits(), expected.detach()[0], atol=5e-3)
    with torch.no_grad():
        model.layers[0].weight.zero_()
    np.testing.assert_allclose(reader.logits(), expected.detach()[0], atol=5e-3)
    assert reader.model.layers[0].weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nn.Linear(2, 2), "model: expected a ConvNet, found Linear"),
        ("ConvNet", "model: expected a ConvNet, found str"),
        (ConvNet(num_classes=3), "model: expected a ConvNet with 10 classes, found 3"),
    ],
)
def test_another_model_is_refused(model, expected):
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        DigitReader(model)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
def test_a_diverged_model_is_refused(value):
    model = ConvNet()
    with torch.no_grad():
        model.layers[3].bias[0] = value
    with pytest.raises(ValueError, match="model: expected weights from -65504 to 65504"):
        DigitReader(model)


def test_showing_it_leaves_the_random_numbers_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    DigitReader().to_html()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_page_holds_the_weights_of_a_model_of_yours_only():
    assert "_data" not in DigitReader().to_html()
    reader = DigitReader(ConvNet())
    assert reader._data["weights"] in reader.to_html()
    assert (
        DigitReader().get_state()["_data"]["weights"]
        == base64.b64encode(WEIGHTS.read_bytes()).decode()
    )


def test_the_still_picture_shows_the_probabilities():
    reader = DigitReader(drawing=DigitReader.samples[8])
    svg = ElementTree.fromstring(reader.picture())
    widths = [float(rect.get("width")) for rect in svg.findall("rect")[1:]]
    np.testing.assert_allclose(widths, 200 * reader.probabilities() + 1, atol=0.06)
    texts = [text.text for text in svg.iter("text")]
    assert texts[::2] == list("0123456789")
    assert texts[1::2] == [percent(p) for p in reader.probabilities().tolist()]
    assert f"that of {reader.probabilities().argmax()}." in svg.get("aria-label")


def test_the_sentence_gives_the_two_best_answers():
    reader = DigitReader(drawing=DigitReader.samples[8])
    best, second = reader.probabilities().topk(2).values.tolist()
    assert reader.summary() == (
        f"The network reads an 8, {100 * best:.1f}%; its second guess is a 6, {100 * second:.1f}%."
    )


@pytest.mark.parametrize(
    ("p", "text"),
    [(0, "<0.1%"), (0.0004, "<0.1%"), (0.0126, "1.3%"), (0.5, "50.0%"), (0.9999, ">99.9%")],
)
def test_nothing_is_certain(p, text):
    assert percent(p) == text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("drawing", "7", "drawing: expected strokes such as '.58ok', in at most 4000 characters"),
        ("placing", "off", "placing: expected one of centred, as drawn, found 'off'"),
        ("layer", "linear", "layer: expected one of convolution 1, pooling 1, convolution 2, pool"),
        ("channel", 64, "channel: expected a whole number from 0 to 63, found 64"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(TraitError, match=re.escape(expected)):
        DigitReader(**{name: value})


def test_weights_that_are_missing_or_cut_are_named(tmp_path, monkeypatch):
    path = tmp_path / "digit_reader.f16"
    monkeypatch.setattr(digit_reader, "WEIGHTS", path)
    digit_reader._shipped.cache_clear()
    try:
        with pytest.raises(
            FileNotFoundError, match=r"f16: expected the trained weights, found: No"
        ):
            DigitReader()
        path.write_bytes(WEIGHTS.read_bytes()[:-2])
        with pytest.raises(ValueError, match=r"expected 69,652 bytes of .*, found 69,650; install"):
            DigitReader()
        path.write_bytes(WEIGHTS.read_bytes())
        assert DigitReader(drawing=DigitReader.samples[3]).probabilities().argmax() == 3
    finally:
        digit_reader._shipped.cache_clear()
