"""Link the first use of each term of the glossary, in each chapter, to what it means.

The chapters stay as they are written. What a term means is shown beside the link by `terms.js`, out
of one script for all pages; without it the link leads to the glossary.
"""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from pages import link_to, rewrite_pages, when_written
from shorter import shorter
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.osutil import relative_uri

_HERE = Path(__file__).parent
GLOSSARY = "book/glossary"
# Where a word means something else, or nothing yet: the chapters in which it is the term.
ONLY_IN = _HERE.parent / "terms_only_in.yml"
_CHAPTER = re.compile(r"notebooks/(\d\d)_")
_LINK = re.compile(r'<a class="[^"]*\bterm\b')
_NO_PROSE = (
    *(nodes.title, nodes.literal, nodes.math, nodes.image, nodes.caption),
    *(nodes.literal_block, nodes.raw),
)
_FOLDED = {"dropdown", "tag_hide-cell", "tag_hide-output"}


def pattern_of(terms: list[str]) -> re.Pattern:
    """Return what finds the first of some terms in a text, in the singular, the plural or the past.

    Parameters
    ----------
    terms : list of str
        The terms; of two that begin at one place the longer is found.

    Returns
    -------
    re.Pattern
        Its groups have the terms' places in the list, ``t0``, ``t1``, ….
    """
    forms = []
    for i, term in sorted(enumerate(terms), key=lambda pair: -len(pair[1])):
        first, rest = term[0], re.escape(term[1:]).replace(r"\ ", r"\s+")
        ending = "?(?:e?s|d)?" if rest.endswith("s") else "(?:e?s|d)?"
        forms.append(f"(?P<t{i}>[{first}{first.upper()}]{rest}{ending})")
    return re.compile(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])")


def _paragraphs_in(node: nodes.Element) -> Iterator[nodes.paragraph]:
    """Yield what is read at first: neither in a fold nor in a table."""
    if isinstance(node, nodes.paragraph):
        yield node
    elif not isinstance(node, nodes.table) and not _FOLDED & set(node.get("classes", ())):
        for child in node.children:
            if isinstance(child, nodes.Element):
                yield from _paragraphs_in(child)


def _words_in(node: nodes.Element) -> Iterator[nodes.Text | nodes.reference]:
    """Yield words and links, but neither code nor formulas."""
    for child in node.children:
        if isinstance(child, nodes.Text | nodes.reference):
            yield child
        elif not isinstance(child, _NO_PROSE):
            yield from _words_in(child)


class LinkTerms(SphinxPostTransform):
    """Make the first use of each term in a chapter a link."""

    default_priority = 700  # references are resolved, so that none lies within another
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Replace words in the text of a chapter."""
        page = self.env.docname
        if not (found := _CHAPTER.match(page)):
            return
        chapter = int(found[1])
        only_in = yaml.safe_load(ONLY_IN.read_text("utf-8"))
        places = {
            name: place
            for (kind, name), (where, place) in self.env.get_domain("std").objects.items()
            if kind == "term" and where == GLOSSARY and chapter in only_in.get(name, [chapter])
        }
        glossary = relative_uri(f"{page}.html", f"{GLOSSARY}.html")
        for paragraph in list(_paragraphs_in(self.document)):
            words = list(_words_in(paragraph))
            # The chapter's own links: where there is one, the paragraph needs no second.
            for link in words:
                if isinstance(link, nodes.reference):
                    address, _, term = link.get("refuri", "").partition("#")
                    if address == glossary:
                        link["classes"].append("term")
                        places = {name: place for name, place in places.items() if place != term}
            for text in words:
                if isinstance(text, nodes.Text):
                    self._link(text, places, glossary)

    def _link(self, text: nodes.Text, places: dict[str, str], glossary: str) -> None:
        """Replace those terms of a text that were not met yet, and take them off the list."""
        parts: list[nodes.Node] = []
        rest = text.astext()
        while places:
            terms = list(places)
            found = pattern_of(terms).search(rest)
            if found is None:
                break
            term = terms[int(found.lastgroup.removeprefix("t"))]
            address = f"{glossary}#{places.pop(term)}"
            parts.append(nodes.Text(rest[: found.start()]))
            parts.append(
                nodes.reference("", found[0], refuri=address, internal=True, classes=["term"])
            )
            rest = rest[found.end() :]
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(rest)])


def _definitions(glossary: Path) -> dict[str, str]:
    """Return what each term means, in HTML without links, by the term's place."""
    page = BeautifulSoup(glossary.read_text("utf-8"), "html.parser")
    for link in page.select("dd a"):
        link.unwrap()
    return {
        term["id"]: term.find_next_sibling("dd").decode_contents().strip()
        for term in page.select("dl.glossary dt[id]")
    }


def _write_script(app: Sphinx) -> None:
    glossary = app.outdir / f"{GLOSSARY}.html"
    if not glossary.exists():
        return
    meanings = json.dumps(_definitions(glossary), ensure_ascii=False, separators=(",", ":"))
    script = f"(() => {{\nconst meanings = {meanings};\n"
    script += f"{shorter((_HERE / 'terms.js').read_text('utf-8'))}\n}})();\n"
    file = app.outdir / "_static" / "terms.js"
    file.write_text(script, "utf-8")
    digest = sha256(script.encode()).hexdigest()[:8]

    def load(text: str, page: Path) -> str:
        if not _LINK.search(text):
            return text
        tag = f'<script defer src="{link_to(app, file, page)}?v={digest}"></script>'
        return text.replace("</head>", f"{tag}\n</head>", 1)

    rewrite_pages(app, load)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(LinkTerms)
    return when_written(app, _write_script, priority=620)  # after the theme's scripts became one
