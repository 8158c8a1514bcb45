"""The laboratory's kernel against PyTorch: gradients, steps, losses, and how trainings end."""

import math
import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings as hypothesis_settings, strategies as st
from scipy.stats import ks_2samp
from torch import nn
from torch.nn import functional
from training_kernel import COUNT, RULES, WASM, Kernel

from cnnlesson import ClassicalSGD, ConvNet, Run, run_experiment
from cnnlesson._support.seeding import Seeded
from cnnlesson.data import load_digits
from cnnlesson.experiments.activity import relu_activity
from cnnlesson.experiments.experiment import prepare


@pytest.fixture(scope="module")
def digits():
    return load_digits("sklearn")


def leaky(model, slope):
    for i, layer in enumerate(model.layers):
        if isinstance(layer, nn.ReLU) and slope:
            model.layers[i] = nn.LeakyReLU(slope)
    return model


def random_state(seed):
    """Return a network, a batch and a slope: with dead channels, ties and large weights among them.

    All numbers are multiples of small powers of 2, so that 32 bits hold every map exactly: which of
    two pixels is larger, and that they are equal, is the same in 32 bits and in 64.
    """
    draw = np.random.default_rng(seed)
    slope = float(draw.choice([0, 0, 0.125]))
    with Seeded(seed):
        model = leaky(ConvNet(), slope)
    n = int(draw.integers(1, 41))
    x = torch.from_numpy(draw.normal(size=(n, 1, 28, 28)).astype(np.float32))
    x = (2 * x).round() / 2
    if draw.random() < 0.3:
        x[:, :, :14] = 0  # whole fields of ties
    with torch.no_grad():
        for layer, grid in ((model.layers[0], 16), (model.layers[3], 128)):
            factor = float(draw.choice([0.3, 1, 3]))
            for parameter in (layer.weight, layer.bias):
                parameter.copy_((factor * grid * parameter).round() / grid)
            share = 0 if slope else draw.choice([0, 0.3])
            layer.bias[torch.from_numpy(draw.random(len(layer.bias)) < share)] = -1024.0
    y = torch.from_numpy(draw.integers(0, 10, n))
    return model, x, y, slope


def exact(model, x, y):
    """Return loss and gradients in 64 bits, by autograd."""
    model = model.double()
    loss = functional.cross_entropy(model(x.double()), y)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    return loss.item(), nn.utils.parameters_to_vector(gradients).numpy()


@pytest.mark.parametrize("seed", range(50))
def test_every_gradient_is_that_of_autograd(seed):
    model, x, y, slope = random_state(seed)
    kernel = Kernel(model, slope=slope)
    loss = kernel.gradient(x, y)
    expected_loss, expected = exact(model, x, y)
    assert loss == pytest.approx(expected_loss, rel=1e-5, abs=1e-6)
    # In 32 bits a sum of thousands is right to a few millionths of its kind's largest.
    starts = np.cumsum([weight.numel() for weight in model.parameters()])[:-1]
    for name, found, wanted in zip(
        ("kernels 1", "biases 1", "kernels 2", "biases 2", "weights", "biases"),
        np.split(kernel.gradients, starts),
        np.split(expected, starts),
        strict=True,
    ):
        assert np.abs(found - wanted).max() <= 5e-6 * np.abs(wanted).max() + 1e-12, name


def test_the_random_states_hold_what_they_promise():
    dead, ties = 0, 0
    for seed in range(50):
        model, x, _, _ = random_state(seed)
        maps = functional.relu(model.layers[0](x))
        windows = functional.unfold(maps, 2, stride=2).unflatten(1, (32, 4)).sort(dim=2).values
        ties += int(((windows[:, :, 3] == windows[:, :, 2]) & (windows[:, :, 3] > 0)).sum())
        dead += int((maps.amax((0, 2, 3)) == 0).sum())
    assert dead > 50
    assert ties > 1000


