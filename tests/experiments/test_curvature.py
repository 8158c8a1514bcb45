"""Curvature against the whole Hessian, written down where that is possible."""

import numpy as np
import pytest
import torch
from torch import nn

from cnnlesson import ConvNet, batch_sharpness, gradient_noise, sharpness

criterion = nn.CrossEntropyLoss()


def small(seed=0, n=40):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)
    )
    x, y = torch.randn(n, 1, 6, 6), torch.arange(n) % 3
    return model.double(), x.double(), y


def loss_of(model, x, y):
    """Return the loss as a function of one vector of all weights, and that vector."""
    names, weights = zip(*model.named_parameters(), strict=True)
    sizes = [w.numel() for w in weights]

    def loss(vector):
        parts = [p.reshape(w.shape) for p, w in zip(vector.split(sizes), weights, strict=True)]
        output = torch.func.functional_call(model, dict(zip(names, parts, strict=True)), x)
        return criterion(output, y)

    return loss, nn.utils.parameters_to_vector(weights).detach()


def hessian_of(model, x, y):
    loss, vector = loss_of(model, x, y)
    return torch.autograd.functional.hessian(loss, vector), torch.func.grad(loss)(vector)


@pytest.mark.parametrize("seed", range(5))
def test_sharpness_is_the_largest_eigenvalue_of_the_whole_hessian(seed):
    model, x, y = small(seed)
    exact = np.linalg.eigvalsh(hessian_of(model, x, y)[0].numpy())[-1]
    assert sharpness(model, criterion, x, y, tolerance=1e-10) == pytest.approx(exact, rel=1e-8)
    assert sharpness(model, criterion, x, y) == pytest.approx(exact, rel=1e-3)


def test_more_images_than_one_pass_takes():
    model, x, y = small(n=600)
    exact = np.linalg.eigvalsh(hessian_of(model, x, y)[0].numpy())[-1]
    assert sharpness(model, criterion, x, y) == pytest.approx(exact, rel=1e-3)


def test_the_largest_eigenvalue_is_not_the_one_of_largest_size():
    # So many weights that the Hessian is not written down.
    curvatures = torch.tensor([-5.0, 1.0, 0.5, 0.25, 0.0, -0.5, -1.0, 0.75]).double()
    model = nn.Linear(len(curvatures), 1, bias=False).double()

    def saddle(output, y):
        return 0.5 * (curvatures * model.weight[0] ** 2).sum() + 0 * output.sum()

    x, y = torch.zeros(1, len(curvatures)).double(), torch.zeros(1)
    assert sharpness(model, saddle, x, y) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_the_sharpness_of_the_one_whole_batch_is_that_of_its_gradient(seed):
    model, x, y = small(seed)
    hessian, g = hessian_of(model, x, y)
    expected = (g @ hessian @ g / (g @ g)).item()
    measured = batch_sharpness(model, criterion, x, y, len(x), num_batches=2)
    assert measured == pytest.approx(expected, rel=1e-9)


def test_batch_sharpness_is_a_mean_over_batches():
    model, x, y = small(n=12)
    curvatures = []
    for i in range(len(x)):
        hessian, g = hessian_of(model, x[i : i + 1], y[i : i + 1])
        curvatures.append((g @ hessian @ g / (g @ g)).item())
    measured = batch_sharpness(model, criterion, x, y, 1, num_batches=1000)
    error = np.std(curvatures) / np.sqrt(1000)
    assert abs(measured - np.mean(curvatures)) < 4 * error
    again = batch_sharpness(model, criterion, x, y, 1, num_batches=20, seed=1)
    assert again == batch_sharpness(model, criterion, x, y, 1, num_batches=20, seed=1)
    assert again != batch_sharpness(model, criterion, x, y, 1, num_batches=20, seed=2)


def test_a_batch_without_a_gradient_has_no_direction():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    with torch.no_grad():
        model[0].bias.fill_(-100.0)
    measured = batch_sharpness(
        model, lambda output, y: output.sum(), torch.rand(4, 1), torch.zeros(4), 2
    )
    assert np.isnan(measured)


