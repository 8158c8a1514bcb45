"""The figure `TrainingPanel`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.training_panel.training_panel import TrainingPanel

__all__ = ["TrainingPanel"]
