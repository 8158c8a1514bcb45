"""Where the JavaScript and the style of the figures stand, and how they reach a notebook.

With ``ANYWIDGET_HMR=1`` in the environment, anywidget's own switch, a figure follows its files:
what is saved in one of them is seen in the notebook at once, without another kernel.
"""

import logging
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from threading import Thread
from typing import Any

from cnnlesson.widgets.shared.bundle import bundle

__all__ = ["SHARED_STYLES", "WIDGETS", "esm_of", "sources_of", "style_of", "styles"]

WIDGETS = Path(__file__).parents[1]
# Later rules win over earlier ones of the same weight: the order is part of what they say.
SHARED_STYLES = (
    *("frame", "plot", "curves", "losses", "point"),
    *("words", "controls", "asking", "trains", "pixels", "share", "media"),
)

_followed: list[tuple[Any, Callable[[], str]]] = []


def sources_of(module: str, folder: str = "") -> dict[str, str]:
    """Return the source of a figure's module and of those it may import, by name.

    Parameters
    ----------
    module : str
        Its name.
    folder : str, default ""
        The folder it is in; by default that of its own name.

    Returns
    -------
    dict of str to str
        Sources of all modules in its folder and in ``shared``.
    """
    paths = [*(WIDGETS / "shared").glob("*.js"), *(WIDGETS / (folder or module)).glob("*.js")]
    return {path.stem: path.read_text("utf-8") for path in sorted(paths)}


def styles(*own: Path) -> str:
    """Return the shared rules, then those of some files.

    Parameters
    ----------
    *own : Path
        Style sheets.

    Returns
    -------
    str
        CSS.
    """
    shared = [WIDGETS / "shared" / f"{name}.css" for name in SHARED_STYLES]
    return "".join(path.read_text("utf-8") for path in (*shared, *own))


def esm_of(module: str, folder: str = "") -> Any:
    """Return a figure's module for anywidget, as one string that imports nothing.

    Parameters
    ----------
    module : str
        Its name.
    folder : str, default ""
        The folder it is in, as for `sources_of`.

    Returns
    -------
    str or anywidget._file_contents.VirtualFileContents
        Source; under ``ANYWIDGET_HMR=1`` what holds the source and tells when it changes.
    """
    return _followed_if_asked(lambda: bundle(module, sources_of(module, folder)))


def style_of(module: str, folder: str = "") -> Any:
    """Return a figure's style for anywidget: the shared rules, and those of its own name, if any.

    Parameters
    ----------
    module : str
        Its name.
    folder : str, default ""
        The folder it is in, as for `sources_of`.

    Returns
    -------
    str or anywidget._file_contents.VirtualFileContents
        CSS, as in `esm_of`.
    """
    own = WIDGETS / (folder or module) / f"{module}.css"
    return _followed_if_asked(lambda: styles(*[own] * own.exists()))


def _followed_if_asked(make: Callable[[], str]) -> Any:
    if os.environ.get("ANYWIDGET_HMR") != "1":
        return make()
    from anywidget._file_contents import VirtualFileContents

    contents = VirtualFileContents(make())
    _followed.append((contents, make))
    _start_watching(WIDGETS)
    return contents


@cache  # one watch for all figures
def _start_watching(folder: Path) -> None:
    Thread(target=partial(_watch, folder), name="cnnlesson figures", daemon=True).start()


def _watch(folder: Path) -> None:
    from watchfiles import watch

    for _ in watch(folder, watch_filter=lambda _, path: path.endswith((".js", ".css"))):
        for contents, make in _followed:
            try:
                made = make()
            except (OSError, ValueError) as error:  # saved half-way: the next save mends it
                logging.getLogger(__name__).warning("%s", error)
                continue
            if made != str(contents):
                contents.contents = made
