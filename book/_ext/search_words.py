"""Let the search know the learner's words: those of the index of the book come first.

Sphinx counts no words: a page that names a thing once is found like the page that explains it. The
entries of an index it puts before all others.
"""

import json
from pathlib import Path

import yaml
from pages import when_written
from sphinx.application import Sphinx

WORDS = Path(__file__).parents[1] / "search_words.yml"
_START, _END = "Search.setIndex(", ")"


def _add_words(app: Sphinx) -> None:
    file = app.outdir / "searchindex.js"
    index = json.loads(file.read_text("utf-8").removeprefix(_START).removesuffix(_END))
    for word, places in yaml.safe_load(WORDS.read_text("utf-8")).items():
        for place in places:
            page, _, anchor = place.partition("#")
            if page in index["docnames"]:
                entry = [index["docnames"].index(page), anchor, True]
                entries = index["indexentries"].setdefault(word, [])
                if entry not in entries:
                    entries.append(entry)
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    file.write_text(f"{_START}{text}{_END}", "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _add_words, priority=510)
