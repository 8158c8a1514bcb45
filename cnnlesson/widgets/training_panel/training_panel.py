"""The real network, trained in the notebook with the settings of a few sliders."""

import sys
from functools import partial
from threading import RLock
from typing import Any

import ipywidgets
import torch
from IPython import get_ipython
from traitlets import Bunch, TraitError, validate

from cnnlesson.data import Digits, load_digits
from cnnlesson.experiments.images import num_available
from cnnlesson.experiments.run import Run, RunResult
from cnnlesson.widgets.shared.settings import Choice, Number, Whole
from cnnlesson.widgets.training_panel.controls import Buttons, setting_controls
from cnnlesson.widgets.training_panel.loss_plot import Curve, LossPlot
from cnnlesson.widgets.training_panel.still import still_panel
from cnnlesson.widgets.training_panel.words import (
    INVITATION,
    SETTINGS,
    describe_failure,
    describe_progress,
    describe_result,
    distinct_names,
)
from cnnlesson.widgets.training_panel.worker import Worker

__all__ = ["TrainingPanel"]

_MOST_CURVES = 8  # as many as there are colours


class TrainingPanel(ipywidgets.VBox):
    """Controls, a Train and a Stop button, and the loss while the real network trains.

    A training runs in a thread of its own, so the notebook goes on. It does what
    :func:`cnnlesson.run_experiment` does with the same settings, to the last bit, and neither uses
    nor changes PyTorch's global random state. The curves of the last eight stay to be compared.

    Parameters
    ----------
    digits : Digits, optional
        The images, ``load_digits()`` otherwise. Seven tenths of them are for training; of
        the sample, three quarters.
    **settings
        Initial values of the attributes below.

    Attributes
    ----------
    lr : float, default 0.001
        Step size α, 0.00001 to 1.
    momentum : float, default 0.8
        Momentum μ, 0 to 0.99.
    batch_size : int, default 32
        Images per step, 1 to 1024.
    num_epochs : int, default 1
        Passes over the training images, 1 to 20.
    num_images : int, default 6000, or all there are
        Training images, 100 or more.
    num_test_images : int, default 2000, or all there are
        Images that accuracy is measured on, 1 or more.
    pixels : {"raw", "unit", "standardized"}
        Scale of the pixels.
    order : {"shuffled", "sorted"}
        A new random order every epoch, or all images sorted by class.
    seed : int, default 0
        Decides the initial weights and the order of the images, 0 to 99.
    results : list of RunResult
        What came of the trainings so far.

    Raises
    ------
    TypeError
        If there is no setting of such a name.
    traitlets.TraitError
        If a setting is out of its range.

    Examples
    --------
    >>> panel = TrainingPanel(momentum=0.9)
    >>> panel.train()
    >>> panel.wait()
    >>> panel.results[0].status
    'completed'
    """

    lr = Number(0.001, low=1e-5, high=1)
    momentum = Number(0.8, low=0, high=0.99)
    batch_size = Whole(32, low=1, high=1024)
    num_epochs = Whole(1, low=1, high=20)
    num_images = Whole(6000, low=100, high=1_000_000)
    num_test_images = Whole(2000, low=1, high=1_000_000)
    pixels = Choice("raw", "unit", "standardized")
    order = Choice("shuffled", "sorted")
    seed = Whole(0, low=0, high=99)

    def __init__(self, digits: Digits | None = None, **settings: Any) -> None:
        self._lock = RLock()
        self._worker: Worker | None = None
        self._is_training = False
        self._num_started = 0
        self._shown: list[tuple[Run, Curve]] = []
        self._shell: Any = None
        self._parts: list[ipywidgets.Widget] = []
        self.results: list[RunResult] = []
        if unknown := settings.keys() - SETTINGS.keys():
            raise TypeError(
                f"TrainingPanel: expected settings among {', '.join(SETTINGS)}, "
                f"found {', '.join(sorted(unknown))}"
            )
        self._digits = load_digits() if digits is None else digits
        n = len(self._digits.images)
        if n < 143:
            raise ValueError(f"digits: expected at least 143 images, found {n}")
        self._available = dict(
            zip(("num_images", "num_test_images"), num_available(self._digits), strict=True)
        )
        for name, most in self._available.items():
            settings.setdefault(name, min(most, getattr(type(self), name).default_value))
        super().__init__(**settings)
        self._build()
        # The first optimiser of a process makes PyTorch import for a second: now, not at a click.
        torch.optim.SGD([torch.zeros(1, requires_grad=True)])
        self._shell = get_ipython()
        if self._shell:
            self._shell.events.register("post_run_cell", self._after_cell)

    @validate("num_images", "num_test_images")
    def _check_available(self, proposal: Bunch) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        if value > self._available[name]:
            raise TraitError(f"{name}: expected at most {self._available[name]}, found {value}")
        return value

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name: what ``cnnlesson.Run`` takes."""
        return {name: getattr(self, name) for name in SETTINGS}

    @property
    def is_training(self) -> bool:
        """Whether a training is under way."""
        return self._is_training

    def train(self) -> None:
        """Start a training with the present settings, and return at once.

        Raises
        ------
        RuntimeError
            If one is under way.
        """
        run = Run(**self.settings)
        with self._lock:
            if self._is_training:
                raise RuntimeError(
                    "expected no training under way, found one: stop() it, or wait() for its end"
                )
            self._num_started += 1
            curve = Curve(self._num_started, run.batch_size, run.num_images, run.num_epochs)
            worker = self._worker = Worker(
                run,
                self._digits,
                on_progress=partial(self._show_progress, curve),
                on_end=partial(self._show_end, curve),
            )
            self._shown = [*self._shown, (run, curve)][-_MOST_CURVES:]
            self._is_training = True
        self._buttons.begin(worker.num_steps)
        self._say(f"Training {curve.number} has begun: {worker.num_steps:,} steps.")
        worker.start()

    def stop(self) -> None:
        """End the training under way, if there is one, after its present step."""
        if self._worker and self._is_training:
            self._worker.stop()
            self._buttons.stop_button.disabled = True

    def wait(self) -> None:
        """Wait until the training has ended. An interrupt from the keyboard stops it.

        Raises
        ------
        Exception
            The one that ended the training, if one did.
        """
        worker = self._worker
        if worker is None:
            return
        try:
            worker.ended.wait()  # before Python 3.13 an interrupt breaks a thread's join
        except KeyboardInterrupt:
            self.stop()
            raise
        if worker.error:
            raise worker.error

    def clear(self) -> None:
        """Forget all results and take their curves away."""
        with self._lock:
            self.results.clear()
            self._shown = self._shown[-1:] if self._is_training else []
        if not self._is_training:
            self._say(INVITATION)

    def close(self) -> None:
        """Stop training and take the panel away."""
        self.stop()
        if self._shell:
            self._shell.events.unregister("post_run_cell", self._after_cell)
            self._shell = None
        for part in self._parts:
            part.close()
        super().close()

    def to_html(self) -> str:
        """Return what stands for the panel where there is no kernel: two finished trainings.

        Returns
        -------
        str
            A picture, a sentence on it, and where to train. Always the same.
        """
        return still_panel()

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"TrainingPanel({settings})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        data = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = repr(self)
        # Colab promises no preference for the widget over HTML: offer it nothing else.
        return data if "google.colab" in sys.modules else {**data, "text/html": self.to_html()}

    def _build(self) -> None:
        """Put the controls, the buttons and the plot together."""
        self._controls = setting_controls(self, num_images=self._available["num_images"])
        self._buttons = Buttons()
        self._buttons.train_button.on_click(self._on_train)
        self._buttons.stop_button.on_click(lambda button: self.stop())
        self._buttons.clear_button.on_click(lambda button: self.clear())
        self._plot = LossPlot()
        self._say(INVITATION)
        self.children = [self._controls, self._buttons, self._plot]
        self._parts = [*self._controls.children, *self._buttons.children, *self.children]
        self.add_class("cnnlesson-panel")

    def _on_train(self, button: ipywidgets.Button) -> None:
        if not self._is_training:  # a click may have been on its way when the button was disabled
            self.train()

    def _after_cell(self, result: Any) -> None:
        """Stop when the kernel is interrupted, whatever cell that meets."""
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            self.stop()

    def _show_progress(self, curve: Curve, worker: Worker) -> None:
        curve.losses = worker.losses
        curve.seconds = f"{worker.seconds:.1f}"
        self._buttons.bar.value = len(worker.losses)
        words = describe_progress(worker.losses, worker.num_steps)
        self._say(f"Training {curve.number}: {words}", is_news=False)

    def _show_end(self, curve: Curve, worker: Worker, outcome: RunResult | Exception) -> None:
        curve.losses = worker.losses
        if isinstance(outcome, Exception):
            end = describe_failure(outcome)
        else:
            self.results.append(outcome)
            curve.seconds = f"{outcome.seconds:.1f}"
            end = describe_result(outcome, len(worker.losses), worker.num_steps)
        curve.accuracy, curve.loss = end.accuracy, end.loss
        with self._lock:  # all of the end, before another training can begin
            self._is_training = False
            self._buttons.end()
            self._say(f"Training {curve.number} {end.words}", is_bad=end.is_bad)

    def _say(self, words: str, *, is_bad: bool = False, is_news: bool = True) -> None:
        """Bring the plot, its table and its words up to date."""
        with self._lock, self._plot.hold_sync():
            names = distinct_names([run for run, _ in self._shown])
            for (_, curve), name in zip(self._shown, names, strict=True):
                curve.name = name
            curves = [curve.to_dict() for _, curve in self._shown]
            self._plot.current = curves.pop() if self._is_training else {}
            self._plot.finished = curves
            self._plot.words, self._plot.is_bad, self._plot.is_news = words, is_bad, is_news
