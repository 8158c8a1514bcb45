"""The figure `Paths`: its Python, its JavaScript and its style."""

from cnnlesson.widgets.paths.paths import Paths

__all__ = ["Paths"]
