"""The formulas of the built book: what they say, what they are drawn with, and what stands in them.

A formula is compared with its LaTeX by an oracle that knows nothing of either grammar: the symbols
of both, in any order.
"""

import re
import unicodedata
from collections import Counter
from itertools import chain

import pytest
from bs4 import BeautifulSoup
from building import PAGES, ROOT
from fontTools.ttLib import TTFont
from mathematics import translate
from sphinx.errors import ExtensionError

SYMBOLS = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eta": "η", "theta": "θ"},
    **{"kappa": "κ", "mu": "μ", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ"},
    **{"lambda": "λ", "epsilon": "ϵ", "varepsilon": "ε", "Delta": "Δ", "Lambda": "Λ"},
    **{"sum": "∑", "partial": "∂", "nabla": "∇", "infty": "∞", "top": "⊤", "star": "⋆"},
    **{"le": "≤", "ge": "≥", "ne": "≠", "approx": "≈", "propto": "∝", "in": "∈", "times": "×"},
    **{"cdot": "⋅", "pm": "±", "mp": "∓", "dots": "…", "iff": "⇔", "lfloor": "⌊", "rfloor": "⌋"},
    **dict.fromkeys(("lVert", "rVert", "|"), "‖"),
    **dict.fromkeys(("gets", "leftarrow"), "←"),
    **dict.fromkeys(("to", "longrightarrow"), "→"),
    "Longrightarrow": "⇒",
    "%": "%",
    **{name: name for name in ("max", "min", "ln", "cos", "sin", "det", "arg")},
    **{"hat": "ˆ", "dot": "˙", "ddot": "¨", "overline": "¯", "underbrace": "⏟", "binom": "()"},
}
# They set, and say nothing.
SILENT = (
    *("frac", "tfrac", "sqrt", "text", "mathrm", "mathbf", "operatorname", "left", "right"),
    *("bigl", "bigr", "Bigl", "Bigr", "quad", "qquad", "phantom", ",", ";", "!", " ", "\\"),
)
# One symbol has several code points: accents that combine, italic letters, signs.
ALIKE = str.maketrans(
    {"\u0302": "ˆ", "^": "ˆ", "\u0307": "˙", "\u0308": "¨", "−": "-", "∣": "|", "⋯": "…", "’": "'"}
    | {"′": "'"}
)


def of_latex(latex):
    """Return the symbols of a formula in LaTeX."""
    latex = latex.replace(r"\begin{aligned}", "").replace(r"\end{aligned}", "")
    latex = re.sub(r"\\\\\[[^\]]*\]", "", latex)  # how far apart lines stand
    latex = latex.replace(r"\begin{pmatrix}", "(").replace(r"\end{pmatrix}", ")")
    known = {**SYMBOLS, **dict.fromkeys(SILENT, "")}
    plain = re.sub(r"\\([A-Za-z]+|.)", lambda m: known[m[1]], latex)
    return Counter(re.sub(r"[\s{}^_&~]", "", plain).translate(ALIKE))


def of_mathml(element):
    """Return the symbols of a formula in MathML."""
    text = "".join(
        unicodedata.normalize("NFKC", c) if c > "\U0001d3ff" else c  # an italic or a bold letter
        for c in element.get_text()
    )
    return Counter(re.sub(r"[\s⁡⁢]", "", text.translate(ALIKE)))


@pytest.fixture(scope="module")
def formulas(book):
    pages = (book / f"{page}.html" for page in PAGES)
    soups = (BeautifulSoup(page.read_text("utf-8"), "html.parser") for page in pages)
    return list(chain.from_iterable(soup.select("math") for soup in soups))


def test_each_formula_says_what_its_source_says(formulas):
    assert len(formulas) > 1500
    different = [
        (f["alttext"], of_latex(f["alttext"]) - of_mathml(f), of_mathml(f) - of_latex(f["alttext"]))
        for f in formulas
        if of_latex(f["alttext"]) != of_mathml(f)
    ]
    assert different == []


