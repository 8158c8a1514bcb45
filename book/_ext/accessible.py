"""Mend what the page's makers leave in the way of keyboards and screen readers.

pandas and Markdown give a table's empty corners the tag of a heading; docutils gives an entry in a
list of sources a role that has been withdrawn; a wide picture scrolls, but only by finger.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_EMPTY_HEADING = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")


class ReachWidePictures(SphinxPostTransform):
    """Put each picture of a cell tagged ``wide`` where the theme looks for what scrolls.

    Of this class, and of few others, the theme lets the keyboard reach those elements that are
    wider than their place.
    """

    default_priority = 800  # after the outputs of the cells became images
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Wrap the images."""
        for cell in self.document.findall(nodes.container):
            if "tag_wide" in cell["classes"]:
                for image in list(cell.findall(nodes.image)):
                    box = nodes.container(classes=["pst-scrollable-table-container"])
                    image.replace_self(box)
                    box += image


def _mend(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if body := context.get("body"):
        body = _EMPTY_HEADING.sub(r"<td\1></td>", body)
        context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(ReachWidePictures)
    app.connect("html-page-context", _mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
