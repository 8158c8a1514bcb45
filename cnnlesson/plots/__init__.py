"""Results as pictures. Each function draws on one Matplotlib Axes and returns it."""

from cnnlesson.plots.bowl import plot_bands, plot_eigenvalues, plot_over_curvature, plot_phase
from cnnlesson.plots.convolution import show_convolution_step, show_feature_maps, show_windows
from cnnlesson.plots.curves import plot_curves, plot_history, plot_spread
from cnnlesson.plots.digits import show_images, show_pixels
from cnnlesson.plots.mistakes import plot_confusion_matrix, plot_reliability
from cnnlesson.plots.paths import plot_rates, plot_trajectories
from cnnlesson.plots.runs import plot_accuracy_map, plot_against, plot_edge
from cnnlesson.plots.shapes import plot_positions, show_seen

__all__ = [
    "plot_accuracy_map",
    "plot_against",
    "plot_bands",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_edge",
    "plot_eigenvalues",
    "plot_history",
    "plot_over_curvature",
    "plot_phase",
    "plot_positions",
    "plot_rates",
    "plot_reliability",
    "plot_spread",
    "plot_trajectories",
    "show_convolution_step",
    "show_feature_maps",
    "show_images",
    "show_pixels",
    "show_seen",
    "show_windows",
]
