"""The laboratory in a real browser: it trains, and says what PyTorch says of the same training."""

import base64
import json
import re
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from figure_page import HAND_AND_EYE, frames

from cnnlesson import Run, load_digits, run_experiment
from cnnlesson.widgets import TrainingLab
from cnnlesson.widgets.training_lab.training_lab import parcel


def FIGURE():  # noqa: N802 (a page's figure, as the other modules name theirs)
    return TrainingLab(
        lr=0.05,
        momentum=0.9,
        pixels="standardized",
        presets={"no momentum": {"momentum": 0.0, "pixels": "standardized", "lr": 0.1}},
    )


FIGURE.module = "training_lab"
