"""A dead channel is one that no image wakes."""

import pytest
import torch
from torch import nn

from cnnlesson import ConvNet, dead_channels


def test_dead_channels_are_counted_layer_by_layer():
    model = ConvNet()
    x = torch.rand(300, 1, 28, 28)
    with torch.no_grad():
        model.layers[0].bias.fill_(100.0)
        model.layers[3].bias.fill_(1e6)
    assert dead_channels(model, x) == {"layers.1": 0.0, "layers.4": 0.0}
    with torch.no_grad():
        model.layers[0].bias[:8] = -100  # 8 of 32
        model.layers[3].bias[:48] = -1e6  # 48 of 64
    assert dead_channels(model, x) == {"layers.1": 0.25, "layers.4": 0.75}


def test_one_image_is_enough_to_wake_a_channel_even_in_the_last_batch():
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    x = -torch.ones(600, 1)
    assert dead_channels(model, x) == {"1": 1.0}
    x[-1] = 1
    assert dead_channels(model, x) == {"1": 0.0}


def test_the_model_is_left_as_it_was():
    model = ConvNet().train()
    weights = [w.clone() for w in model.parameters()]
    dead_channels(model, torch.rand(3, 1, 28, 28))
    assert model.training
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))
    assert not any(module._forward_hooks for module in model.modules())


def test_a_model_without_relus_has_no_dead_channels():
    assert dead_channels(nn.Linear(2, 3), torch.rand(4, 2)) == {}


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="x: expected at least one image, found none"):
        dead_channels(ConvNet(), torch.rand(0, 1, 28, 28))


def test_a_relu_in_two_places_is_refused():
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(2, 4), relu, nn.Linear(4, 3), relu)
    with pytest.raises(ValueError, match="expected each ReLU to be one layer, found '1' used"):
        dead_channels(model, torch.rand(5, 2))


def test_a_channel_that_is_not_a_number_is_not_dead():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    with torch.no_grad():
        model[0].weight.fill_(float("nan"))
    assert dead_channels(model, torch.rand(5, 2)) == {"1": 0.0}