@hypothesis_settings(deadline=None, max_examples=40)
@given(
    lr=st.floats(2**-16, 1, width=32),
    momentum=st.floats(0, 127 / 128, width=32),
    rule=st.sampled_from(RULES),
    seed=st.integers(0, 1000),
)
def test_a_step_is_the_optimisers(lr, momentum, rule, seed):
    draw = np.random.default_rng(seed)
    kernel = Kernel()
    kernel.parameters[:] = draw.normal(size=COUNT)
    weights = nn.Parameter(torch.from_numpy(kernel.parameters.copy()))
    if rule == "classical":
        optimizer = ClassicalSGD([weights], lr, momentum)
    else:
        nesterov = rule == "nesterov" and momentum > 0
        optimizer = torch.optim.SGD([weights], lr, momentum, nesterov=nesterov)
    for factor in (1, 0.5, 2):  # α and μ may be changed between any two steps
        for group in optimizer.param_groups:
            group["lr"] = lr * factor
        kernel.gradients[:] = draw.normal(size=COUNT)
        weights.grad = torch.from_numpy(kernel.gradients.copy())
        kernel.update(lr * factor, momentum, rule)
        optimizer.step()
    np.testing.assert_allclose(kernel.parameters, weights.detach().numpy(), rtol=3e-6, atol=3e-6)


def random_run(seed):
    """Return settings with which the network learns, and slowly enough to be followed."""
    draw = np.random.default_rng(seed)
    pixels = str(draw.choice(["raw", "unit", "standardized"]))
    momentum = float(draw.choice([0, 0.5, 0.8, 0.9]))
    batch_size = int(draw.choice([1, 4, 16, 32]))
    # Where steps are large, the last digit of one is soon the first of another.
    effective = {"raw": 1e-5, "unit": 0.05, "standardized": 0.02}[pixels] * batch_size / 32
    return Run(
        lr=effective * float(draw.uniform(0.1, 1)) * (1 - momentum),
        momentum=momentum,
        batch_size=batch_size,
        num_images=1200,
        num_test_images=500,
        num_epochs=50,
        pixels=pixels,
        order=str(draw.choice(["shuffled", "sorted"])),
        seed=seed,
        optimizer=str(draw.choice(["sgd", "nesterov"])),
        activation=str(draw.choice(["relu", "leaky-relu"])),
    )


def batches(experiment, generator):
    run, n = experiment.run, len(experiment.x_train)
    order = torch.randperm(n, generator=generator) if run.order == "shuffled" else torch.arange(n)
    for batch in order.split(run.batch_size):
        yield experiment.x_train[batch], experiment.y_train[batch]


def train(run, digits, most_steps=math.inf):
    """Do a run with the kernel; return its losses, its accuracy and its status."""
    experiment = prepare(run, digits)
    slope = 0.1 if run.activation == "leaky-relu" else 0.0
    kernel = Kernel(experiment.model, slope=slope)
    rule = {"sgd": "pytorch"}.get(run.optimizer, run.optimizer)
    generator = torch.Generator().manual_seed(run.seed)
    losses = []
    for _ in range(run.num_epochs):
        for x, y in batches(experiment, generator):
            losses.append(kernel.gradient(x, y))
            if not math.isfinite(losses[-1]):
                return losses, math.nan, "diverged"
            kernel.update(run.lr, run.momentum, rule)
            if len(losses) >= most_steps:
                return losses, math.nan, "interrupted"
        if not kernel.is_finite:
            return losses, math.nan, "diverged"
        loss, logits = kernel.measure(experiment.x_test, experiment.y_test)
        if not math.isfinite(loss):
            return losses, math.nan, "diverged"
    accuracy = (logits.argmax(dim=1) == experiment.y_test).double().mean().item()
    return losses, accuracy, "dead" if (logits == logits[0]).all() else "completed"


def torch_losses(run, digits, steps):
    losses = []

    def watch(history):
        losses.append(history.batch_loss[-1])
        if len(losses) == steps:
            raise KeyboardInterrupt

    prepare(run, digits).train(on_step=watch)
    return losses


@pytest.mark.parametrize("seed", range(20))
def test_the_first_fifty_losses_are_those_of_pytorch(seed, digits):
    run = random_run(seed)
    losses, _, _ = train(run, digits, 50)
    np.testing.assert_allclose(losses, torch_losses(run, digits, 50), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("completed", {"lr": 0.01}),
        ("diverged", {"lr": 1e30}),
        ("dead", {"lr": 1.0, "momentum": 0.9}),
        ("dead", {"lr": 0.05, "momentum": 0.9, "pixels": "raw"}),
        ("diverged", {"lr": 0.3, "momentum": 0.9, "activation": "leaky-relu", "pixels": "raw"}),
    ],
)
def test_a_training_ends_with_the_status_of_run_experiment(status, change, digits):
    run = Run(**{"num_images": 640, "num_test_images": 300, "pixels": "unit"} | change)
    assert run_experiment(run, digits).status == status
    assert train(run, digits)[2] == status