def test_the_font_of_the_book_has_every_symbol(formulas):
    font = TTFont(ROOT / "book" / "_static" / "stix-two-math.woff2")
    assert "MATH" in font  # how far apart things stand
    drawn = set(chain.from_iterable(f.get_text() for f in formulas))
    names = {i.get_text() for f in formulas for i in f.select("mi") if len(i.get_text()) == 1}
    drawn |= {italic(name) for name in names}
    assert {c for c in drawn if ord(c) not in font.getBestCmap() and not c.isspace()} == set()


def italic(letter):
    """Return the code point a browser draws for a name of one letter."""
    name = unicodedata.name(letter, "").replace("LATIN ", "").replace(" LETTER", "")
    name = name.replace("GREEK SMALL LUNATE EPSILON SYMBOL", "EPSILON SYMBOL").replace("GREEK ", "")
    try:
        return unicodedata.lookup(f"MATHEMATICAL ITALIC {name}")
    except KeyError:
        return "ℎ" if letter == "h" else letter


def test_a_bracket_that_is_raised_to_a_power_is_as_tall_as_its_other_half(formulas):
    """Browsers do not stretch it alone under an exponent: `\\bigr)^2`, where `\\right)^2` does."""
    first = [f.select(":is(msup, msub, msubsup) > mo:first-child") for f in formulas]
    assert len(list(chain.from_iterable(first))) > 10
    assert [mo for mo in chain.from_iterable(first) if mo.get("stretchy") == "true"] == []


def test_a_sign_after_a_gap_stands_close_to_what_it_belongs_to():
    [element] = translate([(r"a - b, \quad -s \le a", False)])
    soup = BeautifulSoup(element, "html.parser")
    assert [mo.get("form") for mo in soup.select("mo") if mo.text == "−"] == [None, "prefix"]


def test_no_formula_is_left_in_words(book):
    """What code prints as Markdown, and titles of what is cited, are set too."""
    left = {}
    for path in book.rglob("*.html"):
        soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for part in soup.select("pre, code, script, style, math"):
            part.decompose()
        if found := re.findall(r"\$[^$\n]{1,60}\$", soup.get_text()):
            left[path.name] = found
    assert left == {}


def test_no_line_begins_with_what_closes_after_a_formula(book, formulas):
    closed = [f for f in formulas if re.match(r"[.,:;?!)]", str(f.next_sibling or ""))]
    assert len(closed) > 500
    assert [f["alttext"] for f in closed if f.parent.get("class") != ["together"]] == []
    style = (book / "_static" / "style.css").read_text("utf-8")
    assert re.search(r"\.together\{[^}]*white-space:nowrap", style)


def test_latex_that_is_none_stops_the_build():
    with pytest.raises(ExtensionError, match=r"expected LaTeX that pandoc can translate.*frac"):
        translate([("x^2", False), (r"\frac{1", True)])


def test_markup_in_a_formula_stays_text():
    [element] = translate([(r"a < b \& c", False)])
    found = BeautifulSoup(element, "html.parser").math
    assert found["alttext"] == r"a < b \& c"
    assert found.get_text().startswith("a<")


def test_a_page_with_formulas_asks_for_their_font_at_once(book, open_page):
    """Before its style sheet does, which asks when the page is laid out: nothing moves then."""
    for page in book.rglob("*.html"):
        head, _, body = page.read_text("utf-8").partition("</head>")
        asked, style = head.find("new FontFace("), head.find('rel="stylesheet"')
        assert (0 < asked < style) == ("<math" in body), page
    visit = open_page((book / "notebooks" / "08_bowl.html").as_uri())
    visit.page.wait_for_function(
        "() => [...document.fonts].filter(({ family, status }) =>"
        " family.includes('STIX') && status === 'loaded').length === 2"
    )
    assert visit.errors == []
