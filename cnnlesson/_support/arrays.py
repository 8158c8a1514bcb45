"""Arrays in files as people have them: two of them .npy, or both in one .npz or .csv."""

import math
import zipfile
from pathlib import Path
from typing import IO, Literal, get_args

import numpy as np

from cnnlesson._support.files import check_is_file, unreadable
from cnnlesson._support.memory import check_memory
from cnnlesson._support.tables import read_csv

__all__ = ["as_digits", "open_npy", "read_npz", "read_pair"]

Part = Literal["train", "test"]


def read_pair(
    images_path: Path, labels_path: Path | None, part: Part
) -> tuple[np.ndarray, np.ndarray]:
    """Read the arrays of images and labels from two ``.npy`` files, or from one that holds both.

    Parameters
    ----------
    images_path : pathlib.Path
        A ``.npy`` file; a ``.npz`` or a ``.csv`` if it holds the labels too.
    labels_path : pathlib.Path or None
        A ``.npy`` file, or None if there is one file for both.
    part : {"train", "test"}
        Which part of a ``.npz`` file to read.

    Returns
    -------
    images, labels : numpy.ndarray
        Of real numbers, and of any shape.

    Raises
    ------
    ValueError
        If a file does not hold what it should, or ``part`` is none of the file's.
    OSError
        If a file is missing or cannot be read.
    """
    kind = images_path.suffix.casefold()
    has_parts = kind == ".npz" and labels_path is None
    if part not in get_args(Part) or (part == "test" and not has_parts):
        raise ValueError(
            "part: expected 'train', or 'test' for a .npz file alone, "
            f"found {part!r} for {images_path}"
        )
    if labels_path is not None:
        return open_npy(images_path), open_npy(labels_path)
    if kind == ".npz":
        return read_npz(images_path, part)
    if kind == ".csv":
        return read_csv(images_path)
    raise ValueError(
        f"labels_path: expected the labels of {images_path}, found none; "
        "only a .npz or .csv file holds both"
    )


def as_digits(labels: np.ndarray, n: int, path: Path, images_path: Path) -> np.ndarray:
    """Return labels as one whole number for each image.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers from 0 to 9, of shape (n,) or (n, 1), or one-hot, of shape (n, 10).
    n : int
        The number of images.
    path, images_path : pathlib.Path
        The files that labels and images are from.

    Returns
    -------
    numpy.ndarray, shape (n,), int64
        A copy.

    Raises
    ------
    ValueError
        If they are anything else.
    """
    if labels.shape == (n, 10) and np.array_equal(np.sort(labels), np.eye(10)[[9] * n]):
        labels = labels.argmax(axis=1)
    if labels.shape not in {(n,), (n, 1)}:
        raise ValueError(
            f"{path}: expected {n} labels, one for each image in {images_path}, "
            f"found shape {labels.shape}{', not one-hot' if labels.shape == (n, 10) else ''}"
        )
    wrong = labels[~np.isin(labels, range(10))]
    if wrong.size:
        raise ValueError(
            f"{path}: expected whole numbers 0 to 9, found {wrong[0]} "
            f"({wrong.size} of {labels.size} are wrong)"
        )
    return np.array(labels, np.int64, order="C").reshape(-1)


def open_npy(path: Path) -> np.memmap:
    """Open a ``.npy`` file: mapped, so that only a converted copy takes memory.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    numpy.memmap
        Its array, of real numbers.

    Raises
    ------
    ValueError
        If it is no intact array of real numbers. This reader cannot unpickle.
    OSError
        If it is missing or cannot be read.
    """
    check_is_file(path)
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
    except Exception as error:
        found = f"what NumPy cannot read: {_one_line(error)}"
        if path.suffix.casefold() in (".npz", ".csv"):
            found += "; a file that holds images and labels is given alone: load_arrays(path)"
        elif "ubyte" in path.name:
            found = "one of MNIST's own files; load_digits reads them, with data_dir its folder"
        raise ValueError(f"{path}: expected an intact .npy array, found {found}") from None
    _check_real(path, array.dtype)
    size, found_size = array.offset + array.nbytes, path.stat().st_size
    if found_size != size:
        raise ValueError(f"{path}: expected {size:,} bytes and no more, found {found_size:,}")
    return array


def read_npz(path: Path, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and the labels of one part of a ``.npz`` file, such as Keras' MNIST.

    Parameters
    ----------
    path : pathlib.Path
        The file. Its arrays are ``x_train``, ``y_train``, ``x_test`` and ``y_test``.
    part : {"train", "test"}
        Which of them to read.

    Returns
    -------
    images, labels : numpy.ndarray
        Of real numbers.

    Raises
    ------
    ValueError
        If it is no intact archive of such arrays. This reader cannot unpickle.
    OSError
        If it is missing or cannot be read.
    """
    check_is_file(path)
    names = (f"x_{part}", f"y_{part}")
    try:
        with zipfile.ZipFile(path) as archive:
            held = [name.removesuffix(".npy") for name in archive.namelist()]
            if not set(names) <= set(held):
                raise ValueError(
                    f"{path}: expected the arrays {' and '.join(names)}, "
                    f"found {', '.join(held[:8]) + (', …' if len(held) > 8 else '') or 'none'}"
                )
            images, labels = (_read_member(path, archive, name) for name in names)
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
    except (zipfile.BadZipFile, RuntimeError) as error:  # the second if it asks for a password
        raise ValueError(
            f"{path}: expected an intact .npz archive, found: {_one_line(error)}"
        ) from None
    return images, labels


def _read_member(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    try:
        with archive.open(f"{name}.npy") as file:
            shape, dtype = _read_header(file)
            size = file.tell() + math.prod(shape) * dtype.itemsize
        check_memory(path, size)
        # What is unpacked is never more than the directory says.
        if not dtype.hasobject and (found := archive.getinfo(f"{name}.npy").file_size) != size:
            raise ValueError(f"{found:,} bytes, where its header says {size:,}")
        with archive.open(f"{name}.npy") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(
            f"{path}: expected an intact array {name}, found what NumPy cannot read: "
            f"{_one_line(error)}"
        ) from None
    _check_real(path, array.dtype)
    return array


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else (np.lib.format.read_array_header_2_0)
    )
    shape, _, dtype = read(file)
    return shape, dtype


def _check_real(path: Path, dtype: np.dtype) -> None:
    if dtype.kind not in "uif":
        raise ValueError(f"{path}: expected real numbers, found dtype {dtype}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
