"""The pictures of the shapes chapter: what is drawn, against PyTorch."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from matplotlib.axes import Axes
from torch import nn

from cnnlesson.plots import plot_positions, show_seen


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def drawn(ax: Axes) -> dict[str, list[int]]:
    """Return the pixels of each kind, and of the windows, from the bars on the axes."""
    *kinds, windows = ax.containers
    pixels = {kind.get_label(): [round(bar.get_x() + 0.5) for bar in kind] for kind in kinds}
    for bar in windows:
        row = round(bar.get_y() + bar.get_height() / 2)
        pixels.setdefault(f"window {row}", []).append(round(bar.get_x() + 0.5))
    return pixels


def seen_by_pytorch(size: int, window: dict[str, int]) -> list[list[int]]:
    """Return the input pixels that each position of a convolution of ones reads, by gradients."""
    layer = nn.Conv1d(1, 1, bias=False, dtype=torch.double, **window)
    nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, size, dtype=torch.double, requires_grad=True)
    seen = []
    for position in layer(x)[0, 0]:
        (gradient,) = torch.autograd.grad(position, x, retain_graph=True)
        seen.append(gradient[0, 0].nonzero()[:, 0].tolist())
    return seen


def test_a_window_of_three_takes_five_positions_on_seven_pixels() -> None:
    assert drawn(plot_positions(7, 3)) == {
        "input": [0, 1, 2, 3, 4, 5, 6],
        "never covered": [],
        "padding": [],
        "window 1": [0, 1, 2],
        "window 2": [1, 2, 3],
        "window 3": [2, 3, 4],
        "window 4": [3, 4, 5],
        "window 5": [4, 5, 6],
    }


@settings(max_examples=25, deadline=None)  # a figure each
@given(
    size=st.integers(3, 12),
    kernel_size=st.integers(1, 3),
    stride=st.integers(1, 4),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 3),
)
def test_the_windows_are_those_of_pytorch(size: int, **window: int) -> None:
    reach = window["dilation"] * (window["kernel_size"] - 1) + 1
    assume(reach <= size + 2 * window["padding"])
    expected = seen_by_pytorch(size, window)
    ax = plot_positions(size, **window)
    pixels = drawn(ax)
    plt.close(ax.figure)
    windows = [pixels[f"window {row}"] for row in range(1, len(expected) + 1)]
    assert f"window {len(expected) + 1}" not in pixels
    assert [[p for p in seen if 0 <= p < size] for seen in windows] == expected
    covered = sorted({pixel for seen in expected for pixel in seen})
    assert pixels["input"] == covered
    assert sorted(pixels["never covered"] + covered) == list(range(size))
    assert all(p < 0 or p >= size for p in pixels["padding"])


@pytest.mark.parametrize(("ceil_mode", "lost", "overhang"), [(False, [10], []), (True, [], [11])])
def test_rounding_up_covers_the_pixel_that_rounding_down_loses(
    ceil_mode: bool, lost: list[int], overhang: list[int]
) -> None:
    pixels = drawn(plot_positions(11, 2, stride=2, ceil_mode=ceil_mode))
    assert pixels["never covered"] == lost
    assert pixels["padding"] == overhang


def test_the_last_number_is_the_output_size() -> None:
    ax = plot_positions(11, 3, stride=2, padding=1)
    assert ax.get_yticklabels()[-1].get_text() == "6"


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        plot_positions(2, 3)


def test_only_pixels_without_influence_are_covered() -> None:
    influence = torch.tensor([[0.0, 1e-30, -2.0], [3.0, 0.0, 0.0]])
    image = torch.arange(6.0).reshape(1, 2, 3)
    picture, cover = show_seen(image, influence).images
    np.testing.assert_array_equal(picture.get_array(), image[0])
    np.testing.assert_array_equal(cover.get_array()[..., 3] > 0, influence == 0)


def test_pictures_are_drawn_where_asked() -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert plot_positions(5, 2, ax=left) is left
    assert show_seen(torch.zeros(2, 2), torch.ones(2, 2), ax=right) is right
