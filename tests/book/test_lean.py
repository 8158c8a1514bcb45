"""The built pages hold what a reader sees, and little else."""

import re
from itertools import chain

import pytest
from bs4 import BeautifulSoup
from building import PAGES
from fontTools.ttLib import TTFont


@pytest.fixture(scope="module")
def soups(book):
    return {
        page: BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")
        for page in PAGES
    }


def test_every_icon_that_a_page_names_can_be_drawn(book, soups):
    static = book / "_static"
    style = (static / "style.css").read_text("utf-8")
    fonts = [TTFont(file).getBestCmap() for file in static.rglob("webfonts/*.woff2")]
    drawn = set(chain.from_iterable(fonts))
    icons = list(chain.from_iterable(soup.select("i[class*=fa-]") for soup in soups.values()))
    assert len(icons) > 200
    sizes = {"fa-solid", "fa-brands", "fa-regular", "fa-lg"}
    for name in {name for i in icons for name in i["class"] if name.startswith("fa-")} - sizes:
        [sign] = re.findall(rf"\.{name}:before[^{{}}]*\{{content:\"(.)\"", style)
        assert ord(sign) in drawn, name
    # What the style puts before a note's title.
    assert {ord(c) for c in style if "\ue000" <= c <= "\uf8ff"} <= drawn
    assert sum(file.stat().st_size for file in static.rglob("webfonts/*")) < 10_000


def test_the_pages_are_light(book, soups):
    most = {"notebooks/08_bowl": 12_000}
    counts = {page: len(soup.find_all(True)) for page, soup in soups.items()}
    assert {p: count for p, count in counts.items() if count >= most.get(p, 6000)} == {}
    assert sum(file.stat().st_size for file in book.rglob("*") if file.is_file()) < 15_000_000
    assert [file for file in book.rglob("*") if "thebe" in file.name or file.suffix == ".map"] == []
