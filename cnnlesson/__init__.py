"""One small convolutional network for handwritten digits, and momentum: the course's package."""

from cnnlesson.activity import dead_channels
from cnnlesson.curvature import GradientNoise, batch_sharpness, gradient_noise, sharpness
from cnnlesson.data import Digits, load_arrays, load_digits, standardize
from cnnlesson.diagrams import draw_boxes, draw_feature_maps, save_svg
from cnnlesson.evaluation import evaluate, predict, predict_logits, predict_proba
from cnnlesson.experiments import Run, RunResult, run_experiment
from cnnlesson.graphs import PinnedGraph, expander_graph, grid_graph, path_graph
from cnnlesson.iterates import (
    StochasticError,
    error_by_component,
    noise_floor,
    quadratic_path,
    stochastic_error,
)
from cnnlesson.lower_bound import ConvexRosenbrock
from cnnlesson.model import AlexNet, ConvNet
from cnnlesson.momentum import ClassicalSGD, Trajectory, convert_lr, momentum_descent
from cnnlesson.quadratic import (
    critical_momentum,
    max_stable_lr,
    momentum_eigenvalues,
    momentum_matrix,
    optimal_lr,
    optimal_momentum,
    spectral_radius,
)
from cnnlesson.regression import PolynomialRegression, early_stopping_filter, tikhonov_filter
from cnnlesson.results import load_results, read_results, results_path
from cnnlesson.stages import describe
from cnnlesson.sweeps import sweep
from cnnlesson.tracing import (
    LayerShape,
    ReceptiveField,
    ShapeError,
    ShapeTable,
    ShapeTracer,
    output_size,
    receptive_fields,
)
from cnnlesson.training import History, train_model

__all__ = [
    "AlexNet",
    "ClassicalSGD",
    "ConvNet",
    "ConvexRosenbrock",
    "Digits",
    "GradientNoise",
    "History",
    "LayerShape",
    "PinnedGraph",
    "PolynomialRegression",
    "ReceptiveField",
    "Run",
    "RunResult",
    "ShapeError",
    "ShapeTable",
    "ShapeTracer",
    "StochasticError",
    "Trajectory",
    "batch_sharpness",
    "convert_lr",
    "critical_momentum",
    "dead_channels",
    "describe",
    "draw_boxes",
    "draw_feature_maps",
    "early_stopping_filter",
    "error_by_component",
    "evaluate",
    "expander_graph",
    "gradient_noise",
    "grid_graph",
    "load_arrays",
    "load_digits",
    "load_results",
    "max_stable_lr",
    "momentum_descent",
    "momentum_eigenvalues",
    "momentum_matrix",
    "noise_floor",
    "optimal_lr",
    "optimal_momentum",
    "output_size",
    "path_graph",
    "predict",
    "predict_logits",
    "predict_proba",
    "quadratic_path",
    "read_results",
    "receptive_fields",
    "results_path",
    "run_experiment",
    "save_svg",
    "sharpness",
    "spectral_radius",
    "standardize",
    "stochastic_error",
    "sweep",
    "tikhonov_filter",
    "train_model",
]
