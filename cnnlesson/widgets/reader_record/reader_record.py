"""All that a reader predicted and answered, on one page: to look at, to print, to save."""

from collections.abc import Sequence
from typing import Any

from cnnlesson.widgets.shared.chapters import Chapter
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.prose import prose

__all__ = ["ReaderRecord"]

# What it takes to show an answer and to judge it again. What is said to it stays in the chapter.
_OF_A_QUESTION = ("name", "prompt", "kind", "options", "code", "right", "tolerance", "unit")


class ReaderRecord(Figure, module="reader_record"):
    """What the reader's own browser kept: predictions beside the truth, answers, chapters read.

    It can be printed, saved as a file, and cleared. What was not predicted yet is not told.

    Parameters
    ----------
    chapters : sequence of Chapter
        The chapters of the book, in their order.
    """

    def __init__(self, chapters: Sequence[Chapter]) -> None:
        self._chapters = list(chapters)
        super().__init__()

    def data(self) -> dict[str, Any]:
        """Return what is asked in each chapter.

        Returns
        -------
        dict
            Values for JSON.
        """
        return {
            "chapters": [
                {
                    "number": chapter.number,
                    "name": chapter.name,
                    "address": chapter.address,
                    "predictions": list(chapter.predictions),
                    "questions": [
                        {key: value for key, value in question.items() if key in _OF_A_QUESTION}
                        for question in chapter.questions
                    ],
                    "goals": list(chapter.goals),
                }
                for chapter in self._chapters
            ]
        }

    def still(self) -> str:
        """Return where the record is, for readers without JavaScript.

        Returns
        -------
        str
            HTML.
        """
        return f"<p>{prose(self.summary())}</p>"

    def summary(self) -> str:
        """Return where the record is, in one sentence."""
        return "Your browser keeps what you predict and answer, and shows it here with JavaScript."

    def __repr__(self) -> str:
        return "ReaderRecord()"
