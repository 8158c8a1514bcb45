"""The chapters for a class: without solutions for whoever learns, with notes for whoever teaches.

    python book/handout.py

The notebooks are written to ``_build/handout/students`` and ``_build/handout/teachers``.
"""

import csv
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

ROOT = Path(__file__).parents[1]
MISCONCEPTIONS = Path(__file__).with_name("misconceptions.csv")
ASSESSMENT = Path(__file__).with_name("assessment.ipynb")  # on no page: its solutions would be too
# Boxes with an answer in them; hints and derivations stay.
_ANSWER = re.compile(
    r"^(:{3,})\{dropdown\} (?:Answer|Solution|The filled table).*?^\1\n*", re.DOTALL | re.MULTILINE
)
_TASK = re.compile(r"^:{3,}\{(?:exercise\} (.+)|admonition\} (Goal))$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
_EMPTY = """\
# Your answer. Take the last line away when you have one.


raise NotImplementedError("No answer yet: {task}")"""
_OPENING = """\
:::{admonition} For whoever teaches
:class: attention
Everyone says what they predict before anyone runs a cell. Do not say who is right.
Each sees their own answer beside the chapter's, where the chapter answers.
:::"""
_NOTE = """\
:::{{admonition}} For whoever teaches
:class: attention
*What goes wrong here*: {wrong}.

*What helps*: {helps}.

*The question that shows it*: `{question}`, at the end of the chapter.
:::"""


def chapters() -> list[Path]:
    """Return the notebooks of the twelve chapters in their order, then the assessment."""
    return [*sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")), ASSESSMENT]


def for_students(chapter: NotebookNode) -> NotebookNode:
    """Return a chapter in which each solution is an empty cell, and nothing has run.

    Parameters
    ----------
    chapter : nbformat.NotebookNode
        The chapter. It stays as it is.

    Returns
    -------
    nbformat.NotebookNode
        A copy. An empty cell says whose answer is missing, and does not stop the cells below it.
    """
    cells, task = [], ""
    for cell in nbformat.from_dict(chapter).cells:
        if cell.cell_type == "markdown":
            cell.source = _ANSWER.sub("*Your answer:*\n\n", cell.source).strip()
            *_, task = [task, *("".join(found) for found in _TASK.findall(cell.source))]
        elif "hide-cell" in cell.metadata.get("tags", []):
            cell = new_code_cell(_EMPTY.format(task=task), id=cell.id)
            cell.metadata["tags"] = ["raises-exception"]
        else:
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    return nbformat.from_dict({**chapter, "cells": cells})


def for_teachers(chapter: NotebookNode, notes: list[dict[str, str]]) -> NotebookNode:
    """Return a chapter with its solutions in sight, and a note where something goes wrong.

    Parameters
    ----------
    chapter : nbformat.NotebookNode
        The chapter. It stays as it is.
    notes : list of dict
        Rows of the table of misconceptions: each under the heading that it names.

    Returns
    -------
    nbformat.NotebookNode
        A copy, with the chapter's outputs.

    Raises
    ------
    ValueError
        If the chapter has no such heading.
    """
    left = {row["where"]: row for row in notes}
    cells = []
    for cell in nbformat.from_dict(chapter).cells:
        tags = cell.metadata.get("tags", [])
        if "hide-cell" in tags:
            tags.remove("hide-cell")
        cells.append(cell)
        if cell.cell_type != "markdown":
            continue
        if "{admonition} Predict" in cell.source and len(cells) < 10:
            cells.append(new_markdown_cell(_OPENING, id=f"{cell.id}-note"))
        for heading in _HEADING.findall(cell.source):
            row = left.pop(heading, None)
            if row is not None:
                text = _NOTE.format(wrong=row["what goes wrong"], helps=row["what helps"], **row)
                cells.append(new_markdown_cell(text, id=f"{cell.id}-{row['question']}"))
    if left:
        raise ValueError(f"expected each of {list(left)} to be a heading of the chapter")
    return nbformat.from_dict({**chapter, "cells": cells})


def write(folder: Path) -> None:
    """Write both versions of all chapters.

    Parameters
    ----------
    folder : pathlib.Path
        Where to; what an earlier call wrote there is replaced.
    """
    with MISCONCEPTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for version in ("students", "teachers"):
        shutil.rmtree(folder / version, ignore_errors=True)
        (folder / version).mkdir(parents=True)
    for path in chapters():
        chapter = nbformat.read(path, 4)
        notes = [row for row in rows if path.name.startswith(f"{int(row['chapter']):02d}_")]
        nbformat.write(for_students(chapter), folder / "students" / path.name)
        nbformat.write(for_teachers(chapter, notes), folder / "teachers" / path.name)


if __name__ == "__main__":
    write(ROOT / "_build" / "handout")
    sys.stdout.write("For students and for teachers: _build/handout\n")
