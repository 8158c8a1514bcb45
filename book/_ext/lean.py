"""Leave out of the built book what no reader sees.

The theme draws its icons twice over, by a script of 1.5 MB and by fonts of 300 kB, each with some
two thousand of them. The fonts alone do it, with those icons that the pages hold. The colours of
code come as an element for each word, the plain ones too.
"""

import re
from pathlib import Path

import pydata_sphinx_theme
from fontTools.subset import Options, Subsetter, load_font, save_font
from sphinx.application import Sphinx

_ICONS = r"<!-- So that users can add custom icons -->\s*<script[^>]*></script>"
_THEBE = (
    r"<link[^>]*sphinx-thebe[^>]*>|<script[^>]*thebe[^>]*>[^<]*</script>"
    r"|<script>(?:const THEBE|kernelName)[^<]*</script>"
)
_UNUSED = re.compile(rf"\s*(?:{_ICONS}|{_THEBE})")
_UNUSED_FILES = (
    *("scripts/fontawesome.js*", "**/webfonts/*.ttf", "sphinx-thebe.*"),
    "**/*.map",  # for those who write themes
)
# Names, punctuation and spaces have the colour of the text around them, in both themes.
_PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
_ICON = re.compile(r"[^{}]*\{content:\"\\([0-9a-f]+)\"\}")
_THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


def _shorten_pages(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    pages = [page for page in app.outdir.rglob("*.html") if "_static" not in page.parts]
    used: set[str] = set()
    for page in pages:
        text = page.read_text("utf-8")
        shorter = _PLAIN.sub(r"\1", _UNUSED.sub("", text))
        if shorter != text:
            page.write_text(shorter, "utf-8")
        used.update(re.findall(r"\bfa-[\w-]+", shorter))
    static = app.outdir / "_static"
    for file in {file for pattern in _UNUSED_FILES for file in static.glob(pattern)}:
        file.unlink()
    _cut_icons(static, used)


def _cut_icons(static: Path, used: set[str]) -> None:
    """Keep those icons that a page names, or that the theme's style puts before or after a text."""
    original = (_THEME / "styles" / "pydata-sphinx-theme.css").read_text("utf-8")

    def keep(rule: re.Match) -> str:
        names = re.findall(r"\.(fa-[\w-]+)", rule[0])
        return rule[0] if not names or used & set(names) else ""

    style = _ICON.sub(keep, original)
    (static / "styles" / "pydata-sphinx-theme.css").write_text(style, "utf-8")
    styles = "".join(file.read_text("utf-8") for file in static.rglob("*.css"))
    signs = {int(code, 16) for code in re.findall(r'"\\([0-9a-f]{4})"', styles)}
    signs |= {ord(sign) for sign in styles if "\ue000" <= sign <= "\uf8ff"}
    for font in _THEME.rglob("webfonts/*.woff2"):
        options = Options(flavor="woff2", hinting=False)
        whole = load_font(str(font), options)
        cutter = Subsetter(options)
        cutter.populate(unicodes=signs)
        cutter.subset(whole)
        save_font(whole, str(static / font.relative_to(_THEME)), options)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("build-finished", _shorten_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
