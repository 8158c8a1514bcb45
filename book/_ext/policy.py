"""A content security policy on every page: nothing runs but what the book itself brought.

Scripts and style sheets within a page are named by their hashes. A page whose figures train has
workers made of text, and a kernel of WebAssembly.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from pages import rewrite_pages, when_written
from sphinx.application import Sphinx

_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_SHEET = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_TRAINS = re.compile(r'data-module="(?:training|map)_lab"')
_EARLIER = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
_CHARSET = re.compile(r"<meta charset[^>]*>")


def _hashes(sources: Iterable[str]) -> list[str]:
    digests = {b64encode(sha256(source.encode()).digest()).decode() for source in sources}
    return [f"'sha256-{digest}'" for digest in sorted(digests)]


def policy_of(page: str) -> str:
    """Return the policy of a page.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    str
        What stands in ``<meta http-equiv="Content-Security-Policy">``.
    """
    scripts = ["'self'", *_hashes(_SCRIPT.findall(page))]
    workers = ["'none'"]
    if _TRAINS.search(page):
        scripts.append("'wasm-unsafe-eval'")
        workers = ["blob:"]
    parts = {
        "default-src": ["'self'"],
        "script-src": scripts,
        "style-src": ["'self'", *_hashes(_SHEET.findall(page))],
        "img-src": ["'self'", "data:"],  # the theme's sheet holds a few signs
        "worker-src": workers,
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in parts.items())


def _protect(app: Sphinx) -> None:
    def add(text: str, page: object) -> str:
        text = _EARLIER.sub("", text)  # a page that this build did not write
        meta = f'<meta http-equiv="Content-Security-Policy" content="{policy_of(text)}">'
        if not _CHARSET.search(text):  # a page that only leads to another
            return f"{meta}\n{text}"
        return _CHARSET.sub(lambda found: f"{found[0]}\n    {meta}", text, count=1)

    rewrite_pages(app, add)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _protect, priority=900)  # when no line of a page changes any more
