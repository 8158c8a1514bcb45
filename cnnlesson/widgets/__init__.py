"""Interactive figures: one Python class and one JavaScript module each."""

from cnnlesson.widgets.convolution_explorer import ConvolutionExplorer
from cnnlesson.widgets.eigen_basis import EigenBasis
from cnnlesson.widgets.error_milestones import ErrorMilestones
from cnnlesson.widgets.graph_descent import GraphDescent
from cnnlesson.widgets.momentum_explorer import MomentumExplorer
from cnnlesson.widgets.polynomial_fit import PolynomialFit
from cnnlesson.widgets.stability_map import StabilityMap

__all__ = [
    "ConvolutionExplorer",
    "EigenBasis",
    "ErrorMilestones",
    "GraphDescent",
    "MomentumExplorer",
    "PolynomialFit",
    "StabilityMap",
]
