"""Interactive figures: one Python class and one JavaScript module each."""

from cnnlesson.widgets.convolution_explorer import ConvolutionExplorer
from cnnlesson.widgets.digit_reader import DigitReader
from cnnlesson.widgets.error_milestones import ErrorMilestones
from cnnlesson.widgets.momentum_explorer import MomentumExplorer
from cnnlesson.widgets.stability_map import StabilityMap

__all__ = [
    "ConvolutionExplorer",
    "DigitReader",
    "ErrorMilestones",
    "MomentumExplorer",
    "StabilityMap",
]
