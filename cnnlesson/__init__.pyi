from . import (
    diagrams as diagrams,
    exercises as exercises,
    experiments as experiments,
    momentum as momentum,
    plots as plots,
    widgets as widgets,
)
from ._support.shape_table import LayerShape as LayerShape, ShapeTable as ShapeTable
from .data import (
    Digits as Digits,
    load_arrays as load_arrays,
    load_digits as load_digits,
    standardize as standardize,
)
from .diagrams.draw import (
    draw_boxes as draw_boxes,
    draw_feature_maps as draw_feature_maps,
    save_svg as save_svg,
)
from .diagrams.receptive_fields import (
    ReceptiveField as ReceptiveField,
    receptive_fields as receptive_fields,
)
from .diagrams.stages import describe as describe
from .diagrams.windows import transposed_output_size as transposed_output_size
from .evaluation import (
    evaluate as evaluate,
    predict as predict,
    predict_logits as predict_logits,
    predict_proba as predict_proba,
)
from .exercises.checking import Verdict as Verdict, check as check
from .experiments.activity import dead_channels as dead_channels
from .experiments.curvature import (
    GradientNoise as GradientNoise,
    batch_sharpness as batch_sharpness,
    gradient_noise as gradient_noise,
    sharpness as sharpness,
)
from .experiments.edges import (
    Interval as Interval,
    bootstrap_median as bootstrap_median,
    find_edges as find_edges,
    find_ends as find_ends,
    share_interval as share_interval,
)
from .experiments.experiment import (
    Experiment as Experiment,
    prepare as prepare,
    run_experiment as run_experiment,
)
from .experiments.results import (
    load_results as load_results,
    read_results as read_results,
    results_path as results_path,
)
from .experiments.run import Run as Run, RunResult as RunResult
from .experiments.speed import faster as faster
from .experiments.sweeps import sweep as sweep
from .experiments.tracking import (
    load_curvature as load_curvature,
    track_curvature as track_curvature,
)
from .model import AlexNet as AlexNet, ConvNet as ConvNet
from .momentum.classical_sgd import ClassicalSGD as ClassicalSGD
from .momentum.descent import (
    Trajectory as Trajectory,
    convert_lr as convert_lr,
    momentum_descent as momentum_descent,
)
from .momentum.graphs import (
    PinnedGraph as PinnedGraph,
    expander_graph as expander_graph,
    grid_graph as grid_graph,
    path_graph as path_graph,
)
from .momentum.iterates import (
    StochasticError as StochasticError,
    error_by_component as error_by_component,
    noise_floor as noise_floor,
    quadratic_path as quadratic_path,
    stochastic_error as stochastic_error,
)
from .momentum.lower_bound import ConvexRosenbrock as ConvexRosenbrock
from .momentum.quadratic import (
    critical_momentum as critical_momentum,
    max_stable_lr as max_stable_lr,
    momentum_eigenvalues as momentum_eigenvalues,
    momentum_matrix as momentum_matrix,
    optimal_lr as optimal_lr,
    optimal_momentum as optimal_momentum,
    spectral_radius as spectral_radius,
)
from .momentum.regression import (
    PolynomialRegression as PolynomialRegression,
    early_stopping_filter as early_stopping_filter,
    tikhonov_filter as tikhonov_filter,
)
from .momentum.valley import RosenbrockValley as RosenbrockValley
from .tracing import (
    ShapeError as ShapeError,
    ShapeTracer as ShapeTracer,
    output_size as output_size,
)
from .training import History as History, train_epoch as train_epoch, train_model as train_model
