"""Digits in a table: a line for each image, with its label and its pixels."""

from pathlib import Path

import numpy as np

from cnnlesson._support.files import check_is_file, unreadable
from cnnlesson._support.memory import check_memory

__all__ = ["read_csv"]

_LABEL_COLUMNS = ("label", "class")


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and the labels of a ``.csv`` file, such as Kaggle's ``train.csv``.

    Parameters
    ----------
    path : pathlib.Path
        The file. A line is an image: 784 pixels and its label, in the column named ``label`` or
        ``class``; in the first one where the columns have no names.

    Returns
    -------
    images : numpy.ndarray, shape (n, 784), float32
    labels : numpy.ndarray, shape (n,), float32

    Raises
    ------
    ValueError
        If it is no such table.
    OSError
        If it is missing or cannot be read.
    """
    import pandas as pd  # here: it takes half a second, and few have such a file

    check_is_file(path)
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            first = file.readline(100_000)
        check_memory(path, 4 * path.stat().st_size)  # two bytes or more for each number, read twice
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
    cells = [cell.strip('" \r\n').casefold() for cell in first.split(",")]
    if len(cells) != 785:
        found = f"{len(cells)}"
        if len(cells) == 784:
            found += ", as without labels (Kaggle's test.csv has none, its train.csv has)"
        raise ValueError(f"{path}: expected 785 columns, a label and 784 pixels, found {found}")
    is_named = not all(map(_is_number, cells))
    labelled = [i for i, cell in enumerate(cells) if cell in _LABEL_COLUMNS] if is_named else [0]
    if len(labelled) != 1:
        raise ValueError(f"{path}: expected one column named label, found {len(labelled)}")
    try:
        table = pd.read_csv(path, header=0 if is_named else None, dtype=np.float32).to_numpy()
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
    except Exception as error:
        raise ValueError(
            f"{path}: expected a table of numbers, found what pandas cannot read: "
            f"{' '.join(str(error).split())}"
        ) from None
    if (empty := np.isnan(table)).any():
        line = int(empty.any(axis=1).argmax()) + 1 + is_named
        raise ValueError(
            f"{path}: expected a number in each cell, found {int(empty.sum())} empty ones, the "
            f"first in line {line}; is the file cut short?"
        )
    return np.delete(table, labelled[0], axis=1), table[:, labelled[0]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
