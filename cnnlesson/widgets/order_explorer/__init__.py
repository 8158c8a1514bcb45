"""The figure `OrderExplorer`: its Python, its JavaScript and its style."""

from cnnlesson.widgets.order_explorer.order_explorer import OrderExplorer

__all__ = ["OrderExplorer"]
