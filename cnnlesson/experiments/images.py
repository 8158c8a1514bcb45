"""The images of a run: which ones, in which order, on which scale, and moved about or not."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

from cnnlesson._support.sample import NUM_TRAIN
from cnnlesson.data import Digits, standardize
from cnnlesson.experiments.run import Pixels, Run

__all__ = ["RandomShift", "choose_images", "num_available", "scaled"]


def choose_images(run: Run, labels: Tensor, source: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Choose training and test images, the former in the order in which the run meets them.

    Parameters
    ----------
    run : Run
        What is set.
    labels : torch.Tensor, shape (n,)
        Labels of all digits, in the order of their file.
    source : str, default ""
        Which digits, as ``Digits.source`` names them. The sample is divided already, as MNIST would
        be by scikit-learn's split.

    Returns
    -------
    tuple of numpy.ndarray
        Indices of the training images and of the test images. No index is in both.

    Raises
    ------
    ValueError
        If there are fewer than ``run`` asks for.
    """
    everything = np.arange(len(labels))
    if source == "sample":
        train, test = everything[:NUM_TRAIN], everything[NUM_TRAIN:]
    else:
        train, test = train_test_split(everything, train_size=0.7, random_state=0)
    if run.split == "with-replacement":
        test = np.random.default_rng(0).choice(everything, len(test))
        train = np.setdiff1d(everything, test)
    train = _take(train, run.num_images, "num_images")
    test = _take(test, run.num_test_images, "num_test_images")
    if run.order == "file":
        train = np.sort(train)
    elif run.order != "shuffled":
        train = train[np.argsort(labels[train].numpy(), kind="stable")]
    if run.stretch is not None:
        generator = np.random.default_rng(run.seed)
        stretches = np.split(train, range(run.stretch, len(train), run.stretch))
        if run.order == "windows":
            stretches = [generator.permutation(window) for window in stretches]
        else:
            stretches = [stretches[i] for i in generator.permutation(len(stretches))]
        train = np.concatenate(stretches)
    return train, test


def num_available(digits: Digits) -> tuple[int, int]:
    """Return how many of the digits are for training, and how many for testing.

    Parameters
    ----------
    digits : Digits
        The digits.

    Returns
    -------
    tuple of int
        Both numbers.
    """
    n = len(digits.images)
    num_train = NUM_TRAIN if digits.source == "sample" else n * 7 // 10
    return num_train, n - num_train


def scaled(digits: Digits, indices: np.ndarray, pixels: Pixels) -> Tensor:
    """Return some images of the digits, their pixels on the scale of a run.

    Parameters
    ----------
    digits : Digits
        The digits.
    indices : numpy.ndarray
        Which of them.
    pixels : {"raw", "unit", "standardized"}
        The scale, as in `Run`.

    Returns
    -------
    torch.Tensor, shape (n, 1, 28, 28)
        The images.
    """
    images = digits.images[indices]
    match pixels:
        case "unit":
            return images / 255
        case "standardized":
            return standardize(images)
        case _:
            return images


class RandomShift(nn.Module):
    """A layer that moves each image by some whole pixels, by chance, while a model trains.

    In evaluation mode it does nothing. What comes in at an edge is the pixel at that edge, which is
    background wherever the digit keeps clear of it.

    Parameters
    ----------
    most : int
        Most pixels down or up, and right or left; 0 or more. All are equally probable.
    seed : int
        Decides the shifts, 0 or more.
    """

    def __init__(self, most: int, seed: int) -> None:
        super().__init__()
        self.most = most
        self.generator = torch.Generator().manual_seed(seed)

    def forward(self, x: Tensor) -> Tensor:
        """Return the images, moved.

        Parameters
        ----------
        x : torch.Tensor, shape (n, channels, height, width)
            Images.

        Returns
        -------
        torch.Tensor, same shape
            The images, each moved by itself.
        """
        if not self.training:
            return x
        n, _, height, width = x.shape
        padded = functional.pad(x, [self.most] * 4, mode="replicate")
        starts = torch.randint(2 * self.most + 1, (2, n, 1), generator=self.generator)
        rows, columns = (
            (start + torch.arange(size)).to(x.device)
            for start, size in zip(starts, (height, width), strict=True)
        )
        image = torch.arange(n, device=x.device)[:, None, None]
        # Places of all channels at once: indexing puts the channels last, as they then stay.
        moved = padded[image, :, rows[:, :, None], columns[:, None, :]]
        return moved.permute(0, 3, 1, 2)


def _take(indices: np.ndarray, number: int, name: str) -> np.ndarray:
    if number > len(indices):
        raise ValueError(f"{name}: expected at most {len(indices)}, found {number}")
    return indices[:number]
