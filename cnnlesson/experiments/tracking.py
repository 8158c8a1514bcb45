"""Curvature along a training: how sharp the loss is at chosen steps, and what is still alive."""

from dataclasses import asdict, fields
from os import PathLike
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from scipy.sparse.linalg import ArpackError
from torch import Tensor, nn

from cnnlesson._support.arguments import Count, NonNegativeCount, checked
from cnnlesson._support.files import append_text, mend_last_line
from cnnlesson.data import Digits
from cnnlesson.evaluation import predict_logits
from cnnlesson.experiments.activity import dead_channels
from cnnlesson.experiments.curvature import batch_sharpness, sharpness
from cnnlesson.experiments.experiment import prepare
from cnnlesson.experiments.results import results_folder
from cnnlesson.experiments.run import Run

__all__ = ["load_curvature", "track_curvature"]

# Batch sharpness is a mean over random batches: of about so many images in all.
_IMAGES = 512
_TOLERANCE = 0.02
_SETTINGS = [field.name for field in fields(Run)]
_COLUMNS = [
    *_SETTINGS,
    *("step", "loss", "sharpness", "batch_sharpness", "dead_1", "dead_2", "distance"),
    *("status", "test_accuracy"),
]

Steps = Annotated[
    frozenset[NonNegativeCount], Field(description="a collection of whole numbers, 0 or more")
]


@checked
def track_curvature(
    run: Run, digits: Digits | None = None, *, steps: Steps, num_probes: Count = 250
) -> pd.DataFrame:
    """Do a run, and measure the curvature of its loss at chosen steps.

    Parameters
    ----------
    run : Run
        What to do.
    digits : Digits, optional
        The images, as for `run_experiment`.
    steps : collection of int
        When to measure: after so many steps, each 0 or more, 0 being the network before the first.
        A training that ends early is measured as long as it lasts.
    num_probes : int, default 250
        Images to measure on, 1 or more, taken evenly from the training images; all of those if
        there are no more.

    Returns
    -------
    pandas.DataFrame
        One row a measurement. Columns: each field of `Run`; ``step``; ``loss``, of the probes;
        ``sharpness``, to two per cent; ``batch_sharpness``, for batches of the size of the run's;
        ``dead_1`` and ``dead_2``, the share of dead channels of the two ReLU layers; ``distance``,
        how far the weights are from where they began; then what came of the run in the end:
        ``status`` and ``test_accuracy``. Where the loss is not a finite number, the others are NaN.

    Raises
    ------
    ValueError
        If an argument is out of its range, or there are fewer images than ``run`` asks for.
    KeyboardInterrupt
        If the training is interrupted: half a run is none.
    """
    experiment = prepare(run, digits)
    model, start = experiment.model, _flat(experiment.model)
    x, y = experiment.x_train, experiment.y_train
    places = np.linspace(0, len(x), min(num_probes, len(x)), endpoint=False).astype(int)
    rows: list[dict[str, float]] = []

    def measure(step: int) -> None:
        if step in steps:
            rows.append({"step": step} | _measure(model, x[places], y[places], run, start))

    measure(0)
    history = experiment.train(on_step=lambda history: measure(len(history.batch_loss)))
    result = experiment.measure(history)
    if result.status == "interrupted":
        raise KeyboardInterrupt
    end = {"status": result.status, "test_accuracy": result.test_accuracy}
    return pd.DataFrame([asdict(run) | row | end for row in rows], columns=_COLUMNS)


def load_curvature(path: str | PathLike | None = None) -> pd.DataFrame:
    """Return the measured curvatures as one table.

    Parameters
    ----------
    path : path-like, optional
        A file of rows of `track_curvature`; by default that of the course.

    Returns
    -------
    pandas.DataFrame
        One row a measurement, with the columns of `track_curvature`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    return pd.read_csv(results_folder() / "curvature.csv" if path is None else path)


def append_rows(path: str | PathLike, rows: pd.DataFrame) -> None:
    """Add rows to a file, all or none, with the names of the columns if the file is new.

    What was measured is rounded to four digits. The settings are not: they tell the runs apart.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there.
    rows : pandas.DataFrame
        Rows with the same columns as those in the file.

    Raises
    ------
    ValueError
        If the file has other columns.
    """
    path = Path(path)
    is_new = not path.exists() or path.stat().st_size == 0
    if not is_new:
        mend_last_line(path)
        found = list(pd.read_csv(path, nrows=0))
        if found != list(rows):
            raise ValueError(f"{path}: expected columns {list(rows)}, found {found}")
    if len(rows):
        measured = rows.select_dtypes("float").columns.difference(_SETTINGS)
        rounded = {
            name: rows[name].map("{:.4g}".format, na_action="ignore")  # NaN stays an empty cell
            for name in measured
        }
        rows = rows.assign(**rounded)
        append_text(path, rows.to_csv(header=is_new, index=False, lineterminator="\n"))


def _flat(model: nn.Module) -> Tensor:
    return torch.cat([w.detach().reshape(-1) for w in model.parameters()])


def _measure(model: nn.Module, x: Tensor, y: Tensor, run: Run, start: Tensor) -> dict[str, float]:
    criterion = nn.CrossEntropyLoss()
    batch_size = min(run.batch_size, len(x))
    loss = criterion(predict_logits(model, x).cpu(), y.cpu()).item()
    if not np.isfinite(loss):
        return {"loss": loss}
    dead = dead_channels(model, x).values()  # none of a leaky ReLU
    try:
        largest = sharpness(model, criterion, x, y, tolerance=_TOLERANCE)
        along = batch_sharpness(
            model, criterion, x, y, batch_size, num_batches=-(-_IMAGES // batch_size)
        )
    except ArpackError:  # a second derivative is not a finite number
        largest, along = float("nan"), float("nan")
    return {
        "loss": loss,
        "sharpness": largest,
        "batch_sharpness": along,
        **dict(zip(("dead_1", "dead_2"), dead, strict=False)),
        "distance": (_flat(model) - start).norm().item(),
    }
