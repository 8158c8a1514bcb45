"""The real network, trained in the notebook with the settings of a few sliders."""

import atexit
import math
import sys
import weakref
from collections.abc import Iterable
from threading import Event, RLock, Thread
from time import perf_counter
from typing import Any

import ipywidgets
import torch
from IPython import get_ipython
from traitlets import Bunch, TraitError, validate

from cnnlesson.data import Digits, load_digits
from cnnlesson.experiments.experiment import run_experiment
from cnnlesson.experiments.run import Run, RunResult
from cnnlesson.training import History
from cnnlesson.widgets.shared.settings import Choice, Number, Whole
from cnnlesson.widgets.shared.svg import svg_image, svg_path
from cnnlesson.widgets.training_panel.example_runs import EXAMPLES
from cnnlesson.widgets.training_panel.loss_plot import Curve, LossPlot

__all__ = ["TrainingPanel"]

_PERIOD = 0.2  # seconds between two pictures of a training under way
_MOST_CURVES = 8  # as many as there are colours
_INVITATION = "Choose the settings, and press Train."
_NUMBERS_OF_IMAGES = (100, 200, 500, 1000, 2000, 4000, 6000, 12_000, 20_000)
_NAMES = {
    "lr": "α = {:.3g}",
    "momentum": "μ = {:.3g}",
    "batch_size": "batches of {}",
    "pixels": "{} pixels",
    "order": "{}",
    "num_epochs": "epochs: {}",
    "num_images": "{:,} images",
    "num_test_images": "{:,} test images",
    "seed": "seed {}",
}
_PANELS: "weakref.WeakSet[TrainingPanel]" = weakref.WeakSet()


