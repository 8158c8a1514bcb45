import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnnlesson.momentum.descent import Trajectory
from cnnlesson.plots import plot_curves, plot_rates, plot_trajectories


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def find_line(ax, label):
    (line,) = (line for line in ax.lines if line.get_label() == label)
    return line


def test_a_curve_may_begin_before_the_first_step():
    line = find_line(plot_curves({"loss": [3.0, 2.0, 1.0]}, start=0), "loss")
    np.testing.assert_array_equal(line.get_xydata(), [[0, 3], [1, 2], [2, 1]])


def test_a_curve_begins_at_step_1_unless_told_otherwise():
    line = find_line(plot_curves({"loss": [3.0, 2.0]}), "loss")
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])


@pytest.fixture
def rates_ax():
    return plot_rates(
        [0.5, 1.0, 4.0],
        {"plain": [0.5, 0.0, 3.0], "heavy": [0.9, 0.8, 1.2]},
        {"plain": 2.0, "heavy": 3.8},
    )


@pytest.mark.parametrize(
    ("label", "rates", "bound"), [("plain", [0.5, 0, 3], 2), ("heavy", [0.9, 0.8, 1.2], 3.8)]
)
def test_each_rate_is_a_curve_over_the_step_sizes_and_its_bound_a_dot_on_it(
    rates_ax, label, rates, bound
):
    curve = find_line(rates_ax, label)
    np.testing.assert_array_equal(curve.get_xydata(), np.transpose([[0.5, 1, 4], rates]))
    (dot,) = (
        line
        for line in rates_ax.lines
        if line.get_marker() == "o" and line.get_color() == curve.get_color()
    )
    np.testing.assert_array_equal(dot.get_xydata(), [[bound, 1]])


def test_every_rate_is_named_in_the_legend(rates_ax):
    assert [text.get_text() for text in rates_ax.get_legend().get_texts()] == ["plain", "heavy"]


def test_what_is_given_axes_draws_on_them():
    _, ax = plt.subplots()
    assert plot_rates([1.0], {"a": [0.5]}, {"a": 2.0}, ax=ax) is ax


def test_a_trajectory_is_drawn_point_by_point():
    w = np.array([[-2.0, 1.0], [0.5, -0.5], [0.0, 0.1]])
    ax = plot_trajectories({"path": Trajectory(w, np.zeros_like(w))}, (0.1, 1.0))
    np.testing.assert_array_equal(find_line(ax, "path").get_xydata(), w)


def test_contours_are_lines_of_equal_loss():
    w = np.array([[-10.0, 3.0], [0.0, 0.0]])
    ax = plot_trajectories({"path": Trajectory(w, w)}, (0.02, 1.0))
    (contours,) = ax.collections
    for path, level in zip(contours.get_paths(), contours.levels, strict=True):
        x, y = path.vertices[1:].T
        np.testing.assert_allclose((0.02 * x**2 + y**2) / 2, level, rtol=0.05)
