"""The figure `Prediction`: its Python, its JavaScript and its style."""

from cnnlesson.widgets.prediction.prediction import Prediction

__all__ = ["Prediction"]
