"""Pictures are checked by what their artists hold."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import confusion_matrix

from cnnlesson import History, momentum_descent
from cnnlesson.plots import (
    plot_confusion_matrix,
    plot_curves,
    plot_history,
    plot_spread,
    plot_trajectories,
    show_images,
    show_pixels,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_images_stand_in_the_mosaic_pixel_for_pixel():
    images = torch.rand(7, 1, 5, 4)
    ax = show_images(images, labels=range(7), columns=3)
    mosaic = ax.images[0].get_array()
    for i in range(7):
        row, column = divmod(i, 3)
        top = row * (5 + 1 + 3) + 3
        left = column * (4 + 1)
        found = mosaic[top : top + 5, left : left + 4]
        np.testing.assert_array_equal(found, images[i, 0].numpy())
    assert [text.get_text() for text in ax.texts] == list("0123456")


def test_signed_images_have_zero_in_the_middle_of_the_scale():
    ax = show_images(torch.tensor([[[-1.0, 3.0]]]), cmap="RdBu_r")
    assert ax.images[0].get_clim() == (-3.0, 3.0)


@pytest.mark.parametrize(
    ("count", "columns", "message"),
    [
        (0, 10, "images: expected at least one image, found none"),
        (2, 0, "columns: expected a whole number, 1 or more, found 0"),
        (2, -1, "columns: expected a whole number, 1 or more, found -1"),
    ],
)
def test_a_mosaic_of_nothing_is_refused(count, columns, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        show_images(torch.zeros(count, 28, 28), columns=columns)


def test_pixels_show_their_values():
    ax = show_pixels(torch.tensor([[0.0, 255.0], [12.5, 3.0]]))
    assert [text.get_text() for text in ax.texts] == ["0", "255", "12.5", "3"]


def test_history_shows_both_losses():
    history = History(train_loss=[2.0, 1.0], val_loss=[2.5, 1.5], val_accuracy=[0.1, 0.5])
    train, validation = plot_history(history).lines
    np.testing.assert_array_equal(train.get_xydata(), [[1, 2.0], [2, 1.0]])
    np.testing.assert_array_equal(validation.get_xydata(), [[1, 2.5], [2, 1.5]])


def test_confusion_matrix_shows_every_count_and_colours_only_mistakes():
    generator = torch.Generator().manual_seed(0)
    y_true = torch.randint(0, 10, (500,), generator=generator)
    y_pred = torch.randint(0, 10, (500,), generator=generator)
    ax = plot_confusion_matrix(y_true, y_pred)
    expected = confusion_matrix(y_true, y_pred)
    shown = np.array([int(text.get_text()) for text in ax.texts]).reshape(10, 10)
    np.testing.assert_array_equal(shown, expected)
    colours = ax.collections[0].get_array().reshape(10, 10)
    np.testing.assert_array_equal(colours, expected - np.diag(np.diag(expected)))


def test_curves_show_each_run_and_the_median():
    runs = np.array([[1.0, 2.0], [3.0, 4.0], [8.0, 6.0]])
    ax = plot_curves({"a": runs, "b": [5.0, 5.0]})
    drawn = [tuple(line.get_ydata()) for line in ax.lines]
    assert drawn == [(3.0, 4.0), (1.0, 2.0), (3.0, 4.0), (8.0, 6.0), (5.0, 5.0)]
    assert ax.lines[0].get_xdata().tolist() == [1, 2]


def test_trajectories_are_drawn_point_for_point():
    path = momentum_descent(lambda w: np.array([1, 10]) * w, [2, 1], lr=0.1, num_steps=5)
    ax = plot_trajectories({"path": path}, (1, 10))
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path.w)


def test_spread_shows_every_run_and_the_median_of_each_group():
    frame = pd.DataFrame({"mu": [0.9, 0.0, 0.9, 0.9], "accuracy": [0.2, 0.5, 0.4, 0.9]})
    ax = plot_spread(frame, "mu", "accuracy")
    dots = [sorted(group.get_offsets()[:, 1].tolist()) for group in ax.collections[:2]]
    assert dots == [[0.5], [0.2, 0.4, 0.9]]
    places = [np.sort(group.get_offsets()[:, 0]).tolist() for group in ax.collections[:2]]
    assert places == [[0], pytest.approx([0.92, 1, 1.08])]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.0", "0.9"]
    medians = [segment[0][1] for segment in ax.collections[2].get_segments()]
    assert medians == [0.5, 0.4]
