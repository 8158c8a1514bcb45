"""The two networks, against the layers they are known to have."""

import pytest
import torch
from torch import nn

from cnnlesson import AlexNet, ConvNet


def original_network() -> nn.Sequential:
    """Return the network this course began with, written as it was then."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(in_channels=32, out_channels=64, kernel_size=3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 25, 10),
    )


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_convnet_is_the_original_network():
    torch.manual_seed(3)
    original = original_network()
    torch.manual_seed(3)
    model = ConvNet()
    assert [str(a) for a in model.layers] == [str(b) for b in original]
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(model(x), original(x))


@pytest.mark.parametrize("num_classes", [1, 2, 10, 26])
def test_convnet_parameters_by_hand(num_classes):
    by_hand = (1 * 9 + 1) * 32 + (32 * 9 + 1) * 64 + (1600 + 1) * num_classes
    model = ConvNet(num_classes)
    assert count(model) == by_hand
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, num_classes)


def test_convnet_has_34826_parameters():
    assert count(ConvNet()) == 34_826


def test_convnet_returns_logits_not_probabilities():
    model = ConvNet()
    assert not any(isinstance(m, nn.Softmax | nn.LogSoftmax) for m in model.modules())
    logits = model(10 * torch.randn(20, 1, 28, 28))
    assert (logits < 0).any()
    assert not torch.allclose(logits.sum(dim=1), torch.ones(20))


def test_alexnet_parameters_by_hand():
    convolutions = [(3, 64, 11), (64, 192, 5), (192, 384, 3), (384, 256, 3), (256, 256, 3)]
    connected = [(256 * 36, 4096), (4096, 4096), (4096, 1000)]
    by_hand = sum((a * k * k + 1) * b for a, b, k in convolutions)
    by_hand += sum((a + 1) * b for a, b in connected)
    with torch.device("meta"):
        model = AlexNet()
    assert count(model) == by_hand == 61_100_840


@pytest.mark.parametrize("size", [63, 64, 224, 300])
def test_alexnet_takes_images_of_63_pixels_or_more(size):
    with torch.device("meta"):
        assert AlexNet(7)(torch.empty(2, 3, size, size)).shape == (2, 7)


def test_alexnet_cannot_take_smaller_images():
    with torch.device("meta"), pytest.raises(RuntimeError):
        AlexNet(7)(torch.empty(2, 3, 62, 62))


def test_alexnet_drops_out_only_in_training():
    with torch.device("meta"):
        kinds = [type(layer).__name__ for layer in AlexNet().layers]
    assert kinds.count("Dropout") == 2
    assert kinds.index("Dropout") == kinds.index("Linear") - 1
