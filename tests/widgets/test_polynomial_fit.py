"""The polynomial fit against plain iteration, scikit-learn and the words it says."""

import json
import re

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from traitlets import TraitError

from cnnlesson import momentum_descent
from cnnlesson.widgets import PolynomialFit

SETTINGS = [
    {},
    {"degree": 2, "num_steps": 5, "lr": 0.3},
    {"degree": 5, "num_steps": 40, "lr": 0.7, "momentum": 0.9},
]
PLACES = np.linspace(-1, 1, 81)


@pytest.mark.parametrize("settings", SETTINGS)
def test_both_curves_are_those_of_descent_and_of_ridge_regression(settings):
    figure = PolynomialFit(**settings)
    x, y = np.array(figure.data()["points"]).T
    features = np.vander(x, figure.degree + 1, increasing=True)
    w = momentum_descent(
        lambda w: features.T @ (features @ w - y) / len(x),
        np.zeros(figure.degree + 1),
        lr=figure.lr,
        momentum=figure.momentum,
        num_steps=figure.num_steps,
    ).w[-1]
    curve = np.polynomial.Polynomial(w)(PLACES)
    np.testing.assert_allclose(figure.curve(figure.early_stopping(), PLACES), curve, atol=1e-10)
    delta = (1 - figure.momentum) / (figure.lr * figure.num_steps)
    ridge = Ridge(alpha=delta * len(x), fit_intercept=False, solver="cholesky").fit(features, y)
    curve = np.polynomial.Polynomial(ridge.coef_)(PLACES)
    np.testing.assert_allclose(figure.curve(figure.tikhonov(), PLACES), curve, atol=1e-8)


def test_the_penalty_keeps_nearly_what_as_many_steps_learn():
    for num_steps in (10, 100, 1000, 10_000):
        figure = PolynomialFit(num_steps=num_steps)
        # The worst case of |1 − e⁻ˣ − x/(1 + x)| is 0.204.
        assert np.abs(figure.early_stopping() - figure.tikhonov()).max() < 0.205 + 1 / num_steps


def test_stopping_early_is_nearer_to_the_truth_than_stopping_late():
    def error(num_steps):
        figure = PolynomialFit(num_steps=num_steps)
        return figure.errors(figure.early_stopping())

    (near, early), (nearer, late) = error(300), error(100_000)
    assert nearer < near
    assert early < 0.15 < 0.5 < late
    assert error(1)[1] > 0.5


def test_up_to_a_step_size_of_1_nothing_diverges():
    for degree in range(2, 8):
        assert 0 < PolynomialFit(degree=degree).problem.curvatures.max() < 2


def test_what_travels_to_the_page_is_what_python_computes_with():
    data = json.loads(json.dumps(PolynomialFit().data()))
    for degree in range(2, 8):
        problem, sent = PolynomialFit(degree=degree).problem, data["eigen"][str(degree)]
        np.testing.assert_allclose(sent["curvatures"], problem.curvatures, rtol=1e-10)
        np.testing.assert_allclose(sent["coefficients"], problem.coefficients, atol=1e-11)
        np.testing.assert_allclose(sent["eigenvectors"], problem.eigenvectors.T, atol=1e-11)
    assert data["points"] == np.column_stack([problem.x, problem.y]).tolist()


def test_the_still_picture_s_bars_are_the_filters():
    figure = PolynomialFit(num_steps=40)
    picture = figure.picture()
    bars = [float(part) / 220 for part in re.findall(r"M370,\d+h([\d.]+)", picture)]
    np.testing.assert_allclose(bars, np.clip(figure.early_stopping(), 0, 1.2), atol=1e-3)
    marks = [(float(part) - 370) / 220 for part in re.findall(r"M([\d.]+),\d+v20", picture)]
    np.testing.assert_allclose(marks, figure.tikhonov(), atol=1e-3)


def test_the_sentence_counts_and_measures():
    sentence = PolynomialFit().summary()
    assert "5 of 8 eigenfeatures are more than half learned" in sentence
    assert "0.434 away from the points and 0.122 from the curve without noise" in sentence
    assert sentence.endswith("With Tikhonov’s penalty δ = 0.00333 that is 0.121.")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("degree", 8, "degree: expected a whole number from 2 to 7, found 8"),
        ("num_steps", 0, "num_steps: expected a whole number from 1 to 100000, found 0"),
        ("lr", 1.1, "lr: expected a number from 0.01 to 1, found 1.1"),
        ("momentum", 1, "momentum: expected a number from 0 to 0.99, found 1"),
        ("shown", "ridge", "shown: expected one of both, early stopping, Tikhonov, found 'ridge'"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(TraitError, match=re.escape(expected)):
        PolynomialFit(**{name: value})
