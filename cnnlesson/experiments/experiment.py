"""One training of the real network, done: prepare, train, measure."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from cnnlesson._support.seeding import Seeded
from cnnlesson.data import Digits, load_digits
from cnnlesson.evaluation import evaluate, predict_logits
from cnnlesson.experiments.activity import dead_channels, relu_activity
from cnnlesson.experiments.images import RandomShift, choose_images, scaled
from cnnlesson.experiments.run import CURVE_POINTS, Run, RunResult
from cnnlesson.experiments.speed import faster
from cnnlesson.model import ConvNet
from cnnlesson.training import History, train_model

__all__ = ["Experiment", "prepare", "run_experiment"]

_LEAK = 0.1  # slope of a leaky ReLU below 0


@dataclass(kw_only=True)
class Experiment:
    """A run that is ready to start, or under way: its network and its images.

    Made by :func:`prepare`.

    Attributes
    ----------
    run : Run
        What is set.
    model : ConvNet
        The network. It learns in place.
    x_train : torch.Tensor, shape (n, 1, 28, 28)
        Training images, pixels scaled, in the order of the run.
    y_train : torch.Tensor, shape (n,)
        Their labels.
    x_test : torch.Tensor, shape (m, 1, 28, 28)
        Test images, pixels scaled.
    y_test : torch.Tensor, shape (m,)
        Their labels.
    source : str
        Which digits, as ``Digits.source`` names them.
    watched : dict of str to list
        What was measured along the way, under the names it has in `RunResult`.
    """

    run: Run
    model: ConvNet
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    source: str
    watched: dict[str, list] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    def train(
        self, *, progress: bool = False, on_step: Callable[[History], object] | None = None
    ) -> History:
        """Train the network as the run says, and measure it along the way.

        Parameters
        ----------
        progress : bool, default False
            Show a bar per epoch.
        on_step : callable, optional
            Called after every step, as by :func:`cnnlesson.train_model`.

        Returns
        -------
        History
            The losses.
        """
        run = self.run

        def after_step(history: History) -> None:
            if run.measure_every and len(history.batch_loss) % run.measure_every == 0:
                self._watch(history.batch_loss[-run.measure_every :])
            if on_step is not None:
                on_step(history)

        device = next(self.model.parameters()).device
        trained = faster(self.model)
        if run.shift:
            trained = nn.Sequential(RandomShift(run.shift, run.seed), trained)
        optimizer = _optimizer(run, trained)
        return train_model(
            trained,
            optimizer,
            nn.CrossEntropyLoss(),
            self.x_train.to(device),
            self.y_train,
            batch_size=run.batch_size,
            num_epochs=run.num_epochs,
            shuffle=run.order == "shuffled",
            x_val=self.x_test,
            y_val=self.y_test,
            seed=run.seed,
            scheduler=_scheduler(run, optimizer),
            progress=progress,
            on_step=after_step,
        )

    def measure(self, history: History) -> RunResult:
        """Measure the trained network.

        Parameters
        ----------
        history : History
            What :meth:`train` returned.

        Returns
        -------
        RunResult
            What came of the run.
        """
        is_finite = all(bool(w.isfinite().all()) for w in self.model.parameters())
        is_dead = history.status == "completed" and _is_dead(self.model, self.x_test)
        dead = list(dead_channels(self.model, self.x_test).values()) if is_finite else []
        train_accuracy = None
        if self.run.measure_training and is_finite:
            train_accuracy = evaluate(self.model, self.x_train, self.y_train)
        device = next(self.model.parameters()).device.type
        return RunResult(
            run=self.run,
            status="dead" if is_dead else history.status,
            train_losses=history.train_loss,
            test_accuracies=history.val_accuracy,
            seconds=time.perf_counter() - self._started,
            loss_curve=_mean_by_parts(history.batch_loss, self.run.num_steps),
            train_accuracy=train_accuracy,
            dead_channels=dead,
            digits=self.source,
            environment={
                "python": platform.python_version(),
                "torch": torch.__version__,
                "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
                "device": torch.cuda.get_device_name() if device == "cuda" else device,
            },
            **self.watched,
        )

    def _watch(self, losses: list[float]) -> None:
        """Note what the network answers now, and which of its ReLUs let something through."""
        logits, relus = relu_activity(self.model, self.x_test)
        answers, labels = logits.argmax(dim=1).cpu(), self.y_test.cpu()
        size = logits.shape[1]
        each = torch.bincount(labels, minlength=size)
        right = torch.bincount(labels[answers == labels], minlength=size)
        measured = {
            "accuracy_curve": int(right.sum()) / len(labels),
            "losses_between": float(f"{np.mean(losses):.4g}"),
            "answers": torch.bincount(answers, minlength=size).tolist(),
            "class_accuracies": [round(share, 2) for share in (right / each.clamp(min=1)).tolist()],
            "active_shares": [float(f"{relu.active:.3g}") for relu in relus.values()],
        }
        for name, value in measured.items():
            self.watched.setdefault(name, []).append(value)


def prepare(run: Run, digits: Digits | None = None) -> Experiment:
    """Make the network of a run, and choose its images.

    Parameters
    ----------
    run : Run
        What to do.
    digits : Digits, optional
        The images, ``load_digits()`` otherwise.

    Returns
    -------
    Experiment
        To be trained, and measured. The network is on the GPU where PyTorch finds one.

    Raises
    ------
    ValueError
        If there are fewer images than ``run`` asks for.
    """
    digits = load_digits() if digits is None else digits
    train, test = choose_images(run, digits.labels, digits.source)
    x_train, x_test = scaled(digits, train, run.pixels), scaled(digits, test, run.pixels)
    started = time.perf_counter()
    with Seeded(run.seed):
        model = ConvNet()
    if run.activation == "leaky-relu":
        for i, layer in enumerate(model.layers):
            if isinstance(layer, nn.ReLU):
                model.layers[i] = nn.LeakyReLU(_LEAK)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    return Experiment(
        run=run,
        model=model,
        x_train=x_train,
        y_train=digits.labels[train],
        x_test=x_test,
        y_test=digits.labels[test],
        source=digits.source,
        _started=started,
    )


def run_experiment(
    run: Run,
    digits: Digits | None = None,
    *,
    progress: bool = False,
    on_step: Callable[[History], object] | None = None,
) -> RunResult:
    """Train a new ``ConvNet`` as ``run`` says, and measure it after every epoch.

    It trains on the GPU where PyTorch finds one. PyTorch's global random state is neither used nor
    changed: this can run in a thread of its own. Whoever wants the network too calls
    :func:`prepare`, and then ``train`` and ``measure`` of what it returns, as this does.

    Parameters
    ----------
    run : Run
        What to do.
    digits : Digits, optional
        The images, ``load_digits()`` otherwise. Seven tenths of them, always the same, are for
        training, the rest for testing. Of the sample 6,000 are for training, the very images that
        a run of so many gets from all of MNIST.
    progress : bool, default False
        Show a bar per epoch.
    on_step : callable, optional
        Called after every step, as by :func:`train_model`.

    Returns
    -------
    RunResult
        What came of it.

    Raises
    ------
    ValueError
        If there are fewer images than ``run`` asks for.
    """
    experiment = prepare(run, digits)
    history = experiment.train(progress=progress, on_step=on_step)
    return experiment.measure(history)


def _optimizer(run: Run, model: nn.Module) -> torch.optim.Optimizer:
    settings: dict[str, Any] = {"lr": run.lr}
    if run.weight_decay is not None:
        settings["weight_decay"] = run.weight_decay
    match run.optimizer:
        case "adam":
            return torch.optim.Adam(model.parameters(), betas=(run.momentum, 0.999), **settings)
        case "adamw":
            return torch.optim.AdamW(model.parameters(), betas=(run.momentum, 0.999), **settings)
        case rule:
            # Nesterov's rule without momentum is gradient descent, which PyTorch wants said.
            settings["nesterov"] = rule == "nesterov" and run.momentum > 0
            return torch.optim.SGD(model.parameters(), momentum=run.momentum, **settings)


def _scheduler(run: Run, optimizer: torch.optim.Optimizer) -> LRScheduler | None:
    if run.schedule == "constant":
        return None
    return OneCycleLR(optimizer, run.lr, total_steps=run.num_steps, cycle_momentum=False)


def _mean_by_parts(losses: list[float], num_steps: int) -> list[float]:
    """Return the mean of each finished part of ``num_steps`` losses, of which some may lack."""
    edges = np.linspace(0, num_steps, min(CURVE_POINTS, num_steps) + 1).round().astype(int)
    parts = pairwise(edges)
    return [float(f"{np.mean(losses[i:j]):.4g}") for i, j in parts if j <= len(losses)]


def _is_dead(model: nn.Module, x: Tensor) -> bool:
    """Tell whether the logits are the same for every image; one image alone cannot say."""
    logits = predict_logits(model, x)
    return len(logits) > 1 and bool((logits == logits[0]).all())
