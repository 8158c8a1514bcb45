"""The figure `DigitReader`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.digit_reader.digit_reader import WEIGHTS, DigitReader

__all__ = ["WEIGHTS", "DigitReader"]
