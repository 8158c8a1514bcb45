"""The figure `MapLab`: its Python, its JavaScript and its style."""

from cnnlesson.widgets.map_lab.map_lab import MapLab

__all__ = ["MapLab"]
