"""What the figures of the chapter on evaluation hold."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from cnnlesson.plots import plot_reliability

CONFIDENCE, ACCURACY, ERROR = [0.4, 0.6, 0.95], [0.5, 0.55, 0.9], [0.1, 0.05, 0.02]


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_each_bin_is_a_point_with_its_bar() -> None:
    ax = plot_reliability(CONFIDENCE, ACCURACY, ERROR)

    (container,) = ax.containers
    points, _, (bars,) = container
    assert_allclose(points.get_xydata(), np.transpose([CONFIDENCE, ACCURACY]))
    low, high = np.subtract(ACCURACY, ERROR), np.add(ACCURACY, ERROR)
    expected = [[[x, a], [x, b]] for x, a, b in zip(CONFIDENCE, low, high, strict=True)]
    assert_allclose(bars.get_segments(), expected)


def test_the_diagonal_is_drawn_and_both_axes_have_one_scale() -> None:
    ax = plot_reliability(CONFIDENCE, ACCURACY, ERROR)

    assert_allclose(ax.lines[0].get_xydata(), [[0, 0], [1, 1]])
    assert ax.get_aspect() == 1
    assert ax.get_xlim() == ax.get_ylim()


def test_it_draws_where_it_is_told() -> None:
    _, ax = plt.subplots()

    assert plot_reliability(CONFIDENCE, ACCURACY, ERROR, ax=ax) is ax
    assert len(plt.get_fignums()) == 1
