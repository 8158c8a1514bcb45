"""A progress bar, or none at all."""

import os
from collections.abc import Iterable
from typing import TypeVar

from tqdm.auto import tqdm

__all__ = ["bar_over"]


Item = TypeVar("Item")


def bar_over(
    items: Iterable[Item], title: str, total: int, unit: str, *, progress: bool
) -> "tqdm[Item] | None":
    """Return a bar that counts items as they are taken from it.

    A tqdm that shows nothing takes its lock all the same. Forked processes share that lock, and one
    that is killed while it holds it stops all others for ever. So a silent one is none.

    Parameters
    ----------
    items : iterable
        What is counted.
    title : str
        What stands before the bar.
    total : int
        How many items there are.
    unit : str
        What an item is called.
    progress : bool
        Whether to show a bar; the environment's ``TQDM_DISABLE`` forbids it.

    Returns
    -------
    tqdm or None
        The bar, to be iterated over; None if nothing is to be shown.
    """
    # tqdm's own switch is looked up here, because its notebook bar overlooks it.
    if not progress or os.environ.get("TQDM_DISABLE"):
        return None
    return tqdm(items, title, total, unit=unit, disable=False)
