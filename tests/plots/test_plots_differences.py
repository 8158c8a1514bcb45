"""The plot of paired differences holds the differences and the intervals it was given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cnnlesson.plots import plot_differences

DIFFERENCES = pd.DataFrame({"one": [0.0, 2.0, 4.0], "other": [-300.0, -200.0, -100.0]})
INTERVALS = pd.DataFrame(
    {"low": [-3.0, -448.0], "mean": [2.0, -200.0], "high": [7.0, 48.0]}, index=["one", "other"]
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_dots_are_differences_and_bars_are_intervals():
    ax = plot_differences(DIFFERENCES[["other", "one"]], INTERVALS, xlabel="more mistakes")
    [bars] = ax.containers
    _, _, [segments] = bars.lines
    ends = np.array(segments.get_segments(), dtype=float)
    np.testing.assert_allclose(ends, [[(-3, 0), (7, 0)], [(-448, 1), (48, 1)]])
    np.testing.assert_allclose(bars.lines[0].get_xdata().astype(float), [2, -200])
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots[0].get_xydata(), [(0, 0), (2, 0), (4, 0)])
    np.testing.assert_allclose(dots[1].get_xydata(), [(-300, 1), (-200, 1), (-100, 1)])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "other"]
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "more mistakes"
    assert ax.get_xscale() == "linear"


def test_differences_of_very_different_sizes_fit_on_one_axis():
    ax = plot_differences(DIFFERENCES, INTERVALS, linthresh=10)
    assert ax.get_xscale() == "symlog"
    ax.figure.canvas.draw()
    place = ax.transData.transform
    (left, _), (right, _) = ax.get_window_extent().get_points()
    assert left + 5 < place((-448, 0))[0]
    assert place((48, 0))[0] < right - 5
    assert {"−100", "0", "10"} <= {text.get_text() for text in ax.get_xticklabels()}
