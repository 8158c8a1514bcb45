"""The pictures of the convolution chapter: the numbers in them are PyTorch's."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st
from matplotlib.axes import Axes
from torch.nn import functional

from cnnlesson.plots import show_convolution_step, show_feature_maps, show_windows

IMAGE = torch.tensor([[0, 0, 9, 9], [0, 2, 9, 8], [1, 9, 9, 0]])
KERNEL = torch.tensor([[-1, 0], [3, -2]])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def shown(ax: Axes) -> list[np.ndarray]:
    """Return the arrays of the images on the axes, in the order they were drawn."""
    return [np.ma.filled(image.get_array(), np.nan) for image in ax.images]


def outlines(ax: Axes) -> list[tuple[float, ...]]:
    """Return left, top, width and height of the unfilled rectangles."""
    boxes = [patch for patch in ax.patches if not patch.get_fill()]
    return [(*box.get_xy(), box.get_width(), box.get_height()) for box in boxes]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 2), (0, 1)])
def test_a_step_has_pytorchs_value_in_its_one_output_pixel(row, column):
    ax = show_convolution_step(IMAGE, KERNEL, row, column)
    image, kernel, products, output = shown(ax)
    expected = functional.conv2d(IMAGE.double()[None, None], KERNEL.double()[None, None])[0, 0]
    assert image.tolist() == IMAGE.tolist()
    assert kernel.tolist() == KERNEL.tolist()
    assert output.shape == expected.shape
    assert np.argwhere(~np.isnan(output)).tolist() == [[row, column]]
    assert output[row, column] == products.sum() == expected[row, column]


@pytest.mark.parametrize(("row", "column"), [(4, 4), (-1, 0), (0, 3)])
def test_a_step_outside_the_output_is_refused(row, column):
    name, size, found = ("column", 3, column) if row == 0 else ("row", 2, row)
    message = f"^{name}: expected one of the output, 0 to {size - 1}, found {found}$"
    with pytest.raises(ValueError, match=message):
        show_convolution_step(IMAGE, KERNEL, row, column)


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected an input of at least 3 pixels"):
        show_convolution_step(KERNEL, IMAGE)


def test_a_step_writes_every_number_it_shows():
    texts = [text.get_text() for text in show_convolution_step(IMAGE, KERNEL, 1, 2).texts]
    products, output = ["−9", "0", "27", "0"], ["18"]
    for number in (*map(str, IMAGE.flatten().tolist()), *products, *output):
        assert number in texts
    assert texts.count("9") == IMAGE.flatten().tolist().count(9)


def test_a_step_outlines_the_patch_and_the_pixel():
    ax = show_convolution_step(IMAGE, KERNEL, 1, 2)
    patch, pixel = outlines(ax)
    assert patch == (2, 1, 2, 2)
    left, _, bottom, top = ax.images[3].get_extent()
    assert bottom > top  # row 0 is at the top
    assert pixel == (left + 2, top + 1, 1, 1)


def test_feature_maps_are_drawn_as_given_each_on_its_own_scale_around_zero():
    kernels = torch.stack([KERNEL, -10 * KERNEL]).float()
    maps = functional.conv2d(IMAGE.float()[None, None], kernels[:, None])[0]
    ax = show_feature_maps(kernels, maps, ["one", "other"])
    assert [array.tolist() for array in shown(ax)] == [
        kernels[0].tolist(),
        maps[0].tolist(),
        kernels[1].tolist(),
        maps[1].tolist(),
    ]
    for image, array in zip(ax.images, shown(ax), strict=True):
        assert image.get_clim() == (-np.abs(array).max(), np.abs(array).max())
    assert {"one", "other"} <= {text.get_text() for text in ax.texts}


def test_a_feature_map_stands_under_its_kernel():
    maps = torch.rand(3, 8, 5)
    ax = show_feature_maps(torch.rand(3, 2, 2), maps, "abc")
    for kernel, output in zip(ax.images[::2], ax.images[1::2], strict=True):
        left, right, bottom, _ = kernel.get_extent()
        map_left, map_right, map_bottom, map_top = output.get_extent()
        assert (map_left, map_right) == (left, right)
        assert map_top > bottom  # the vertical axis points down
        assert (map_bottom - map_top) / (map_right - map_left) == pytest.approx(8 / 5)


def test_a_kernel_without_a_map_is_refused():
    with pytest.raises(ValueError, match="zip"):
        show_feature_maps(torch.rand(3, 2, 2), torch.rand(2, 5, 5), "abc")


@settings(max_examples=25, deadline=None)  # a figure each
@given(
    size=st.integers(1, 9),
    window=st.integers(1, 4),
    stride=st.integers(1, 3),
    pad=st.integers(0, 2),
)
def test_there_is_a_dot_in_the_middle_of_every_window(size, window, stride, pad):
    assume(window <= size + 2 * pad)
    ax = show_windows(size, window, stride, pad)
    # Averaging the coordinates of the pixels under a window gives its middle.
    line = torch.arange(-pad, size + pad, dtype=torch.double) + 0.5
    middles = functional.avg_pool1d(line[None], window, stride)[0].tolist()
    (dots,) = ax.lines
    drawn = sorted(zip(*dots.get_data(), strict=True))
    assert np.array(drawn) == pytest.approx(np.array([(x, y) for x in middles for y in middles]))
    assert f"{size}×{size} → {len(middles)}×{len(middles)}" in ax.get_title()
    plt.close(ax.figure)


def test_the_first_windows_are_outlined_and_only_the_image_is_grey():
    ax = show_windows(5, 3, stride=2, padding=1)
    assert sorted(outlines(ax)) == [(-1, -1, 3, 3), (-1, 1, 3, 3), (1, -1, 3, 3)]
    (image,) = [patch for patch in ax.patches if patch.get_fill()]
    assert (*image.get_xy(), image.get_width(), image.get_height()) == (0, 0, 5, 5)
    for cells in ax.collections:
        assert len(cells.get_segments()) == 5 + 2 + 1
        assert (np.min(cells.get_segments()), np.max(cells.get_segments())) == (-1, 6)


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least 4 pixels"):
        show_windows(3, 4)
