"""The change of basis against PyTorch's optimiser and closed forms."""

import re

import numpy as np
import pytest
import torch
from traitlets import TraitError

from cnnlesson.widgets import EigenBasis

SETTINGS = [
    {},
    {"angle": -63.0, "lr": 0.3, "momentum": 0.9, "condition_number": 100.0},
    {"angle": 90.0, "lr": 1.0, "momentum": 0.0, "condition_number": 1.0, "start": (6.0, -3.0)},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_path_is_that_of_torch(settings):
    figure = EigenBasis(**settings)
    # Turning a vector by an angle is multiplying a complex number.
    turn = np.exp(1j * np.radians(figure.angle))
    start = complex(*figure.start) * turn
    w = torch.tensor([start.real, start.imag], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=figure.lr, momentum=figure.momentum)
    path = [w.detach().clone().numpy()]
    for _ in range(figure.num_steps):
        optimizer.zero_grad()
        along = w[0] * turn.real + w[1] * turn.imag
        across = w[1] * turn.real - w[0] * turn.imag
        (along**2 / figure.condition_number / 2 + across**2 / 2).backward()
        optimizer.step()
        path.append(w.detach().clone().numpy())
    np.testing.assert_allclose(figure.path().w, path, atol=1e-12)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_path_is_the_sum_of_its_components(settings):
    figure = EigenBasis(**settings)
    first, second = figure.components().T
    q_1, q_2 = figure.eigenvectors.T
    total = np.outer(first, q_1) + np.outer(second, q_2)
    np.testing.assert_allclose(figure.path().w, total, atol=1e-12)
    np.testing.assert_allclose(figure.eigenvectors.T @ figure.eigenvectors, np.eye(2), atol=1e-15)


def test_turning_the_bowl_changes_the_path_and_no_component():
    one, other = EigenBasis(), EigenBasis(angle=-50)
    np.testing.assert_array_equal(one.components(), other.components())
    assert np.abs(one.path().w - other.path().w).max() > 1


def test_the_still_picture_shows_the_path():
    figure = EigenBasis(num_steps=8)
    numbers = re.search(r'<path d="M([^"]+)"/></g><circle', figure.picture())[1]
    drawn = np.array(re.findall(r"-?[\d.]+", numbers), dtype=float).reshape(-1, 2)
    np.testing.assert_allclose(drawn, 154 + 22 * figure.path().w * [1, -1], atol=0.051)
    assert "NaN" not in EigenBasis(lr=4, momentum=0, num_steps=60).picture()


def test_the_sentence_gives_both_descriptions_of_the_end():
    figure = EigenBasis(lr=1, momentum=0, condition_number=2, num_steps=1, start=(4, 3), angle=90)
    assert "are 2 and 0 at any angle, and at this one w is (0, 2)" in figure.summary()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("angle", 91, "angle: expected a number from -90 to 90, found 91"),
        ("lr", 0, "lr: expected a number from 0.01 to 4, found 0"),
        ("momentum", 1, "momentum: expected a number from 0 to 0.99, found 1"),
        ("condition_number", 0.5, "condition_number: expected a number from 1 to 100, found 0.5"),
        ("num_steps", 61, "num_steps: expected a whole number from 1 to 60, found 61"),
        ("start", (0, 4), "x from -6 to 6 and y from -3 to 3, found (0, 4)"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(TraitError, match=re.escape(expected)):
        EigenBasis(**{name: value})
