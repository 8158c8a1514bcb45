"""Mend what the page's makers leave in the way of keyboards and screen readers.

pandas and Markdown give a table's empty corners the tag of a heading; docutils gives an entry in a
list of sources a role that has been withdrawn; a picture that scrolls does so only by finger; what
unfolds a chapter's pages in the list of all has a sign and no name; what unfolds a cell has one
name wherever it stands.
"""

import re
from html import escape, unescape

from docutils import nodes
from pages import rewrite_pages, when_written
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_NAMELESS = re.compile(
    r'>([^<]+)(</a>\s*<details[^>]*>\s*)<summary>(?=<span class="toctree-toggle)'
)
_FOLD = re.compile(r'<summary aria-label="Toggle hidden content">(.*?)</summary>', re.DOTALL)
_EXERCISE = re.compile(r'class="caption-number">Exercise ([\d.]+)')
_FIGURE = re.compile(r'class="caption-number">Fig\. ([\d.]+)')
_CODE = re.compile(r"<pre>(.*?)(?:\n|</pre>)", re.DOTALL)
_EMPTY_HEADING = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")


class ReachWidePictures(SphinxPostTransform):
    """Put each picture that may be wider than its place where the theme looks for what scrolls.

    Of this class, and of few others, the theme lets the keyboard reach those elements that are
    wider than their place. Such are the pictures of a cell tagged ``wide``, and on a phone each
    plot, for the sake of its letters. Photographs (``keep-colours``) fit into any place.
    """

    default_priority = 800  # after the outputs of the cells became images
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Wrap the images."""
        for cell in self.document.findall(nodes.container):
            classes = cell["classes"]
            is_plot = "cell" in classes and "tag_keep-colours" not in classes
            if is_plot or "tag_wide" in classes:
                for image in list(cell.findall(nodes.image)):
                    box = nodes.container(classes=["pst-scrollable-table-container"])
                    image.replace_self(box)
                    box += image


def _held_by(fold: re.Match) -> str:
    """Return what the fold of a cell holds: a solution, the code of a figure, or other code."""
    before, after = fold.string[: fold.start()], fold.string[fold.end() :]
    cell = after.partition('<div class="cell ')[0]
    if "solution" in fold[1] and (exercises := _EXERCISE.findall(before)):
        return f"of exercise {exercises[-1]}"
    if figure := _FIGURE.search(cell):
        return f"of figure {figure[1]}"
    [code] = _CODE.findall(cell)[:1] or _CODE.findall(before)[-1:]  # an output follows its code
    line = unescape(re.sub(r"<[^>]*>", "", code)).replace("`", "'")  # no sign of Markdown is heard
    return f"that begins with {escape(line)}"


def _name_fold(fold: re.Match) -> str:
    held = f'<span class="visually-hidden">{_held_by(fold)}</span>'
    return f"<summary>{fold[1]}{held}</summary>"


def _mend(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if body := context.get("body"):
        body = _EMPTY_HEADING.sub(r"<td\1></td>", body)
        body = _FOLD.sub(_name_fold, body)
        context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')


def _name_folds(app: Sphinx) -> None:
    named = r'>\1\2<summary aria-label="Pages of “\1”">'
    rewrite_pages(app, lambda text, _: _NAMELESS.sub(named, text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(ReachWidePictures)
    app.connect("html-page-context", _mend)
    return when_written(app, _name_folds, priority=400)  # before the pages are shortened
