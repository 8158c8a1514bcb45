"""What a reader says before the chapter answers; and later, what they said beside the truth."""

import math
import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.prose import asked

__all__ = ["Prediction"]

_NAME = re.compile(r"\d\d(-[a-z0-9]+)+")


class Prediction(Figure, module="prediction"):
    """A prediction to make: a word to choose, a number to set, or a curve to draw.

    It is asked in the notebook and on the page alike, and kept by the reader's own browser. Write
    one with `choose`, `slider` or `curve`. Where the chapter answers, `beside` puts what the
    reader said beside the truth.

    Parameters
    ----------
    name : str
        Its name in the reader's browser: the chapter's number and a word, such as ``"05-kernels"``.
    prompt : str
        What is asked: plain text, in which backticks set code.
    answers : dict
        What may be said, as the three functions write it.

    Raises
    ------
    ValueError
        If the name is of another form, or words are missing.
    """

    def __init__(self, name: str, prompt: str, answers: dict[str, Any]) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"name: expected one such as '02-sizes', found {name!r}")
        if not prompt.strip():
            raise ValueError(f"prompt: expected words, found {prompt!r}")
        self._content = {"name": name, "prompt": prompt, **answers}
        super().__init__()

    @classmethod
    def choose(cls, name: str, prompt: str, options: Sequence[str]) -> Self:
        """Have the reader choose a word.

        Parameters
        ----------
        name, prompt : str
            As for the class.
        options : sequence of str
            What may be chosen, at least two.

        Returns
        -------
        Prediction
            A row of buttons.

        Raises
        ------
        ValueError
            If there are no two different options.
        """
        options = list(options)
        if len(options) < 2 or len(set(options)) < len(options):
            raise ValueError(f"options: expected several, all different, found {options}")
        return cls(name, prompt, {"kind": "choose", "options": options})

    @classmethod
    def slider(
        cls,
        name: str,
        prompt: str,
        *,
        low: float,
        high: float,
        step: float,
        label: str,
        unit: str = "",
    ) -> Self:
        """Have the reader set a number.

        Parameters
        ----------
        name, prompt : str
            As for the class.
        low, high : float
            The range.
        step : float
            What the slider moves by; its decimals are those that are shown.
        label : str
            What is set.
        unit : str, default ""
            What is written behind the number.

        Returns
        -------
        Prediction
            A slider, half-way between the ends at first.

        Raises
        ------
        ValueError
            If the range is empty, or the step no part of it.
        """
        if not 0 < step <= high - low < math.inf:
            raise ValueError(
                f"step: expected more than 0 and at most {high - low:g}, found {step:g}"
            )
        range_ = {"low": float(low), "high": float(high), "step": float(step)}
        words = {"label": label, "unit": unit, "decimals": _decimals(step)}
        return cls(name, prompt, {"kind": "slider", **range_, **words})

    @classmethod
    def curve(
        cls,
        name: str,
        prompt: str,
        *,
        columns: Sequence[str],
        low: float,
        high: float,
        x_label: str,
        y_label: str,
        is_log: bool = False,
    ) -> Self:
        """Have the reader draw a curve.

        Parameters
        ----------
        name, prompt : str
            As for the class.
        columns : sequence of str
            What is written below the curve's points, from left to right.
        low, high : float
            The range of their heights.
        x_label, y_label : str
            What the axes are.
        is_log : bool, default False
            Whether heights are drawn by their logarithm.

        Returns
        -------
        Prediction
            A plot to draw on, and a slider for each point.

        Raises
        ------
        ValueError
            If there are fewer than two columns, or the range is none.
        """
        columns = list(columns)
        if len(columns) < 2 or not -math.inf < low < high < math.inf or (is_log and low <= 0):
            raise ValueError(
                "columns, low, high: expected two or more columns and a range that can be drawn, "
                f"found {columns}, {low:g}, {high:g}"
            )
        range_ = {"low": float(low), "high": float(high), "isLog": is_log}
        axes = {"columns": columns, "xLabel": x_label, "yLabel": y_label}
        return cls(name, prompt, {"kind": "curve", **range_, **axes})

    def beside(self, truth: str | float | Sequence[float]) -> Self:
        """Return what shows the reader's prediction beside the truth.

        Parameters
        ----------
        truth : str, float or sequence of float
            What the chapter found: one of the options, a number, or a height for each column.

        Returns
        -------
        Prediction
            The two, side by side; without a prediction, the truth alone.

        Raises
        ------
        ValueError
            If it is nothing that could have been predicted.
        """
        kind, content = self._content["kind"], self._content
        if kind == "choose":
            fits = truth in content["options"]
            found: Any = truth
        else:
            values = np.atleast_1d(np.asarray(truth, dtype=float))
            count = len(content["columns"]) if kind == "curve" else 1
            inside = (values >= content["low"]) & (values <= content["high"])
            fits = values.shape == (count,) and bool(inside.all())
            # Four digits: what a machine adds in the last ones is no part of the answer.
            rounded = [float(f"{value:.4g}") for value in values]
            found = rounded if kind == "curve" else rounded[0]
        if not fits:
            raise ValueError(f"truth: expected what could be predicted, found {truth!r}")
        answers = {k: v for k, v in content.items() if k not in ("name", "prompt")}
        return type(self)(content["name"], content["prompt"], {**answers, "truth": found})

    def data(self) -> dict[str, Any]:
        """Return all that is asked, and the truth where it is told.

        Returns
        -------
        dict
            The prediction, by the names that the module knows.
        """
        return self._content

    def still(self) -> str:
        """Return the question in words, with what may be chosen; or the truth in words.

        Returns
        -------
        str
            HTML.
        """
        is_told = "truth" in self._content
        return asked(self.summary(), [] if is_told else self._content.get("options", []))

    def summary(self) -> str:
        """Return what is asked; or the truth, in one sentence."""
        content = self._content
        if "truth" not in content:
            return content["prompt"]
        if content["kind"] == "choose":
            return f"It is: {content['truth']}."
        if content["kind"] == "slider":
            value = f"{content['truth']:.{content['decimals']}f}{content['unit']}"
            return f"It is {value.replace('-', '−')}."
        points = zip(content["columns"], content["truth"], strict=True)
        found = ", ".join(f"{value:g} at {column}" for column, value in points)
        return f"{content['yLabel']}: {found}."

    def __repr__(self) -> str:
        tail = f".beside({self._content['truth']!r})" if "truth" in self._content else ""
        return f"Prediction({self._content['name']!r}){tail}"


def _decimals(step: float) -> int:
    """Return how many decimals a number has that is set in such steps."""
    return len(f"{step:.6f}".rstrip("0").split(".")[1])
