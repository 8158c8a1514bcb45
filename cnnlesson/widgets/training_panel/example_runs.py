"""Two trainings that were run once, to stand in for the panel where there is no kernel."""

from typing import NamedTuple

from cnnlesson.experiments.run import Run

__all__ = ["EXAMPLES", "ExampleRun"]


class ExampleRun(NamedTuple):
    """What came of a run on MNIST, on one thread.

    Attributes
    ----------
    run : Run
        What was set.
    test_accuracy : float
        Accuracy on the test images at the end.
    losses : tuple of float
        Means of four batch losses each, to three digits.
    """

    run: Run
    test_accuracy: float
    losses: tuple[float, ...]


# fmt: off
EXAMPLES = (
    ExampleRun(Run(momentum=0.8), 0.9405, (
        73.2, 2.65, 1.82, 1.36, 1.04, 0.878, 0.629, 0.588, 0.494, 0.516, 0.368, 0.447, 0.437,
        0.373, 0.348, 0.492, 0.386, 0.387, 0.328, 0.265, 0.328, 0.295, 0.328, 0.272, 0.305, 0.205,
        0.339, 0.199, 0.285, 0.212, 0.226, 0.281, 0.427, 0.225, 0.244, 0.318, 0.275, 0.195, 0.223,
        0.257, 0.15, 0.227, 0.173, 0.0801, 0.247, 0.178, 0.177,
    )),
    ExampleRun(Run(momentum=0.99), 0.2885, (
        77.0, 3.14, 1.83, 1.82, 1.58, 2.14, 1.76, 1.32, 1.54, 1.43, 1.39, 1.27, 1.6, 1.79, 1.54,
        1.66, 1.68, 1.58, 1.44, 1.49, 1.39, 1.58, 1.85, 1.62, 1.46, 1.51, 1.4, 1.49, 1.54, 1.29,
        0.916, 1.07, 1.46, 1.17, 1.38, 1.65, 1.39, 1.34, 1.28, 1.41, 1.42, 1.7, 1.41, 1.7, 2.03,
        2.15, 2.27,
    )),
)
# fmt: on
