"""One training in a thread of its own, beside the notebook."""

import atexit
import math
import weakref
from collections.abc import Callable
from threading import Event, Thread
from time import perf_counter

import torch

from cnnlesson.data import Digits
from cnnlesson.experiments.experiment import run_experiment
from cnnlesson.experiments.run import Run, RunResult
from cnnlesson.training import History

__all__ = ["Worker"]

_PERIOD = 0.2  # seconds between two reports of a training under way
_WORKERS: "weakref.WeakSet[Worker]" = weakref.WeakSet()


class Worker:
    """A thread that does one run, reports on it, and can be stopped.

    It does what :func:`cnnlesson.run_experiment` does, to the last bit.

    Parameters
    ----------
    run : Run
        What to do.
    digits : Digits
        The images.
    on_progress : callable
        Called in the thread with the worker: after the first step, then after a step at most
        every 0.2 seconds, and after the last.
    on_end : callable
        Called in the thread when all is done, with the worker and what came of it: a
        ``RunResult``, or the exception it failed with.

    Attributes
    ----------
    run : Run
        What to do.
    losses : list of float
        Loss of every batch so far. The thread adds to it.
    seconds : float
        How long the thread had trained at its last step.
    error : Exception, optional
        What it failed with.
    ended : threading.Event
        Set when ``on_end`` has returned, or failed.
    """

    def __init__(
        self,
        run: Run,
        digits: Digits,
        *,
        on_progress: Callable[["Worker"], object],
        on_end: Callable[["Worker", RunResult | Exception], object],
    ) -> None:
        self.run = run
        self.losses: list[float] = []
        self.seconds = 0.0
        self.error: Exception | None = None
        self.ended = Event()
        self._digits = digits
        self._on_progress = on_progress
        self._on_end = on_end
        self._stopped = Event()

    @property
    def num_steps(self) -> int:
        """The steps of the whole run."""
        return self.run.num_epochs * math.ceil(self.run.num_images / self.run.batch_size)

    def start(self) -> None:
        """Begin, and return at once."""
        Thread(target=self._work, daemon=True).start()
        _WORKERS.add(self)

    def stop(self) -> None:
        """End the run after its present step. The result is that of an interrupted run."""
        self._stopped.set()

    def _work(self) -> None:
        """Train; this is what the thread does."""
        torch.get_num_threads()  # asking makes a new thread compute with as many as others do
        started, reported = perf_counter(), -math.inf

        def watch(history: History) -> None:
            nonlocal reported
            self.losses = history.batch_loss
            if self._stopped.is_set():
                raise KeyboardInterrupt
            now = perf_counter()
            self.seconds = now - started
            if now >= reported + _PERIOD or len(self.losses) == self.num_steps:
                reported = now
                self._on_progress(self)

        outcome: RunResult | Exception
        try:
            outcome = run_experiment(self.run, self._digits, on_step=watch)
        except Exception as error:
            outcome = self.error = error
        try:
            self._on_end(self, outcome)
        finally:
            self.ended.set()


@atexit.register
def _stop_all() -> None:
    # A thread that still computes when Python takes itself apart brings it down with a crash.
    for worker in list(_WORKERS):
        worker.stop()
        worker.ended.wait()
