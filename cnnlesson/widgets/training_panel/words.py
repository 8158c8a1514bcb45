"""What the panel says of its trainings, in the table and in sentences."""

from collections.abc import Sequence
from typing import NamedTuple

from cnnlesson.experiments.run import Run, RunResult

__all__ = [
    "INVITATION",
    "SETTINGS",
    "Ending",
    "describe_failure",
    "describe_progress",
    "describe_result",
    "distinct_names",
]

INVITATION = "Choose the settings, and press Train."
SETTINGS = {  # how a curve's name gives the value of each
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


class Ending(NamedTuple):
    """How the panel puts the end of a training.

    Attributes
    ----------
    accuracy, loss : str
        Entries of the table.
    words : str
        What follows "Training 1 ".
    is_bad : bool
        Whether something went wrong.
    """

    accuracy: str
    loss: str
    words: str
    is_bad: bool


def distinct_names(runs: Sequence[Run]) -> list[str]:
    """Name each run by the settings in which the runs differ.

    Parameters
    ----------
    runs : sequence of Run
        What was set.

    Returns
    -------
    list of str
        One name each. Runs that do not differ are named by their first five settings.
    """
    differing = [name for name in SETTINGS if len({getattr(run, name) for run in runs}) > 1]
    names = differing or list(SETTINGS)[:5]
    return [", ".join(SETTINGS[name].format(getattr(run, name)) for name in names) for run in runs]


def describe_progress(losses: Sequence[float], num_steps: int) -> str:
    """Return how far a training is.

    Parameters
    ----------
    losses : sequence of float
        Loss of every batch so far, 1 or more.
    num_steps : int
        Steps of the whole training.

    Returns
    -------
    str
        What follows "Training 1: ".
    """
    step = len(losses)
    if step == num_steps:
        return f"{step:,} steps are done. Now the test images."
    return f"step {step:,} of {num_steps:,}, loss {losses[-1]:.3g}."


def describe_failure(error: Exception) -> Ending:
    """Return how the panel puts an error that ended a training.

    Parameters
    ----------
    error : Exception
        The error.

    Returns
    -------
    Ending
        The entries of the table and the words.
    """
    return Ending("failed", "–", f"failed. {type(error).__name__}: {error}", is_bad=True)


def describe_result(result: RunResult, step: int, num_steps: int) -> Ending:
    """Return how the panel puts what came of a training.

    Parameters
    ----------
    result : RunResult
        What came of it.
    step : int
        Steps it took.
    num_steps : int
        Steps it was to take.

    Returns
    -------
    Ending
        The entries of the table and the words.
    """
    accuracy, words = _accuracy_and_words(result, step, num_steps)
    loss = f"{result.train_loss:.3g}" if result.train_losses else "–"
    return Ending(accuracy, loss, words, is_bad=result.status in ("diverged", "dead"))


def _accuracy_and_words(result: RunResult, step: int, num_steps: int) -> tuple[str, str]:
    right = f"{100 * result.test_accuracy:.1f}%"
    tested = f"{right} of {result.run.num_test_images:,} test images are right"
    match result.status:
        case "diverged":
            return "diverged", (
                f"diverged after {step:,} steps: its numbers grew beyond all bounds. "
                "A smaller α or μ takes smaller steps."
            )
        case "dead":
            return f"dead, {right}", (
                "ended with a dead network: it gives every image the same answer, because no ReLU "
                f"lets anything through any more. That {tested} is the share of one digit."
            )
        case "interrupted" if not result.test_accuracies:
            return "stopped", (
                f"was stopped at step {step:,} of {num_steps:,}. Accuracy is measured at the "
                "end of an epoch, and none has ended."
            )
        case "interrupted":
            epochs = len(result.test_accuracies)
            return f"{right}, stopped", (
                f"was stopped at step {step:,} of {num_steps:,}. After epoch {epochs}, {tested}."
            )
        case _:
            return right, f"is complete: {tested}, after {result.seconds:.1f} seconds."
