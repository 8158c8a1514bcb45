"""Digits in: MNIST, scikit-learn's embedded digits, or your own NumPy arrays."""

import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnnlesson._support.files import AnyPath, expand, unreadable
from cnnlesson._support.mnist import MNIST, read_mnist

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
        ``"mnist"``, ``"mnist-test"``, ``"sklearn"`` or ``"arrays"``.
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
    source : {"auto", "mnist", "mnist-test", "sklearn"}, default "auto"
        ``"mnist"`` is MNIST's 60,000 training images and ``"mnist-test"`` its 10,000 test images.
        ``"sklearn"`` is the 1,797 digits of 8×8 pixels that scikit-learn carries, enlarged to
        20×20 and centred in 28×28, as MNIST's are. ``"auto"`` is ``"mnist"``, or ``"sklearn"``
        with a warning where MNIST is neither on disk nor to be fetched.
    data_dir : str or path-like, optional
        A folder that holds MNIST's four files under their original names, gzipped or not. Without
        it, the folder named by the environment variable ``CNNLESSON_DATA``. Without that, the
        user's cache, to which MNIST (11 MB) is downloaded once. Not used by ``"sklearn"``.

    Returns
    -------
    Digits
        The images, shape (n, 1, 28, 28), float32 in [0, 255], and the labels, shape (n,), int64.

    Raises
    ------
    ValueError
        If ``source`` is unknown, or a file in the given folder is not the one MNIST published.
    OSError
        If a file in the given folder is missing or cannot be read: ``FileNotFoundError``,
        ``PermissionError`` and so on. If MNIST cannot be fetched: ``ConnectionError``.

    Warns
    -----
    UserWarning
        If ``source`` is ``"auto"`` and these are not MNIST's digits.
    """
    sources = ("auto", *MNIST, "sklearn")
    if source not in sources:
        raise ValueError(f"source: expected one of {', '.join(sources)}, found {source!r}")
    if source == "sklearn":
        return _embedded_digits()

    part = "mnist" if source == "auto" else source
    folder = os.environ.get("CNNLESSON_DATA") or None if data_dir is None else data_dir
    try:
        images, labels = read_mnist(part, folder)
    except ConnectionError as error:
        if source != "auto":
            raise
        warnings.warn(
            f"These are scikit-learn's 1,797 small digits, not MNIST. {error}", stacklevel=2
        )
        return _embedded_digits()
    return Digits(
        torch.from_numpy(images[:, np.newaxis].astype(np.float32)),
        torch.from_numpy(labels.astype(np.int64)),
        part,
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


def load_arrays(images_path: AnyPath, labels_path: AnyPath) -> Digits:
    """Load images and labels from two ``.npy`` files.

    Parameters
    ----------
    images_path : str or path-like
        An array of real numbers in [0, 255], of shape (n, 784), (n, 28, 28) or (n, 1, 28, 28).
    labels_path : str or path-like
        An array of whole numbers 0 to 9, of shape (n,) or (n, 1).

    Returns
    -------
    Digits
        The images, shape (n, 1, 28, 28), float32 in [0, 255], and the labels, shape (n,), int64.

    Raises
    ------
    ValueError
        If a file is not an intact ``.npy`` array of such numbers and shape, holds Python objects,
        or the two differ in length. Pixels that look scaled to [0, 1] are refused too.
    OSError
        If a file is missing or cannot be read.
    """
    images_path, labels_path = expand(images_path), expand(labels_path)
    images, labels = _open_array(images_path), _open_array(labels_path)

    if images.shape[1:] not in {(784,), (28, 28), (1, 28, 28)} or not len(images):
        raise ValueError(
            f"{images_path}: expected images of shape (n, 784), (n, 28, 28) or (n, 1, 28, 28) "
            f"with n at least 1, found shape {images.shape}"
        )
    _check_pixels(str(images_path), images.min(), images.max(), images.dtype.kind == "f")

    if labels.shape not in {(len(images),), (len(images), 1)}:
        raise ValueError(
            f"{labels_path}: expected {len(images)} labels, one for each image in {images_path}, "
            f"found shape {labels.shape}"
        )
    wrong = labels[~np.isin(labels, range(10))]
    if wrong.size:
        raise ValueError(
            f"{labels_path}: expected whole numbers 0 to 9, found {wrong[0]} "
            f"({wrong.size} of {labels.size} are wrong)"
        )
    return Digits(
        torch.from_numpy(np.array(images, np.float32, order="C").reshape(-1, 1, 28, 28)),
        torch.from_numpy(np.array(labels, np.int64, order="C").reshape(-1)),
        "arrays",
    )


def _open_array(path: Path) -> np.memmap:
    # Mapped, so that only the converted copy takes memory; and this reader cannot unpickle.
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path}: expected an intact .npy array, found what NumPy cannot read: {reason}"
        ) from None
    if array.dtype.kind not in "uif":
        raise ValueError(f"{path}: expected real numbers, found dtype {array.dtype}")
    size, found = array.offset + array.nbytes, path.stat().st_size
    if found != size:
        raise ValueError(f"{path}: expected {size:,} bytes and no more, found {found:,}")
    return array


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
    if not isinstance(images, Tensor) or images.dtype != torch.float32:
        found = getattr(images, "dtype", type(images).__name__)
        raise ValueError(f"images: expected a float32 tensor, found {found}")
    if images.numel():
        low, high = images.detach().aminmax()
        _check_pixels("images", low.item(), high.item(), is_float=True)
    return images.div(255).sub_(MEAN).div_(STD)
