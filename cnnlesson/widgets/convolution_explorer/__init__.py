"""The figure `ConvolutionExplorer`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.convolution_explorer.convolution_explorer import ConvolutionExplorer

__all__ = ["ConvolutionExplorer"]
