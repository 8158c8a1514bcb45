"""The book builds without a warning, and every page holds in a real browser."""

import os
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"], *(page["file"] for part in TOC["parts"] for page in part["chapters"])]


# Of these elements the theme gives those that scroll a place in the order of the Tab key.
REACHED = """() => [...document.querySelectorAll(["pre", ".nboutput > .output_area",
    ".cell_output > .output", ".jp-RenderedHTMLCommon", ".pst-scrollable-table-container"])].every(
    (e) => (e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight)
        || e.tabIndex === 0)"""
# Contrast is a matter of style. Of all words with the same tags, classes, colours and sizes, up to
# the root, axe-core needs to see one: a page has thousands, and it takes milliseconds for each.
FIRST_OF_THEIR_KIND = """() => {
    const numbers = new Map(), kinds = new Map([[null, 0]]), seen = new Set();
    for (const element of document.querySelectorAll("*")) {
        const style = getComputedStyle(element);
        const look = [kinds.get(element.parentElement), element.tagName,
            element.getAttribute("class"), style.color, style.backgroundColor,
            style.backgroundImage, style.opacity, style.filter, style.fontSize,
            style.fontWeight].join("|");
        if (!numbers.has(look)) numbers.set(look, numbers.size + 1);
        const kind = numbers.get(look);
        kinds.set(element, kind);
        element.removeAttribute("data-first-of-its-kind");
        const isRead = element.matches("input, select, textarea") ||
            [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!isRead || seen.has(kind) || !element.checkVisibility()) continue;
        seen.add(kind);
        element.setAttribute("data-first-of-its-kind", "");
    }
    return seen.size;
}"""
CONTRAST_BY_KIND = Axe(
    Axe().axe_script
    + """; axe.configure({ rules: [
        { id: "color-contrast", selector: "[data-first-of-its-kind]" }] });"""
)


def build(source, options, folder, **environment):
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(source), "--all"]
    result = subprocess.run(
        [*command, *options, "--path-output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]


@pytest.fixture(scope="session")
def book(build_once):
    folder = build_once("book", partial(build, ROOT, ["-W", "--keep-going", "-n"]))
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def address(book, serve):
    return serve(book)


def soup(book, page):
    return BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")


@cache
def places_in(file):
    """Return what a link into this page can point at."""
    page = BeautifulSoup(file.read_text("utf-8"), "html.parser")
    return {element["id"] for element in page.find_all(id=True)}


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_book_lead_somewhere(book, page):
    here = book / f"{page}.html"
    for link in soup(book, page).select("main a[href]"):
        target, fragment = urldefrag(unquote(link["href"]))
        if ":" in target.split("/")[0]:
            continue
        file = (here.parent / target).resolve() if target else here
        assert file.exists(), link
        if fragment and file.suffix == ".html":
            assert fragment in places_in(file), link


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_has_a_text(book, page):
    for image in soup(book, page).select("main img"):
        assert image.get("alt", "").strip(), image
        assert not image["alt"].startswith("../_images"), image


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("notebooks/")])
def test_a_chapter_can_be_launched(book, page):
    links = [link["href"] for link in soup(book, page).select("a[href]")]
    url = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["url"]
    owner = url.removeprefix("https://github.com/")
    assert any(link.startswith(f"https://mybinder.org/v2/gh/{owner}/") for link in links)
    assert any(
        link.startswith("https://colab.research.google.com/")
        and link.endswith(f"{owner}/blob/main/{page}.ipynb")
        for link in links
    )


@pytest.fixture
def open_whole(address, open_page):
    """Return ``open_whole(page, width, theme) -> visit``: all typeset, all unfolded."""

    def open_whole(page, width, theme):
        visit = open_page(f"{address}/{page}.html", width=width, theme=theme)
        visit.page.wait_for_function("!window.MathJax || MathJax.startup?.promise", timeout=90_000)
        visit.page.evaluate("window.MathJax?.startup?.promise")
        assert visit.errors == []
        assert visit.foreign == []
        check_screen(visit.page, theme)
        # The theme looks for what scrolls when the page changes size.
        visit.page.evaluate(
            """() => {
                for (const details of document.querySelectorAll("details")) details.open = true;
                dispatchEvent(new Event("resize"));
            }"""
        )
        visit.page.wait_for_function(REACHED)
        return visit

    return open_whole


def check_screen(page, theme):
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0


def check_rules(page, axe, **rules):
    # Without preloading: to look for media queries axe would fetch the page's stylesheets again.
    options = {"resultTypes": ["violations"], "preload": False, **rules}
    violations = axe.run(page, options=options).response["violations"]
    assert [(v["id"], [node["target"] for node in v["nodes"]]) for v in violations] == []


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("page", PAGES)
def test_the_page_holds_in_a_browser(open_whole, page, width, theme):
    visit = open_whole(page, width, theme)
    # In the other theme only the colours are others.
    contrast = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    for seen, rules in ((theme, {}), ("dark" if theme == "light" else "light", contrast)):
        visit.page.emulate_media(color_scheme=seen)
        check_screen(visit.page, seen)
        assert visit.page.evaluate(FIRST_OF_THEIR_KIND) > 10
        check_rules(visit.page, CONTRAST_BY_KIND, **rules)
    assert visit.errors == []
    assert visit.foreign == []


@pytest.mark.prove
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_every_word_of_the_page_holds(open_whole, page, width, theme):
    check_rules(open_whole(page, width, theme).page, Axe())


def test_the_figures_are_small(book):
    files = [book / "_static" / name for name in ("figures.js", "figures.css")]
    assert sum(file.stat().st_size for file in files) < 170_000


def test_a_fork_opens_the_fork(tmp_path):
    """One chapter is enough: where its buttons lead, the configuration says."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "book", source / "book")
    (source / "notebooks").mkdir()
    for name in ("_config.yml", "notebooks/01_digits.ipynb"):
        shutil.copy(ROOT / name, source / name)
    # The extensions look for the figures beside them.
    (source / "cnnlesson").symlink_to(ROOT / "cnnlesson")
    (source / "_toc.yml").write_text("{format: jb-book, root: notebooks/01_digits}")
    fork = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "teacher/my-class"}
    build(source, [], tmp_path, **fork)
    page = (tmp_path / "_build" / "html" / "notebooks" / "01_digits.html").read_text("utf-8")
    assert "mybinder.org/v2/gh/teacher/my-class/" in page
    assert "mybinder.org/v2/gh/cnnlesson/" not in page