@pytest.mark.parametrize("where", ["parameters", "images"])
def test_nan_goes_through_the_pooling_into_the_loss(where):
    kernel = Kernel(ConvNet())
    x, y = torch.rand(3, 1, 28, 28), torch.tensor([0, 1, 2])
    if where == "images":
        x[1, 0, 9, 9] = math.nan
    else:
        kernel.parameters[3] = math.nan
        assert not kernel.is_finite
    assert math.isnan(kernel.gradient(x, y))
    assert math.isnan(kernel.measure(x, y)[0])


def test_it_says_which_channels_let_something_through():
    with Seeded(0):
        model = ConvNet()
    x, y = torch.rand(300, 1, 28, 28), torch.zeros(300, dtype=torch.int64)
    with torch.no_grad():
        model.layers[0].bias[:8] = -1000.0
        model.layers[3].bias[:16] = -1000.0
    kernel = Kernel(model)
    _, logits = kernel.measure(x, y)
    assert torch.allclose(logits, model(x), atol=1e-4)
    # What the second layer sees in the eleventh row and column, nobody ever hears of.
    heard = (model.layers[:3](x), model.layers[:6](x))
    expected = [(maps.amax((0, 2, 3)) == 0).double().mean().item() for maps in heard]
    assert kernel.dead == pytest.approx(expected)
    assert expected >= [relu.dead for relu in relu_activity(model, x)[1].values()]


def test_the_maps_are_those_of_the_last_image():
    model, x, y, _ = random_state(1)
    kernel = Kernel(model)
    kernel.measure(x[:5], y[:5])
    pool1, pool2 = model.layers[:3](x[4]), model.layers[:6](x[4:5])[0]
    np.testing.assert_allclose(kernel.pool1, pool1.permute(1, 2, 0).detach(), atol=1e-4)
    np.testing.assert_allclose(kernel.pool2, pool2.permute(1, 2, 0).detach(), atol=1e-4)


def test_it_is_small_and_asks_for_nothing_that_differs_between_machines():
    wasm = WASM.read_bytes()
    assert len(wasm) < 20_000
    # Relaxed instructions are 0xfd and an opcode from 0x100 on, which LEB128 writes so.
    assert not any(bytes([0xFD, low, 0x02]) in wasm for low in range(0x80, 0x94))


@pytest.mark.prove
@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.02, "momentum": 0.9, "pixels": "standardized"},
        {"lr": 0.001, "momentum": 0.95, "pixels": "raw"},  # where it depends on the seed
    ],
    ids=["in the middle", "near the edge"],
)
def test_whole_trainings_cannot_be_told_from_those_of_pytorch(settings):
    """Kolmogorov and Smirnov's test: two samples of 20 test accuracies, of different seeds."""
    sample = load_digits("sample")
    ours = [train(Run(seed=seed, **settings), sample)[1] for seed in range(20)]
    theirs = [
        run_experiment(Run(seed=seed, **settings), sample).test_accuracy for seed in range(20, 40)
    ]
    assert ks_2samp(np.nan_to_num(ours), np.nan_to_num(theirs)).pvalue > 0.01


def test_two_forms_are_one_to_the_last_bit_while_the_step_size_is_a_constant_power_of_two(digits):
    experiment = prepare(Run(pixels="standardized", num_images=320, num_test_images=1), digits)
    kernels = [Kernel(experiment.model) for _ in range(2)]
    agree = []
    for step, (x, y) in enumerate(batches(experiment, torch.Generator().manual_seed(0))):
        for kernel, rule in zip(kernels, ("pytorch", "classical"), strict=True):
            kernel.gradient(x, y)
            kernel.update(2**-6 if step < 5 else 2**-7, 0.9, rule)
        agree.append(np.array_equal(kernels[0].parameters, kernels[1].parameters))
    assert agree == [True] * 5 + [False] * 5


@pytest.mark.prove
def test_the_compiled_kernel_is_that_of_its_source(tmp_path):
    if "CI" not in os.environ:
        pytest.importorskip("ziglang", reason="`make kernel` fetches the compiler")
    from cnnlesson.widgets.training_lab.__main__ import compile_kernel

    compile_kernel(tmp_path / "kernel.wasm")
    assert (tmp_path / "kernel.wasm").read_bytes() == WASM.read_bytes()
