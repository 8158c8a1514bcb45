"""Pictures of a bowl are checked by what their artists hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnnlesson import spectral_radius
from cnnlesson.plots import plot_bands, plot_eigenvalues, plot_over_curvature, plot_phase


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_each_value_stands_over_its_curvature():
    ax = plot_over_curvature([0.01, 0.1, 1], {"a": [3, 2, 1], "b": [0, 0, 5]})
    first, second = ax.lines
    np.testing.assert_array_equal(first.get_xydata(), [[0.01, 3], [0.1, 2], [1, 1]])
    np.testing.assert_array_equal(second.get_ydata(), [0, 0, 5])
    assert ax.get_xscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_eigenvalues_stand_at_their_parts_beside_the_unit_circle():
    ax = plot_eigenvalues([0.5 + 0.2j, 0.5 - 0.2j])
    (dots,) = ax.lines
    np.testing.assert_array_equal(dots.get_xydata(), [[0.5, 0.2], [0.5, -0.2]])
    (circle,) = ax.patches
    assert (circle.center, circle.radius) == ((0, 0), 1)
    assert ax.get_aspect() == 1


def test_a_band_is_what_shrinks_at_its_rate():
    ax = plot_bands([0.3, 0.8])
    outlines = {patch.get_label(): patch for patch in ax.patches if not patch.get_fill()}
    assert list(outlines) == ["ρ ≤ 0.8", "ρ ≤ 0.3"]
    generator = np.random.default_rng(0)
    for rate in (0.3, 0.8):
        path = outlines[f"ρ ≤ {rate}"].get_path()
        for scaled_lr, momentum in generator.uniform((0.001, 0), (4, 1), size=(500, 2)):
            inside = path.contains_point((scaled_lr, momentum))
            assert inside == (spectral_radius(1, scaled_lr, momentum) <= rate)


def test_phase_paths_begin_at_their_dots():
    states = np.arange(24.0).reshape(4, 2, 3)
    ax = plot_phase(states)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 4]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(lines) == len(dots) == 3
    for path, (line, dot) in enumerate(zip(lines, dots, strict=True)):
        np.testing.assert_array_equal(line.get_xydata(), states[:, :, path])
        np.testing.assert_array_equal(dot.get_xydata(), states[:1, :, path])


@pytest.mark.parametrize(
    ("plot", "arguments"),
    [
        (plot_over_curvature, ([1.0], {"a": [1.0]})),
        (plot_eigenvalues, ([0.5],)),
        (plot_bands, ([0.5],)),
        (plot_phase, (np.zeros((2, 2, 1)),)),
    ],
)
def test_what_is_given_axes_draws_on_them(plot, arguments):
    _, ax = plt.subplots()
    assert plot(*arguments, ax=ax) is ax