class TrainingPanel(ipywidgets.VBox):
    """Controls, a Train and a Stop button, and the loss while the real network trains.

    A training runs in a thread of its own, so the notebook goes on. It does what
    :func:`cnnlesson.run_experiment` does with the same settings, to the last bit, and neither uses
    nor changes PyTorch's global random state. The curves of the last eight stay to be compared.

    Parameters
    ----------
    digits : Digits, optional
        The images, ``load_digits()`` otherwise. Seven tenths of them are for training.
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
        self._stopped = Event()
        self._ended = Event()
        self._ended.set()
        self._error: Exception | None = None
        self._is_training = False
        self._num_started = 0
        self._shown: list[tuple[Run, Curve]] = []
        self._shell: Any = None
        self._parts: list[ipywidgets.Widget] = []
        self.results: list[RunResult] = []
        if unknown := settings.keys() - _NAMES.keys():
            raise TypeError(
                f"TrainingPanel: expected settings among {', '.join(_NAMES)}, "
                f"found {', '.join(sorted(unknown))}"
            )
        self._digits = load_digits() if digits is None else digits
        n = len(self._digits.images)
        if n < 143:
            raise ValueError(f"digits: expected at least 143 images, found {n}")
        self._available = {"num_images": n * 7 // 10, "num_test_images": n - n * 7 // 10}
        for name, most in self._available.items():
            settings.setdefault(name, min(most, getattr(type(self), name).default_value))
        super().__init__(**settings)
        self._build()
        # The first optimiser of a process makes PyTorch import for a second: now, not at a click.
        torch.optim.SGD([torch.zeros(1, requires_grad=True)])
        self._shell = get_ipython()
        if self._shell:
            self._shell.events.register("post_run_cell", self._after_cell)
        _PANELS.add(self)

    @validate("num_images", "num_test_images")
    def _check_available(self, proposal: Bunch) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        if value > self._available[name]:
            raise TraitError(f"{name}: expected at most {self._available[name]}, found {value}")
        return value

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name: what ``cnnlesson.Run`` takes."""
        return {name: getattr(self, name) for name in _NAMES}

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
            self._error, self._stopped, self._ended = None, Event(), Event()
            self._is_training = True
            self._num_started += 1
        num_steps = run.num_epochs * math.ceil(run.num_images / run.batch_size)
        curve = Curve(self._num_started, run.batch_size, run.num_images, run.num_epochs)
        with self._lock:
            self._shown = [*self._shown, (run, curve)][-_MOST_CURVES:]
        self._train_button.disabled, self._stop_button.disabled = True, False
        self._progress.max, self._progress.value = num_steps, 0
        self._say(f"Training {curve.number} has begun: {num_steps:,} steps.")
        Thread(target=self._work, args=(run, curve, self._ended), daemon=True).start()

    def stop(self) -> None:
        """End the training under way, if there is one, after its present step."""
        if self._is_training:
            self._stopped.set()
            self._stop_button.disabled = True

    def wait(self) -> None:
        """Wait until the training has ended. An interrupt from the keyboard stops it.

        Raises
        ------
        Exception
            The one that ended the training, if one did.
        """
        try:
            self._ended.wait()  # before Python 3.13 an interrupt breaks a thread's join
        except KeyboardInterrupt:
            self.stop()
            raise
        if self._error:
            raise self._error

    def clear(self) -> None:
        """Forget all results and take their curves away."""
        with self._lock:
            self.results.clear()
            self._shown = self._shown[-1:] if self._is_training else []
        if not self._is_training:
            self._say(_INVITATION)

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
        curves, labels, names = [], [], []
        for example, look, word in zip(
            EXAMPLES, ("", ' stroke-dasharray="5 4"'), ("solid", "dashed"), strict=True
        ):
            points = [
                (70 + 560 * (i + 1) / len(example.losses), 110 - 80 * math.log10(loss / 10))
                for i, loss in enumerate(example.losses)
            ]
            momentum = f"μ = {example.run.momentum:g}"
            curves.append(f'<path d="{svg_path(points)}"{look}/>')
            labels.append(f'<text x="624" y="{points[-1][1] - 22:.0f}">{momentum}</text>')
            names.append(
                f"with {momentum} ({word}), {100 * example.test_accuracy:.1f}% of "
                f"{example.run.num_test_images:,} test images are right"
            )
        marks = "".join(
            f'<text x="62" y="{114 - 80 * (power - 1)}">{10.0**power:g}</text>'
            for power in (2, 1, 0, -1)
        )
        run = EXAMPLES[0].run
        label = (
            "The loss of two trainings against the images seen, on a logarithmic "
            "scale. With less momentum it keeps falling; with more it soon falls no further."
        )
        body = (
            '<rect x="70" y="25" width="560" height="265" fill="none" stroke="#888"/>'
            '<g fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round">'
            f"{''.join(curves)}</g>"
            f'<g fill="currentColor" font-size="13" text-anchor="end">{marks}{"".join(labels)}'
            '<text x="70" y="310">0</text><text x="62" y="14">loss</text>'
            f'<text x="630" y="310">{run.num_images:,} images seen</text></g>'
        )
        return (
            f'<div class="cnnlesson-panel">\n{svg_image(body, label=label)}\n'
            f"<p>After one epoch of {run.num_images:,} images at α = {run.lr:g}, "
            f"{', and '.join(names)}.</p>\n"
            "<p>In a live notebook you set the sliders here, press Train and watch. To do that, "
            "open this chapter in Binder or Colab, with the rocket at the top of the page.</p>\n"
            "</div>"
        )

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"TrainingPanel({settings})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        data = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = repr(self)
        # Colab promises no preference for the widget over HTML: offer it nothing else.
        return data if "google.colab" in sys.modules else {**data, "text/html": self.to_html()}

    def _build(self) -> None:
        """Make the controls, each bound to its setting."""
        look = {"layout": ipywidgets.Layout(width="auto"), "style": {"description_width": "104px"}}
        most = self._available["num_images"]
        controls = {}
        for name, label, values in (
            ("lr", "step size α", [m / 10**e for e in range(5, 0, -1) for m in (1, 2, 5)] + [1.0]),
            ("momentum", "momentum μ", [hundredths / 100 for hundredths in range(100)]),
            ("batch_size", "batch size", [2**k for k in range(11)]),
            ("num_epochs", "epochs", range(1, 21)),
            ("pixels", "pixels", ["raw", "unit", "standardized"]),
            ("order", "order", ["shuffled", "sorted"]),
            ("num_images", "images", [n for n in _NUMBERS_OF_IMAGES if n < most] + [most]),
            ("seed", "seed", range(100)),
        ):
            is_word = isinstance(values[0], str)
            make = ipywidgets.Dropdown if is_word else ipywidgets.SelectionSlider
            controls[name] = make(description=label, options=_options(values), **look)
            self._bind(name, controls[name])
        self._controls = ipywidgets.GridBox(
            list(controls.values()),
            layout=ipywidgets.Layout(
                grid_template_columns="repeat(auto-fit, minmax(min(100%, 300px), 1fr))",
                grid_gap="0 24px",
            ),
        )
        self._train_button = ipywidgets.Button(
            description="Train", icon="play", button_style="primary"
        )
        self._stop_button = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self._clear_button = ipywidgets.Button(description="Clear", icon="trash")
        self._progress = ipywidgets.IntProgress(value=0, max=1)
        self._train_button.on_click(self._on_train)
        self._stop_button.on_click(lambda button: self.stop())
        self._clear_button.on_click(lambda button: self.clear())
        self._buttons = ipywidgets.HBox(
            [self._train_button, self._stop_button, self._clear_button, self._progress],
            layout=ipywidgets.Layout(flex_flow="row wrap"),
        )
        self._plot = LossPlot()
        self._say(_INVITATION)
        self.children = [self._controls, self._buttons, self._plot]
        self._parts = [*self._controls.children, *self._buttons.children, *self.children]
        self.add_class("cnnlesson-panel")

    def _bind(self, name: str, control: ipywidgets.Widget) -> None:
        """Let a setting and its control follow each other; a new value is one more option."""

        def read(change: Bunch) -> None:
            setattr(self, name, change.new)

        def show(change: Bunch) -> None:
            control.unobserve(read, "value")
            values = {value for _, value in control.options}
            with control.hold_sync():
                if change.new not in values:
                    control.options = _options(sorted({*values, change.new}))
                control.value = change.new
            control.observe(read, "value")

        control.observe(read, "value")
        show(Bunch(new=getattr(self, name)))
        self.observe(show, name)

    def _on_train(self, button: ipywidgets.Button) -> None:
        if not self._is_training:  # a click may have been on its way when the button was disabled
            self.train()

    def _after_cell(self, result: Any) -> None:
        """Stop when the kernel is interrupted, whatever cell that meets."""
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            self.stop()

    def _work(self, run: Run, curve: Curve, ended: Event) -> None:
        """Train; this is what the thread does."""
        torch.get_num_threads()  # asking makes a new thread compute with as many as others do
        started, shown = perf_counter(), -math.inf
        num_steps = self._progress.max

        def watch(history: History) -> None:
            nonlocal shown
            curve.losses = history.batch_loss
            if self._stopped.is_set():
                raise KeyboardInterrupt
            now, step = perf_counter(), len(history.batch_loss)
            if now < shown + _PERIOD and step < num_steps:
                return
            shown = now
            curve.seconds = f"{now - started:.1f}"
            self._progress.value = step
            words = f"step {step:,} of {num_steps:,}, loss {history.batch_loss[-1]:.3g}."
            if step == num_steps:
                words = f"{step:,} steps are done. Now the test images."
            self._say(f"Training {curve.number}: {words}", is_news=False)

        try:
            result = run_experiment(run, self._digits, on_step=watch)
        except Exception as error:
            self._error = error
            curve.accuracy, curve.loss = "failed", "–"
            words, is_bad = f"failed. {type(error).__name__}: {error}", True
        else:
            self.results.append(result)
            curve.seconds = f"{result.seconds:.1f}"
            curve.loss = f"{result.train_loss:.3g}" if result.train_losses else "–"
            curve.accuracy, words = _describe(result, len(curve.losses), num_steps)
            is_bad = result.status in ("diverged", "dead")
        try:
            with self._lock:  # all of the end, before another training can begin
                self._is_training = False
                self._train_button.disabled, self._stop_button.disabled = False, True
                self._say(f"Training {curve.number} {words}", is_bad=is_bad)
        finally:
            ended.set()

    def _say(self, words: str, *, is_bad: bool = False, is_news: bool = True) -> None:
        """Bring the plot, its table and its words up to date."""
        with self._lock, self._plot.hold_sync():
            _name([run for run, _ in self._shown], [curve for _, curve in self._shown])
            curves = [curve.to_dict() for _, curve in self._shown]
            self._plot.current = curves.pop() if self._is_training else {}
            self._plot.finished = curves
            self._plot.words, self._plot.is_bad, self._plot.is_news = words, is_bad, is_news