def test_gradient_noise_is_the_trace_of_the_covariance():
    model, x, y = small(n=30)
    gradients = np.array(
        [hessian_of(model, x[i : i + 1], y[i : i + 1])[1].numpy() for i in range(len(x))]
    )
    signal, noise, scale = gradient_noise(model, criterion, x, y)
    assert signal == pytest.approx((gradients.mean(axis=0) ** 2).sum(), rel=1e-9)
    assert noise == pytest.approx(np.trace(np.cov(gradients.T)), rel=1e-9)
    assert scale == pytest.approx(noise / signal)


def test_the_real_network_in_single_precision():
    torch.manual_seed(0)
    model, x, y = ConvNet(), torch.randn(20, 1, 28, 28), torch.arange(20) % 10
    before = [w.clone() for w in model.parameters()]
    single = sharpness(model, criterion, x, y)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(w.grad is None for w in model.parameters())
    double = sharpness(model.double(), criterion, x.double(), y, tolerance=1e-8)
    assert single == pytest.approx(double, rel=2e-3)


@pytest.mark.parametrize("measure", [sharpness, gradient_noise])
def test_labels_must_match(measure):
    model, x, y = small()
    with pytest.raises(ValueError, match="y: expected one label for each of the 40 images"):
        measure(model, criterion, x, y[:-1])


def test_a_batch_larger_than_the_data_is_refused():
    model, x, y = small()
    with pytest.raises(ValueError, match="batch_size: expected at most 40, found 41"):
        batch_sharpness(model, criterion, x, y, 41)


def test_one_image_has_no_noise():
    model, x, y = small()
    with pytest.raises(ValueError, match="x: expected at least 2 images, found 1"):
        gradient_noise(model, criterion, x[:1], y[:1])


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1.0, 1e15])
def test_the_scale_of_the_loss_is_only_a_factor(scale):
    model, x, y = small()
    model, x = model.float(), x.float()
    expected = batch_sharpness(model, criterion, x, y, 10)

    def scaled(output, labels):
        return scale * criterion(output, labels)

    assert batch_sharpness(model, scaled, x, y, 10) / scale == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("curvatures", [[3.0], [0.5, 3.0], [-2.0, 0.5, 1.0, 2.0, 2.5, 3.0, 0.0]])
def test_a_bowl_of_few_weights(curvatures):
    model = nn.Linear(len(curvatures), 1, bias=False).double()
    scales = torch.tensor(curvatures).double()

    def bowl(output, y):
        return 0.5 * (scales * model.weight[0] ** 2).sum() + 0 * output.sum()

    x, y = torch.zeros(1, len(curvatures)).double(), torch.zeros(1)
    assert sharpness(model, bowl, x, y) == pytest.approx(3.0)


@pytest.mark.parametrize("size", [1, 20])
def test_a_loss_without_curvature_has_none(size):
    model = nn.Linear(size, 1)
    x, y = torch.rand(4, size), torch.zeros(4)
    assert sharpness(model, lambda output, y: output.mean(), x, y) == 0


def test_equal_gradients_have_no_noise():
    model, x, y = small(n=1)
    alike = gradient_noise(model, criterion, x.expand(7, -1, -1, -1), y.expand(7))
    assert 0 <= alike.noise < 1e-25


def test_weights_that_the_loss_does_not_use_make_no_noise():
    model, x, y = small(n=10)
    expected = gradient_noise(model, criterion, x, y)
    model.register_parameter("unused", nn.Parameter(torch.ones(3).double()))
    assert gradient_noise(model, criterion, x, y) == pytest.approx(expected)


def test_a_frozen_model_is_refused():
    model, x, y = small()
    with pytest.raises(ValueError, match="model: expected parameters that require a gradient"):
        sharpness(model.requires_grad_(False), criterion, x, y)
