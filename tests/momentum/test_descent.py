"""Momentum in all its conventions, and the optimiser, against plain arithmetic and PyTorch."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from cnnlesson import ClassicalSGD, ConvNet, convert_lr, momentum_descent, train_model

CONVENTIONS = ("classical", "pytorch", "average", "nesterov", "nesterov-pytorch")

momenta = st.floats(0, 0.99)
vectors = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4)


# The path


@given(vectors, st.floats(1e-4, 1), momenta, st.integers(0, 30))
@settings(deadline=None)
def test_path_is_the_three_equations(w0, lr, momentum, num_steps):
    def gradient(w):
        return 3 * w + np.sin(w)

    path = momentum_descent(gradient, w0, lr=lr, momentum=momentum, num_steps=num_steps)
    w, v = [float(x) for x in w0], [0.0] * len(w0)
    for t in range(num_steps + 1):
        assert path.w[t] == pytest.approx(w, rel=1e-9, abs=1e-9)
        assert path.v[t] == pytest.approx(v, rel=1e-9, abs=1e-9)
        g = [3 * x + math.sin(x) for x in w]
        v = [momentum * b - lr * a for a, b in zip(g, v, strict=True)]
        w = [a + b for a, b in zip(w, v, strict=True)]
    assert path.w.shape == path.v.shape == (num_steps + 1, len(w0))


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_path_is_that_of_torch_sgd(momentum):
    hessian = np.array([[3.0, 1.0], [1.0, 40.0]])
    path = momentum_descent(
        lambda w: hessian @ w, [5.0, -2.0], lr=0.02, momentum=momentum, num_steps=300
    )
    w = nn.Parameter(torch.tensor([5.0, -2.0], dtype=torch.float64))
    optimizer = torch.optim.SGD([w], lr=0.02, momentum=momentum)
    for expected in path.w:
        np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-10, atol=1e-12)
        optimizer.zero_grad()
        (0.5 * w @ torch.from_numpy(hessian) @ w).backward()
        optimizer.step()


@given(st.floats(0.1, 10), st.floats(0.01, 0.19))
@settings(deadline=None)
def test_without_momentum_the_path_is_a_geometric_sequence(curvature, lr):
    path = momentum_descent(lambda w: curvature * w, 2.0, lr=lr, num_steps=40)
    steps = np.arange(41)
    expected = 2.0 * (1 - lr * curvature) ** steps
    np.testing.assert_allclose(path.w[:, 0], expected, rtol=1e-10, atol=1e-12)


def test_on_a_slope_the_velocity_tends_to_lr_over_one_minus_momentum():
    path = momentum_descent(np.ones_like, 0.0, lr=0.01, momentum=0.9, num_steps=400)
    assert path.v[-1, 0] == pytest.approx(-0.01 / (1 - 0.9))


@pytest.mark.parametrize(
    "w0", [3, 3.0, np.float32(3), [3], (3.0,), np.array(3), np.array([3]), torch.tensor([3.0])]
)
def test_start_is_a_number_or_a_vector_of_any_kind(w0):
    path = momentum_descent(lambda w: w, w0, lr=0.5, num_steps=1)
    assert path.w.tolist() == [[3.0], [1.5]]
    assert path.w.dtype == path.v.dtype == np.float64


@pytest.mark.parametrize(
    "w0",
    [
        [],
        [[1.0, 2.0]],
        [[1], [2, 3]],
        "3",
        ["3"],
        None,
        1j,
        [True],
        {},
        [1, math.nan],
        [math.inf],
        torch.ones(2, requires_grad=True),
    ],
)
def test_bad_start(w0):
    with pytest.raises(ValueError, match=r"^w0: expected a vector of finite numbers, found "):
        momentum_descent(lambda w: w, w0, lr=0.1)


def test_start_and_path_are_safe_from_a_gradient_that_changes_its_argument():
    def careless(w):
        w *= 2
        return w

    start = np.array([1.0, -3.0])
    path = momentum_descent(careless, start, lr=0.1, num_steps=2)
    np.testing.assert_allclose(path.w, [[1, -3], [0.8, -2.4], [0.64, -1.92]])
    assert start.tolist() == [1, -3]


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"^gradient: expected shape \(2,\), found \(\)$"):
        momentum_descent(lambda w: w.sum(), [1.0, 2.0], lr=0.1)


def test_a_diverging_path_is_followed_to_infinity_without_a_warning(recwarn):
    path = momentum_descent(lambda w: 1e300 * w, 1.0, lr=1.0, num_steps=5)
    assert not np.isfinite(path.w[-1]).any()
    assert not recwarn.list


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, "1", True, None])
@pytest.mark.parametrize(
    ("call", "names"),
    [
        (
            momentum_descent,
            {
                "gradient": abs,
                "w0": 1,
                "lr": 1,
                "momentum": 0,
                "num_steps": 1,
                "noise": 0,
                "seed": 0,
            },
        ),
        (convert_lr, {"lr": 1, "momentum": 0, "source": "classical", "target": "average"}),
        (ClassicalSGD, {"params": [nn.Parameter(torch.ones(1))], "lr": 1, "momentum": 0}),
    ],
)
def test_bad_numbers_are_named_with_the_range_and_the_value(call, names, bad):
    call(**names)
    for name in names.keys() - {"gradient", "w0", "params", "source", "target"}:
        with pytest.raises(ValueError, match=f"^{name}: expected .* found {bad!r}$"):
            call(**names | {name: bad})


# The conventions


def random_valley(seed: int):
    """Return a rough, convex gradient, a start, a step size, a momentum, and their dimension."""
    generator = np.random.default_rng(seed)
    dim = int(generator.integers(1, 5))
    factor = generator.standard_normal((dim, dim))
    hessian = factor @ factor.T

    def gradient(w):
        return hessian @ w + np.sin(3 * w)

    lr = generator.uniform(0.01, 0.5) / (np.linalg.norm(hessian, 2) + 3)
    return gradient, generator.standard_normal(dim), lr, generator.uniform(0, 0.99)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions_by_hand(convention):
    # gradient w, w₀ = 1, α = ½, μ = ½: two steps on paper
    expected = {
        "classical": ([1, 0.5, 0], [0, -0.5, -0.5]),
        "pytorch": ([1, 0.5, 0], [0, 1, 1]),
        "average": ([1, 0.75, 0.4375], [0, 0.5, 0.625]),
        "nesterov": ([1, 0.5, 0.125], [0, -0.5, -0.375]),
        "nesterov-pytorch": ([1, 0.25, -0.0625], [0, 1, 0.75]),
    }
    path = momentum_descent(
        lambda w: w, 1.0, lr=0.5, momentum=0.5, num_steps=2, convention=convention
    )
    assert (path.w[:, 0].tolist(), path.v[:, 0].tolist()) == expected[convention]


@pytest.mark.parametrize("seed", range(200))
def test_three_conventions_walk_one_path_at_a_constant_step_size(seed):
    gradient, w0, lr, momentum = random_valley(seed)
    v_scale = {"classical": 1.0, "pytorch": -lr, "average": -lr / (1 - momentum)}
    paths = {
        target: momentum_descent(
            gradient,
            w0,
            lr=convert_lr(lr, momentum, source="classical", target=target),
            momentum=momentum,
            num_steps=60,
            convention=target,
        )
        for target in v_scale
    }
    for target, path in paths.items():
        np.testing.assert_allclose(path.w, paths["classical"].w, rtol=0, atol=1e-10)
        velocities = v_scale[target] * path.v
        np.testing.assert_allclose(velocities, paths["classical"].v, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(100))
def test_they_part_when_the_step_size_changes_unless_the_velocity_is_rescaled(seed):
    gradient, w0, lr, momentum = random_valley(seed)
    momentum = max(momentum, 0.1)
    schedule = np.repeat([lr, lr / 10], [10, 20])
    options = {"momentum": momentum, "num_steps": 30}
    classical, pytorch = (
        momentum_descent(gradient, w0, lr=schedule, convention=convention, **options)
        for convention in ("classical", "pytorch")
    )
    average = momentum_descent(
        gradient, w0, lr=schedule / (1 - momentum), convention="average", **options
    )
    np.testing.assert_allclose(average.w, pytorch.w, rtol=0, atol=1e-10)
    np.testing.assert_allclose(classical.w[:11], pytorch.w[:11], rtol=0, atol=1e-10)
    # The first step after the change: what is remembered is ten times as long in one of them.
    gap = 0.9 * momentum * classical.v[10]
    np.testing.assert_allclose(classical.w[11] - pytorch.w[11], gap, rtol=1e-6, atol=1e-12)

    w, v = classical.w[10], classical.v[10] / 10  # new α / old α
    for t in range(11, 31):
        v = momentum * v - lr / 10 * gradient(w)
        w = w + v
        np.testing.assert_allclose(w, pytorch.w[t], rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(200))
def test_nesterovs_two_forms_are_one_path_in_two_variables(seed):
    gradient, w0, lr, momentum = random_valley(seed)
    options = {"lr": lr, "momentum": momentum, "num_steps": 60}
    ahead = momentum_descent(gradient, w0, convention="nesterov", **options)
    shifted = momentum_descent(gradient, w0, convention="nesterov-pytorch", **options)
    np.testing.assert_allclose(ahead.v, -lr * shifted.v, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ahead.w + momentum * ahead.v, shifted.w, rtol=0, atol=1e-10)
    # Nesterov's own variables: a gradient step from a point extrapolated from the last two.
    y, w = w0, w0
    for t in range(1, 61):
        previous, w = w, y - lr * gradient(y)
        y = w + momentum * (w - previous)
        np.testing.assert_allclose(ahead.w[t], w, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(100))
def test_nesterovs_forms_stay_together_if_the_point_ahead_stays_when_the_velocity_is_rescaled(seed):
    gradient, w, lr, momentum = random_valley(seed)
    momentum = max(momentum, 0.1)
    schedule = lr * np.random.default_rng(seed).uniform(0.1, 1, 40)
    shifted = momentum_descent(
        gradient, w, lr=schedule, momentum=momentum, num_steps=40, convention="nesterov-pytorch"
    )
    v, old = np.zeros_like(w), schedule[0]
    for t, alpha in enumerate(schedule):
        ratio, old = alpha / old, alpha
        w, v = w + momentum * (1 - ratio) * v, ratio * v
        v = momentum * v - alpha * gradient(w + momentum * v)
        w = w + v
        np.testing.assert_allclose(w + momentum * v, shifted.w[t + 1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("convention", "nesterov"), [("pytorch", 0), ("nesterov-pytorch", 1)])
def test_pytorchs_conventions_are_those_of_torch_sgd(seed, convention, nesterov):
    gradient, w0, lr, momentum = random_valley(seed)
    momentum = max(momentum, 0.01)  # torch wants some for Nesterov's
    schedule = lr * np.random.default_rng(seed).uniform(0.1, 1, 100)
    path = momentum_descent(
        gradient, w0, lr=schedule, momentum=momentum, num_steps=100, convention=convention
    )
    w = nn.Parameter(torch.tensor(w0))
    optimizer = torch.optim.SGD([w], lr=lr, momentum=momentum, nesterov=bool(nesterov))
    for t, alpha in enumerate(schedule):
        optimizer.param_groups[0]["lr"] = alpha
        w.grad = torch.from_numpy(gradient(w.detach().numpy()))
        optimizer.step()
        np.testing.assert_allclose(w.detach(), path.w[t + 1], rtol=0, atol=1e-11)
        buffer = optimizer.state[w]["momentum_buffer"]
        np.testing.assert_allclose(buffer, path.v[t + 1], rtol=1e-11, atol=1e-11)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_nesterov_is_the_classical_form_with_less_momentum_where_it_is_steep(step, momentum):
    # Sutskever et al. 2013, theorem 2.1: along an eigenvector μ becomes μ(1 − αλ).
    ahead = momentum_descent(
        lambda w: step * w, 1.0, lr=1.0, momentum=momentum, convention="nesterov"
    )
    classical = momentum_descent(lambda w: step * w, 1.0, lr=1.0, momentum=momentum * (1 - step))
    np.testing.assert_allclose(ahead.w, classical.w, rtol=0, atol=1e-12)


@pytest.mark.parametrize("source", CONVENTIONS)
@pytest.mark.parametrize("target", CONVENTIONS)
def test_conversion_there_and_back(source, target):
    if ("nesterov" in source) != ("nesterov" in target):
        message = f"^target: expected a convention that can walk the path of '{source}', found"
        with pytest.raises(ValueError, match=message):
            convert_lr(0.1, 0.9, source=source, target=target)
        return
    there = convert_lr(0.1, 0.9, source=source, target=target)
    assert convert_lr(there, 0.9, source=target, target=source) == pytest.approx(0.1)
    factor = {("classical", "average"): 10, ("average", "pytorch"): 0.1}.get((source, target))
    if factor:
        assert there == pytest.approx(0.1 * factor)


@pytest.mark.parametrize("bad", ["heavy-ball", "", None, 1])
def test_unknown_conventions_are_refused_with_the_known_ones(bad):
    with pytest.raises(
        ValueError, match=r'^convention: expected "classical", .*"nesterov-pytorch"'
    ):
        momentum_descent(abs, 1, lr=1, convention=bad)
    with pytest.raises(ValueError, match=r'^target: expected "classical", .*"nesterov-pytorch"'):
        convert_lr(1, 0, source="classical", target=bad)


@pytest.mark.parametrize("bad", [[0.1, 0.1], [0.1] * 4, [[0.1] * 3], [0.1, -0.1, 0.1], []])
def test_a_schedule_has_one_positive_step_size_for_each_step(bad):
    assert momentum_descent(abs, 1, lr=[0.1] * 3, num_steps=3).w.shape == (4, 1)
    with pytest.raises(ValueError, match=r"^lr: expected "):
        momentum_descent(abs, 1, lr=bad, num_steps=3)


# Noise


def test_noise_is_added_to_the_gradient_and_repeats_with_its_seed():
    def gradient(w):
        return 2 * w

    options = {"lr": 0.1, "momentum": 0.5, "num_steps": 20}
    path = momentum_descent(gradient, [1.0, -1.0], noise=3.0, seed=7, **options)
    drawn = iter(3 * np.random.default_rng(7).standard_normal((20, 2)))
    expected = momentum_descent(lambda w: gradient(w) + next(drawn), [1.0, -1.0], **options)
    np.testing.assert_array_equal(path.w, expected.w)
    other = momentum_descent(gradient, [1.0, -1.0], noise=3.0, seed=8, **options)
    assert not np.isclose(other.w[1:], path.w[1:]).any()
    quiet = momentum_descent(gradient, [1.0, -1.0], noise=0.0, seed=7, **options)
    np.testing.assert_array_equal(quiet.w, momentum_descent(gradient, [1.0, -1.0], **options).w)


# The optimiser


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    small = load_digits()
    images = torch.tensor(small.images[:800], dtype=torch.float32)[:, None] / 16
    return functional.interpolate(images, size=(28, 28)), torch.tensor(small.target[:800])


def new_network(dtype: torch.dtype) -> ConvNet:
    torch.manual_seed(0)
    return ConvNet().to(dtype)


def gradients_at(model, digits, step):
    """Set the gradients of the loss on batch number ``step``."""
    x, y = digits
    batch = torch.arange(4 * step, 4 * step + 4) % len(x)
    model.zero_grad()
    functional.cross_entropy(
        model(x[batch].to(next(model.parameters()).dtype)), y[batch]
    ).backward()


def train(optimizer_class, digits, num_steps, change_lr_at=None, dtype=torch.float64, **options):
    model = new_network(dtype)
    optimizer = optimizer_class(model.parameters(), **options)
    for step in range(num_steps):
        if step == change_lr_at:
            optimizer.param_groups[0]["lr"] /= 10
        gradients_at(model, digits, step)
        optimizer.step()
    return nn.utils.parameters_to_vector(model.parameters()).detach()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_classical_sgd_walks_with_torch_sgd_in_float64(digits, momentum):
    ours = train(ClassicalSGD, digits, 200, lr=0.01, momentum=momentum)
    theirs = train(torch.optim.SGD, digits, 200, lr=0.01, momentum=momentum)
    start = train(torch.optim.SGD, digits, 0, lr=0.01)
    assert (ours - start).norm() > 0.5  # both have moved far
    assert (ours - theirs).abs().max() < 1e-12


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_classical_sgd_walks_with_torch_sgd_as_far_as_float32_rounds(digits, momentum):
    # Two networks that train by themselves may part further: a difference of one rounding can tip
    # a ReLU or a maximum, and then they see other gradients. So both are given the gradients of
    # the second one. What is left is the rounding of the updates themselves, which has a bound.
    num_steps, lr = 200, 0.01
    ours, theirs = new_network(torch.float32), new_network(torch.float32)
    classical = ClassicalSGD(ours.parameters(), lr=lr, momentum=momentum)
    pytorch = torch.optim.SGD(theirs.parameters(), lr=lr, momentum=momentum)
    start = nn.utils.parameters_to_vector(theirs.parameters()).detach()
    largest_w = largest_v = torch.zeros_like(start)
    previous = start
    for step in range(num_steps):
        gradients_at(theirs, digits, step)
        for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            own.grad = other.grad.clone()
        classical.step()
        pytorch.step()
        w = nn.utils.parameters_to_vector(theirs.parameters()).detach()
        # what a step is made of: the one before times μ, and the gradient
        terms = (w - previous).abs() + lr * gradient_vector(theirs).abs()
        largest_w, largest_v = torch.maximum(largest_w, w.abs()), torch.maximum(largest_v, terms)
        previous = w
    found = nn.utils.parameters_to_vector(ours.parameters()).detach()
    # Each w + v rounds w once. A velocity rounds three times, each error fades by μ a step, and
    # enters every step until it has faded. Twice, since both round; u is half the spacing at 1.
    u = torch.finfo(torch.float32).eps / 2
    bound = 2 * num_steps * u * (largest_w + 3 * largest_v / (1 - momentum))
    assert ((found - w).abs() <= bound).all()
    assert bound.max() < 1e-3 * (w - start).abs().max()  # it allows nothing but rounding


def gradient_vector(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def test_classical_sgd_trains_a_network_in_train_model(digits):
    x, y = digits
    losses = {}
    for optimizer_class in (ClassicalSGD, torch.optim.SGD):
        model = new_network(torch.float32)
        history = train_model(
            model,
            optimizer_class(model.parameters(), lr=0.01, momentum=0.9),
            nn.CrossEntropyLoss(),
            x,
            y,
            num_epochs=2,
            progress=False,
        )
        assert history.status == "completed"
        losses[optimizer_class] = history.to_frame()["train_loss"]
    assert losses[ClassicalSGD].iloc[-1] < 0.8 * losses[ClassicalSGD].iloc[0]
    np.testing.assert_allclose(losses[ClassicalSGD], losses[torch.optim.SGD], rtol=1e-2)


def test_classical_sgd_parts_from_torch_sgd_when_the_step_size_changes(digits):
    options = {"lr": 0.01, "momentum": 0.9, "change_lr_at": 20}
    at_change = [train(c, digits, 20, **options) for c in (ClassicalSGD, torch.optim.SGD)]
    after = [train(c, digits, 21, **options) for c in (ClassicalSGD, torch.optim.SGD)]
    assert (at_change[0] - at_change[1]).abs().max() < 1e-12
    # The old velocity is ten times too long for torch's buffer, which the new step size shortens.
    assert (after[0] - at_change[0]).norm() > 5 * (after[1] - at_change[1]).norm()


def test_classical_sgd_follows_torch_sgd_through_a_schedule_if_its_velocity_is_rescaled(digits):
    ours, theirs = new_network(torch.float64), new_network(torch.float64)
    classical = ClassicalSGD(ours.parameters(), lr=0.003, momentum=0.9)
    pytorch = torch.optim.SGD(theirs.parameters(), lr=0.003, momentum=0.9)
    start = nn.utils.parameters_to_vector(theirs.parameters()).detach()
    for step, lr in enumerate(np.interp(range(60), [0, 20, 59], [0.003, 0.03, 0.0001])):
        for state in classical.state.values():
            state["velocity"] *= lr / classical.param_groups[0]["lr"]
        for model, optimizer in ((ours, classical), (theirs, pytorch)):
            optimizer.param_groups[0]["lr"] = lr
            gradients_at(model, digits, step)
            optimizer.step()
    found, expected = (nn.utils.parameters_to_vector(m.parameters()) for m in (ours, theirs))
    assert (expected - start).norm() > 0.5
    assert (found - expected).abs().max() < 1e-12


def test_classical_sgd_by_hand_when_the_step_size_changes():
    w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = ClassicalSGD([w], lr=0.5, momentum=0.5)
    positions = []
    for lr in (0.5, 0.1, 0.1):
        optimizer.param_groups[0]["lr"] = lr
        w.grad = torch.tensor([1.0], dtype=torch.float64)  # a slope
        optimizer.step()
        positions.append(w.item())
    # v = -0.5, then -0.25 - 0.1, then -0.175 - 0.1
    assert positions == pytest.approx([0.5, 0.15, -0.125])


def parameters(*values: float) -> list[nn.Parameter]:
    return [nn.Parameter(torch.tensor([value], dtype=torch.float64)) for value in values]


def test_classical_sgd_with_parameter_groups():
    a, b = parameters(1.0, 1.0)
    optimizer = ClassicalSGD([{"params": [a]}, {"params": [b], "lr": 0.2, "momentum": 0.5}], lr=0.1)
    for _ in range(2):
        a.grad, b.grad = torch.ones_like(a), torch.ones_like(b)
        optimizer.step()
    assert a.item() == pytest.approx(1 - 0.1 - 0.1)
    assert b.item() == pytest.approx(1 - 0.2 - (0.5 * 0.2 + 0.2))


def test_classical_sgd_leaves_parameters_without_gradient_alone():
    a, b = parameters(1.0, 1.0)
    optimizer = ClassicalSGD([a, b], lr=0.1, momentum=0.9)
    a.grad = torch.ones_like(a)
    optimizer.step()
    assert a.item() == pytest.approx(0.9)
    assert b.item() == 1
    assert b not in optimizer.state


def test_classical_sgd_with_a_closure():
    (w,) = parameters(2.0)
    optimizer = ClassicalSGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 4
    assert w.item() == pytest.approx(2 - 0.1 * 4)
    assert ClassicalSGD(parameters(1.0), lr=0.1).step() is None


def test_classical_sgd_goes_on_from_its_state():
    def walk(num_steps, w, optimizer):
        for _ in range(num_steps):
            optimizer.zero_grad()
            (3 * w**2).sum().backward()
            optimizer.step()

    (w,) = parameters(1.0)
    optimizer = ClassicalSGD([w], lr=0.01, momentum=0.9)
    walk(5, w, optimizer)
    (other,) = parameters(w.item())
    resumed = ClassicalSGD([other], lr=0.5, momentum=0.0)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    walk(5, w, optimizer)
    walk(5, other, resumed)
    assert w.item() == other.item()


def test_classical_sgd_does_not_record_its_own_steps():
    (w,) = parameters(1.0)
    optimizer = ClassicalSGD([w], lr=0.1, momentum=0.9)
    w.grad = torch.ones_like(w)
    optimizer.step()
    assert w.is_leaf
    assert not optimizer.state[w]["velocity"].requires_grad
    assert w.grad.item() == 1  # the gradient is the caller's


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_weight_decay_and_nesterov_are_those_of_pytorch(momentum, weight_decay, nesterov):
    options = {"momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
    paths = []
    for optimizer_class in (ClassicalSGD, torch.optim.SGD):
        w = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
        optimizer = optimizer_class([w], lr=0.05, **options)
        paths.append([])
        for _ in range(100):
            optimizer.zero_grad()
            (w**4).sum().backward()
            optimizer.step()
            paths[-1].append(w.tolist())
    np.testing.assert_allclose(*paths, rtol=1e-12)


def test_weights_of_nesterovs_form_are_the_points_ahead():
    def gradient(w):
        return 4 * w**3

    lr, momentum = 0.05, 0.9
    path = momentum_descent(
        gradient, [1.0], lr=lr, momentum=momentum, num_steps=40, convention="nesterov"
    )
    w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = ClassicalSGD([w], lr, momentum, nesterov=True)
    ahead = [w.item()]
    for _ in range(40):
        optimizer.zero_grad()
        (w**4).sum().backward()
        optimizer.step()
        ahead.append(w.item())
    np.testing.assert_allclose(ahead, (path.w + momentum * path.v)[:, 0], rtol=1e-12)


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"lr": -5}, "lr: expected a positive finite number, found -5"),
        ({"lr": 0}, "lr: expected a positive finite number, found 0"),
        ({"momentum": 7}, r"momentum: expected a number in \[0, 1\), found 7"),
        ({"weight_decay": -1}, "weight_decay: expected a finite number, 0 or more, found -1"),
        ({"nesterov": "no"}, "nesterov: expected True or False, found 'no'"),
    ],
)
def test_a_group_is_checked_too(group, message):
    a, b = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match=f"^{message}"):
        ClassicalSGD([{"params": [a]}, {"params": [b], **group}], lr=0.1)
    optimizer = ClassicalSGD([a], lr=0.1)
    with pytest.raises(ValueError, match=f"^{message}"):
        optimizer.add_param_group({"params": [b], **group})
    assert len(optimizer.param_groups) == 1


def test_a_model_is_no_list_of_parameters():
    with pytest.raises(
        ValueError, match=r"^params: .* found the model, Linear; give its parameters"
    ):
        ClassicalSGD(nn.Linear(2, 2), lr=0.1)


def test_a_schedule_may_reach_zero_and_a_step_size_may_not():
    schedule = [0.1, 0.05, 0.0]
    path = momentum_descent(lambda w: w, [1.0], lr=schedule, momentum=0.5, num_steps=3)
    w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = ClassicalSGD([w], lr=0.1, momentum=0.5)
    for alpha in schedule:
        optimizer.param_groups[0]["lr"] = alpha
        w.grad = w.detach().clone()
        optimizer.step()
    assert path.w[-1, 0] == pytest.approx(w.item(), rel=1e-14)
    with pytest.raises(ValueError, match=r"^lr: expected a positive finite number, or a schedule"):
        momentum_descent(lambda w: w, [1.0], lr=0.0, num_steps=3)
