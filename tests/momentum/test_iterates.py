"""The closed form against simulation; the noise against Monte Carlo and the Lyapunov equation."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.linalg import solve_discrete_lyapunov
from scipy.stats import chi2, norm

from cnnlesson import (
    error_by_component,
    max_stable_lr,
    momentum_descent,
    momentum_matrix,
    noise_floor,
    quadratic_path,
    spectral_radius,
    stochastic_error,
)

# The path


def simulate(curvature, lr, momentum, num_steps):
    """Follow many one-dimensional problems at once; return w and v, a row per step."""
    w, v = np.ones_like(lr), np.zeros_like(lr)
    path = [(w, v)]
    for _ in range(num_steps):
        v = momentum * v - lr * (curvature * w)
        w = w + v
        path.append((w, v))
    return np.array(path).transpose(1, 0, 2)


def random_cases(kind: str, size: int, generator: np.random.Generator):
    """Return momenta and αλ: anywhere, on the lines of equal eigenvalues, or close to them."""
    momentum = generator.uniform(0, 1, size)
    momentum[: size // 5] = 10 ** generator.uniform(-6, -1, size // 5)
    momentum[-size // 5 :] = 1 - 10 ** generator.uniform(-6, -1, -(-size // 5))
    if kind == "anywhere":
        momentum[::20] = 0
        return momentum, generator.uniform(0, 1.1 * 2 * (1 + momentum))
    if kind == "flat":
        return momentum, 10 ** generator.uniform(-8, 0, size)
    line = (1 + generator.choice([-1, 1], size) * np.sqrt(momentum)) ** 2
    if kind == "equal":
        return momentum, line
    distance = generator.choice([-1, 1], size) * 10 ** generator.uniform(-16, -2, size)
    return momentum, line * (1 + distance)


@pytest.mark.parametrize("kind", ["anywhere", "flat", "equal", "nearly equal"])
def test_closed_form_is_the_simulation(kind):
    size, num_steps = 2500, 300  # of each kind: 10,000 in all
    generator = np.random.default_rng(sum(kind.encode()))
    momentum, step = random_cases(kind, size, generator)
    curvature = 10 ** generator.uniform(-4, 4, size)
    lr = step / curvature
    with np.errstate(divide="ignore"):  # as long as √μ to the power k stays in float64's range
        longest = np.minimum(num_steps, 250 / np.abs(np.log10(np.sqrt(momentum))))
    k = generator.integers(0, longest + 1)
    expected = simulate(curvature, lr, momentum, num_steps)[:, k, np.arange(size)]
    found = np.array(
        [
            np.concatenate(quadratic_path(c, 1.0, lr=a, momentum=m, steps=j))[:, 0]
            for c, a, m, j in zip(curvature, lr, momentum, k, strict=True)
        ]
    ).T
    # Relative to the state (w, v), since w alone passes through zero as it swings.
    scale = np.hypot(*expected)
    assert np.hypot(*(found - expected))[scale < 1e-280].max(initial=0) < 1e-280
    assert (scale >= 1e-280).mean() > 0.99
    assert (np.hypot(*(found - expected)) <= 1e-8 * scale + 1e-280).all()


def test_closed_form_where_the_eigenvalues_meet():
    for root in (0.25, 0.5, 0.875):  # exact in float64, as are their squares
        k = np.arange(60)
        for sign in (1, -1):
            step = (1 - sign * root) ** 2
            path = quadratic_path(step, 2.0, lr=1.0, momentum=root**2, steps=k)
            z = sign * root  # M^k = z^k I + k z^(k-1) (M - z I)
            power = k * z ** (k - 1.0)
            w = 2 * (z**k + power * (1 - step - z))
            np.testing.assert_allclose(path.w[:, 0], w, rtol=1e-13)
            np.testing.assert_allclose(path.v[:, 0], -2 * power * step, rtol=1e-13)


def exact_state(step: float, momentum: float, num_steps: int) -> np.ndarray:
    """Return w and v with 60 digits."""
    s, mu = Decimal(step), Decimal(momentum)
    matrix = np.array([[1 - s, mu], [-s, mu]], dtype=object)
    with localcontext(prec=60):
        return np.linalg.matrix_power(matrix, num_steps)[:, 0]


@pytest.mark.parametrize("exponent", [1, 2, 3, 4, 5])
def test_closed_form_near_equal_eigenvalues_after_up_to_a_million_steps(exponent):
    momentum = 1 - 10.0**-exponent
    near_1 = 1 - math.sqrt(momentum)
    for distance in np.concatenate(
        [[0.0], 10.0 ** -np.arange(1, 16), -(10.0 ** -np.arange(1, 16))]
    ):
        step = near_1**2 * (1 + distance)
        for times in (0.3, 3, 8):
            k = math.ceil(times / near_1)
            found = np.concatenate(quadratic_path(step, 1.0, lr=1.0, momentum=momentum, steps=k))
            expected = exact_state(step, momentum, k)
            error = [abs(Decimal(a) - b) for a, b in zip(found[:, 0], expected, strict=True)]
            assert max(error) < Decimal("1e-9") * max(abs(expected))


@pytest.mark.parametrize("step", [0.0, 0.3, 1.0, 2.0, 2.5])
def test_closed_form_without_momentum(step):
    k = np.arange(30)
    path = quadratic_path(step, 1.0, lr=1.0, steps=k)
    np.testing.assert_allclose(path.w[:, 0], (1 - step) ** k, rtol=1e-13)


def test_many_components_in_any_order_of_steps():
    generator = np.random.default_rng(0)
    curvatures, start = generator.uniform(0, 5, 7), generator.standard_normal(7)
    steps = np.array([30, 0, 3, 3])
    found = quadratic_path(curvatures, start, lr=0.3, momentum=0.8, steps=steps)
    path = momentum_descent(lambda w: curvatures * w, start, lr=0.3, momentum=0.8, num_steps=30)
    np.testing.assert_allclose(found.w, path.w[steps], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.v, path.v[steps], rtol=0, atol=1e-12)


def test_a_diverging_path_is_infinite_without_a_warning(recwarn):
    found = quadratic_path([3.0, 1.0], 1.0, lr=1.4, momentum=0.3, steps=[10_000])
    assert not np.isfinite(found.w[0, 0])
    assert abs(found.w[0, 1]) < 1e-200
    assert not np.isfinite(error_by_component(3.0, 1.0, lr=1.4, steps=10_000)).any()
    assert not recwarn.list


# The error


def test_errors_add_up_to_the_loss_in_any_basis():
    generator = np.random.default_rng(1)
    factor = generator.standard_normal((5, 5))
    hessian = factor @ factor.T + np.eye(5)
    curvatures, basis = np.linalg.eigh(hessian)
    minimum, start = generator.standard_normal((2, 5))
    options = {"lr": 1 / curvatures[-1], "momentum": 0.7}
    path = momentum_descent(lambda w: hessian @ (w - minimum), start, num_steps=40, **options)
    distance = path.w - minimum
    expected = 0.5 * np.einsum("ki,ij,kj->k", distance, hessian, distance)
    found = error_by_component(
        curvatures, basis.T @ (start - minimum), steps=np.arange(41), **options
    )
    assert found.shape == (41, 5)
    np.testing.assert_allclose(found.sum(axis=1), expected, rtol=1e-9)


def test_each_component_shrinks_by_the_square_of_its_rate():
    curvatures, lr, momentum = np.array([0.01, 0.1, 1.0]), 1.0, 0.5
    found = error_by_component(curvatures, 1.0, lr=lr, momentum=momentum, steps=np.arange(420))
    early, late = found[100:120].max(axis=0), found[400:].max(axis=0)  # as they swing through zero
    for ratio, curvature in zip(late / early, curvatures, strict=True):
        rate = spectral_radius(curvature, lr, momentum)
        assert ratio ** (1 / 600) == pytest.approx(rate, rel=2e-3)


# The noise

SETTINGS = [(0.0, 0.3), (0.5, 0.05), (0.5, 1.0), (0.8, 3.0), (0.9, 0.1)]  # μ, αλ


@pytest.mark.parametrize(("momentum", "step"), SETTINGS)
def test_the_noise_part_against_monte_carlo(momentum, step):
    # Each coordinate is one run. A correct formula fails one of these checks in 10⁶.
    confidence, runs, curvature, sigma, start = 1 - 1e-6, 20_000, 2.0, 0.7, 1.5
    lr = step / curvature
    path = momentum_descent(
        lambda w: curvature * w,
        np.full(runs, start),
        lr=lr,
        momentum=momentum,
        num_steps=40,
        noise=sigma,
        seed=3,
    )
    steps = np.array([1, 2, 5, 40])
    found = stochastic_error(curvature, start, lr=lr, momentum=momentum, noise=sigma, steps=steps)
    for k, deterministic, noise in zip(steps, *(part[:, 0] for part in found), strict=True):
        sample = path.w[k]
        # On a bowl w is normal: its variance has a χ² interval, its mean a normal one.
        low, high = chi2.interval(confidence, runs - 1)
        estimate = (runs - 1) * curvature / 2 * sample.var(ddof=1)
        assert estimate / high < noise < estimate / low
        reach = norm.interval(confidence)[1] * sample.std(ddof=1) / math.sqrt(runs)
        root = math.sqrt(2 * deterministic / curvature)
        assert abs(abs(sample.mean()) - root) < reach
        # both parts together are the mean loss
        losses = curvature / 2 * sample**2
        reach = norm.interval(confidence)[1] * losses.std(ddof=1) / math.sqrt(runs)
        assert abs(losses.mean() - deterministic - noise) < reach


def covariance(curvature: float, lr: float, momentum: float, sigma: float) -> np.ndarray:
    """Return the stationary covariance of (w, v): one kick moves both by -ασξ."""
    matrix = momentum_matrix(curvature, lr, momentum)
    return solve_discrete_lyapunov(matrix, (lr * sigma) ** 2 * np.ones((2, 2)))


@given(st.floats(0.01, 0.99), st.floats(0, 0.99), st.floats(1e-2, 1e2), st.floats(0, 10))
@settings(deadline=None)
def test_the_floor_solves_the_lyapunov_equation(share, momentum, curvature, sigma):
    lr = share * max_stable_lr(curvature, momentum)
    expected = curvature / 2 * covariance(curvature, lr, momentum, sigma)[0, 0]
    found = noise_floor(curvature, lr, momentum, noise=sigma)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-300)


@given(st.floats(0.01, 0.99), st.floats(0, 0.95), st.integers(0, 50))
@settings(deadline=None)
def test_the_noise_part_is_the_recursion_of_the_covariance(share, momentum, num_steps):
    lr, sigmas = share * max_stable_lr(3.0, momentum), np.array([0.5, 2.0])
    found = stochastic_error(
        [1.0, 3.0], 0.0, lr=lr, momentum=momentum, noise=sigmas, steps=num_steps
    )
    for curvature, sigma, noise in zip([1.0, 3.0], sigmas, found.noise[0], strict=True):
        matrix, now = momentum_matrix(curvature, lr, momentum), np.zeros((2, 2))
        for _ in range(num_steps):
            now = matrix @ now @ matrix.T + (lr * sigma) ** 2
        assert noise == pytest.approx(curvature / 2 * now[0, 0], rel=1e-9)
    assert not found.deterministic.any()


@pytest.mark.parametrize(("momentum", "step"), SETTINGS)
def test_the_noise_part_rises_to_the_floor(momentum, step):
    part = stochastic_error(
        step, 1.0, lr=1.0, momentum=momentum, noise=0.3, steps=np.arange(3000)
    ).noise[:, 0]
    assert part[0] == 0
    assert (np.diff(part) >= 0).all()
    floor = noise_floor(step, 1.0, momentum, noise=0.3)
    assert part[-1] == pytest.approx(floor, rel=1e-9)


def test_far_below_the_bound_the_floor_depends_on_the_effective_step_size_alone():
    for momentum in (0.0, 0.5, 0.9, 0.99):
        floor = noise_floor(1.0, 1e-6 * (1 - momentum), momentum, noise=2.0)
        assert floor == pytest.approx(1e-6 * 2.0**2 / 4, rel=1e-5)


def test_without_noise_only_the_deterministic_part_is_left():
    options = {"lr": 0.5, "momentum": 0.4, "steps": [0, 1, 9]}
    found = stochastic_error([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], noise=0, **options)
    expected = error_by_component([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], **options)
    np.testing.assert_array_equal(found.deterministic, expected)
    np.testing.assert_array_equal(found.noise, np.zeros((3, 3)))


def test_without_a_start_or_noise_nothing_grows_however_steep_the_bowl():
    options = {"lr": 4.0, "momentum": 0.3, "steps": [0, 1, 5000]}
    still, moving = quadratic_path([1.0, 2.0], [0.0, 1.0], **options).w.T
    assert still.tolist() == [0, 0, 0]
    assert not np.isfinite(moving[-1])
    found = stochastic_error([1.0, 2.0], 0.0, noise=[0.0, 0.1], **options)
    assert not found.deterministic.any()
    assert found.noise[:, 0].tolist() == [0, 0, 0]
    assert found.noise[:, 1].tolist() == [0, pytest.approx(0.16), np.inf]


# What is refused

BOWL = {"curvatures": [1.0, 2.0], "w0": [1.0, 1.0], "lr": 0.1, "momentum": 0.5, "steps": [0, 1]}
CALLS = [
    (quadratic_path, BOWL),
    (error_by_component, BOWL),
    (stochastic_error, BOWL | {"noise": [0.1, 0.2]}),
    (noise_floor, {"curvature": 1.0, "lr": 0.1, "momentum": 0.5, "noise": 0.1}),
]


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, "1", True, None, [1.0, -1.0], [[1.0]], []])
@pytest.mark.parametrize(("call", "arguments"), CALLS)
def test_bad_numbers_are_named_with_the_range_and_the_value(call, arguments, bad):
    call(**arguments)
    for name in arguments:
        if name == "w0" and bad in (-1, [1.0, -1.0]):
            continue  # a start may be anywhere
        with pytest.raises(ValueError, match=f"^{name}: expected a .*, found ") as caught:
            call(**arguments | {name: bad})
        assert str(caught.value).endswith(f"found {bad!r}")


@pytest.mark.parametrize(("call", "arguments"), CALLS[:3])
def test_one_number_for_all_curvatures_or_one_for_each(call, arguments):
    for name in {"w0", "noise"} & arguments.keys():
        call(**arguments | {name: 1.0})
        message = f"^{name}: expected one number, or one for each of the 2 curvatures, found 3$"
        with pytest.raises(ValueError, match=message):
            call(**arguments | {name: [1.0, 1.0, 1.0]})


@pytest.mark.parametrize("bad", [0.5, [1.0], 1.5])
def test_a_step_has_a_whole_number(bad):
    with pytest.raises(ValueError, match=r"^steps: expected a whole number, 0 or more, or a vect"):
        quadratic_path(1.0, 1.0, lr=0.1, steps=bad)


def test_there_is_no_floor_from_the_largest_stable_step_size_on():
    for lr in (3.0, 4.0):
        with pytest.raises(ValueError, match=r"^lr: expected below max_stable_lr = 3.0, found"):
            noise_floor(1.0, lr, 0.5, noise=1.0)
    with pytest.raises(ValueError, match=r"^curvature: expected a positive finite number, found 0"):
        noise_floor(0, 1.0, 0.5, noise=1.0)
