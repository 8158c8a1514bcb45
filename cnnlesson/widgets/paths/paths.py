"""Two questions to a reader at the beginning of the book, and the way through it that fits."""

from collections.abc import Sequence
from typing import Any

from cnnlesson.widgets.shared.chapters import Chapter, in_hours
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.prose import prose

__all__ = ["Paths"]

# Each way, with its first chapter and its last.
_WAYS = {
    "network": ("The network, in an afternoon", 1, 5),
    "momentum": ("Momentum, for someone who has trained networks", 6, 12),
    "all": ("All of it", 1, 12),
}
_ASKED = {
    "trained": ("Have you trained a neural network before?", {"no": "No", "yes": "Yes"}),
    "wish": (
        "What do you want to take apart?",
        {"network": "The network", "momentum": "Momentum", "both": "Both"},
    ),
}
_ADVICE = {
    "no network": ("network", "It begins with digits, and ends with a network you can judge."),
    "yes network": (
        "network",
        "You will be quick where you have been before.",
    ),
    "no momentum": ("all", "Momentum needs a training to speed up: the first five build one."),
    "yes momentum": (
        "momentum",
        "It goes from three equations to thousands of trainings.",
    ),
    "no both": ("all", "Each chapter needs what those before it built."),
    "yes both": ("all", "Its first five chapters are the network, the others momentum."),
}


class Paths(Figure, module="paths"):
    """Two questions, and one of three ways through the book, with the time that each takes.

    What is answered is kept by the reader's own browser. What was read is marked, and a link goes
    on where the reader was.

    Parameters
    ----------
    chapters : sequence of Chapter
        The chapters of the book, in their order.

    Raises
    ------
    ValueError
        If a way leads through a chapter that is not there.
    """

    def __init__(self, chapters: Sequence[Chapter]) -> None:
        numbers = [int(chapter.number) for chapter in chapters]
        last = max(end for *_, end in _WAYS.values())
        if numbers != list(range(1, last + 1)):
            raise ValueError(f"chapters: expected those from 1 to {last}, found {numbers}")
        self._chapters = list(chapters)
        super().__init__()

    def data(self) -> dict[str, Any]:
        """Return what is asked, what is advised, and the ways.

        Returns
        -------
        dict
            Values for JSON.
        """
        return {
            "asked": [
                {"name": name, "prompt": prompt, "options": options}
                for name, (prompt, options) in _ASKED.items()
            ],
            "advice": _ADVICE,
            "ways": [
                {"key": key, "name": name, "words": self._words(key), "chapters": [start, end]}
                for key, (name, start, end) in _WAYS.items()
            ],
            "chapters": [
                {"number": c.number, "name": c.name, "address": c.address} for c in self._chapters
            ],
        }

    def still(self) -> str:
        """Return the ways in words.

        Returns
        -------
        str
            HTML.
        """
        ways = [f"<b>{prose(way[0])}.</b> {self._words(key)}" for key, way in _WAYS.items()]
        items = "".join(f"<li>{way}</li>" for way in ways)
        return f"<p>{self.summary()}</p>\n<ul>{items}</ul>"

    def summary(self) -> str:
        """Return what the ways are for, in one sentence."""
        return "There are three ways through this book."

    def _words(self, key: str) -> str:
        """Return which chapters a way leads through, and how long they take."""
        _, start, end = _WAYS[key]
        minutes = sum(chapter.minutes for chapter in self._chapters[start - 1 : end])
        return f"Chapters {start} to {end}: {in_hours(minutes)} to read."

    def __repr__(self) -> str:
        return "Paths()"
