"""Measured runs in a file: one line of JSON a run, so that no run costs another."""

import codecs
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from os import PathLike
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from cnnlesson._support.files import append_text
from cnnlesson.experiments.run import Run, RunResult

__all__ = ["load_results", "read_results", "results_path"]

_RESULT = TypeAdapter(RunResult)


def append_result(path: str | PathLike, result: RunResult) -> None:
    """Add one run to a file, as by `append_text`.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there.
    result : RunResult
        What came of the run.
    """
    separators = (",", ":")  # thousands of small numbers: their spaces would be a fifth of the file
    line = json.dumps(asdict(result), ensure_ascii=False, allow_nan=False, separators=separators)
    append_text(path, line + "\n")


def reads_as_result(line: bytes) -> bool:
    """Tell whether a line holds the result of a run.

    Parameters
    ----------
    line : bytes
        The line, without its end.

    Returns
    -------
    bool
        True if `read_results` would read it.
    """
    try:
        _RESULT.validate_json(line)
    except ValidationError:
        return False
    return True


def read_results(path: str | PathLike) -> list[RunResult]:
    """Read the runs that a sweep measured.

    Parameters
    ----------
    path : path-like
        A file that `sweep` wrote. A torn last line is left out.

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
    *lines, last = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    if reads_as_result(last):
        lines.append(last)
    results = []
    for number, line in enumerate(lines, start=1):
        try:
            results.append(_RESULT.validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise ValueError(
                f"{path}, line {number}: expected the result of a run; {where}: "
                f"{first['msg']}, found {first['input']!r:.60}"
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


def load_results(paths: str | PathLike | Iterable[str | PathLike] | None = None) -> pd.DataFrame:
    """Return measured runs as one tidy table.

    Parameters
    ----------
    paths : path-like or iterable of path-like, optional
        A file that `sweep` wrote, or several; by default all those of the course.

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
    if paths is None:
        paths = sorted(results_folder().glob("*.jsonl"))
    elif isinstance(paths, str | PathLike):
        paths = [paths]
    rows = [result.to_dict() for path in paths for result in read_results(path)]
    columns = [field.name for field in fields(Run)]
    return pd.DataFrame(
        rows, columns=[*columns, "status", "train_loss", "test_accuracy", "seconds"]
    )


def results_folder() -> Path:
    """Return the folder of the course's results."""
    return Path(__file__).parent / "measured"
