"""One at a time: who measures into a file keeps others from it, for as long as it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["writing_alone"]


@contextmanager
def writing_alone(path: str | PathLike) -> Iterator[None]:
    """Keep others, in this process or another, from measuring into the same file.

    The lock is the system's and ends with the process, however that ends. Beside the file stays
    an empty one, whose name ends in ``.lock``; it may be deleted when nobody measures.

    Parameters
    ----------
    path : path-like
        The file, which is there already.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    BlockingIOError
        If somebody else writes it.
    OSError
        If there can be no lock beside it.
    """
    path = Path(path).resolve()  # the same file under another name has the same lock
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BlockingIOError(
            f"{path}: expected nobody else to write it, found that another sweep does; "
            "wait for its end, or give another path"
        ) from None
    try:
        yield
    finally:
        lock.release()
