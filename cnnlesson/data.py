"""Digits in: MNIST, verified; scikit-learn's embedded digits; your own NumPy arrays.

MNIST is four files in the IDX format: a magic number, one size per axis, then the bytes.

References
----------
Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

import gzip
import hashlib
import logging
import math
import os
import struct
import warnings
import zlib
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import numpy as np
import pooch
import torch
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

__all__ = ["Digits", "load_arrays", "load_digits", "standardize"]

AnyPath = str | os.PathLike[str]

MEAN, STD = 0.1307, 0.3081  # of the 60,000 training images, pixels scaled to [0, 1]

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
PATIENCE = 4.0  # seconds until a mirror that says nothing is given up

HOW_TO_GET_MNIST = (
    f"To get MNIST, load it once with a network connection, or put the four files of {MIRRORS[0]} "
    "into a folder and name that folder in data_dir or in the environment variable CNNLESSON_DATA."
)


class IdxFile(NamedTuple):
    """What one of MNIST's files must hold; ``gzip_sha256`` is that of the published .gz."""

    name: str
    shape: tuple[int, ...]
    sha256: str
    gzip_sha256: str


MNIST = {
    "mnist": (
        IdxFile(
            "train-images-idx3-ubyte",
            (60_000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            (60_000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
    ),
    "mnist-test": (
        IdxFile(
            "t10k-images-idx3-ubyte",
            (10_000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            (10_000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}


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
        paths = [_fetch(file) if folder is None else _find(file, folder) for file in MNIST[part]]
    except ConnectionError as error:
        if source != "auto":
            raise
        warnings.warn(
            f"These are scikit-learn's 1,797 small digits, not MNIST. {error}", stacklevel=2
        )
        return _embedded_digits()
    images, labels = map(_read_idx, paths, MNIST[part])
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


def _find(file: IdxFile, folder: AnyPath) -> Path:
    folder = _expand(folder)
    expected = f"{file.name} or {file.name}.gz"
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, f"a folder with {expected}", error) from None
    for name in (file.name, f"{file.name}.gz"):
        if name in names:
            return folder / name
    listing = ", ".join(names[:8]) + (", …" if len(names) > 8 else "") or "an empty folder"
    raise FileNotFoundError(f"{folder}: expected {expected}, found {listing}")


def _expand(path: AnyPath) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 (pathlib's fails on an unknown ~user)


def _fetch(file: IdxFile) -> Path:
    """Return the path of ``file`` in the cache, downloaded unless it is there and intact."""
    name = f"{file.name}.gz"
    failures = []
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)  # the progress bar already says what is downloaded
    try:
        for mirror in MIRRORS:
            try:
                cached = pooch.retrieve(
                    mirror + name,
                    known_hash=file.gzip_sha256,
                    fname=name,
                    path=pooch.os_cache("cnnlesson"),
                    downloader=_download,
                )
                return Path(cached)
            except (OSError, ValueError) as error:
                failures.append(f"{mirror}: {error}")
    finally:
        logger.setLevel(level)
    raise ConnectionError(
        f"{name}: expected it from one of {len(MIRRORS)} mirrors, "
        f"found no intact copy ({'; '.join(failures)}). {HOW_TO_GET_MNIST}"
    )


def _download(url: str, output_file: str, _: object) -> None:
    # A time limit given to the request counts anew for each of a host's addresses, and not at
    # all while its name is looked up. So a thread asks first, and is waited for no longer.
    answer: Future[object] = Future()

    def ask() -> None:
        try:
            answer.set_result(pooch.HTTPDownloader(timeout=PATIENCE)(url, None, None, True))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer.result(PATIENCE)
    except OSError as error:
        raise ConnectionError(f"no answer ({type(error).__name__})") from error

    # Pooch sets the real total, and takes a bar without one for none at all.
    with tqdm(desc=Path(url).name, total=1, unit="B", unit_scale=True, leave=False) as bar:
        pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16)(url, output_file, None)


def _read_idx(path: Path, file: IdxFile) -> np.ndarray:
    # In an IDX magic number 0x08 says unsigned bytes; the last byte is the number of axes.
    magic = 0x0800 + len(file.shape)
    header = struct.Struct(f">{1 + len(file.shape)}I")
    size = header.size + math.prod(file.shape)
    content = _read(path, size + 1)  # one byte more than is right shows that there are too many

    if len(content) < header.size:
        raise ValueError(
            f"{path}: expected an IDX header of {header.size} bytes, found {len(content)} bytes"
        )
    found_magic, *found_shape = header.unpack_from(content)
    if found_magic != magic:
        raise ValueError(
            f"{path}: expected the IDX magic number {magic:#010x}, "
            f"found {found_magic:#010x}, the bytes {content[:4]!r}"
        )
    if tuple(found_shape) != file.shape:
        raise ValueError(f"{path}: expected the shape {file.shape}, found {tuple(found_shape)}")
    if len(content) != size:
        found = "more" if len(content) > size else f"{len(content):,}"
        raise ValueError(f"{path}: expected {size:,} bytes of IDX data, found {found}")
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != file.sha256:
        raise ValueError(
            f"{path}: expected MNIST's SHA-256 {file.sha256}, found {checksum}; the file is "
            "damaged, or another data set's (Fashion-MNIST has the same file names)"
        )
    return np.frombuffer(content, np.uint8, offset=header.size).reshape(file.shape)


def _read(path: Path, at_most: int) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(at_most)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: expected intact gzip data, found: {error}") from None
    except OSError as error:
        raise _unreadable(path, "a readable file", error) from None


def _unreadable(path: Path, expected: str, error: OSError) -> OSError:
    return type(error)(f"{path}: expected {expected}, found: {error.strerror or error}")


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
    images_path, labels_path = _expand(images_path), _expand(labels_path)
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
        raise _unreadable(path, "a readable file", error) from None
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
