from .classical_sgd import ClassicalSGD as ClassicalSGD
from .descent import (
    Trajectory as Trajectory,
    convert_lr as convert_lr,
    momentum_descent as momentum_descent,
)
from .graphs import (
    PinnedGraph as PinnedGraph,
    expander_graph as expander_graph,
    grid_graph as grid_graph,
    path_graph as path_graph,
)
from .iterates import (
    StochasticError as StochasticError,
    error_by_component as error_by_component,
    noise_floor as noise_floor,
    quadratic_path as quadratic_path,
    stochastic_error as stochastic_error,
)
from .lower_bound import ConvexRosenbrock as ConvexRosenbrock
from .quadratic import (
    critical_momentum as critical_momentum,
    max_stable_lr as max_stable_lr,
    momentum_eigenvalues as momentum_eigenvalues,
    momentum_matrix as momentum_matrix,
    optimal_lr as optimal_lr,
    optimal_momentum as optimal_momentum,
    spectral_radius as spectral_radius,
)
from .regression import (
    PolynomialRegression as PolynomialRegression,
    early_stopping_filter as early_stopping_filter,
    tikhonov_filter as tikhonov_filter,
)
from .valley import RosenbrockValley as RosenbrockValley
