"""The figure `TrainingLab`: its Python, its JavaScript, its style, and the kernel that trains."""

from cnnlesson.widgets.training_lab.training_lab import TrainingLab

__all__ = ["TrainingLab"]
