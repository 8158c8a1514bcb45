"""One small convolutional network for handwritten digits, and momentum: the course's package."""

from cnnlesson.model import AlexNet, ConvNet
from cnnlesson.momentum import (
    ClassicalSGD,
    Trajectory,
    max_stable_lr,
    momentum_descent,
    optimal_lr,
    optimal_momentum,
    spectral_radius,
)
from cnnlesson.tracing import (
    LayerShape,
    ReceptiveField,
    ShapeError,
    ShapeTable,
    ShapeTracer,
    output_size,
    receptive_fields,
)

__all__ = [
    "AlexNet",
    "ClassicalSGD",
    "ConvNet",
    "LayerShape",
    "ReceptiveField",
    "ShapeError",
    "ShapeTable",
    "ShapeTracer",
    "Trajectory",
    "max_stable_lr",
    "momentum_descent",
    "optimal_lr",
    "optimal_momentum",
    "output_size",
    "receptive_fields",
    "spectral_radius",
]
