"""The losses of several trainings in one plot, the newest drawn while it trains."""

import math
from dataclasses import dataclass, field
from typing import Any

import anywidget
import numpy as np
import pandas as pd
from traitlets import Bool, Dict, List, Unicode

from cnnlesson.widgets.shared.sources import esm_of, style_of

__all__ = ["Curve", "LossPlot"]

_MOST_POINTS = 200
_WINDOW = 9  # points whose median is drawn as a line


@dataclass
class Curve:
    """What the plot shows of one training.

    Attributes
    ----------
    number : int
        Which training, counted from 1.
    batch_size : int
        Images per step.
    num_images : int
        Training images.
    num_epochs : int
        How often each of them is to be seen.
    losses : list of float
        Loss of every batch so far.
    name, accuracy, loss, seconds : str
        What the table says of it.
    """

    number: int
    batch_size: int
    num_images: int
    num_epochs: int
    losses: list[float] = field(default_factory=list)
    name: str = ""
    accuracy: str = "…"
    loss: str = "…"
    seconds: str = "…"

    def to_dict(self) -> dict[str, Any]:
        """Return what the page needs; its size is bounded whatever the number of losses.

        Returns
        -------
        dict
            ``points``, at most 200 pairs of images seen and loss, each a mean over as many
            batches, always a power of two; ``line``, their running median; ``end``, the images
            seen when all is done; and the words for the table.
        """
        losses = list(self.losses)  # another thread may be adding to it
        size = 1
        while len(losses) > size * _MOST_POINTS:
            size *= 2
        starts = np.arange(0, len(losses), size)
        ends = np.minimum(starts + size, len(losses))
        # The last batch of an epoch may be smaller.
        epochs, steps = np.divmod(ends, math.ceil(self.num_images / self.batch_size))
        x = epochs * self.num_images + steps * self.batch_size
        y = np.add.reduceat(losses, starts) / (ends - starts) if len(starts) else starts
        line = pd.Series(y).rolling(_WINDOW, center=True, min_periods=1).median()
        return {
            "number": self.number,
            "name": self.name,
            "cells": [self.accuracy, self.loss, self.seconds],
            "points": np.column_stack([x, y]).tolist(),
            "line": np.column_stack([x, line]).tolist(),
            "end": self.num_images * self.num_epochs,
        }


class LossPlot(anywidget.AnyWidget):
    """The plot, its table and its words; it computes nothing and has no controls.

    Attributes
    ----------
    finished : list of dict
        What :meth:`Curve.to_dict` returns for each training that has ended.
    current : dict
        The same for the one under way; empty if there is none.
    words : str
        One or two sentences on what the reader sees.
    is_bad : bool
        Whether the words say that something went wrong.
    is_news : bool
        Whether screen readers should say the words.
    """

    _esm = esm_of("loss_plot", "training_panel")
    _css = style_of("loss_plot", "training_panel")
    finished = List(Dict()).tag(sync=True)
    current = Dict().tag(sync=True)
    words = Unicode().tag(sync=True)
    is_bad = Bool().tag(sync=True)
    is_news = Bool().tag(sync=True)
    _limits = Dict().tag(sync=True)
    _initial = Dict(dict.fromkeys(["finished", "current", "words", "is_bad", "is_news"])).tag(
        sync=True
    )
