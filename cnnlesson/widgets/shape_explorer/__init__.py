"""The figure `ShapeExplorer`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.shape_explorer.shape_explorer import ShapeExplorer

__all__ = ["ShapeExplorer"]
