"""The mathematics of momentum, against simulation, other derivations, SciPy and PyTorch."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from cnnlesson import (
    ClassicalSGD,
    ConvNet,
    max_stable_lr,
    momentum_descent,
    optimal_lr,
    optimal_momentum,
    spectral_radius,
)

momenta = st.floats(0, 0.99)
curvatures = st.floats(1e-3, 1e4)
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


# The rate


def independent_rate(curvature: float, lr: float, momentum: float) -> float:
    """Return the rate in PyTorch's variables: z ← μz + λw, w ← w − αz."""
    matrix = [[momentum, curvature], [-lr * momentum, 1 - lr * curvature]]
    return max(abs(np.linalg.eigvals(matrix)))


@given(curvatures, st.floats(1e-3, 3), momenta)
@settings(deadline=None)
def test_rate_is_that_of_the_other_derivation(curvature, relative_lr, momentum):
    lr = relative_lr / curvature
    # Where two eigenvalues meet, each is only known to the square root of rounding.
    assert spectral_radius(curvature, lr, momentum) == pytest.approx(
        independent_rate(curvature, lr, momentum), rel=1e-6
    )


@given(curvatures, st.floats(1e-3, 3), momenta)
@settings(deadline=None)
def test_rate_in_closed_form(curvature, relative_lr, momentum):
    lr = relative_lr / curvature
    half_trace = (1 + momentum - lr * curvature) / 2
    discriminant = half_trace**2 - momentum
    if discriminant < 0:
        expected = math.sqrt(momentum)
    else:
        expected = abs(half_trace) + math.sqrt(discriminant)
    assert spectral_radius(curvature, lr, momentum) == pytest.approx(expected, rel=1e-6)


@given(st.floats(1e-4, 4), st.floats(0, 0.98))
@settings(max_examples=50, deadline=None)
def test_rate_is_the_measured_decay(step, momentum):
    half_trace = (1 + momentum - step) / 2
    assume(abs(half_trace**2 - momentum) > 1e-3)  # else decay is geometric times a line
    num_steps = 3000
    rate = spectral_radius(1.0, step, momentum)
    # Rescaled as it runs, since the norm would leave the range of float64.
    w, v, logarithm = 1.0, 0.0, 0.0
    for _ in range(num_steps):
        v = momentum * v - step * w
        w = w + v
        norm = math.hypot(w, v)
        if norm == 0:
            return
        w, v, logarithm = w / norm, v / norm, logarithm + math.log(norm)
    assert logarithm / num_steps == pytest.approx(math.log(rate), abs=5 / num_steps * 2)


def test_rate_on_the_plane_and_without_momentum():
    assert spectral_radius(0, 0.1, 0.9) == 1
    assert spectral_radius(0, 0.1, 0) == 1
    assert spectral_radius(2, 0.1, 0) == pytest.approx(0.8)
    assert spectral_radius(2, 1.4, 0) == pytest.approx(1.8)


@given(curvatures, momenta)
@settings(deadline=None)
def test_the_largest_stable_step_is_the_edge(curvature, momentum):
    edge = max_stable_lr(curvature, momentum)
    assert edge == pytest.approx(2 * (1 + momentum) / curvature)
    assert spectral_radius(curvature, 0.999 * edge, momentum) < 1
    assert spectral_radius(curvature, 1.001 * edge, momentum) > 1
    assert spectral_radius(curvature, edge, momentum) == pytest.approx(1, rel=1e-7)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_edge_on_a_simulated_path(momentum):
    edge = max_stable_lr(4.0, momentum)

    def size_after(lr):
        path = momentum_descent(lambda w: 4 * w, 1.0, lr=lr, momentum=momentum, num_steps=1000)
        return abs(path.w[-1, 0])

    assert size_after(0.99 * edge) < 1e-6
    assert size_after(1.01 * edge) > 1e6


# The optima


@given(st.floats(1e-2, 1e2), st.floats(1.0, 1e4))
@settings(max_examples=50, deadline=None)
def test_best_step_against_scipy(smallest, condition):
    largest = smallest * condition

    def worst(lr):
        return max(spectral_radius(smallest, lr, 0), spectral_radius(largest, lr, 0))

    best = optimal_lr(smallest, largest)
    found = minimize_scalar(
        worst, bounds=(1e-6 / largest, 2 / largest), options={"xatol": 1e-12 / largest}
    )
    assert best.rate == pytest.approx(worst(best.lr), rel=1e-9, abs=1e-9)
    assert best.rate <= found.fun + 1e-9
    assert best.lr == pytest.approx(found.x, rel=1e-3)


