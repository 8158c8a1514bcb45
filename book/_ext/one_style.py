"""One style sheet for all pages, of those rules that some page needs.

The theme's sheets are eleven files of 460 kB. A browser would wait for each of them before it draws
the first word, and use a tenth. A rule stays if a page, or a script that changes pages, holds each
class and each id that it names. The sheets of the book and of its figures stay whole.
"""

import re
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from hashlib import sha256
from html import unescape
from itertools import chain, pairwise
from pathlib import Path

import tinycss2
from lightningcss import process_stylesheet
from pages import link_to, pages_of, rewrite_pages, when_written
from sphinx.application import Sphinx
from tinycss2.ast import Node

OWN = {"book.css", "figures.css"}
_SHEET = re.compile(r'\s*<link(?=[^>]*rel="stylesheet")[^>]*href="([^"?]+\.css)[^"]*"[^>]*>')
_IMPORT = re.compile(r'@import "([^"]+)";')
_ADDRESS = re.compile(r"url\((?!\"?data:)[\"']?([^\"')]+)[\"']?\)")
_PROPERTY = re.compile(r"--[\w-]+")
_GIVEN = re.compile(r"(?<=[{;])\s*(--[\w-]+)\s*:[^;{}\"']*(?:;|(?=\}))")
_STYLED_TAG = re.compile(r"<[a-z][^<>]*\sstyle=\"[^\"]*\"[^<>]*>")
_STYLED = re.compile(r'\sstyle="([^"]*)"')
# Bootstrap's script makes menus and tips of these; of its other words a page needs none.
_MADE_BY_BOOTSTRAP = {
    *("show", "fade", "dropdown-menu-end", "tooltip", "tooltip-arrow", "tooltip-inner"),
    "bs-tooltip-auto",
}


