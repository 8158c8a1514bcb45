"""Plots of curvature hold what was measured, and the limits they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cnnlesson.plots import plot_curvature, plot_limit


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_each_step_size_has_its_curve_and_its_limit_in_one_colour():
    frame = pd.DataFrame(
        [(lr, step, seed, lr * step + seed) for lr in (2, 8) for step in (1, 4) for seed in (0, 1)],
        columns=["lr", "step", "seed", "sharpness"],
    )
    ax = plot_curvature(frame, "sharpness", {2: 10.0, 8: 20.0})
    by_label = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(by_label["α = 2"].get_ydata(), [2.5, 8.5])
    np.testing.assert_allclose(by_label["α = 8"].get_ydata(), [8.5, 32.5])
    limits = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in limits] == [10.0, 20.0]
    assert [line.get_color() for line in limits] == [
        by_label["α = 2"].get_color(),
        by_label["α = 8"].get_color(),
    ]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "4"]


def test_a_point_a_run_and_hollow_where_it_collapsed():
    frame = pd.DataFrame(
        [(0.0, 10.0, 9.0, False), (0.0, 5.0, -0.2, True), (0.9, 1.0, 2.0, False)],
        columns=["momentum", "limit", "sharpness", "has_collapsed"],
    )
    ax = plot_limit(frame, "limit", "sharpness")
    works, fails, other, nothing, diagonal = ax.lines
    assert [(*line.get_xdata(), *line.get_ydata()) for line in (works, fails, other, nothing)] == [
        (10.0, 9.0),
        (5.0, -0.2),
        (1.0, 2.0),
        (),
    ]
    assert fails.get_fillstyle() == "none"
    assert works.get_color() == fails.get_color() != other.get_color()
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["μ = 0", "μ = 0.9"]
