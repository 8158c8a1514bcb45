"""The convex Rosenbrock function, against SciPy, PyTorch and every method we can think of."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import eigvalsh_tridiagonal
from scipy.optimize import approx_fprime, minimize
from scipy.sparse.linalg import cg

from cnnlesson import ConvexRosenbrock, momentum_descent, optimal_lr, optimal_momentum

SIZES = [(1.5, 1), (4.0, 2), (100.0, 25), (996.35, 25), (1e6, 200)]


@pytest.mark.parametrize(("condition_number", "dim"), SIZES)
def test_minimiser_by_solving_and_curvatures_by_scipy(condition_number, dim):
    bowl = ConvexRosenbrock(condition_number, dim)
    pull = np.eye(dim)[0]
    np.testing.assert_allclose(bowl.minimiser, np.linalg.solve(bowl.hessian, pull), rtol=1e-8)
    diagonal = np.full(dim, 2 + 4 / (condition_number - 1))
    expected = eigvalsh_tridiagonal(diagonal, np.full(dim - 1, -1.0))
    np.testing.assert_allclose(bowl.curvatures, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("condition_number", "dim"), SIZES[:4])
def test_gradient_and_hessian_are_derivatives_of_the_loss(condition_number, dim):
    bowl = ConvexRosenbrock(condition_number, dim)
    w = np.random.default_rng(0).standard_normal(dim)
    np.testing.assert_allclose(bowl.gradient(w), approx_fprime(w, bowl.loss), atol=1e-5)

    def loss(x):
        chain = torch.cat([torch.ones(1, dtype=x.dtype), x, torch.zeros(1, dtype=x.dtype)])
        return chain.diff().square().sum() / 2 + 2 / (condition_number - 1) * x.square().sum()

    assert bowl.loss(w) == pytest.approx(loss(torch.from_numpy(w)).item(), rel=1e-12)
    hessian = torch.autograd.functional.hessian(loss, torch.from_numpy(w))
    np.testing.assert_allclose(bowl.hessian, hessian, atol=1e-12)


def test_minimiser_by_scipy():
    bowl = ConvexRosenbrock(100.0, 25)
    found = minimize(bowl.loss, np.zeros(25), jac=bowl.gradient, options={"gtol": 1e-12})
    np.testing.assert_allclose(found.x, bowl.minimiser, atol=1e-9)
    assert bowl.loss(bowl.minimiser) <= found.fun + 1e-15


def test_condition_number_of_a_long_chain():
    found = [np.ptp(np.log(ConvexRosenbrock(100.0, n).curvatures[[0, -1]])) for n in (5, 25, 2000)]
    assert found == sorted(found)
    assert math.exp(found[-1]) == pytest.approx(100, rel=1e-3)
    assert math.exp(found[-1]) < 100


def test_the_bound_of_a_long_chain_is_the_rate_of_momentum_at_its_best():
    rate = optimal_momentum(1, 100).rate  # 0.818182, (√κ − 1)/(√κ + 1)
    bound = ConvexRosenbrock(100.0, 500).lower_bound(60)
    np.testing.assert_allclose(bound, rate ** np.arange(1, 62), rtol=1e-12)
    assert bound[:4] == pytest.approx([0.818182, 0.669421, 0.547708, 0.448125], abs=5e-7)


def test_the_limit_is_not_the_minimiser_of_a_short_chain():
    # Distill's formula, without a word on n: at n = 25 its last weight is wrong by half and more.
    bowl = ConvexRosenbrock(996.35, 25)
    limit = optimal_momentum(1, 996.35).rate ** np.arange(1, 26)
    assert np.abs(bowl.gradient(bowl.minimiser)).max() < 1e-14
    assert np.abs(bowl.gradient(limit)).max() > 0.1
    assert bowl.minimiser[-1] < 0.5 * limit[-1]


def conjugate_gradients(bowl: ConvexRosenbrock, num_steps: int) -> np.ndarray:
    path = [np.zeros(bowl.dim)]
    cg(
        bowl.hessian,
        np.eye(bowl.dim)[0],
        maxiter=num_steps,
        rtol=0,
        callback=lambda w: path.append(w.copy()),
    )
    return np.array(path)


def random_first_order_method(bowl: ConvexRosenbrock, num_steps: int, seed: int) -> np.ndarray:
    """Combine all gradients so far, with a random step size for each weight, each and step."""
    generator = np.random.default_rng(seed)
    w, gradients = [np.zeros(bowl.dim)], []
    for _ in range(num_steps):
        gradients.append(bowl.gradient(w[-1]))
        factors = generator.normal(0, 0.3, (len(gradients), bowl.dim))
        w.append(-(factors * gradients).sum(axis=0))
    return np.array(w)


def torch_path(name: str, bowl: ConvexRosenbrock, num_steps: int, **options) -> np.ndarray:
    w = torch.zeros(bowl.dim, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **options)
    path = [w.detach().numpy().copy()]
    for _ in range(num_steps):
        w.grad = torch.from_numpy(bowl.gradient(w.detach().numpy()))
        optimizer.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


def every_method(bowl: ConvexRosenbrock, num_steps: int):
    smallest, largest = bowl.curvatures[[0, -1]]
    lr, momentum, _ = optimal_momentum(smallest, largest)
    start = np.zeros(bowl.dim)
    for convention in ("classical", "nesterov"):
        yield momentum_descent(
            bowl.gradient, start, lr=lr, momentum=momentum, num_steps=num_steps,
            convention=convention,
        ).w  # fmt: skip
    lr = optimal_lr(smallest, largest).lr
    yield momentum_descent(bowl.gradient, start, lr=lr, num_steps=num_steps).w
    yield conjugate_gradients(bowl, num_steps)
    yield torch_path("Adam", bowl, num_steps, lr=0.1)
    yield torch_path("Adagrad", bowl, num_steps, lr=0.5)
    yield torch_path("RMSprop", bowl, num_steps, lr=0.05, momentum=0.5)
    for seed in range(20):
        yield random_first_order_method(bowl, min(num_steps, 15), seed)


@pytest.mark.parametrize(("condition_number", "dim"), [(100.0, 25), (996.35, 25), (10.0, 60)])
def test_no_method_is_below_the_bound_and_news_travels_one_weight_a_step(condition_number, dim):
    bowl = ConvexRosenbrock(condition_number, dim)
    for path in every_method(bowl, 50):
        distance = np.abs(path - bowl.minimiser).max(axis=1)
        bound = bowl.lower_bound(len(path) - 1)
        assert (distance >= bound * (1 - 1e-12)).all()
        for k, w in enumerate(path[:dim]):
            assert not w[k:].any()


def test_momentum_at_its_best_meets_the_bound_and_gradient_descent_does_not():
    bowl = ConvexRosenbrock(100.0, 300)
    extremes = bowl.curvatures[[0, -1]]
    for lr, momentum in (optimal_momentum(*extremes)[:2], (optimal_lr(*extremes).lr, 0.0)):
        path = momentum_descent(
            bowl.gradient, np.zeros(300), lr=lr, momentum=momentum, num_steps=120
        )
        distance = np.abs(path.w - bowl.minimiser).max(axis=1)
        ratio = distance / bowl.lower_bound(120)
        if momentum:  # the weight that is farthest is the first that no news has reached
            np.testing.assert_allclose(ratio, 1, rtol=1e-9)
        else:
            assert ratio[-1] > 1e6


def test_the_bound_ends_with_the_chain():
    bound = ConvexRosenbrock(100.0, 5).lower_bound(8)
    assert bound.shape == (9,)
    assert (np.diff(bound[:6]) < 0).all()
    assert bound[5:].tolist() == [0, 0, 0, 0]
    np.testing.assert_array_equal(bound[:5], ConvexRosenbrock(100.0, 5).minimiser)
    assert ConvexRosenbrock(100.0, 5).lower_bound(0).shape == (1,)


def test_repr():
    assert repr(ConvexRosenbrock(100, 25)) == "ConvexRosenbrock(condition_number=100.0, dim=25)"


@pytest.mark.parametrize("bad", [-1, 0, 1, math.nan, math.inf, "2", True, None])
def test_the_condition_number_is_above_1(bad):
    message = f"^condition_number: expected a finite number above 1, found {bad!r}$"
    with pytest.raises(ValueError, match=message):
        ConvexRosenbrock(bad, 5)


@pytest.mark.parametrize("bad", [-1, 0, 1.5, math.nan, "2", True, None])
def test_counts_are_counts(bad):
    with pytest.raises(
        ValueError, match=f"^dim: expected a whole number, 1 or more, found {bad!r}$"
    ):
        ConvexRosenbrock(2.0, bad)
    if bad != 0:
        with pytest.raises(ValueError, match=r"^num_steps: expected a whole number, 0 or more"):
            ConvexRosenbrock(2.0, 2).lower_bound(bad)


@pytest.mark.parametrize("method", ["loss", "gradient"])
def test_weights_of_another_shape_are_refused(method):
    for shape in [(4,), (6,), (1, 5), ()]:
        with pytest.raises(ValueError, match=r"^w: expected shape \(5,\), found "):
            getattr(ConvexRosenbrock(2.0, 5), method)(np.zeros(shape))
    with pytest.raises(ValueError, match=r"^w: expected shape \(5,\), found \(2,\)$"):
        getattr(ConvexRosenbrock(2.0, 5), method)([1.0, 2.0])


@pytest.mark.parametrize("method", ["loss", "gradient"])
def test_weights_may_be_a_list(method):
    value = getattr(ConvexRosenbrock(2.0, 3), method)
    np.testing.assert_array_equal(value([1, 2, 3]), value(np.array([1.0, 2.0, 3.0])))
