"""Leave out of the built book what no reader sees.

The theme draws its icons twice over, by a script of 1.5 MB and by fonts of 300 kB, each with some
two thousand of them. The fonts alone do it, with those icons that the pages hold. The colours of
code come as an element for each word, the plain ones too.
"""

import json
import re
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

import oxipng
import pydata_sphinx_theme
from fontTools.subset import Options, Subsetter, load_font, save_font
from pages import rewrite_pages, when_written
from sphinx.application import Sphinx

_ICONS = r"<!-- So that users can add custom icons -->\s*<script[^>]*></script>"
_THEBE = (
    r"<link[^>]*sphinx-thebe[^>]*>|<script[^>]*thebe[^>]*>[^<]*</script>"
    r"|<script>(?:const THEBE|kernelName)[^<]*</script>"
)
_TWICE = r'<meta name="viewport" content="width=device-width, initial-scale=1"\s*/>'
_STYLED = r"<style scoped>.*?</style>"  # of each table of pandas; book.css has it once
# For news, of which there are none; to find that out its script lays the page out.
_NEWS = r'<div class="pst-async-banner-revealer[^>]*>\s*<aside[^>]*></aside>\s*</div>'
_UNUSED = re.compile(rf"\s*(?:{_ICONS}|{_THEBE}|{_TWICE}|{_STYLED}|{_NEWS})", re.DOTALL)
_UNUSED_FILES = (
    *("scripts/fontawesome.js*", "**/webfonts/*.ttf", "sphinx-thebe.*"),
    *("**/*.map", "*-macros.html"),  # for those who write themes
    *("*-solid.svg", "copy-button.svg", "images/logo_[!bc]*"),  # signs that no page has
)
# What templates leave around the text.
_BLANK = re.compile(r"\n\s+|<!--.*?-->\s*", re.DOTALL)
# Names, punctuation and spaces have the colour of the text around them, in both themes. Operators,
# numbers, constants and the names that Python brings have one each, and need none: a sign, a digit
# or a word says what it is, and a chapter has hundreds. Pygments puts an empty element before the
# code.
_UNCOLOURED = "n|nn|nb|p|w|o|ow|mi|mf|kc"
_PLAIN = re.compile(rf'(<pre>)<span></span>|<span class="(?:{_UNCOLOURED})">([^<]*)</span>')
# The parts of a string have one colour, in both themes.
STRINGS = ("s1", "s2", "sa", "sd", "se", "si")
_PART = f'<span class="(?:{"|".join(STRINGS)})">'
_PARTS = re.compile(rf"{_PART}[^<]*</span>(?:{_PART}[^<]*</span>)+")
_THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


def _as_one(parts: re.Match) -> str:
    return f'<span class="s2">{re.sub("<[^>]*>", "", parts[0])}</span>'


def _shorten(page: str) -> str:
    page = _PLAIN.sub(r"\1\2", _UNUSED.sub("", page))
    page = _PARTS.sub(_as_one, page)
    before, start, rest = page.partition("<article")
    article, end, after = rest.partition("</article>")
    before, after = (_BLANK.sub("\n", part) for part in (before, after))
    return before + start + article + end + after


def _repack(notebook: Path) -> None:
    """Write a notebook without indents, and its pictures, pixel for pixel, in fewer bytes."""
    content = json.loads(notebook.read_text("utf-8"))
    for cell in content["cells"]:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if "image/png" in data:
                smaller = oxipng.optimize_from_memory(b64decode(data["image/png"]), level=2)
                data["image/png"] = b64encode(smaller).decode() + "\n"
    packed = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    notebook.write_text(packed, "utf-8")


def _shorten_pages(app: Sphinx) -> None:
    rewrite_pages(app, lambda text, _: _shorten(text))
    with ThreadPoolExecutor() as threads:
        list(threads.map(_repack, (app.outdir / "_sources").rglob("*.ipynb")))
    static = app.outdir / "_static"
    for file in {file for pattern in _UNUSED_FILES for file in static.glob(pattern)}:
        file.unlink()
    rmtree(static / "locales", ignore_errors=True)  # this book speaks one language


def _cut_icons(app: Sphinx) -> None:
    """Keep those icons that the style names: it holds no others than the pages do."""
    static = app.outdir / "_static"
    style = (static / "style.css").read_text("utf-8")
    signs = {int(code, 16) for code in re.findall(r'"\\([0-9a-f]{4})"', style)}
    signs |= {ord(sign) for sign in style if "\ue000" <= sign <= "\uf8ff"}
    for font in _THEME.rglob("webfonts/*.woff2"):
        cut = static / font.relative_to(_THEME)
        if font.name not in style:
            cut.unlink(missing_ok=True)
            continue
        options = Options(flavor="woff2", hinting=False)
        whole = load_font(str(font), options)
        cutter = Subsetter(options)
        cutter.populate(unicodes=signs)
        cutter.subset(whole)
        save_font(whole, str(cut), options)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    when_written(app, _shorten_pages, priority=500)
    return when_written(app, _cut_icons, priority=800)  # after the one style
