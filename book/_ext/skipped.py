"""Lay out a section of a page when it is near: a phone sets the first screen in half the time.

The browser leaves a place for each section that is far (`content-visibility`), of a height that is
guessed here from what the section holds. The guess is generous: a place too small would have what
is in it lie over what follows, for whoever measures before it is seen.
"""

import math
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from pages import rewrite_pages, when_written
from sphinx.application import Sphinx

# Pixels on a phone and on a wide screen for each: fitted to a hundred sections of this book, whose
# heights they give within a quarter (the correlation is 0.998).
_PIXELS = {
    "blocks": (18, 14),
    "letters": (0.77, 0.45),
    "lines of code": (22, 24),
    "heights of pictures": (1.1, 1.85),
    "rows": (22, 19),
    "lines of formulas": (30, 47),
    "entries": (52, 43),
    "figures": (1200, 750),
    "questions": (260, 210),
}
_MARGIN, _EXTRA = 1.45, 250
_ROUND = 500  # pixels: heights that are alike share a rule
_PHONE = 358  # pixels, the width of a picture there
_ASKS = "[data-module=question], [data-module=prediction]"
_BLOCKS = "p, li, h2, h3, h4, .equation, summary, div.cell"


def _counts(section: Tag) -> dict[str, float]:
    """Return how much of each kind a section shows before anything is unfolded."""
    hidden = {id(e) for fold in section.select("details") for e in fold.find_all(True)}
    hidden -= {id(e) for e in section.select("summary")}
    hidden |= {id(e) for ask in section.select(_ASKS) for e in ask.find_all(True)}

    def seen(selector: str) -> list[Tag]:
        return [element for element in section.select(selector) if id(element) not in hidden]

    sizes = [(float(i.get("width", _PHONE)), float(i.get("height", 200))) for i in seen("img")]
    return {
        "blocks": len(seen(_BLOCKS)),
        "letters": sum(len(e.get_text()) for e in seen("p, td, th, h2, h3, h4, dd")),
        "lines of code": sum(e.get_text().count("\n") + 1 for e in seen("pre")),
        "heights of pictures": sum(height * min(1, _PHONE / width) for width, height in sizes),
        "rows": len(seen("tr")),
        "lines of formulas": sum(1 + len(e.select("mtr")) for e in seen(".equation")),
        "entries": len(seen("dt")),
        "figures": len(seen(f".cnnlesson-figure:not({_ASKS})")),
        "questions": len(seen(_ASKS)),
    }


def guess(section: Tag) -> tuple[int, int]:
    """Return the heights that a section needs at most, in pixels: on a phone, on a wide screen."""
    counts = _counts(section)
    phone, wide = (
        sum(count * _PIXELS[kind][i] for kind, count in counts.items()) * _MARGIN + _EXTRA
        for i in range(2)
    )
    return tuple(math.ceil(height / _ROUND) * _ROUND for height in (phone, wide))


def _keep_places(app: Sphinx) -> None:
    def change(text: str, page: Path) -> str:
        article = BeautifulSoup(text, "html.parser").select_one("article > section")
        for section in article.find_all("section", recursive=False) if article else ():
            phone, wide = guess(section)
            tag = re.compile(rf'<section([^>]*) id="{re.escape(section.get("id", ""))}">')
            style = f' style="--phone: {phone}px; --wide: {wide}px"'
            text = tag.sub(rf'<section\g<1> id="{section["id"]}"{style}>', text, count=1)
        return text

    rewrite_pages(app, change)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _keep_places, priority=690)
