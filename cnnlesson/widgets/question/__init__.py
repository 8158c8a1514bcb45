"""The figure `Question`: its Python, its JavaScript and its style."""

from cnnlesson.widgets.question.question import Question

__all__ = ["Question"]
