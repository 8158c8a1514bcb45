"""Measured runs in a file: one line of JSON a run, so that no run costs another."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from importlib.resources import files
from os import PathLike
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from cnnlesson.experiments import RunResult

__all__ = ["load_results", "read_results", "results_path"]

_RESULT = TypeAdapter(RunResult)


def append_text(path: str | PathLike, text: str) -> None:
    """Add text to a file, all of it or nothing, and wait until the disk has it.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there.
    text : str
        Whole lines.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        # One call: a process that is killed has written all of it or nothing.
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)


def append_result(path: str | PathLike, result: RunResult) -> None:
    """Add one run to a file, as by `append_text`.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there.
    result : RunResult
        What came of the run.
    """
    line = json.dumps(asdict(result), ensure_ascii=False, allow_nan=False)
    append_text(path, line + "\n")


def drop_torn_line(path: str | PathLike) -> None:
    """Cut off a last line that has no end, as a power failure or a full disk may leave it.

    Parameters
    ----------
    path : path-like
        The file; it need not exist.
    """
    path = Path(path)
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)


def read_results(path: str | PathLike) -> list[RunResult]:
    """Read the runs that a sweep measured.

    Parameters
    ----------
    path : path-like
        A file that `sweep` wrote. A last line without its end is left out.

    Returns
    -------
    list of RunResult
        In the order in which they ended.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line is no result; the message names the file, the line and what is wrong with it.
    """
    *lines, _ = Path(path).read_text("utf-8").split("\n")
    results = []
    for number, line in enumerate(lines, start=1):
        try:
            results.append(_RESULT.validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise ValueError(
                f"{path}, line {number}: expected the result of a run, found {where}: "
                f"{first['msg']}"
            ) from error
    return results


def results_path(study: str) -> Path:
    """Return the file of one of the course's own studies.

    Parameters
    ----------
    study : str
        Its name, such as ``"map"``.

    Returns
    -------
    pathlib.Path
        The file, for `read_results`.

    Raises
    ------
    ValueError
        If there is no such study.
    """
    names = sorted(path.stem for path in results_folder().glob("*.jsonl"))
    if study not in names:
        raise ValueError(f"study: expected one of {', '.join(names)}, found {study!r}")
    return results_folder() / f"{study}.jsonl"


def load_results(paths: Iterable[str | PathLike] | None = None) -> pd.DataFrame:
    """Return measured runs as one tidy table.

    Parameters
    ----------
    paths : iterable of path-like, optional
        Files that `sweep` wrote; by default all those of the course.

    Returns
    -------
    pandas.DataFrame
        One row a run. Columns: each field of `Run`, then ``status``, ``train_loss``,
        ``test_accuracy`` (both of the last finished epoch, NaN if none was finished) and
        ``seconds``.

    Raises
    ------
    FileNotFoundError, ValueError
        As by `read_results`.
    """
    paths = sorted(results_folder().glob("*.jsonl")) if paths is None else paths
    return pd.DataFrame([result.to_dict() for path in paths for result in read_results(path)])


def results_folder() -> Path:
    """Return the folder of the course's results, in a checkout or in an installed package."""
    beside = Path(__file__).parents[1] / "results"
    return beside if beside.is_dir() else Path(str(files("cnnlesson.measured")))
