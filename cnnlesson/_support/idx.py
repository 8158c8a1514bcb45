"""One file of MNIST in the IDX format: read, and compared with the one that was published.

An IDX file is a magic number, one size per axis, then the bytes.
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnnlesson._support.files import check_is_file, unreadable

__all__ = ["IdxFile", "data_set_named_in", "read_idx"]

# Other data sets in the same format. Each name is looked for in paths.
OTHERS = ("Fashion-MNIST", "KMNIST", "EMNIST", "QMNIST")
# The MD5 of the label files that Fashion-MNIST and KMNIST publish under MNIST's names, gzipped;
# as their makers and torchvision.datasets give them.
LABELS_MD5 = {
    "25c81989df183df01b3e8a0aad5dffbe": "Fashion-MNIST",
    "bb300cfdad3c16e7a12a480ee83cd310": "Fashion-MNIST",
    "e144d726b3acfaa3e44228e80efcd344": "KMNIST",
    "7320c461ea6c1c855c0b718fb2a4b134": "KMNIST",
}
# How many images the parts of EMNIST have that are larger or smaller than MNIST's.
EMNIST_SIZES = (697_932, 116_323, 112_800, 18_800, 124_800, 20_800, 88_800, 14_800, 240_000, 40_000)


class IdxFile(NamedTuple):
    """What one of MNIST's files must hold.

    Attributes
    ----------
    name : str
        As published, without ``.gz``.
    shape : tuple of int
        Of its array of bytes.
    sha256, gzip_sha256 : str
        Its checksum, and that of the published ``.gz``.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str
    gzip_sha256: str

    @property
    def num_bytes(self) -> int:
        """The size of the file, not gzipped."""
        return 4 * (1 + len(self.shape)) + math.prod(self.shape)


def read_idx(path: Path, file: IdxFile) -> np.ndarray:
    """Read one of MNIST's files, gzipped or not, whatever it is called.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    file : IdxFile
        What it must hold.

    Returns
    -------
    numpy.ndarray, uint8
        Of the shape ``file.shape``.

    Raises
    ------
    ValueError
        If the file is not the one that was published; which data set it is, as far as can be told.
    OSError
        If it is missing or cannot be read.
    """
    # In an IDX magic number 0x08 says unsigned bytes; the last byte is the number of axes.
    magic = 0x0800 + len(file.shape)
    header = struct.Struct(f">{1 + len(file.shape)}I")
    size = file.num_bytes
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
        other = "EMNIST" if found_shape[0] in EMNIST_SIZES else data_set_named_in(path)
        raise ValueError(
            f"{path}: expected the shape {file.shape}, found {tuple(found_shape)}"
            + (f", as in {other}, another data set" if other else "")
        )
    if len(content) != size:
        found = "more" if len(content) > size else f"{len(content):,}"
        raise ValueError(f"{path}: expected {size:,} bytes of IDX data, found {found}")
    array = np.frombuffer(content, np.uint8, offset=header.size).reshape(file.shape)
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != file.sha256:
        raise ValueError(
            f"{path}: expected MNIST's SHA-256 {file.sha256}, found {checksum}; "
            f"{_whose(path, array)}"
        )
    return array


def data_set_named_in(path: str | Path) -> str:
    """Return which other data set a path names, if any.

    Parameters
    ----------
    path : str or pathlib.Path
        A path, or some names.

    Returns
    -------
    str
        Its name, or "".
    """
    names = str(path).casefold().replace("-", "").replace("_", "")
    return next((name for name in OTHERS if name.casefold().replace("-", "") in names), "")


def _whose(path: Path, array: np.ndarray) -> str:
    """Return what is known of a file of MNIST's shape that is not MNIST's."""
    if array.ndim == 1:
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        if md5 in LABELS_MD5:
            return f"this is a file of {LABELS_MD5[md5]}, another data set"
        if len(set(np.bincount(array, minlength=10).tolist())) == 1:
            return (
                "all ten labels are equally frequent, as in Fashion-MNIST, KMNIST and EMNIST, "
                "other data sets; in MNIST they are not"
            )
    if other := data_set_named_in(path):
        return f"the file is damaged, or that of {other}, another data set, as its path says"
    return (
        "the file is damaged, or another data set's "
        "(Fashion-MNIST and KMNIST have the same file names)"
    )


def _read(path: Path, at_most: int) -> bytes:
    check_is_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(2)
            file.seek(0)
            # By content: some programs unpack and leave the name, or the other way round.
            is_packed = start == b"\x1f\x8b" or (path.suffix == ".gz" and start != b"\0\0")
            return (gzip.GzipFile(fileobj=file) if is_packed else file).read(at_most)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: expected intact gzip data, found: {error}") from None
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
