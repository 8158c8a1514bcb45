"""The reader's way through the book: which chapters there are, how long they take, what they ask.

All of it is read from the chapters themselves, when the book is built. The directive ``course``
puts a figure about them on a page:

.. code-block:: markdown

    ```{course} Paths
    ```

Each question and each goal of a figure has a name on its page that links can lead to, and each
chapter a last line that says what its reader predicted, answered and reached: `marks.js` brings it
to life.
"""

import json
import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from cnnlesson.widgets.paths import Paths
from cnnlesson.widgets.reader_record import ReaderRecord
from cnnlesson.widgets.shared.chapters import Chapter

_ROOT = Path(__file__).parents[2]
_FIGURES = {"Paths": Paths, "ReaderRecord": ReaderRecord}
_RECORD = "book/record"
_MINUTES = re.compile(r"^\*Time\*: (\d+) minutes to read", re.MULTILINE)
_ASK = ("question", "prediction")
_FIGURE = re.compile(r'(?<=<div class="cnnlesson-figure") data-module="(\w+)" data-state="([^"]*)"')


def pages_of_chapters() -> list[str]:
    """Return the numbered chapters of the book, in the order of its contents."""
    contents = yaml.safe_load((_ROOT / "_toc.yml").read_text("utf-8"))
    parts = (part for part in contents["parts"] if part.get("numbered"))
    return [page["file"] for part in parts for page in part["chapters"]]


@cache
def _read(notebook: Path, _changed: int) -> dict[str, Any]:
    """Return what a chapter says and asks; read again when its file changed."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    minutes = _MINUTES.search(text)
    if minutes is None:
        raise ExtensionError(f"{notebook}: expected '*Time*: … minutes to read', found none")
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    html = "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)
    found = [
        (module, json.loads(unescape(packed)))
        for module, packed in _FIGURE.findall(html)
        if module in _ASK or "&quot;goal&quot;: {" in packed
    ]
    asked = [(module, state["_data"]) for module, state in found if module in _ASK]
    return {
        "title": re.search(r"^# (.+)$", text, re.MULTILINE)[1],
        "minutes": int(minutes[1]),
        "predictions": [data for module, data in asked if "truth" in data],
        "questions": [data for module, data in asked if module == "question"],
        "goals": [_goal_of(module, state) for module, state in found if module not in _ASK],
    }


def _goal_of(module: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return a figure's goal with what it takes to judge it: module, settings and their limits."""
    settings = {name: value for name, value in state.items() if not name.startswith("_")}
    goal = {"module": module, "settings": settings, "limits": state["_limits"]}
    return state["_data"]["goal"] | goal


def chapters_seen_from(page: str) -> list[Chapter]:
    """Return the chapters of the book.

    Parameters
    ----------
    page : str
        The page that links to them.

    Returns
    -------
    list of Chapter
        In their order.

    Raises
    ------
    sphinx.errors.ExtensionError
        If one does not say how long it takes.
    """
    found = []
    for i, name in enumerate(pages_of_chapters(), start=1):
        file = _ROOT / f"{name}.ipynb"
        address = relative_uri(f"{page}.html", f"{name}.html")
        found.append(Chapter(f"{i:02}", address=address, **_read(file, file.stat().st_mtime_ns)))
    return found


class Course(SphinxDirective):
    """Put the named figure about the chapters here."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the figure as raw HTML."""
        name = self.arguments[0]
        if name not in _FIGURES:
            raise self.error(f"course: expected one of {', '.join(_FIGURES)}, found {name}")
        for page in pages_of_chapters():
            self.env.note_dependency(str(_ROOT / f"{page}.ipynb"))
        figure = _FIGURES[name](chapters_seen_from(self.env.docname))
        return [nodes.raw("", figure.to_html(), format="html")]


def _name_what_asks(body: str) -> str:
    """Give each question, each prediction to make, and each goal its name on the page."""

    def name(found: re.Match) -> str:
        data = json.loads(unescape(found[2])).get("_data", {})
        kind, asked = (found[1], data) if found[1] in _ASK else ("goal", data.get("goal", {}))
        place = f' id="{kind}-{asked["name"]}"' if "name" in asked and "truth" not in asked else ""
        return place + found[0]

    return _FIGURE.sub(name, body)


def _last_line(page: str) -> str:
    """Return the line below a chapter: where its reader's record is."""
    number = pages_of_chapters().index(page)
    chapter = chapters_seen_from(page)[number]
    asked = {
        kind: " ".join(data["name"] for data in of_kind)
        for kind, of_kind in (
            ("predictions", chapter.predictions),
            ("questions", chapter.questions),
            ("goals", chapter.goals),
        )
    }
    names = "".join(f' data-{kind}="{text}"' for kind, text in asked.items())
    link = f'<a href="{relative_uri(f"{page}.html", f"{_RECORD}.html")}">Your record</a>'
    return f'<p class="so-far" data-chapter="{chapter.number}"{names}>{link}<span></span></p>\n'


def _complete(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if body := context.get("body"):
        context["body"] = _name_what_asks(body)
        if page in pages_of_chapters():
            context["body"] += _last_line(page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("course", Course)
    app.connect("html-page-context", _complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
