"""Digits in: MNIST, a sample of it, scikit-learn's smaller digits, or your own arrays."""

import os
import warnings
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnnlesson._support.arrays import Part, as_digits, read_pair
from cnnlesson._support.files import AnyPath, expand
from cnnlesson._support.inputs import check_tensor
from cnnlesson._support.memory import check_memory
from cnnlesson._support.mnist import MNIST, read_mnist
from cnnlesson._support.sample import read_sample

__all__ = ["Digits", "load_arrays", "load_digits", "standardize"]

MEAN, STD = 0.1307, 0.3081  # of the 60,000 training images, pixels scaled to [0, 1]


class Digits(NamedTuple):
    """Images of digits, what they show, and where they come from.

    Attributes
    ----------
    images : torch.Tensor, shape (n, 1, 28, 28), float32
        Pixels from 0, the background, to 255.
    labels : torch.Tensor, shape (n,), int64
        The digit in each image, 0 to 9.
    source : str
        ``"mnist"``, ``"mnist-test"``, ``"sample"``, ``"sklearn"`` or ``"arrays"``.
    """

    images: Tensor
    labels: Tensor
    source: str

    def __repr__(self) -> str:
        n, *shape = self.images.shape
        return f"Digits({n:,} images of {'×'.join(map(str, shape))}, source={self.source!r})"


def load_digits(source: str = "auto", *, data_dir: AnyPath | None = None) -> Digits:
    """Load images of handwritten digits and their labels.

    Parameters
    ----------
    source : {"auto", "mnist", "mnist-test", "sample", "sklearn"}, default "auto"
        ``"mnist"`` is MNIST's 60,000 training images and ``"mnist-test"`` its 10,000 test images.
        ``"sample"`` is 8,000 of the former, which come with the package: the 6,000 training and
        2,000 test images of the course's short measured trainings, in this order. ``"sklearn"`` is
        the 1,797 digits of 8×8 pixels that scikit-learn carries, enlarged to 20×20 and centred in
        28×28, as MNIST's are. ``"auto"`` is ``"mnist"``, or ``"sample"`` with a warning where MNIST
        is neither on disk nor to be fetched.
    data_dir : str or path-like, optional
        A folder that holds MNIST's four files, gzipped or not, or torchvision's folder with
        ``MNIST/raw`` in it. Names with a dot, such as ``t10k-images.idx3-ubyte``, are MNIST's too.
        Without it, the folder named by the environment variable ``CNNLESSON_DATA``. Without that,
        the user's cache, to which MNIST (11 MB) is downloaded once. Not used by ``"sample"`` and
        ``"sklearn"``.

    Returns
    -------
    Digits
        The images, shape (n, 1, 28, 28), float32 in [0, 255], and the labels, shape (n,), int64.

    Raises
    ------
    ValueError
        If ``source`` is unknown, or a file in the given folder is not the one MNIST published:
        damaged, or another data set's, such as Fashion-MNIST's; or the sample is damaged.
    OSError
        If a file in the given folder is missing or cannot be read, or the cache cannot be written:
        ``FileNotFoundError``, ``PermissionError`` and so on. If MNIST cannot be fetched:
        ``ConnectionError``.

    Warns
    -----
    UserWarning
        If ``source`` is ``"auto"`` and these are not all of MNIST's digits.
    """
    sources = ("auto", *MNIST, "sample", "sklearn")
    if source not in sources:
        is_folder = os.path.isdir(str(source))  # noqa: PTH112 (pathlib's fails on a long text)
        way_out = "; a folder is given as data_dir" if is_folder else ""
        expected = ", ".join(sources)
        raise ValueError(f"source: expected one of {expected}, found {source!r}{way_out}")
    if source == "sklearn":
        return _embedded_digits()
    if source == "sample":
        return _digits(*read_sample(), source)

    part = "mnist" if source == "auto" else source
    folder = os.environ.get("CNNLESSON_DATA") or None if data_dir is None else data_dir
    try:
        images, labels = read_mnist(part, folder)
    except OSError as error:
        if source != "auto" or folder is not None:
            raise
        warnings.warn(f"These are 8,000 of MNIST's 60,000 digits. {error}", stacklevel=2)
        return _digits(*read_sample(), "sample")
    return _digits(images, labels, part)


def _digits(images: np.ndarray, labels: np.ndarray, source: str) -> Digits:
    return Digits(
        torch.from_numpy(images[:, np.newaxis].astype(np.float32)),
        torch.from_numpy(labels.astype(np.int64)),
        source,
    )


