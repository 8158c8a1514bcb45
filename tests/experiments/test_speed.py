"""A faster network is the same network."""

import copy

import pytest
import torch
from torch import nn

from cnnlesson import AlexNet, ConvNet, faster, load_digits, standardize
from cnnlesson.experiments.speed import pooled_first

criterion = nn.CrossEntropyLoss()


def digits(n: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    digits = load_digits("sklearn")
    return standardize(digits.images[:n]), digits.labels[:n]


def trained(model: nn.Module, steps: int = 12) -> tuple[list[float], nn.Module]:
    x, y = digits()
    x = x.to(next(model.parameters()).dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model


def convnet(seed: int = 0) -> ConvNet:
    torch.manual_seed(seed)
    return ConvNet()


@pytest.mark.parametrize("seed", range(3))
def test_in_another_order_it_is_equal_to_the_last_bit(seed):
    plain, clone = convnet(seed), pooled_first(convnet(seed))
    assert trained(plain)[0] == trained(clone)[0]
    for ours, theirs in zip(clone.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("seed", range(100))
def test_pooling_and_relu_commute_ties_and_zeros_included(seed):
    generator = torch.Generator().manual_seed(seed)
    # Few values, so that most windows hold ties, zeros and negative zeros.
    x = torch.randint(-2, 3, (2, 3, 7, 9), generator=generator).float() * -1.0
    pool = nn.MaxPool2d(2 + seed % 2, stride=1 + seed % 3, padding=seed % 2)
    results = []
    for layers in ((nn.ReLU(), pool), (pool, nn.ReLU())):
        leaf = x.clone().requires_grad_()
        out = nn.Sequential(*layers)(leaf)
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(seed))
        (out * weights).sum().backward()
        results.append((out.detach(), leaf.grad))
    (one, gradient), (other, other_gradient) = results
    assert torch.equal(one, other)
    assert torch.equal(gradient, other_gradient)


def test_channels_last_changes_the_last_digits_only():
    plain, clone = convnet().double(), faster(convnet().double())
    torch.testing.assert_close(trained(plain)[0], trained(clone)[0], rtol=1e-10, atol=0)


def test_it_shares_its_weights_and_leaves_the_model_as_it_is():
    model = convnet()
    before = copy.deepcopy(model)
    clone = faster(model)
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in before.layers]
    assert [id(w) for w in model.parameters()] == [id(w) for w in clone.parameters()]
    trained(clone)
    x, _ = digits()
    torch.testing.assert_close(model(x), clone(x))
    assert not torch.equal(model.layers[0].weight, before.layers[0].weight)
    assert clone.state_dict().keys() == model.state_dict().keys()


def test_it_follows_nested_models_and_leaves_what_it_does_not_know():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.ModuleDict({"a": nn.Identity()})["a"],
    )
    clone = faster(model)
    names = [type(layer).__name__ for layer in clone.modules()]
    assert names == [
        *("Sequential", "Sequential", "Conv2d", "MaxPool2d", "ReLU"),
        *("Tanh", "MaxPool2d", "Identity"),
    ]
    x, _ = digits(4)
    torch.testing.assert_close(clone(x), model(x))


def test_alexnet_too():
    model = AlexNet(num_classes=5).eval()
    x = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(faster(model)(x), model(x))


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match=r"^model: expected torch.nn.modules.module.Module, found"):
        faster("ConvNet")
