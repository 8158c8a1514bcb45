"""What a page fetches when a figure of it first trains, and the figures that do."""

import re
from typing import Any

from cnnlesson._support.sample import SAMPLE
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.sources import WIDGETS

__all__ = ["WORKER_MODULES", "TrainedInPage", "parcel", "worker_script"]

# They hold functions alone, and run in a worker: no page needs them before Train is pressed.
WORKER_MODULES = ("random", "network", "worker")

_FOLDER = WIDGETS / "training_lab"
_KERNEL = _FOLDER / "kernel.wasm"  # made by __main__.py from kernel.c
_PART = 120_000  # bytes of the digits that are fetched at a time
_NUM_PARTS = 2 + -(-SAMPLE.stat().st_size // _PART)


def worker_script() -> str:
    """Return what the workers run, as a script that asks for nothing.

    Returns
    -------
    str
        The modules one after the other, without their imports and exports.
    """
    modules = [(_FOLDER / f"{name}.js").read_text("utf-8") for name in WORKER_MODULES]
    bare = [re.sub(r"^import .*\n|^export ", "", module, flags=re.MULTILINE) for module in modules]
    return f'"use strict";\n{"".join(bare)}listen(self);\n'


def parcel() -> list[bytes]:
    """Return what the figure fetches when Train is first pressed, in the order of fetching.

    Returns
    -------
    list of bytes
        The compiled kernel, the workers' script, then the sample of MNIST in parts.
    """
    digits = SAMPLE.read_bytes()
    starts = range(0, len(digits), _PART)
    script = worker_script().encode()
    return [_KERNEL.read_bytes(), script, *(digits[start : start + _PART] for start in starts)]


class TrainedInPage(Figure):
    """A figure that trains the real network where it is read.

    Parameters
    ----------
    **settings
        As for every `Figure`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.on_msg(self._send_part)

    def data(self) -> dict[str, Any]:
        """Return in how many parts comes what is needed to train."""
        return {"num_parts": _NUM_PARTS}

    def _send_part(self, _: object, message: object, __: object) -> None:
        """Hand the front end the part that it asks for."""
        part = message.get("part") if isinstance(message, dict) else None
        if isinstance(part, int) and 0 <= part < _NUM_PARTS:
            self.send({"part": part}, buffers=[parcel()[part]])
