from .activity import dead_channels as dead_channels
from .curvature import (
    GradientNoise as GradientNoise,
    batch_sharpness as batch_sharpness,
    gradient_noise as gradient_noise,
    sharpness as sharpness,
)
from .edges import (
    Interval as Interval,
    bootstrap_median as bootstrap_median,
    find_edges as find_edges,
    find_ends as find_ends,
    share_interval as share_interval,
)
from .experiment import (
    Experiment as Experiment,
    prepare as prepare,
    run_experiment as run_experiment,
)
from .results import (
    load_results as load_results,
    read_results as read_results,
    results_path as results_path,
)
from .run import Run as Run, RunResult as RunResult
from .speed import faster as faster
from .studies import (
    BEYOND as BEYOND,
    CURVATURE as CURVATURE,
    LEARNING_RATES as LEARNING_RATES,
    MOMENTA as MOMENTA,
    ORIGINAL as ORIGINAL,
    RECIPE as RECIPE,
    STUDIES as STUDIES,
    WITHOUT as WITHOUT,
)
from .sweeps import sweep as sweep
from .tracking import load_curvature as load_curvature, track_curvature as track_curvature
