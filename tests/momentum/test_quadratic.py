"""Rates, stability and best settings, against other derivations, simulation and SciPy."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy.optimize import differential_evolution, minimize, minimize_scalar

from cnnlesson import (
    critical_momentum,
    max_stable_lr,
    momentum_descent,
    momentum_eigenvalues,
    momentum_matrix,
    optimal_lr,
    optimal_momentum,
    spectral_radius,
)

momenta = st.floats(0, 0.99)
curvatures = st.floats(1e-3, 1e4)


# The matrix and its eigenvalues


def distill_matrix(curvature: float, lr: float, momentum: float) -> np.ndarray:
    """Return one step in PyTorch's and Distill's variables: z ← μz + λw, w ← w − αz."""
    return np.array([[momentum, curvature], [-lr * momentum, 1 - lr * curvature]])


@given(curvatures, st.floats(1e-3, 4), momenta, st.integers(0, 20))
@settings(deadline=None)
def test_powers_of_the_matrix_are_the_path(curvature, relative_lr, momentum, num_steps):
    lr = relative_lr / curvature
    path = momentum_descent(
        lambda w: curvature * w, 1.0, lr=lr, momentum=momentum, num_steps=num_steps
    )
    matrix = momentum_matrix(curvature, lr, momentum)
    expected = np.linalg.matrix_power(matrix, num_steps) @ [1.0, 0.0]
    found = [path.w[-1, 0], path.v[-1, 0]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.hypot(*expected) + 1e-300)


@given(curvatures, st.floats(1e-3, 4), momenta)
@settings(deadline=None)
def test_eigenvalues_have_the_trace_and_the_determinant_of_distills_matrix(
    curvature, relative_lr, momentum
):
    lr = relative_lr / curvature
    first, second = momentum_eigenvalues(curvature, lr, momentum)
    matrix = distill_matrix(curvature, lr, momentum)
    assert first + second == pytest.approx(np.trace(matrix), rel=1e-12, abs=1e-12)
    assert first * second == pytest.approx(momentum, rel=1e-12, abs=1e-300)
    assert abs(first) >= abs(second)
    assert first.imag >= 0


@given(curvatures, st.floats(1e-3, 4), momenta)
@settings(deadline=None)
def test_eigenvalues_are_those_of_numpy_where_they_are_apart(curvature, relative_lr, momentum):
    lr = relative_lr / curvature
    found = momentum_eigenvalues(curvature, lr, momentum)
    assume(abs(found[0] - found[1]) > 1e-2)
    expected = np.linalg.eigvals(distill_matrix(curvature, lr, momentum))
    for value in found:
        assert np.abs(expected - value).min() < 1e-10


def test_eigenvalues_do_not_cancel():
    # z² − (0.5 + 1e-20) z + 1e-20 = 0: the smaller is 2e-20, and lost in 0.25 − 0.25.
    larger, smaller = momentum_eigenvalues(0.5, 1.0, 1e-20)
    assert larger == pytest.approx(0.5)
    assert smaller == pytest.approx(2e-20, rel=1e-12, abs=0)
    assert momentum_eigenvalues(1.0, 1.0, 0.0) == (0, 0)


@given(st.floats(1e-3, 0.999), st.floats(0.001, 0.999))
@settings(deadline=None)
def test_complex_rate_is_the_root_of_the_momentum_and_not_twice_it(momentum, share):
    low, high = (1 - math.sqrt(momentum)) ** 2, (1 + math.sqrt(momentum)) ** 2
    step = low + share * (high - low)
    first, second = momentum_eigenvalues(1.0, step, momentum)
    assert first.imag > 0
    assert second == first.conjugate()
    measured = np.abs(np.linalg.eigvals(distill_matrix(1.0, step, momentum))).max()
    assert measured == pytest.approx(math.sqrt(momentum), rel=1e-6)
    assert spectral_radius(1.0, step, momentum) == pytest.approx(math.sqrt(momentum), rel=1e-13)
    assert abs(measured - 2 * math.sqrt(momentum)) > 0.9 * math.sqrt(momentum)  # Distill's rate


# The rate


@given(curvatures, st.floats(1e-3, 3), momenta)
@settings(deadline=None)
def test_rate_is_that_of_the_other_derivation(curvature, relative_lr, momentum):
    lr = relative_lr / curvature
    # Where two eigenvalues meet, each is only known to the square root of rounding.
    assert spectral_radius(curvature, lr, momentum) == pytest.approx(
        np.abs(np.linalg.eigvals(distill_matrix(curvature, lr, momentum))).max(), rel=1e-6
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


def test_rate_is_exact_where_the_eigenvalues_meet():
    for root in np.arange(1, 64) / 64:  # numbers whose squares are exact
        for step in ((1 - root) ** 2, (1 + root) ** 2):
            assert spectral_radius(step, 1.0, root**2) == root


# The optima


@given(st.floats(1e-3, 3.9), curvatures)
@settings(max_examples=50, deadline=None)
def test_critical_momentum_against_scipy(step, curvature):
    lr = step / curvature
    found = minimize_scalar(
        lambda momentum: spectral_radius(curvature, lr, momentum),
        bounds=(0, 1 - 1e-9),
        options={"xatol": 1e-12},
    )
    best = critical_momentum(curvature, lr)
    assert best == pytest.approx(found.x, rel=1e-3, abs=1e-5)
    rate = spectral_radius(curvature, lr, best)
    assert rate <= found.fun + 1e-7
    assert rate == pytest.approx(abs(1 - math.sqrt(step)), abs=1e-6)
    first, second = momentum_eigenvalues(curvature, lr, best)
    assert abs(first - second) < 1e-6


@pytest.mark.parametrize("lr", [4.0, 5.0])
def test_no_momentum_is_critical_where_none_converges(lr):
    with pytest.raises(ValueError, match=r"^lr: expected below 4/curvature = 4.0, found "):
        critical_momentum(1.0, lr)
    assert critical_momentum(1.0, 3.99) < 1


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


def test_best_step_and_momentum_against_a_global_search():
    found = differential_evolution(
        lambda x: max(spectral_radius(c, *x) for c in (1.0, 30.0, 100.0)),
        bounds=[(1e-6, 0.04), (0, 0.999)],
        tol=1e-10,
        rng=0,
    )
    best = optimal_momentum(1.0, 100.0)
    assert found.fun == pytest.approx(best.rate, abs=1e-5)
    assert found.fun >= best.rate - 1e-7
    assert found.x == pytest.approx([best.lr, best.momentum], rel=1e-4)


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


# What is refused


BAD_NUMBERS = [-1, math.nan, math.inf, "1", True, None]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize(
    ("call", "names"),
    [
        (momentum_matrix, {"curvature": 1, "lr": 1, "momentum": 0}),
        (momentum_eigenvalues, {"curvature": 1, "lr": 1, "momentum": 0}),
        (spectral_radius, {"curvature": 1, "lr": 1, "momentum": 0}),
        (max_stable_lr, {"curvature": 1, "momentum": 0}),
        (critical_momentum, {"curvature": 1, "lr": 1}),
        (optimal_lr, {"smallest": 1, "largest": 1}),
        (optimal_momentum, {"smallest": 1, "largest": 1}),
    ],
)
def test_bad_numbers_are_named_with_the_range_and_the_value(call, names, bad):
    call(**names)
    for name in names:
        with pytest.raises(ValueError, match=f"^{name}: expected .* found {bad!r}$"):
            call(**names | {name: bad})


@pytest.mark.parametrize("momentum", [1, 1.0, 1.5])
def test_momentum_is_below_1(momentum):
    with pytest.raises(ValueError, match=r"^momentum: expected a number in \[0, 1\), found 1"):
        spectral_radius(1, 1, momentum)


@pytest.mark.parametrize("call", [max_stable_lr, critical_momentum, lambda c, m: optimal_lr(c, 1)])
def test_only_the_rate_is_defined_on_the_plane(call):
    with pytest.raises(ValueError, match="expected a positive finite number, found 0"):
        call(0, 0.5)
