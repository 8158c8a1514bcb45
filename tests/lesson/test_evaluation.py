"""Predictions, against scikit-learn and the model itself; and the memory they need."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.metrics import accuracy_score
from torch import nn

from cnnlesson import ConvNet, evaluate, predict, predict_logits, predict_proba


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5), nn.Flatten(), nn.Linear(48, 4)
    )


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(101, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def labels() -> torch.Tensor:
    return torch.randint(0, 4, (101,), generator=torch.Generator().manual_seed(2))


def test_accuracy_is_that_of_scikit_learn(images, labels):
    model = small_model()
    expected = accuracy_score(labels.numpy(), predict(model, images).numpy())
    assert evaluate(model, images, labels) == expected
    assert 0 < expected < 1


@given(st.integers(1, 100), st.data())
@settings(deadline=None)
def test_accuracy_is_exactly_a_share_of_the_images(n, data):
    correct = data.draw(st.integers(0, n))
    labels = torch.zeros(n, dtype=torch.int64)
    logits = torch.zeros(n, 2)
    logits[correct:, 1] = 1  # the model returns its input: class 0 for the first ones
    assert evaluate(nn.Identity(), logits, labels) == correct / n


def test_predictions_are_those_of_the_model_in_one_go(images):
    model = small_model().eval()
    with torch.no_grad():
        expected = model(images)
    assert torch.equal(predict_logits(model, images, batch_size=500), expected)
    assert torch.equal(predict(model, images, batch_size=500), expected.argmax(1))
    probabilities = expected.exp() / expected.exp().sum(1, keepdim=True)
    assert torch.allclose(predict_proba(model, images), probabilities, rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 100, 101, 102, 10**9])
def test_any_batch_size_gives_the_same(images, labels, batch_size):
    model = small_model()
    torch.testing.assert_close(
        predict_logits(model, images, batch_size), predict_logits(model, images), atol=1e-6, rtol=0
    )
    assert torch.equal(predict(model, images, batch_size), predict(model, images))
    assert evaluate(model, images, labels, batch_size) == evaluate(model, images, labels)


def test_one_image(images, labels):
    assert predict(small_model(), images[:1]).shape == (1,)
    assert evaluate(small_model(), images[:1], labels[:1]) in (0.0, 1.0)


def test_images_are_left_alone_and_nothing_is_recorded(images):
    images = images.clone().requires_grad_()
    before = images.detach().clone()
    logits = predict_logits(small_model(), images)
    assert not logits.requires_grad
    assert images.grad is None
    assert torch.equal(images.detach(), before)


def mixed_modes(model: nn.Module) -> list[bool]:
    model.train()
    model[1].eval()
    return [module.training for module in model.modules()]


def test_modes_and_statistics_are_as_before(images, labels):
    model = small_model()
    modes, state = mixed_modes(model), {k: v.clone() for k, v in model.state_dict().items()}
    random = torch.get_rng_state()
    evaluate(model, images, labels)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_modes_are_as_before_after_an_error_too(images):
    model = small_model()
    modes = mixed_modes(model)
    with pytest.raises(ValueError, match=r"^x: expected images that give layer '4'"):
        predict(model, images[:, :, :4])
    assert [module.training for module in model.modules()] == modes
    assert torch.is_grad_enabled()


def test_a_model_without_parameters_predicts(images):
    assert predict_logits(nn.Flatten(), images).shape == (101, 36)


def test_double_precision_stays(images):
    logits = predict_logits(small_model().double(), images.double(), batch_size=10)
    assert logits.dtype == torch.float64


@pytest.mark.parametrize("call", [predict, predict_logits, predict_proba])
def test_bad_arguments_are_named(call, images):
    with pytest.raises(ValueError, match=r"^x: expected at least one image, found none$"):
        call(small_model(), images[:0])
    with pytest.raises(ValueError, match=r"^batch_size: expected a whole number, 1 or more, fo"):
        call(small_model(), images, batch_size=0)
    with pytest.raises(ValueError, match=r"^x: expected a torch.Tensor, found a NumPy array; "):
        call(small_model(), images.numpy())
    with pytest.raises(ValueError, match=r"^model: expected a torch.nn.Module, found None$"):
        call(None, images)


def test_bad_labels_are_named(images, labels):
    with pytest.raises(ValueError, match=r"^y: expected one label for each of the 101 images"):
        evaluate(small_model(), images, labels[1:])
    with pytest.raises(
        ValueError, match=r"^y: expected one label .* found shape \(101, 1\), a column; "
    ):
        evaluate(small_model(), images, labels[:, None])
    with pytest.raises(ValueError, match=r"^y: expected a torch.Tensor, found a NumPy array; "):
        evaluate(small_model(), images, labels.numpy())


MEASURE = """
import sys
import torch
from cnnlesson import ConvNet, evaluate

def kibibytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))

torch.set_num_threads(1)
number = int(sys.argv[1])
model, x, y = ConvNet(), torch.rand(number, 1, 28, 28), torch.zeros(number, dtype=torch.int64)
model(x[:1])  # what PyTorch loads for its first convolution is not the images' doing
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # forget the peak so far
before = kibibytes("VmRSS")
evaluate(model, x, y)
print(kibibytes("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read as Linux gives it")
@pytest.mark.parametrize("number", [6_000, pytest.param(60_000, marks=pytest.mark.prove)])
def test_any_number_of_images_needs_less_than_150_mb(number):
    """The activations of 6,000 at once would take 1 GB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(number)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    extra = int(done.stdout) * 1024
    assert 20e6 < extra < 150e6  # one batch's activations are 22 MB, else nothing was measured
    assert done.stderr == ""


def test_the_default_batch_of_convnet_is_small():
    activations = 2 * 250 * 32 * 26 * 26 * 4
    assert activations < 50e6
    assert predict(ConvNet(), torch.zeros(3, 1, 28, 28)).shape == (3,)
