"""Two trainings that were run once, to stand in for a figure that trains where it cannot."""

from typing import NamedTuple

from cnnlesson.experiments.run import Run

__all__ = ["EXAMPLES", "ExampleRun"]


class ExampleRun(NamedTuple):
    """What came of a run on MNIST, under the conditions of the checks: see `conftest.py`.

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
    ExampleRun(Run(momentum=0.8), 0.9385, (
        73.2, 2.65, 1.82, 1.36, 1.04, 0.878, 0.629, 0.588, 0.494, 0.516, 0.368, 0.447, 0.437,
        0.373, 0.348, 0.492, 0.386, 0.387, 0.328, 0.265, 0.328, 0.295, 0.329, 0.272, 0.304,
        0.205, 0.339, 0.199, 0.286, 0.21, 0.228, 0.28, 0.423, 0.222, 0.252, 0.323, 0.278, 0.196,
        0.22, 0.261, 0.152, 0.226, 0.169, 0.0829, 0.247, 0.177, 0.174,
    )),
    ExampleRun(Run(momentum=0.99), 0.635, (
        77.0, 3.14, 1.83, 1.82, 1.58, 2.14, 1.76, 1.32, 1.54, 1.43, 1.39, 1.27, 1.6, 1.79, 1.54,
        1.66, 1.68, 1.58, 1.44, 1.49, 1.39, 1.58, 1.85, 1.62, 1.46, 1.52, 1.4, 1.47, 1.52, 1.22,
        0.915, 1.03, 1.39, 1.08, 1.35, 1.66, 1.52, 1.55, 1.34, 1.23, 1.27, 1.76, 1.83, 1.37,
        1.31, 1.57, 1.54,
    )),
)
# fmt: on
