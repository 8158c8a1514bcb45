"""The figure `MomentumExplorer`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.momentum_explorer.momentum_explorer import MomentumExplorer

__all__ = ["MomentumExplorer"]
