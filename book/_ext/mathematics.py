"""Set the mathematics when the book is built: MathML, which browsers draw and read aloud.

Nothing of it runs in the reader's hand. Pandoc translates the formulas of a page in one go.
"""

import json
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from html import escape

import pypandoc
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

# Pandoc aligns cells by attributes that browsers left, and by styles of their own: book.css does.
_ALIGNED = re.compile(r'columnalign="(\w+)" style="[^"]*"')
# After the place where lines are aligned, a sign goes on from the line above.
_AT_A_SIGN = re.compile(r'(<mtd class="left"><mo)>([+−])')
# After a gap, one belongs to what follows.
_AFTER_A_GAP = re.compile(r"(</mspace><mo)>(?=[+−]<)")
# What no line begins with.
_CLOSING = re.compile(r"[.,:;?!)’”%]+")
_ELEMENT = re.compile(r"<p>(?:<math .*?<semantics>(.*?)<annotation.*?</math>|(.*?))</p>", re.DOTALL)


def translate(formulas: Iterable[tuple[str, bool]]) -> list[str]:
    """Translate formulas from LaTeX to MathML.

    Parameters
    ----------
    formulas : iterable of (str, bool)
        LaTeX, and whether the formula is displayed on lines of its own.

    Returns
    -------
    list of str
        A ``<math>`` element each, with its LaTeX as ``alttext``.

    Raises
    ------
    sphinx.errors.ExtensionError
        If one cannot be translated.
    """
    formulas = list(formulas)
    kinds = [{"t": "DisplayMath" if displayed else "InlineMath"} for _, displayed in formulas]
    blocks = [
        {"t": "Para", "c": [{"t": "Math", "c": [kind, latex]}]}
        for kind, (latex, _) in zip(kinds, formulas, strict=True)
    ]
    document = {"pandoc-api-version": _api_version(), "meta": {}, "blocks": blocks}
    html = _pandoc(
        "--from=json", "--to=html", "--mathml", "--wrap=none", given=json.dumps(document)
    )
    found = _ELEMENT.findall(html)
    elements = []
    for (latex, displayed), (mathml, raw) in zip(formulas, found, strict=True):
        if raw:
            raise ExtensionError(f"expected LaTeX that pandoc can translate, found: {latex}")
        display = ' display="block"' if displayed else ""
        mathml = _ALIGNED.sub(r'class="\1"', mathml)
        mathml = _AT_A_SIGN.sub(r'\1 form="infix">\2', mathml)
        mathml = _AFTER_A_GAP.sub(r'\1 form="prefix">', mathml)
        elements.append(
            f'<math class="math notranslate nohighlight"{display} alttext="{escape(latex)}">'
            f"{mathml}</math>"
        )
    return elements


def _pandoc(*options: str, given: str) -> str:
    command = [pypandoc.get_pandoc_path(), *options]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return done.stdout


@cache
def _api_version() -> list[int]:
    return json.loads(_pandoc("--to=json", given=""))["pandoc-api-version"]


def _is_displayed(node: nodes.Element) -> bool:
    return isinstance(node, nodes.math_block)


def _set_page(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give each formula of a page its MathML."""
    if app.builder.format != "html":
        return
    formulas = [n for n in doctree.findall() if isinstance(n, nodes.math | nodes.math_block)]
    if not formulas:
        return
    elements = translate((node.astext(), _is_displayed(node)) for node in formulas)
    for node, element in zip(formulas, elements, strict=True):
        node["mathml"] = element if _is_displayed(node) else _with_closing(node, element)


def _with_closing(node: nodes.math, element: str) -> str:
    """Hold a formula and the full stop after it together: a browser may break the line between."""
    siblings = node.parent.children
    after = siblings[siblings.index(node) + 1 :][:1]
    closing = _CLOSING.match(after[0]) if after and isinstance(after[0], nodes.Text) else None
    if closing is None:
        return element
    node.parent.replace(after[0], nodes.Text(after[0][closing.end() :]))
    return f'<span class="together">{element}{escape(closing[0])}</span>'


def _visit(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(node["mathml"])
    raise nodes.SkipNode


def _visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    # The theme lets the keyboard reach what is of this class and wider than its place.
    classes = "equation pst-scrollable-table-container"
    self.body.append(self.starttag(node, "div", CLASS=classes))
    self.body.append(node["mathml"])
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (_visit, None), (_visit_block, None))
    app.connect("doctree-resolved", _set_page, priority=900)  # after references are resolved
    return {"parallel_read_safe": True, "parallel_write_safe": True}
