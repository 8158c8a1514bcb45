from .bowl import (
    plot_bands as plot_bands,
    plot_eigenvalues as plot_eigenvalues,
    plot_over_curvature as plot_over_curvature,
    plot_phase as plot_phase,
)
from .convolution import (
    show_convolution_step as show_convolution_step,
    show_feature_maps as show_feature_maps,
    show_windows as show_windows,
)
from .curvature import plot_curvature as plot_curvature, plot_limit as plot_limit
from .curves import (
    plot_curves as plot_curves,
    plot_history as plot_history,
    plot_spread as plot_spread,
)
from .differences import plot_differences as plot_differences
from .digits import show_images as show_images, show_pixels as show_pixels
from .ends import plot_ends as plot_ends
from .mistakes import (
    plot_confusion_matrix as plot_confusion_matrix,
    plot_reliability as plot_reliability,
)
from .paths import plot_rates as plot_rates, plot_trajectories as plot_trajectories
from .runs import (
    plot_accuracy_map as plot_accuracy_map,
    plot_against as plot_against,
    plot_edge as plot_edge,
)
from .shapes import plot_positions as plot_positions, show_seen as show_seen
