"""The figure `GraphDescent`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.graph_descent.graph_descent import GraphDescent

__all__ = ["GraphDescent"]