def _embedded_digits() -> Digits:
    # Imported here: it takes a second, and who has MNIST never needs it.
    from sklearn.datasets import load_digits as load_embedded_digits

    small, labels = load_embedded_digits(return_X_y=True)
    pixels = torch.from_numpy(small.reshape(-1, 1, 8, 8).astype(np.float32)) * (255 / 16)
    enlarged = functional.interpolate(pixels, size=20, mode="bilinear").clamp(0, 255)
    return Digits(
        functional.pad(enlarged, (4, 4, 4, 4)), torch.from_numpy(labels.astype(np.int64)), "sklearn"
    )


def load_arrays(
    images_path: AnyPath, labels_path: AnyPath | None = None, *, part: Part = "train"
) -> Digits:
    """Load images and labels from two ``.npy`` files, or from one file that holds both.

    Parameters
    ----------
    images_path : str or path-like
        A ``.npy`` array of real numbers in [0, 255], of shape (n, 784), (n, 28, 28),
        (n, 1, 28, 28) or (n, 28, 28, 1). Or, without ``labels_path``, a ``.npz`` file such as
        Keras' ``mnist.npz``, or a ``.csv`` table such as Kaggle's ``train.csv``: a line for each
        image, with its label, in a column of this name or the first, and 784 pixels.
    labels_path : str or path-like, optional
        A ``.npy`` array of whole numbers 0 to 9, of shape (n,) or (n, 1), or one-hot, (n, 10).
    part : {"train", "test"}, default "train"
        Which arrays of a ``.npz`` file to load: ``x_train`` and ``y_train``, or ``x_test`` and
        ``y_test``.

    Returns
    -------
    Digits
        The images, shape (n, 1, 28, 28), float32 in [0, 255], and the labels, shape (n,), int64.

    Raises
    ------
    ValueError
        If a file does not hold such intact arrays, or holds Python objects, or images and labels
        differ in number. Pixels that look scaled to [0, 1] are refused too.
    OSError
        If a file is missing or cannot be read.
    MemoryError
        If the machine has not as much memory as the images take.
    """
    images_path = expand("images_path", images_path)
    labels_path = None if labels_path is None else expand("labels_path", labels_path)
    images, labels = read_pair(images_path, labels_path, part)
    if images.shape[1:] not in {(784,), (28, 28), (1, 28, 28), (28, 28, 1)} or not len(images):
        raise ValueError(
            f"{images_path}: expected images of shape (n, 784), (n, 28, 28), (n, 1, 28, 28) or "
            f"(n, 28, 28, 1) with n at least 1, found shape {images.shape}"
        )
    check_memory(images_path, 4 * images.size)
    _check_pixels(str(images_path), images.min(), images.max(), images.dtype.kind == "f")
    labels = as_digits(labels, len(images), labels_path or images_path, images_path)
    return Digits(
        torch.from_numpy(np.array(images, np.float32, order="C").reshape(-1, 1, 28, 28)),
        torch.from_numpy(labels),
        "arrays",
    )


def _check_pixels(name: str, low: float, high: float, is_float: bool) -> None:
    if not (low >= 0 and high <= 255):  # also true of NaN, which is what low and high then are
        raise ValueError(f"{name}: expected pixels in [0, 255], found values from {low} to {high}")
    if is_float and 0 < high <= 1:
        raise ValueError(
            f"{name}: expected pixels in [0, 255], found none above {high}, as if scaled already; "
            "multiply by 255 first"
        )


def standardize(images: Tensor) -> Tensor:
    """Scale pixels to zero mean and unit variance over MNIST: (x/255 − 0.1307)/0.3081.

    Parameters
    ----------
    images : torch.Tensor, float32, any shape
        Pixels in [0, 255]. Not modified.

    Returns
    -------
    torch.Tensor, float32, same shape
        The background is −0.424, full ink 2.822.

    Raises
    ------
    ValueError
        If ``images`` is not a float32 tensor, or holds NaN or values outside [0, 255], or looks
        scaled already: not all zero, and nothing above 1.

    References
    ----------
    The mean and standard deviation of MNIST's training pixels, as PyTorch's own MNIST example
    gives them: https://github.com/pytorch/examples/blob/main/mnist/main.py
    """
    check_tensor("images", images, dtype="float", part=0)
    if images.dtype != torch.float32:
        raise ValueError(
            f"images: expected a float32 tensor, found {images.dtype}; images.float() is one"
        )
    if images.numel():
        low, high = images.detach().aminmax()
        _check_pixels("images", low.item(), high.item(), is_float=True)
    return images.div(255).sub_(MEAN).div_(STD)
