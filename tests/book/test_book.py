"""The book builds without a warning, and every page holds in a real browser."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"], *(page["file"] for part in TOC["parts"] for page in part["chapters"])]


def build(folder, **environment):
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(ROOT)]
    options = ["-W", "--keep-going", "-n", "--all", "--path-output", str(folder)]
    return subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    result = build(folder)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_the_page_holds_in_a_browser(address, open_page, page, width, theme):
    visit = open_page(f"{address}/{page}.html", width=width, theme=theme)
    visit.page.wait_for_function("!window.MathJax || MathJax.startup?.promise", timeout=90_000)
    visit.page.evaluate("window.MathJax?.startup?.promise")
    assert visit.errors == []
    assert visit.foreign == []
    assert visit.page.evaluate("document.documentElement.dataset.theme") == theme
    overflow = visit.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    # What is folded away holds too. The theme looks for what scrolls when the page changes size.
    visit.page.evaluate(
        """() => {
            for (const details of document.querySelectorAll("details")) details.open = true;
            dispatchEvent(new Event("resize"));
        }"""
    )
    visit.page.wait_for_timeout(500)
    # Without preloading: to look for media queries axe would fetch the page's stylesheets again.
    options = {"resultTypes": ["violations"], "preload": False}
    violations = Axe().run(visit.page, options=options).response["violations"]
    assert [(v["id"], [node["target"] for node in v["nodes"]]) for v in violations] == []


def test_the_figures_are_small(book):
    files = [book / "_static" / name for name in ("figures.js", "figures.css")]
    assert sum(file.stat().st_size for file in files) < 150_000


def test_a_fork_opens_the_fork(tmp_path):
    result = build(
        tmp_path,
        GITHUB_SERVER_URL="https://github.com",
        GITHUB_REPOSITORY="teacher/my-class",
    )
    assert result.returncode == 0, result.stderr[-4000:]
    page = (tmp_path / "_build" / "html" / "notebooks" / "01_digits.html").read_text("utf-8")
    assert "mybinder.org/v2/gh/teacher/my-class/" in page
    assert "mybinder.org/v2/gh/cnnlesson/" not in page
