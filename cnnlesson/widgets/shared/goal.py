"""A goal that a figure judges itself: what it asks of the figure's measures."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Goal"]

_NAME = re.compile(r"\d\d(-[a-z0-9]+)+")
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Goal:
    """What a reader is to reach with a figure, by hand.

    The figure says below its picture whether it is reached, and by how much it is missed. The
    reader's browser keeps the best settings, under the goal's name.

    Parameters
    ----------
    name : str
        Its name in the reader's browser: the chapter's number and a word, such as ``"03-sees"``.
    words : str
        What is to be reached, in the chapter's words, as one sentence.
    rules : sequence of tuple
        What must hold: a measure of the figure, ``"<"``, ``"<="``, ``"=="``, ``">="`` or ``">"``,
        and a limit. The first is a number that can get better; of what reaches the goal, the best
        is kept. Which measures there are, `Figure.measures` says.
    fixed : sequence of str, default ()
        Settings that must stay as the figure opens.
    beyond : str, default ""
        What the figure cannot judge, as a sentence that is added when all that it can is reached.

    Raises
    ------
    ValueError
        If the name is of another form, the words are missing, or a rule is none.
    """

    name: str
    words: str
    rules: Sequence[tuple[str, Literal["<", "<=", "==", ">=", ">"], float | str]]
    fixed: Sequence[str] = ()
    beyond: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name: expected one such as '03-sees', found {self.name!r}")
        if not self.words.strip():
            raise ValueError(f"words: expected a sentence, found {self.words!r}")
        for _, comparison, _ in self.rules:
            if comparison not in _HOLDS:
                raise ValueError(
                    f"rules: expected comparisons among {' '.join(_HOLDS)}, found {comparison!r}"
                )
        if not self.rules or self.rules[0][1] == "==":
            raise ValueError(
                "rules: expected a first one whose measure can get better, such as "
                f"('parameters', '<', 2000), found {list(self.rules)}"
            )

    def check(self, measures: Mapping[str, float | str], settings: Sequence[str]) -> None:
        """Refuse a figure that cannot judge this goal, or opens with it reached.

        Parameters
        ----------
        measures : mapping of str to float or str
            The figure's measures, as it opens.
        settings : sequence of str
            The names of its settings.

        Raises
        ------
        ValueError
            If a rule names no measure or has a limit of another kind, if what must stay is no
            setting, or if the goal is reached before anybody moved anything.
        """
        for measure, _, limit in self.rules:
            if measure not in measures:
                raise ValueError(
                    f"goal {self.name}: expected measures among {', '.join(measures) or 'none'}, "
                    f"found {measure!r}"
                )
            if isinstance(limit, str) != isinstance(measures[measure], str):
                raise ValueError(
                    f"goal {self.name}: expected a limit for {measure} such as "
                    f"{measures[measure]!r}, found {limit!r}"
                )
        if unknown := set(self.fixed) - set(settings):
            raise ValueError(
                f"goal {self.name}: expected fixed settings among {', '.join(settings)}, "
                f"found {', '.join(sorted(unknown))}"
            )
        if all(_HOLDS[comparison](measures[m], limit) for m, comparison, limit in self.rules):
            raise ValueError(
                f"goal {self.name}: expected a figure that does not reach it as it opens, found "
                + ", ".join(f"{m} {measures[m]}" for m, _, _ in self.rules)
                + "; open it with other settings, or ask for more"
            )

    def data(self) -> dict[str, Any]:
        """Return the goal for JSON.

        Returns
        -------
        dict
            Its parts, by the names that the module knows.
        """
        return asdict(self)
