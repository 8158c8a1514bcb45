"""The figure `StabilityMap`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.stability_map.stability_map import StabilityMap

__all__ = ["StabilityMap"]