@pytest.mark.parametrize("condition", [1.5, 10.0, 100.0, 2000.0])
def test_best_step_and_momentum_against_scipy(condition):
    def worst(parameters):
        lr, momentum = parameters
        if lr <= 0 or not 0 <= momentum < 1:
            return 2.0
        return max(spectral_radius(c, lr, momentum) for c in (1.0, condition))

    best = optimal_momentum(1.0, condition)
    assert worst((best.lr, best.momentum)) == pytest.approx(best.rate, rel=1e-6)
    for start in ([1 / condition, 0.5], [best.lr * 0.7, best.momentum * 0.9]):
        found = minimize(
            worst,
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-12, "fatol": 1e-12, "maxiter": 3000},
        )
        assert found.fun >= best.rate - 1e-6
    assert found.fun == pytest.approx(best.rate, abs=2e-3)


def test_numbers_at_condition_number_100():
    descent, momentum = optimal_lr(1, 100), optimal_momentum(1, 100)
    assert descent.lr * 100 == pytest.approx(1.980198, abs=5e-7)
    assert descent.rate == pytest.approx(0.980198, abs=5e-7)
    assert momentum.lr * 100 == pytest.approx(3.305785, abs=5e-7)
    assert momentum.momentum == pytest.approx(0.669421, abs=5e-7)
    assert momentum.rate == pytest.approx(0.818182, abs=5e-7)


def test_results_unpack_into_plain_numbers():
    lr, rate = optimal_lr(1, 100)
    lr, momentum, rate = optimal_momentum(1, 100)
    assert {type(x) for x in (lr, momentum, rate, *optimal_lr(1, 100))} == {float}
    assert type(spectral_radius(1, 1, 0.5)) is float


@pytest.mark.parametrize("optimum", [optimal_lr, optimal_momentum])
def test_swapped_curvatures(optimum):
    with pytest.raises(ValueError, match=r"^smallest: expected at most largest = 1.0, found 2.0"):
        optimum(2.0, 1.0)
    assert optimum(2.0, 2.0).rate == 0


BAD_NUMBERS = [-1, math.nan, math.inf, "1", True, None]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize(
    ("call", "names"),
    [
        (spectral_radius, {"curvature": 1, "lr": 1, "momentum": 0}),
        (max_stable_lr, {"curvature": 1, "momentum": 0}),
        (optimal_lr, {"smallest": 1, "largest": 1}),
        (optimal_momentum, {"smallest": 1, "largest": 1}),
        (momentum_descent, {"gradient": abs, "w0": 1, "lr": 1, "momentum": 0, "num_steps": 1}),
        (ClassicalSGD, {"params": [nn.Parameter(torch.ones(1))], "lr": 1, "momentum": 0}),
    ],
)
def test_bad_numbers_are_named_with_the_range_and_the_value(call, names, bad):
    call(**names)
    for name in names.keys() - {"gradient", "w0", "params"}:
        with pytest.raises(ValueError, match=f"^{name}: expected .* found {bad!r}$"):
            call(**names | {name: bad})


@pytest.mark.parametrize("momentum", [1, 1.0, 1.5])
def test_momentum_is_below_1(momentum):
    with pytest.raises(ValueError, match=r"^momentum: expected a number in \[0, 1\), found 1"):
        spectral_radius(1, 1, momentum)


@pytest.mark.parametrize("call", [max_stable_lr, lambda c, m: optimal_lr(c, 1)])
def test_only_the_rate_is_defined_on_the_plane(call):
    with pytest.raises(ValueError, match="expected a positive finite number, found 0"):
        call(0, 0.5)


# The optimiser


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    small = load_digits()
    images = torch.tensor(small.images[:800], dtype=torch.float32)[:, None] / 16
    return functional.interpolate(images, size=(28, 28)), torch.tensor(small.target[:800])


def train(optimizer_class, digits, num_steps, change_lr_at=None, **options):
    torch.manual_seed(0)
    model = ConvNet()
    optimizer = optimizer_class(model.parameters(), **options)
    x, y = digits
    for step in range(num_steps):
        if step == change_lr_at:
            optimizer.param_groups[0]["lr"] /= 10
        batch = torch.arange(4 * step, 4 * step + 4) % len(x)
        optimizer.zero_grad()
        functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_classical_sgd_walks_with_torch_sgd_at_a_constant_step_size(digits, momentum):
    ours = train(ClassicalSGD, digits, 200, lr=0.01, momentum=momentum)
    theirs = train(torch.optim.SGD, digits, 200, lr=0.01, momentum=momentum)
    start = train(torch.optim.SGD, digits, 0, lr=0.01)
    assert (ours - start).norm() > 0.5  # both have moved far
    assert (ours - theirs).abs().max() < 1e-5


def test_classical_sgd_parts_from_torch_sgd_when_the_step_size_changes(digits):
    options = {"lr": 0.01, "momentum": 0.9, "change_lr_at": 20}
    at_change = [train(c, digits, 20, **options) for c in (ClassicalSGD, torch.optim.SGD)]
    after = [train(c, digits, 21, **options) for c in (ClassicalSGD, torch.optim.SGD)]
    assert (at_change[0] - at_change[1]).abs().max() < 1e-6
    # The old velocity is ten times too long for torch's buffer, which the new step size shortens.
    assert (after[0] - at_change[0]).norm() > 5 * (after[1] - at_change[1]).norm()


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
