"""Memory: what does not fit is refused before it is filled."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["check_memory"]


def check_memory(path: Path, size: float) -> None:
    """Make sure that there is as much memory at all, before it is filled.

    Parameters
    ----------
    path : pathlib.Path
        The file that is to be read.
    size : float
        Bytes it will take.

    Raises
    ------
    MemoryError
        If the machine, or the container, has less.
    """
    limits = []
    with suppress(AttributeError, OSError, ValueError):  # Windows says so only when it is asked for
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limits.append(int(Path(limit).read_text("ascii")))
    if limits and size > min(limits):
        raise MemoryError(
            f"{path}: expected images that fit into memory, {min(limits) / 1e9:.1f} GB, found "
            f"{size / 1e9:.1f} GB of them; save a part of them, and load that"
        )
