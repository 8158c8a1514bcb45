"""The unchecked matrix: many at once, up to the edges that the checked functions refuse."""

import numpy as np
import pytest

from cnnlesson import momentum_eigenvalues, momentum_matrix, spectral_radius
from cnnlesson.momentum.step_matrix import (
    quarter_discriminant,
    step_eigenvalues,
    step_matrix,
    step_rate,
)

SCALED_LR = np.linspace(0, 4, 41)[:, None]
MOMENTUM = np.linspace(0, 1, 21)


def test_many_at_once_are_the_checked_ones_to_the_last_bit():
    matrices = step_matrix(SCALED_LR, MOMENTUM)
    eigenvalues = step_eigenvalues(SCALED_LR, MOMENTUM)
    rates = step_rate(SCALED_LR, MOMENTUM)
    for (i, j), rate in np.ndenumerate(rates):
        a, momentum = SCALED_LR[i, 0], MOMENTUM[j]
        if a == 0 or momentum == 1:
            continue
        assert np.array_equal(matrices[i, j], momentum_matrix(a, 1, momentum))
        assert tuple(eigenvalues[i, j]) == momentum_eigenvalues(a, 1, momentum)
        assert rate == spectral_radius(a, 1, momentum)


def test_the_edges_of_the_map():
    edges = [(a, 1.0) for a in SCALED_LR[:, 0]] + [(0.0, momentum) for momentum in MOMENTUM]
    for a, momentum in edges:
        expected = np.linalg.eigvals(step_matrix(a, momentum))
        found = step_eigenvalues(a, momentum)
        for value in found:
            assert np.abs(expected - value).min() < 1e-7
        assert step_rate(a, momentum) == pytest.approx(1, abs=1e-15)  # nothing brakes, or pulls


def test_the_discriminant_is_a_quarter_of_the_squared_distance_of_the_eigenvalues():
    first, second = np.moveaxis(step_eigenvalues(SCALED_LR, MOMENTUM), -1, 0)
    found = quarter_discriminant(SCALED_LR, MOMENTUM)
    np.testing.assert_allclose((first - second) ** 2 / 4, found, atol=1e-15)
