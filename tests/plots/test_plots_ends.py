"""The picture of how trainings end holds every run, the edge and the two limits."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cnnlesson.plots import plot_ends


def test_runs_edge_and_limits_are_where_they_belong():
    runs = pd.DataFrame(
        {
            "lr": [0.01, 0.1, 1.0, 0.01, 0.1],
            "momentum": [0.0, 0.0, 0.0, 0.9, 0.9],
            "end": ["slow", "works", "dead", "works", "astray"],
            "test_accuracy": [0.3, 0.9, 0.1, 0.8, 0.2],
            "batch_sharpness": [90.0, 12.0, 0.0, 15.0, 4.0],
        }
    )
    axes = plot_ends(runs.query("lr > 0.01"), runs, {0.0: 0.5, 0.9: 0.05})
    assert axes.shape == (2, 2)
    for (top, bottom), (momentum, edge) in zip(axes.T, ((0.0, 0.5), (0.9, 0.05)), strict=True):
        mine = runs[runs["momentum"] == momentum]
        shown = {line.get_label(): line for line in bottom.lines}
        for end, rows in mine.groupby("end"):
            np.testing.assert_allclose(shown[end].get_xydata(), rows[["lr", "test_accuracy"]])
        assert sum(len(line.get_xdata()) for line in bottom.lines) == len(mine) + 2
        above = {line.get_label(): line for line in top.lines}
        for name, sign in (("2(1 + μ)/α", 1), ("2(1 − μ)/α", -1)):
            steps, limit = above[name].get_data()
            np.testing.assert_allclose(limit * steps, 2 * (1 + sign * momentum))
        assert above["edge"].get_xdata()[0] == shown["edge"].get_xdata()[0] == edge
    [legend] = axes[0, 0].figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert len(words) == len(set(words))
    assert {"works", "slow", "astray", "dead", "edge"} <= set(words)
    assert "exploded" not in words
    plt.close("all")
