"""Rosenbrock's valley, against SciPy's own function, and PyTorch's derivatives and optimiser."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy.optimize import minimize, rosen

from cnnlesson import RosenbrockValley, max_stable_lr, momentum_descent

places = st.tuples(st.floats(-10, 10), st.floats(-5, 5))
steepness = st.floats(1, 1000)


def torch_loss(kappa):
    """Return the loss as PyTorch differentiates it."""
    return lambda w: ((w[0] - 8) ** 2 / kappa + (w[1] + 4 - w[0] ** 2 / 8) ** 2) / 10


@given(places)
def test_it_is_rosenbrock_s_function_in_another_scale(w):
    valley = RosenbrockValley(100)
    at = [w[0] / 8, (w[1] + 4) / 8]
    assert valley.loss(w) == pytest.approx(0.064 * rosen(at), rel=1e-9, abs=1e-12)
    assert valley.loss(valley.minimiser) == 0


@given(places, steepness)
def test_loss_and_gradient_are_those_of_autograd(w, kappa):
    valley = RosenbrockValley(kappa)
    at = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    loss = torch_loss(kappa)(at)
    loss.backward()
    assert valley.loss(w) == pytest.approx(loss.item(), rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(valley.gradient(w), at.grad, rtol=1e-9, atol=1e-12)


@given(steepness)
def test_curvatures_are_the_eigenvalues_of_the_hessian_at_the_minimum(kappa):
    valley = RosenbrockValley(kappa)
    at = torch.tensor(valley.minimiser, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(torch_loss(kappa), at)
    found = valley.curvatures
    np.testing.assert_allclose(found, np.linalg.eigvalsh(hessian), rtol=1e-9)
    assert found[0] < found[1]


def test_the_condition_number_at_the_minimum_of_rosenbrock_s_own():
    flat, steep = RosenbrockValley(100).curvatures
    assert steep / flat == pytest.approx(2508, abs=0.5)  # as textbooks have it


def test_the_minimum_by_scipy():
    valley = RosenbrockValley(100)
    found = minimize(valley.loss, (-8, 2.5), jac=valley.gradient, options={"gtol": 1e-10})
    np.testing.assert_allclose(found.x, valley.minimiser, atol=1e-6)


@given(places, steepness, st.floats(0.01, 2), st.floats(0, 0.95))
def test_the_path_is_that_of_torch_s_sgd(start, kappa, lr, momentum):
    path = momentum_descent(
        RosenbrockValley(kappa).gradient, start, lr=lr, momentum=momentum, num_steps=12
    ).w
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=lr, momentum=momentum)
    for expected in path[1:]:
        if not np.abs(expected).max() < 40:  # from there on it doubles its digits with each step
            break
        optimizer.zero_grad()
        torch_loss(kappa)(w).backward()
        optimizer.step()
        np.testing.assert_allclose(w.detach(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("kappa", [1.0, 10.0, 100.0])
def test_near_the_minimum_the_bowl_s_limit_holds(kappa, momentum):
    valley = RosenbrockValley(kappa)
    bound = max_stable_lr(valley.curvatures[1], momentum)
    at = torch.tensor(valley.minimiser, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(torch_loss(kappa), at)
    steep = np.linalg.eigh(hessian.numpy())[1][:, 1]
    start = valley.minimiser + 1e-7 * steep

    def away(lr):
        path = momentum_descent(valley.gradient, start, lr=lr, momentum=momentum, num_steps=600)
        return np.hypot(*(path.w - valley.minimiser).T)

    assert away(0.98 * bound)[-1] < 1e-8
    assert np.nanmax(away(1.02 * bound)) > 1e-5


@given(places, st.floats(0, 3), st.floats(0.01, 4), st.floats(0, 0.99))
def test_from_forty_widths_of_the_picture_away_nothing_comes_back(start, log_kappa, lr, momentum):
    valley = RosenbrockValley(10**log_kappa)
    path = momentum_descent(valley.gradient, start, lr=lr, momentum=momentum, num_steps=300).w
    size = np.abs(path).max(axis=1)
    far = np.flatnonzero(~(size <= 400))
    assert not far.size or not np.any(size[far[0] :] <= 400)


@given(steepness, st.floats(1e-3, 100))
def test_a_contour_has_one_loss_and_goes_once_around(kappa, loss):
    valley = RosenbrockValley(kappa)
    line = valley.contour(loss, [-1e6, 1e6])
    np.testing.assert_allclose(valley.loss(line), loss, rtol=1e-6)
    assert np.all(np.diff(line[:65, 0]) <= 0)
    assert np.all(np.diff(line[65:, 0]) >= 0)
    above = line[:, 1] - (line[:, 0] ** 2 / 8 - 4)
    assert above[1:64].min() > 0 > above[66:129].max()
    part = valley.contour(loss, [-3.0, 8.5])
    np.testing.assert_allclose(valley.loss(part), loss, rtol=1e-6)
    assert part[:, 0].min() >= -3 - 1e-9
    assert part[:, 0].max() <= 8.5 + 1e-9


@pytest.mark.parametrize("kappa", [0, -1, float("nan"), "100"])
def test_a_steepness_out_of_range_is_refused(kappa):
    with pytest.raises(ValueError, match="steepness: expected a positive finite number"):
        RosenbrockValley(kappa)
    assert repr(RosenbrockValley(100)) == "RosenbrockValley(steepness=100.0)"
