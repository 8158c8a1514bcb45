"""Plots of measured runs hold the runs' own numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cnnlesson.plots import plot_accuracy_map, plot_against, plot_edge


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def made_up(*rows):
    """Return runs that nobody made."""
    columns = ["lr", "momentum", "seed", "test_accuracy", "status"]
    return pd.DataFrame(rows, columns=columns)


FRAME = made_up(
    (0.1, 0.0, 0, 0.90, "completed"),
    (0.1, 0.0, 1, 0.96, "completed"),
    (0.1, 0.0, 2, 0.95, "completed"),
    (0.01, 0.0, 0, 0.5, "completed"),
    (0.01, 0.9, 0, 0.8, "completed"),
    (0.01, 0.9, 1, 0.1, "dead"),
    (0.01, 0.9, 2, np.nan, "diverged"),
    (1.0, 0.9, 0, np.nan, "diverged"),
    (1.0, 0.9, 1, 0.1, "dead"),
    (1.0, 0.0, 0, 0.97, "completed"),
    (1.0, 0.0, 1, 0.93, "completed"),
)


def test_the_map_holds_the_medians_and_what_became_of_the_runs():
    ax = plot_accuracy_map(FRAME.sample(frac=1, random_state=0))
    [mesh] = ax.collections
    values = np.ma.filled(mesh.get_array().astype(float), np.nan)
    np.testing.assert_allclose(values, [[0.5, 0.95, 0.95], [0.1, np.nan, np.nan]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.01", "0.1", "1"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "0.9"]
    assert {text.get_position(): text.get_text() for text in ax.texts} == {
        (0, 1): "×○",
        (2, 1): "×○",
    }


def test_equal_steps_of_colour_are_equal_factors_of_errors():
    [mesh] = plot_accuracy_map(FRAME).collections
    places = mesh.norm([0, 0.9, 0.99, 1])
    np.testing.assert_allclose(places, [0, 0.5, 1, 1], atol=1e-12)


def test_along_a_line_the_effective_step_is_the_same():
    momenta = (0.0, 0.5, 0.9, 0.99)
    rates = [0.001, 0.01, 0.1, 1.0]
    rows = [(lr, mu, 0, 0.9, "completed") for lr in rates for mu in momenta]
    ax = plot_accuracy_map(made_up(*rows), effective=[0.1, 10])
    for line, effective in zip(ax.lines, (0.1, 10), strict=True):
        x, y = line.get_data()
        lr = 10.0 ** (x - 3)  # columns are a decade apart
        seen = np.isfinite(x)
        np.testing.assert_allclose(lr[seen] / (1 - np.array(momenta)[seen]), effective)
        np.testing.assert_array_equal(y, [0, 1, 2, 3])
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["α/(1−μ) = 0.1", "α/(1−μ) = 10"]
    assert np.isfinite(ax.lines[0].get_xdata()).all()
    np.testing.assert_array_equal(np.isfinite(ax.lines[1].get_xdata()), [False, False, True, True])


def test_the_median_is_a_line_and_the_range_a_band():
    ax = plot_against(FRAME, "lr", "test_accuracy", by="momentum")
    line, lost, other, other_lost = ax.lines
    np.testing.assert_allclose(line.get_xydata(), [[0.01, 0.5], [0.1, 0.95], [1, 0.95]])
    assert len(lost.get_xdata()) == 0
    assert np.isnan(other.get_ydata()).all()
    np.testing.assert_array_equal(other_lost.get_xdata(), [0.01, 1])
    corners = ax.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners.round(3)} >= {
        (0.1, 0.9),
        (0.1, 0.96),
        (1.0, 0.93),
        (1.0, 0.97),
    }
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "momentum 0",
        "momentum 0.9",
    ]
    assert ax.get_xscale() == "log"


def test_a_setting_that_may_be_zero_has_a_linear_axis():
    ax = plot_against(FRAME, "momentum", "seed")
    assert ax.get_xscale() == "linear"
    assert ax.get_legend() is None
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0, 0.5], [0.9, 1]])


def test_the_edge_stands_beside_both_predictions():
    index = pd.MultiIndex.from_product([(0.0, 0.5, 0.9), range(3)], names=["momentum", "seed"])
    edges = pd.Series([0.2, 0.1, 0.2, 0.1, 0.1, 0.05, 0.05, 0.02, 0.02], index)
    ax = plot_edge(edges)
    median, seeds, network, bowl = ax.lines
    np.testing.assert_allclose(median.get_xdata(), [1, 0.5, 0.1])
    np.testing.assert_allclose(median.get_ydata(), [0.2, 0.1, 0.02])
    np.testing.assert_allclose(seeds.get_ydata(), edges)
    np.testing.assert_allclose(network.get_ydata(), [0.2, 0.1, 0.02])
    np.testing.assert_allclose(bowl.get_ydata(), [0.2, 0.3, 0.38])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "0.5", "0.9"]
    assert ax.xaxis_inverted()


def test_the_rows_may_be_anything_in_their_own_order():
    order = pd.CategoricalDtype(["sgd", "adam"], ordered=True)
    names = FRAME["momentum"].map({0.0: "sgd", 0.9: "adam"}).astype(order)
    ax = plot_accuracy_map(FRAME.assign(rule=names), by="rule")
    [mesh] = ax.collections
    values = np.ma.filled(mesh.get_array().astype(float), np.nan)
    np.testing.assert_allclose(values, [[0.5, 0.95, 0.95], [0.1, np.nan, np.nan]])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["sgd", "adam"]
    assert {text.get_position() for text in ax.texts} == {(0, 1), (2, 1)}
    assert ax.get_ylabel() == "rule"
