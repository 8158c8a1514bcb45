"""A directive that puts an interactive figure on a page of text.

.. code-block:: markdown

    ```{explorer} MomentumExplorer
    ```

In a notebook a figure is the output of a cell. On a text page this directive writes the same HTML.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cnnlesson import widgets


class Explorer(SphinxDirective):
    """Put the named figure of ``cnnlesson.widgets`` here, in its initial state."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the figure as raw HTML."""
        name = self.arguments[0]
        if name not in widgets.__all__:
            raise self.error(f"explorer: expected one of {widgets.__all__}, found {name}")
        return [nodes.raw("", getattr(widgets, name)().to_html(), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("explorer", Explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
