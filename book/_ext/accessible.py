"""Mend what the page's makers leave in the way of keyboards and screen readers.

pandas and Markdown give a table's empty corners the tag of a heading; docutils gives an entry in a
list of sources a role that has been withdrawn; a picture that scrolls does so only by finger; what
unfolds a chapter's pages in the list of all has a sign and no name.
"""

import re

from docutils import nodes
from pages import rewrite_pages, when_written
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_NAMELESS = re.compile(
    r'>([^<]+)(</a>\s*<details[^>]*>\s*)<summary>(?=<span class="toctree-toggle)'
)
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


def _mend(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if body := context.get("body"):
        body = _EMPTY_HEADING.sub(r"<td\1></td>", body)
        context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')


def _name_folds(app: Sphinx) -> None:
    named = r'>\1\2<summary aria-label="Pages of “\1”">'
    rewrite_pages(app, lambda text, _: _NAMELESS.sub(named, text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(ReachWidePictures)
    app.connect("html-page-context", _mend)
    return when_written(app, _name_folds, priority=400)  # before the pages are shortened
