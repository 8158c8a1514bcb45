"""One small convolutional network for handwritten digits, and momentum: the course's package.

The lesson is the five modules beside this file, in this order: `data`, `model`, `tracing`,
`training`, `evaluation`. The rooms `momentum`, `experiments`, `diagrams`, `exercises`, `plots` and
`widgets` hold the rest. The names below are those a learner calls; every other public name of the
lesson and of the first four rooms can be imported from here too. A name is looked up when it is
first used.
"""

import lazy_loader as lazy

__getattr__, _, _ = lazy.attach_stub(__name__, __file__)

__all__ = [
    "AlexNet",
    "ClassicalSGD",
    "ConvNet",
    "Run",
    "ShapeTracer",
    "check",
    "describe",
    "draw_boxes",
    "draw_feature_maps",
    "evaluate",
    "faster",
    "load_arrays",
    "load_digits",
    "load_results",
    "max_stable_lr",
    "momentum_descent",
    "optimal_lr",
    "optimal_momentum",
    "output_size",
    "predict",
    "predict_proba",
    "receptive_fields",
    "run_experiment",
    "sharpness",
    "spectral_radius",
    "standardize",
    "sweep",
    "train_model",
]


def __dir__() -> list[str]:
    return [*__all__, "diagrams", "exercises", "experiments", "momentum", "plots", "widgets"]