def words_of(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Return what may be a class or an id of an element, at first or later.

    Parameters
    ----------
    pages : iterable of str
        HTML.
    scripts : iterable of str
        JavaScript, each word of which may become a class.

    Returns
    -------
    set of str
        Words.
    """
    words = set(_MADE_BY_BOOTSTRAP)
    for page in pages:
        for value in re.findall(r'\b(?:class|id)="([^"]*)"', page):
            words.update(value.split())
    for script in scripts:
        words.update(re.findall(r"-?[A-Za-z_][\w-]*", script))
    return words


def is_needed(selector: Iterable[Node], words: set[str]) -> bool:
    """Return whether an element may match, now or later, by the classes and ids it must have."""
    is_class = False
    for token in selector:
        named = token.type == "ident" and is_class
        if (named or token.type == "hash") and token.value not in words:
            return False
        is_class = token == "."
    return True


def without_unused(sheet: str, words: set[str]) -> str:
    """Return a style sheet without those selectors that no element of these words can match.

    Parameters
    ----------
    sheet : str
        CSS without nested rules.
    words : set of str
        As `words_of` returns them.

    Returns
    -------
    str
        CSS.
    """
    return "".join(_kept(tinycss2.parse_stylesheet(sheet, True, True), words))


def _kept(rules: Iterable[Node], words: set[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "at-rule" and rule.at_keyword in ("media", "supports"):
            inside = "".join(_kept(tinycss2.parse_rule_list(rule.content, True, True), words))
            if inside:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}"
        elif rule.type == "qualified-rule":
            if needed := [one for one in selectors_of(rule) if is_needed(one, words)]:
                names = ",".join(map(tinycss2.serialize, needed))
                yield f"{names}{{{tinycss2.serialize(rule.content)}}}"
        else:
            yield rule.serialize()


def without_unasked(sheet: str, others: Iterable[str]) -> str:
    """Return a style sheet without the custom properties that nothing asks for.

    Parameters
    ----------
    sheet : str
        CSS.
    others : iterable of str
        What else may ask for them by name: scripts, pages.

    Returns
    -------
    str
        CSS.
    """
    elsewhere = set(chain.from_iterable(map(_PROPERTY.findall, others)))
    asked = elsewhere | set(re.findall(r"var\(\s*(--[\w-]+)", sheet))
    shorter = _GIVEN.sub(lambda given: given[0] if given[1] in asked else "", sheet)
    # What is gone asks for nothing any more.
    return shorter if shorter == sheet else without_unasked(shorter, elsewhere)


def selectors_of(rule: Node) -> list[list[Node]]:
    """Return the selectors of a rule, each as its tokens."""
    selectors: list[list[Node]] = [[]]
    for token in rule.prelude:
        if token == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def _read(file: Path, static: Path) -> str:
    """Return a sheet with those that it imports, and addresses that are right beside ``static``."""

    def seen_from_static(found: re.Match) -> str:
        path = (file.parent / found[1]).resolve()
        return f'url("{path.relative_to(static.resolve()).as_posix()}")'

    text = _ADDRESS.sub(seen_from_static, file.read_text("utf-8").replace('@charset "UTF-8";', ""))
    return _IMPORT.sub(lambda found: _read(file.parent / found[1], static), text)


def styled_by_class(page: str, rules: dict[str, str]) -> str:
    """Return a page whose elements have classes in place of styles that are attributes.

    Parameters
    ----------
    page : str
        HTML.
    rules : dict of str to str
        The class of each style so far; new ones are added.

    Returns
    -------
    str
        HTML.
    """

    def change(found: re.Match) -> str:
        tag = found[0]
        [style] = _STYLED.findall(tag)
        name = rules.setdefault(style, f"styled-{len(rules)}")
        tag = _STYLED.sub("", tag)
        if 'class="' in tag:
            return tag.replace('class="', f'class="{name} ', 1)
        return re.sub(r"(?=\s*/?>$)", f' class="{name}"', tag, count=1)

    return _STYLED_TAG.sub(change, page)


def _write_style(app: Sphinx) -> None:
    rules: dict[str, str] = {}
    rewrite_pages(app, lambda text, page: styled_by_class(text, rules))
    order: TopologicalSorter[Path] = TopologicalSorter()
    texts = []
    for page in pages_of(app):
        texts.append(page.read_text("utf-8"))
        sheets = [(page.parent / name).resolve() for name in _SHEET.findall(texts[-1])]
        for before, after in pairwise(sheets):
            order.add(after, before)
    static = app.outdir / "_static"
    scripts = [file.read_text("utf-8") for file in static.rglob("*.js") if _is_read(file)]
    words = words_of(texts, scripts)
    sheets = list(order.static_order())
    if len(sheets) < 2:
        return  # no page was written
    parts, own = [], []
    for file in sheets:
        part = _read(file, static)
        parts.append(part if file.name in OWN else without_unused(part, words))
        if file.name in OWN:
            own.append(part)  # of its properties scripts may put the names together
    # As strong as the attributes were.
    parts += [f"#main-content .{name} {{ {unescape(style)} }}" for style, name in rules.items()]
    asked = without_unasked("".join(parts), [*texts, *scripts, *own])
    style = process_stylesheet(asked, minify=True)
    for file in [*sheets, static / "basic.css"]:
        file.unlink()
    (static / "styles").rmdir()
    (static / "style.css").write_text(style, "utf-8")
    digest = sha256(style.encode()).hexdigest()[:8]

    def link(text: str, page: Path) -> str:
        first, *others = _SHEET.finditer(text) or [None]
        address = f"{link_to(app, static / 'style.css', page)}?v={digest}"
        tag = f'\n    <link rel="stylesheet" href="{address}">'
        for found in reversed(others):
            text = text[: found.start()] + text[found.end() :]
        return text[: first.start()] + tag + text[first.end() :]

    rewrite_pages(app, lambda text, page: link(text, page) if _SHEET.search(text) else text)


def _is_read(script: Path) -> bool:
    return not script.name.startswith(("bootstrap", "training_lab_", "digit_reader_weights"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _write_style, priority=700)  # when each page has its last element
