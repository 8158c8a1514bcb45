"""Polynomial regression and its filters, against scikit-learn, SciPy and plain iteration."""

import math
import re

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.preprocessing import PolynomialFeatures

from cnnlesson import PolynomialRegression, early_stopping_filter, momentum_descent, tikhonov_filter

GENERATOR = np.random.default_rng(0)
X = GENERATOR.uniform(-1, 1, 25)
Y = np.sin(3 * X) + 0.2 * GENERATOR.standard_normal(25)
DEGREES = (0, 1, 3, 6)


def by_sklearn(degree):
    return PolynomialFeatures(degree).fit_transform(X[:, None])


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize(("lr", "momentum"), [(0.9, 0.0), (0.5, 0.8), (0.05, 0.99)])
@pytest.mark.parametrize("num_steps", [0, 1, 7, 400])
def test_stopping_early_is_stopping_the_descent(degree, lr, momentum, num_steps):
    problem = PolynomialRegression(X, Y, degree)
    features = by_sklearn(degree)
    path = momentum_descent(
        lambda w: features.T @ (features @ w - Y) / len(X),
        np.zeros(degree + 1),
        lr=lr,
        momentum=momentum,
        num_steps=num_steps,
    )
    kept = early_stopping_filter(problem.curvatures, lr=lr, momentum=momentum, num_steps=num_steps)
    np.testing.assert_allclose(problem.weights(kept), path.w[-1], rtol=1e-9, atol=1e-11)
    if momentum == 0:
        expected = 1 - (1 - lr * problem.curvatures) ** num_steps
        np.testing.assert_allclose(kept, expected, atol=1e-12)


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("penalty", [1e-4, 0.03, 2.0])
def test_the_penalty_is_ridge_regression(degree, penalty):
    problem = PolynomialRegression(X, Y, degree)
    features = by_sklearn(degree)
    found = problem.weights(tikhonov_filter(problem.curvatures, penalty))
    ridge = Ridge(alpha=penalty * len(X), fit_intercept=False, solver="cholesky")
    np.testing.assert_allclose(found, ridge.fit(features, Y).coef_, rtol=1e-8, atol=1e-10)
    matrix = features.T @ features / len(X) + penalty * np.eye(degree + 1)
    solved = np.linalg.solve(matrix, features.T @ Y / len(X))
    np.testing.assert_allclose(found, solved, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("degree", DEGREES)
def test_eigenfeatures_are_orthogonal_on_the_points_and_sum_up_to_the_fit(degree):
    problem = PolynomialRegression(X, Y, degree)
    features = problem.eigenfeatures(X)
    gram = features.T @ features / len(X)
    np.testing.assert_allclose(gram, np.diag(problem.curvatures), atol=1e-12)
    np.testing.assert_allclose(problem.features(X), by_sklearn(degree), atol=1e-14)
    expected = eigh(by_sklearn(degree).T @ by_sklearn(degree) / len(X), eigvals_only=True)
    np.testing.assert_allclose(problem.curvatures, expected[::-1], atol=1e-13)
    largest = np.abs(problem.eigenvectors).argmax(axis=0)
    assert (problem.eigenvectors[largest, np.arange(degree + 1)] > 0).all()
    fit = LinearRegression(fit_intercept=False).fit(by_sklearn(degree), Y)
    np.testing.assert_allclose(problem.weights(np.ones(degree + 1)), fit.coef_, rtol=1e-8)
    np.testing.assert_allclose(features @ problem.coefficients, fit.predict(by_sklearn(degree)))


def test_no_step_keeps_nothing_and_no_penalty_keeps_all():
    curvatures = np.array([1.0, 0.1])
    assert early_stopping_filter(curvatures, lr=1, num_steps=0).tolist() == [0, 0]
    assert tikhonov_filter(curvatures, 0).tolist() == [1, 1]
    assert early_stopping_filter(0.0, lr=1, num_steps=9).tolist() == [0]


def test_repr():
    assert repr(PolynomialRegression(X, Y, 3)) == "PolynomialRegression(25 points, degree=3)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PolynomialRegression(X, Y[:-1], 2), "y: expected one number for each of the 25 x"),
        (lambda: PolynomialRegression([1.0, 1.0, 2.0], [0.0] * 3, 2), "below the 2 different x"),
        (lambda: PolynomialRegression(X, Y, -1), "degree: expected a whole number, 0 or more"),
        (lambda: PolynomialRegression([math.nan], [1.0], 0), "x: expected a vector of finite"),
        (lambda: tikhonov_filter(1.0, -1), "penalty: expected a finite number, 0 or more"),
        (lambda: tikhonov_filter([0.0, 1.0], 0), "penalty: expected a positive number where"),
        (lambda: tikhonov_filter(-1.0, 1), "curvatures: expected a finite number, 0 or more"),
        (lambda: early_stopping_filter(1.0, lr=0, num_steps=1), "lr: expected a positive finite"),
        (lambda: early_stopping_filter(1.0, lr=1, num_steps=-1), "num_steps: expected a whole"),
        (
            lambda: early_stopping_filter(1.0, lr=1, momentum=1, num_steps=1),
            "momentum: expected a number in [0, 1), found 1",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
