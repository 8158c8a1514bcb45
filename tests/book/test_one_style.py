"""One style sheet: what it leaves out, no page needs."""

import re
from pathlib import Path

import figures
import myst_nb
import pydata_sphinx_theme
import pytest
import sphinx_book_theme
import sphinx_copybutton
import sphinx_design
import sphinx_togglebutton
from building import PAGES
from one_style import without_unasked, without_unused, words_of

ORIGINALS = (
    (pydata_sphinx_theme, "**/styles/pydata-sphinx-theme.css"),
    (sphinx_book_theme, "**/styles/sphinx-book-theme.css"),
    (sphinx_design, "**/sphinx-design.min.css"),
    (myst_nb, "static/*.css"),
    (sphinx_togglebutton, "_static/*.css"),
    (sphinx_copybutton, "_static/*.css"),
)
# The browser's own reading of the originals: each selector that matches an element, whatever state
# it is in, must stand in the page's style.
MISSING = r"""(originals) => {
    const selectors = (rules) => [...rules].flatMap((rule) =>
        rule.selectorText ? split(rule.selectorText) : selectors(rule.cssRules ?? []));
    const split = (text) => {
        const parts = [""];
        let depth = 0;
        for (const c of text) {
            depth += (c === "(" || c === "[") - (c === ")" || c === "]");
            if (c === "," && !depth) parts.push("");
            else parts[parts.length - 1] += c;
        }
        return parts.map((part) => part.trim());
    };
    const states = ["-[\\w-]+", "before", "after", "marker", "selection", "placeholder", "backdrop",
        "hover", "active", "focus[\\w-]*", "visited", "target", "disabled", "open", "checked",
        "first-l\\w+", "file-selector-button"];
    const state = new RegExp(`::?(?:${states.join("|")})`, "g");
    const sheets = [...document.styleSheets];
    const here = new Set(sheets.flatMap((sheet) => selectors(sheet.cssRules)));
    const missing = new Set();
    for (const original of originals) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(original);
        for (const selector of selectors(sheet.cssRules)) {
            if (here.has(selector)) continue;
            let found = null;
            const plain = selector.replace(state, "").replace(/(^|[\s>+~])(?=$|[\s>+~])/g, "$1*");
            try { found = document.querySelector(plain); } catch { continue; }
            if (found) missing.add(selector);
        }
    }
    return [...missing];
}"""


@pytest.fixture(scope="module")
def originals():
    files = [file for module, name in ORIGINALS for file in Path(module.__file__).parent.glob(name)]
    assert len(files) >= len(ORIGINALS)
    return [file.read_text("utf-8") for file in files]


@pytest.fixture(scope="module")
def address(book, serve):
    return serve(book)


@pytest.mark.parametrize("page", ["book/intro", "notebooks/06_momentum"])
def test_no_rule_is_missing(address, open_page, originals, page):
    check_style(open_page(f"{address}/{page}.html").page, originals)


@pytest.mark.prove
@pytest.mark.parametrize("page", [*PAGES, "genindex", "py-modindex"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_rule_is_missing_on_any_page(address, open_page, originals, page, width):
    check_style(open_page(f"{address}/{page}.html", width=width).page, originals)


def check_style(page, originals):
    """Compare the page's style with the originals, also with all menus open."""
    menus = page.locator(".dropdown-toggle:visible")
    if menus.count():
        menus.first.click()
        page.locator(".dropdown-menu.show").wait_for()
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog[open]").wait_for()
    missing = page.evaluate(MISSING, originals)
    assert [selector for selector in missing if not re.search(r"\.fa-|\.fas\b", selector)] == []


def test_a_page_waits_for_one_style_sheet_and_no_script(book):
    for page in [*book.rglob("book/*.html"), *book.rglob("notebooks/*.html"), book / "search.html"]:
        head, _, body = page.read_text("utf-8").partition("</head>")
        assert len(re.findall(r'<link rel="stylesheet"', head)) == 1, page
        scripts = re.findall(r"<script\b[^>]*src=[^>]*>", head + body)
        assert scripts, page
        assert [tag for tag in scripts if "defer" not in tag] == [], page
        assert 'rel="preload" as="script"' not in head, page
    assert (book / "_static" / "style.css").stat().st_size < 150_000


def test_what_the_style_names_is_there(book):
    style = (book / "_static" / "style.css").read_text("utf-8")
    named = re.findall(r"url\(\"?(?!\"?data:)([^\")?#]+)", style)
    assert any(name.endswith("stix-two-math.woff2") for name in named)
    assert [
        n for n in named if not n.endswith(".ttf") and not (book / "_static" / n).exists()
    ] == []


def test_a_rule_stays_if_each_class_and_id_may_be_there():
    sheet = """
        .a, .b > p, #i.a, h1:not(.b), .a:is(.b, p) { color: red }
        @media print { .b { color: red } .a::before { color: red } }
        @media screen { .b { color: red } }
        .later { color: red } @font-face { font-family: "F" }
    """
    words = words_of(['<p class="x a" id="i">'], ['add("later")'])
    kept = re.sub(r"\s+", "", without_unused(sheet, words))
    assert kept == (
        ".a,#i.a,h1:not(.b),.a:is(.b,p){color:red}@mediaprint{.a::before{color:red}}"
        '.later{color:red}@font-face{font-family:"F"}'
    )


def test_a_property_stays_if_something_asks_for_it():
    sheet = ":root{--a:1;--b:var(--c);--c:2;--d:3}p{margin:var(--a);--e:4}"
    assert without_unasked(sheet, ['get("--e")']) == ":root{--a:1;}p{margin:var(--a);--e:4}"


def test_the_colours_of_the_figures_are_all_there(book):
    """Scripts put their names together, so that no search finds who asks for them."""
    given = set(re.findall(r"(--[\w-]+)\s*:", figures._stylesheet()))
    assert len(given) > 10
    style = (book / "_static" / "style.css").read_text("utf-8")
    assert given <= set(re.findall(r"(--[\w-]+)\s*:", style))
