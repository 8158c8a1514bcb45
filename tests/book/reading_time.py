"""How long a chapter takes: one measure for all chapters, so that their times can be compared."""

import re

from nbformat import NotebookNode

WORDS_A_MINUTE = 180
# Minutes for one of each, besides the words: to run a cell and look at what it gives, to look at a
# picture, to play with a figure, to answer.
CODE, PICTURE, FIGURE, ANSWER = 0.5, 0.25, 3, 0.5
EXERCISE, CHALLENGE = 8, 15
FOLDED = re.compile(r"^:::+\{(?:dropdown|exercise)\}.*?^:::+$", re.MULTILINE | re.DOTALL)
NOT_READ = {"remove-cell", "remove-input", "hide-cell", "hide-input"}


def minutes_to_read(chapter: NotebookNode) -> float:
    """Return the minutes for the text, its code, pictures and figures, with what is folded shut."""
    cells = [cell for cell in chapter.cells if cell.cell_type == "code"]
    html = ["".join(o.get("data", {}).get("text/html", "") for o in c.outputs) for c in cells]
    is_asked = [bool(re.search('data-module="(question|prediction)"', text)) for text in html]
    figures = sum("cnnlesson-figure" in text for text in html) - sum(is_asked)
    pictures = sum(any("image/png" in o.get("data", {}) for o in c.outputs) for c in cells)
    read = [c for c in cells if not NOT_READ & set(c.metadata.get("tags", ()))]
    words = len(FOLDED.sub("", text_of(chapter)).split())
    return (
        words / WORDS_A_MINUTE
        + CODE * len(read)
        + PICTURE * pictures
        + FIGURE * figures
        + ANSWER * sum(is_asked)
    )


def minutes_of_exercises(chapter: NotebookNode) -> float:
    """Return the minutes for the exercises, and for the goals that are set."""
    text = text_of(chapter)
    return EXERCISE * text.count("{exercise}") + CHALLENGE * text.count("{admonition} Goal")


def text_of(chapter: NotebookNode) -> str:
    """Return the text of a chapter, without its code."""
    return "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
