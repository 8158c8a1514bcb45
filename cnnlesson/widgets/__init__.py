"""Interactive figures: one Python class and one JavaScript module each."""

from cnnlesson.widgets.convolution_explorer import ConvolutionExplorer
from cnnlesson.widgets.momentum_explorer import MomentumExplorer

__all__ = ["ConvolutionExplorer", "MomentumExplorer"]
