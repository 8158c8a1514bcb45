"""The book builds without a warning, and every page holds in a real browser."""

import os
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from urllib.parse import unquote, urldefrag

import figures
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from building import PAGES, ROOT, build
from figure_page import check_by_kind, check_colours, check_rules, check_within, frames
from lightningcss import process_stylesheet

from cnnlesson.widgets.shared.sources import WIDGETS

# Of these elements the theme gives those that scroll a place in the order of the Tab key: it looks
# for them 300 ms after the page changed size. Told so again and again, it sees what came later.
REACHED = """() => {
    dispatchEvent(new Event("resize"));
    return [...document.querySelectorAll(["pre", ".nboutput > .output_area",
        ".cell_output > .output", ".jp-RenderedHTMLCommon", ".pst-scrollable-table-container"])
    ].every((e) => (e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight)
        || e.tabIndex === 0);
}"""
# The fonts are there, and no colour is on its way to another.
AT_REST = """async () => {
    await document.fonts.ready;
    return document.getAnimations().every((animation) => animation.playState !== "running");
}"""


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
def test_no_markup_is_left_in_the_text(book, page):
    text = soup(book, page).select_one("main")
    for code in text.select("pre, code, script"):
        code.decompose()
    assert re.findall(r"`|:::|\$\$|\{\w[\w-]*\}|^:\w[\w-]*:.*", text.get_text(), re.MULTILINE) == []


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
    """Return ``open_whole(page, width, theme) -> visit``: all unfolded."""

    def open_whole(page, width, theme):
        # With less motion, as its reader may ask, no colour is on its way when the theme changes.
        options = {"reduced_motion": "reduce"}
        visit = open_page(f"{address}/{page}.html", width=width, theme=theme, **options)
        visit.page.evaluate(
            "() => document.querySelectorAll('details').forEach((e) => { e.open = true; })"
        )
        check_screen(visit.page, theme)
        visit.page.wait_for_function(REACHED, polling=1000)
        return visit

    return open_whole


def check_screen(page, theme):
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    page.wait_for_function(AT_REST)
    check_within(page)


SEEN = [(page, *((1280, "light"), (390, "dark"))[i % 2]) for i, page in enumerate(PAGES)]


@pytest.mark.parametrize(("page", "width", "theme"), SEEN)
def test_the_page_holds_in_a_browser(open_whole, page, width, theme):
    visit = open_whole(page, width, theme)
    check_by_kind(visit.page)
    # In the other theme only the colours are others.
    other = "dark" if theme == "light" else "light"
    visit.page.emulate_media(color_scheme=other)
    check_screen(visit.page, other)
    check_colours(visit.page)
    visit.page.set_viewport_size({"width": 1280 + 390 - width, "height": 900})
    frames(visit.page)
    check_within(visit.page)
    assert visit.errors == []
    assert visit.foreign == []


@pytest.mark.prove
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_every_word_of_the_page_holds(open_whole, page, width, theme):
    visit = open_whole(page, width, theme)
    check_rules(visit.page, Axe())
    assert visit.errors == []
    assert visit.foreign == []


def test_the_figures_are_small(book):
    """Script and style of all of them, and of whatever page of the book loads most.

    Not counted are the weights of a network, what is fetched when somebody trains one, opens the
    menu of a figure or reads a value off, and what two pages have that show no figure: the way
    through the book, and the reader's record.
    """
    scripts = [*(book / "_static").glob("figure*.js")]
    others = {"figure_paths", "figure_reader_record"}
    sizes = [path.stat().st_size for path in scripts if path.stem not in others]
    assert len(sizes) == len(scripts) - 2
    own = [WIDGETS / name / f"{name}.css" for name in ("paths", "reader_record")]
    style = len(figures._stylesheet()) - sum(
        len(process_stylesheet(path.read_text("utf-8"), minify=True)) for path in own
    )
    assert sum(sizes) + style < 170_000
    loads = {}
    for page in book.rglob("*.html"):
        names = set(re.findall(r"/(figures?(?:_\w+)?\.(?:js|css))", page.read_text("utf-8")))
        loads[page.stem] = sum((book / "_static" / name).stat().st_size for name in names)
    assert loads.pop("record") < 92_000  # it judges again by the measures of several figures
    assert 50_000 < max(loads.values()) < 80_000


@pytest.mark.prove
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


def test_everything_that_the_book_carries_has_a_licence(book):
    text = (ROOT / "book" / "licences.md").read_text("utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if line.startswith("| ")]
    patterns = [pattern for row in rows for pattern in re.findall(r"`(\S+)`", row)]
    files = [p.relative_to(book).as_posix() for p in book.rglob("*") if p.is_file()]
    named = {file: [p for p in patterns if fnmatchcase(file, p)] for file in files}
    assert [file for file in files if not named[file]] == []
    assert set(patterns) == set(chain.from_iterable(named.values())), "a row without a file"


@pytest.mark.skipif(not shutil.which("make") or os.name != "posix", reason="no make, or no umask")
def test_a_server_of_another_user_may_read_what_make_builds(tmp_path):
    """The last step of the recipe, on files as a umask of 077 leaves them."""
    listed = subprocess.run(
        ["make", "--dry-run", "--always-make", "--no-print-directory", "build"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    file = tmp_path / "_build" / "html" / "book" / "intro.html"
    file.parent.mkdir(parents=True, mode=0o700)
    file.touch(mode=0o600)
    subprocess.run(listed.stdout.splitlines()[-1], shell=True, cwd=tmp_path, check=True)
    assert file.stat().st_mode & 0o777 == 0o644
    assert all(folder.stat().st_mode & 0o005 == 0o005 for folder in list(file.parents)[:2])


@pytest.mark.prove
def test_a_build_of_an_unchanged_tree_gives_the_same_files(book, tmp_path):
    """Whatever the order of sets, which Python draws anew each time, and whatever the time is."""
    build(ROOT, ["-W", "--keep-going", "-n"], tmp_path, PYTHONHASHSEED="1")
    again = tmp_path / "_build" / "html"
    first, second = (
        {p.relative_to(top): p.read_bytes() for p in top.rglob("*") if p.is_file()}
        for top in (book, again)
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
