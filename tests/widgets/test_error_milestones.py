"""The error milestones against Monte Carlo, SciPy's Lyapunov equation and closed forms."""

import re

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov
from traitlets import TraitError

from cnnlesson.momentum.quadratic import optimal_lr, optimal_momentum
from cnnlesson.widgets import ErrorMilestones

SETTINGS = [
    {},
    {"lr": 1.9, "momentum": 0.0, "condition_number": 10.0, "noise": 0.1},
    {"lr": 3.3, "momentum": 0.67, "condition_number": 100.0, "noise": 0.05},
    {"lr": 0.1, "momentum": 0.95, "condition_number": 3.0, "noise": 0.1},
]


def matrices(figure):
    """Return the matrix of one step on (w, v) for each eigenvalue, and the noise it lets in."""
    a, momentum = figure.lr * figure.curvatures, figure.momentum
    steps = [np.array([[1 - x, momentum], [-x, momentum]]) for x in a]
    return steps, np.full((2, 2), (figure.lr * figure.noise) ** 2)


@pytest.mark.parametrize("settings", SETTINGS)
def test_both_parts_of_the_error_are_those_of_many_noisy_descents(settings):
    figure = ErrorMilestones(num_steps=60, **settings)
    random = np.random.default_rng(0)
    num_runs = 20_000
    w, v = np.ones((num_runs, 20)), np.zeros((num_runs, 20))
    expected = figure.deterministic_error() + figure.stochastic_error()
    for t in range(61):
        if t in (0, 1, 5, 20, 60):
            squares = (w**2).mean(axis=1)
            error = squares.std() / np.sqrt(num_runs)
            assert abs(squares.mean() - expected[t]) <= 4 * error + 1e-12
            of_the_mean = (w.mean(axis=0) ** 2).mean()
            bias = w.var(axis=0).mean() / num_runs  # of the square of a mean
            assert of_the_mean == pytest.approx(
                figure.deterministic_error()[t] + bias, abs=6 * np.sqrt(bias) * (1 + bias)
            )
        g = figure.curvatures * w + figure.noise * random.standard_normal(w.shape)
        v = figure.momentum * v - figure.lr * g
        w = w + v


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_noise_floor_solves_the_lyapunov_equation(settings):
    figure = ErrorMilestones(num_steps=1000, **settings)
    steps, kick = matrices(figure)
    floor = np.mean([solve_discrete_lyapunov(step, kick)[0, 0] for step in steps])
    assert figure.noise_floor == pytest.approx(floor, rel=1e-9)
    assert figure.stochastic_error()[-1] <= floor * (1 + 1e-9)
    if figure.rates.max() < 0.98:
        assert figure.stochastic_error()[-1] == pytest.approx(floor, rel=1e-9)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_variance_is_a_sum_over_all_kicks_so_far(settings):
    figure = ErrorMilestones(num_steps=40, **settings)
    steps, _ = matrices(figure)
    kick = figure.lr * figure.noise * np.ones(2)
    expected = [
        sum((np.linalg.matrix_power(step, k) @ kick)[0] ** 2 for k in range(40)) for step in steps
    ]
    assert figure.stochastic_error()[-1] == pytest.approx(np.mean(expected), rel=1e-9)


def test_milestones_of_gradient_descent_have_a_closed_form():
    figure = ErrorMilestones(lr=1.2, momentum=0, condition_number=30)
    rate = np.abs(1 - 1.2 * figure.curvatures)
    fractions = np.array([0.1, 0.01, 0.001])
    expected = np.ceil(np.log(fractions) / np.log(rate[:, None]))
    np.testing.assert_array_equal(figure.milestones, expected)


@pytest.mark.parametrize("settings", SETTINGS)
def test_milestones_are_the_last_ones(settings):
    figure = ErrorMilestones(**settings)
    steps, _ = matrices(figure)
    for step, row in zip(steps, figure.milestones, strict=True):
        for fraction, milestone in zip((0.1, 0.01, 0.001), row, strict=True):
            after = int(milestone)
            error = [
                abs(np.linalg.matrix_power(step, k)[0, 0]) for k in range(after - 1, after + 400)
            ]
            assert error[0] > fraction >= max(error[1:])


def test_divergence_reaches_no_milestone_and_no_floor():
    figure = ErrorMilestones(lr=4, momentum=0, num_steps=1000)
    assert np.isinf(figure.milestones[-1]).all()
    assert np.isfinite(figure.milestones[0]).all()
    assert figure.noise_floor == np.inf
    assert "leaves a mean squared error of inf." in figure.summary()
    assert "not in 5000 steps" in figure.summary()
    assert ErrorMilestones(lr=3.6, momentum=0.8).noise_floor == np.inf
    assert ErrorMilestones(noise=0).noise_floor == 0


def test_the_optimum_is_the_fastest_for_the_slowest_component():
    best = optimal_momentum(1 / 100, 1)
    figure = ErrorMilestones(lr=best.lr, momentum=best.momentum)
    np.testing.assert_allclose(figure.rates, best.rate, atol=1e-6)
    for lr, momentum in ((best.lr + 0.1, best.momentum), (best.lr, best.momentum - 0.05)):
        assert ErrorMilestones(lr=lr, momentum=momentum).rates.max() > best.rate + 1e-3
    plain = optimal_lr(1 / 100, 1)
    ends = ErrorMilestones(lr=plain.lr, momentum=0).rates[[0, -1]]
    np.testing.assert_allclose(ends, plain.rate, rtol=1e-12)


def test_the_still_picture_s_bars_end_at_the_milestones():
    figure = ErrorMilestones(num_steps=50)
    drawn = np.array(re.findall(r",\d+h([\d.]+)\"", figure.picture()), dtype=float).reshape(20, 3)
    expected = np.minimum(figure.milestones[:, ::-1], 50) * 560 / 50
    np.testing.assert_allclose(drawn, expected, atol=0.051)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lr", 0, "lr: expected a number from 0.01 to 4, found 0"),
        ("momentum", 1, "momentum: expected a number from 0 to 0.99, found 1"),
        ("condition_number", 0.5, "condition_number: expected a number from 1 to 1000, found 0.5"),
        ("noise", 0.2, "noise: expected a number from 0 to 0.1, found 0.2"),
        ("num_steps", 9, "num_steps: expected a whole number from 10 to 1000, found 9"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(TraitError, match=re.escape(expected)):
        ErrorMilestones(**{name: value})
