"""Files: paths as people write them, errors that name the file, lines that are whole or absent."""

import errno
import os
import stat
from collections.abc import Callable
from os import PathLike
from pathlib import Path

__all__ = ["AnyPath", "append_text", "check_is_file", "expand", "mend_last_line", "unreadable"]

AnyPath = str | PathLike[str]


def expand(name: str, path: AnyPath) -> Path:
    """Return the path with a leading ``~`` replaced by the home folder.

    Parameters
    ----------
    name : str
        What the caller calls it.
    path : path-like
        A path as a person writes it. An unknown ``~user`` stays as it is.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    TypeError
        If it is no path.
    """
    if not isinstance(path, str | PathLike):
        raise TypeError(
            f"{name}: expected a path, as text or pathlib.Path, found {type(path).__name__}"
        )
    return Path(os.path.expanduser(path))  # noqa: PTH111 (pathlib's fails on an unknown ~user)


def unreadable(path: Path, expected: str, error: OSError) -> OSError:
    """Return an error of the same kind that says what was expected and what was found.

    Parameters
    ----------
    path : pathlib.Path
        The file or folder.
    expected : str
        What it should have been, such as ``"a readable file"``.
    error : OSError
        What went wrong.

    Returns
    -------
    OSError
        Of the class of ``error``.
    """
    return type(error)(f"{path}: expected {expected}, found: {error.strerror or error}")


def check_is_file(path: Path) -> None:
    """Make sure that reading a path comes to an end: that of a pipe or of a device may never.

    Parameters
    ----------
    path : pathlib.Path
        A path to be read. What is not there, or is a folder, is left to whoever opens it.

    Raises
    ------
    OSError
        If it is a pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket or a device"
        raise OSError(f"{path}: expected a file, found {kind}, which may never end")


def append_text(path: str | PathLike, text: str) -> None:
    """Add text to a file, all of it or nothing, and wait until the disk has it.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there.
    text : str
        Whole lines.

    Raises
    ------
    OSError
        If the file cannot be written, or the disk is full; the file is then as it was.
    """
    lines = text.encode()
    with Path(path).open("ab", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        try:
            # One call: a process that is killed has written all of it or nothing.
            if file.write(lines) != len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def mend_last_line(
    path: str | PathLike, is_whole: Callable[[bytes], bool] = lambda _: False
) -> None:
    """Give a last line its end, or cut it off if it is torn, as by a power failure.

    Parameters
    ----------
    path : path-like
        The file.
    is_whole : callable, optional
        Tells of a line without end whether only the end is missing. By default none is whole: of a
        table nobody knows whether its last number is.

    Raises
    ------
    ValueError
        If the file has no other line: it may be something else altogether, and is left alone.
    """
    content = Path(path).read_bytes()
    start = content.rfind(b"\n") + 1
    rest = content[start:]
    if not rest:
        return
    if is_whole(rest):
        append_text(path, "\n")
    elif start:
        os.truncate(path, start)
    else:
        raise ValueError(
            f"{path}: expected whole lines, found one without its end, "
            "which is left alone; if it is a run cut short, delete the file"
        )
