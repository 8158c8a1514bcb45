"""Fetch the font of the formulas at once, on pages that have some.

A style sheet asks for its fonts when the page is laid out: after the first paint, on a slow line,
and then every line with a formula moves. Links that preload a font are refused on a page that was
opened from a file, so a line of script asks for it.
"""

from pathlib import Path

from pages import link_to, rewrite_pages, when_written
from sphinx.application import Sphinx

_FETCH = (
    '<script>new FontFace("STIX Two Math","url({address})").load()'
    ".then((font)=>document.fonts.add(font),()=>{{}})</script>"
)


def _fetch_font(app: Sphinx) -> None:
    font = app.outdir / "_static" / "stix-two-math.woff2"

    def add(text: str, page: Path) -> str:
        line = _FETCH.format(address=link_to(app, font, page))
        return text.replace("</title>", f"</title>\n    {line}", 1) if "<math" in text else text

    rewrite_pages(app, add)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _fetch_font, priority=710)  # after the theme's scripts are one
