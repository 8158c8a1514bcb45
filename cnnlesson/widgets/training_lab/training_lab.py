"""The real network, trained in the page or in the notebook, without PyTorch."""

import math
from collections.abc import Mapping
from typing import Any

from cnnlesson.widgets.shared.examples import describe_examples, examples_picture
from cnnlesson.widgets.shared.parcel import TrainedInPage
from cnnlesson.widgets.shared.pixels import Drawing
from cnnlesson.widgets.shared.settings import Choice, Number, Whole

__all__ = ["TrainingLab"]


class TrainingLab(TrainedInPage, module="training_lab"):
    """The `ConvNet` of the course, trained where it is read: no installation, no PyTorch.

    It trains on 6,000 of MNIST's digits and is tested on 2,000 others: ``load_digits("sample")``.
    From the same seed it starts with PyTorch's weights and sees the images in PyTorch's order, so
    that it does what `run_experiment` does with these settings and digits, but for rounding.

    Parameters
    ----------
    presets : mapping of str to mapping, optional
        Buttons to put beside the sliders: what is written on each, and the settings it makes.
    **settings
        The attributes below, by name, and a `Goal` as ``goal``.

    Attributes
    ----------
    lr : float, default 0.001
        Step size α, 0.00001 to 1. It may be changed while a training is under way, as may the next.
    momentum : float, default 0.8
        Momentum μ, 0 to 0.99.
    batch_size : int, default 32
        Images per step, 1 to 256.
    num_epochs : int, default 1
        Passes over the training images, 1 to 20.
    num_images : int, default 6000
        Training images, 100 to 6000.
    pixels : {"raw", "unit", "standardized"}
        Scale of the pixels: 0 to 255, 0 to 1, or zero mean and unit variance.
    order : {"shuffled", "sorted"}
        A new random order every pass, or all images sorted by class.
    rule : {"pytorch", "classical", "nesterov"}
        Where the step size stands: v ← μv + g, w ← w − αv; or v ← μv − αg, w ← w + v; or Nesterov's
        momentum in PyTorch's form.
    activation : {"relu", "leaky-relu"}
        What follows each convolution; a leaky ReLU has the slope 0.1 below 0.
    schedule : {"constant", "one-cycle"}
        The step size at every step: α, or up to α and down again over the whole training.
    seed : int, default 0
        Decides the initial weights and the order of the images, 0 to 99.
    num_seeds : int, default 1
        Trainings at once, with this seed and those after it, 1 to 5.
    drawing : str, default ""
        What is drawn for the trained network to read, as in `DigitReader`.

    Raises
    ------
    TypeError
        If there is no setting of such a name, also in a preset.
    traitlets.TraitError
        If an attribute is set to something out of its range, also in a preset.

    Examples
    --------
    >>> TrainingLab(momentum=0.9, presets={"no momentum": {"momentum": 0.0}}).momentum
    0.9
    """

    lr = Number(0.001, low=1e-5, high=1)
    momentum = Number(0.8, low=0, high=0.99)
    batch_size = Whole(32, low=1, high=256)
    num_epochs = Whole(1, low=1, high=20)
    num_images = Whole(6000, low=100, high=6000)
    pixels = Choice("raw", "unit", "standardized")
    order = Choice("shuffled", "sorted")
    rule = Choice("pytorch", "classical", "nesterov")
    activation = Choice("relu", "leaky-relu")
    schedule = Choice("constant", "one-cycle")
    seed = Whole(0, low=0, high=99)
    num_seeds = Whole(1, low=1, high=5)
    drawing = Drawing()

    def __init__(
        self, *, presets: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any
    ) -> None:
        presets = {} if presets is None else presets
        for changes in presets.values():
            type(self)(**changes)  # as strict as if they were set at once
        self._presets = [[label, dict(changes)] for label, changes in presets.items()]
        super().__init__(**settings)

    def data(self) -> dict[str, Any]:
        """Return the presets, and in how many parts the digits come."""
        return {"presets": self._presets, **super().data()}

    def measures(self) -> dict[str, float | str]:
        """Return what a goal may ask; as nothing is trained yet, the accuracy is not a number.

        Returns
        -------
        dict
            ``"test accuracy"`` of a training that went to its end, of several seeds the median;
            and of its settings ``"seeds"``, ``"passes"`` and ``"images a step"``.
        """
        return {
            "test accuracy": math.nan,
            "seeds": self.num_seeds,
            "passes": self.num_epochs,
            "images a step": self.batch_size,
        }

    def picture(self) -> str:
        """Return the losses of two trainings that were run once, as an ``<svg>``."""
        return examples_picture()

    def summary(self) -> str:
        """Return what came of these two, and what the figure would do."""
        return f"{describe_examples()} With JavaScript, you train the network here."
