"""MNIST from a folder or from the network: found, fetched, read, and verified.

It is four files in the IDX format: a magic number, one size per axis, then the bytes.

References
----------
Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

import gzip
import hashlib
import logging
import math
import struct
import zlib
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import numpy as np
import pooch
from tqdm.auto import tqdm

from cnnlesson._support.files import AnyPath, expand, unreadable

__all__ = ["MNIST", "read_mnist"]

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


def read_mnist(part: str, folder: AnyPath | None) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels of one part of MNIST.

    Parameters
    ----------
    part : {"mnist", "mnist-test"}
        The 60,000 training images, or the 10,000 test images.
    folder : path-like or None
        A folder with MNIST's files, gzipped or not. None for the user's cache, to which what is
        missing or damaged is downloaded.

    Returns
    -------
    images : numpy.ndarray, shape (n, 28, 28), uint8
    labels : numpy.ndarray, shape (n,), uint8

    Raises
    ------
    ValueError
        If a file is not the one that was published.
    OSError
        If a file is missing or cannot be read; ``ConnectionError`` if it cannot be fetched.
    """
    files = MNIST[part]
    paths = [_fetch(file) if folder is None else _find(file, folder) for file in files]
    images, labels = map(_read_idx, paths, files)
    return images, labels


def _find(file: IdxFile, folder: AnyPath) -> Path:
    folder = expand(folder)
    expected = f"{file.name} or {file.name}.gz"
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise unreadable(folder, f"a folder with {expected}", error) from None
    for name in (file.name, f"{file.name}.gz"):
        if name in names:
            return folder / name
    listing = ", ".join(names[:8]) + (", …" if len(names) > 8 else "") or "an empty folder"
    raise FileNotFoundError(f"{folder}: expected {expected}, found {listing}")


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
        raise unreadable(path, "a readable file", error) from None