def _options(values: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return each value with the text that a control shows."""
    return [(value if isinstance(value, str) else f"{value:,.10g}", value) for value in values]


def _name(runs: list[Run], curves: list[Curve]) -> None:
    """Name each curve by the settings in which the trainings differ."""
    values = {name: [getattr(run, name) for run in runs] for name in _NAMES}
    differing = [name for name in _NAMES if len(set(values[name])) > 1]
    for run, curve in zip(runs, curves, strict=True):
        names = differing or list(_NAMES)[:5]
        curve.name = ", ".join(_NAMES[name].format(getattr(run, name)) for name in names)


def _describe(result: RunResult, num_steps: int, planned: int) -> tuple[str, str]:
    """Return the table's entry for the accuracy, and a sentence."""
    right = f"{100 * result.test_accuracy:.1f}%"
    tested = f"{right} of {result.run.num_test_images:,} test images are right"
    match result.status:
        case "diverged":
            return "diverged", (
                f"diverged after {num_steps:,} steps: its numbers grew beyond all bounds. "
                "A smaller α or μ takes smaller steps."
            )
        case "dead":
            return f"dead, {right}", (
                "ended with a dead network: it gives every image the same answer, because no ReLU "
                f"lets anything through any more. That {tested} is the share of one digit."
            )
        case "interrupted" if not result.test_accuracies:
            return "stopped", (
                f"was stopped at step {num_steps:,} of {planned:,}. Accuracy is measured at the "
                "end of an epoch, and none has ended."
            )
        case "interrupted":
            epochs = len(result.test_accuracies)
            return f"{right}, stopped", (
                f"was stopped at step {num_steps:,} of {planned:,}. After epoch {epochs}, {tested}."
            )
        case _:
            return right, f"is complete: {tested}, after {result.seconds:.1f} seconds."


@atexit.register
def _stop_all() -> None:
    # A thread that still computes when Python takes itself apart brings it down with a crash.
    for panel in list(_PANELS):
        panel.stop()
        panel._ended.wait()
