"""The figure `RunExplorer`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.run_explorer.run_explorer import RunExplorer

__all__ = ["RunExplorer"]
