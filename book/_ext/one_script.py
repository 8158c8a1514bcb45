"""One script of what the theme does on a page, which no word of the page waits for.

The theme's scripts are a dozen files and half a dozen lines within each page. The dozen becomes one
that is deferred, and the lines move into it. Of the search only its own page loads more than a
field. What a button does is no attribute of it: a page with a policy has no inline handlers.
"""

import re
from hashlib import sha256
from pathlib import Path

from pages import link_to, rewrite_pages, when_written
from shorter import shorter
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_OWN = Path(__file__).parent / "theme.js"
# The theme measures the page, so it comes before those that put buttons on it.
_FILES = (
    *("documentation_options.js", "doctools.js"),
    *("scripts/pydata-sphinx-theme.js", "scripts/sphinx-book-theme.js"),
    *("sphinx_highlight.js", "clipboard.min.js", "copybutton.js", "togglebutton.js"),
)
_FETCHED_LATER = "scripts/bootstrap.js"
_SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
# The page's theme is known before its first word is drawn, also where the system says which.
_MODE = re.compile(r'<script data-cfasync="false">.*?</script>', re.DOTALL)
_SET_MODE = (
    '<script>{const{dataset}=document.documentElement,mode=localStorage.getItem("mode")||"auto";'
    'dataset.mode=mode;dataset.theme=mode!=="auto"?mode:'
    'matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}</script>'
)
_HANDLER = re.compile(r' onclick="[^"]*"')
_PRELOAD = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
_SCRIPT = re.compile(r"\s*<script\b([^>]*)>(.*?)</script>", re.DOTALL)
_OF_THE_THEME = re.compile(
    r"(?:let toggle|var togglebuttonSelector|DOCUMENTATION_OPTIONS\.)[^<]*", re.DOTALL
)
# On the search's own page the words of the last search are not marked. The search comes after this
# script, so the page is known by where its results go.
_WORDS_OF_THE_LAST_SEARCH = (
    'typeof Search === "undefined"',
    '!document.getElementById("search-results")',
)
# What the theme measures while it starts: each lays out the whole page before a word is painted.
_MEASURED = {
    # What scrolls; theme.js looks at it bit by bit.
    r'"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)': "0",
    # Where the page stands in the list of contents, which a phone does not show.
    r'if\((!document\.querySelector\("\.bd-docs-nav"\))\)return;': (
        r'if(\1||!matchMedia("(min-width: 960px)").matches)return;'
    ),
    # How high its bar is: after the first paint that costs nothing.
    r'(addEventListener\("resize",\w+\((\w+),300\)\)),\2\(\)\}': (
        r"\1,requestAnimationFrame(()=>setTimeout(\2))}"
    ),
}
_SETTINGS = """\
DOCUMENTATION_OPTIONS.search_as_you_type = false;
let toggleHintShow = "Click to show";
let toggleHintHide = "Click to hide";
let toggleOpenOnPrint = "true";
var togglebuttonSelector = ".toggle, .admonition.dropdown";
"""


def _write_script(app: Sphinx) -> None:
    static = app.outdir / "_static"
    if not all((static / name).exists() for name in _FILES):
        return  # no page was written
    first, *others = ((static / name).read_text("utf-8") for name in _FILES)
    own = f"(() => {{\n{_OWN.read_text('utf-8')}}})();\n"
    script = ";\n".join([first, _SETTINGS, *others, own])
    script = script.replace(*_WORDS_OF_THE_LAST_SEARCH)
    for measured, instead in _MEASURED.items():
        script, found = re.subn(measured, instead, script)
        if found != 1:
            raise ExtensionError(f"the theme's scripts: expected {measured} once, found {found}")
    script = shorter(script)
    (static / "theme.js").write_text(script, "utf-8")
    digest = sha256(script.encode()).hexdigest()[:8]
    for name in (*_FILES, "design-tabs.js", "copybutton_funcs.js"):
        (static / name).unlink(missing_ok=True)

    def shorten(text: str, page: Path) -> str:
        address = f"{link_to(app, static / 'theme.js', page)}?v={digest}"
        text = _PRELOAD.sub("", _MODE.sub(_SET_MODE, _HANDLER.sub("", text)))
        text = _SCRIPT.sub(lambda found: _kept(found, page.name == "search.html"), text)
        return text.replace("</title>", f'</title>\n    <script defer src="{address}"></script>', 1)

    rewrite_pages(app, lambda text, page: shorten(text, page) if _MODE.search(text) else text)


def _kept(found: re.Match, is_search: bool) -> str:
    """Return a page's script as it is to stand there, if at all."""
    source = re.search(r'src="([^"?]+)', found[1])
    if source is None:
        return "" if _OF_THE_THEME.match(found[2].strip()) else found[0]
    names = (*_FILES, _FETCHED_LATER, "design-tabs.js", *(() if is_search else _SEARCH))
    if source[1].endswith(names):
        return ""
    return found[0] if "defer" in found[1] else found[0].replace("<script", "<script defer", 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _write_script, priority=600)
