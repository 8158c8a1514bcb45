"""The built pages hold what a reader sees, and little else."""

import json
import re
from base64 import b64decode
from io import BytesIO
from itertools import chain

import numpy as np
import pytest
from bs4 import BeautifulSoup
from building import PAGES, ROOT
from fontTools.ttLib import TTFont
from lean import STRINGS
from PIL import Image


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


def test_all_parts_of_a_string_have_one_colour(book):
    style = (book / "_static" / "style.css").read_text("utf-8")
    for theme in ("light", "dark"):
        start = f"html[data-theme={theme}] .highlight ."
        rules = re.findall(r"([^{}]+)\{([^{}]*)\}", style)
        named = [
            (start + part, names.split(","), look) for part in STRINGS for names, look in rules
        ]
        looks = {look for name, names, look in named if name in names}
        assert len(looks) == 1, theme


def test_the_pages_are_light(book, soups):
    # Figures bring some three hundred more when they stand: with them 12,000 and 6,000.
    most = {"notebooks/08_bowl": 11_400}
    counts = {page: len(soup.find_all(True)) for page, soup in soups.items()}
    assert {p: count for p, count in counts.items() if count >= most.get(p, 5680)} == {}
    assert sum(file.stat().st_size for file in book.rglob("*") if file.is_file()) < 15_000_000
    assert [file for file in book.rglob("*") if "thebe" in file.name or file.suffix == ".map"] == []


def test_a_notebook_to_take_along_has_the_pixels_of_the_stored_one(book):
    notebooks = [book / "_sources", ROOT]
    stored, given = (
        [
            output["data"]
            for cell in json.loads((f / "notebooks" / "01_digits.ipynb").read_text("utf-8"))[
                "cells"
            ]
            for output in cell.get("outputs", [])
            if "image/png" in output.get("data", {})
        ]
        for f in reversed(notebooks)
    )
    assert len(stored) > 5
    for one, other in zip(stored, given, strict=True):
        assert one.keys() == other.keys()
        pictures = [Image.open(BytesIO(b64decode(data["image/png"]))) for data in (one, other)]
        assert np.array_equal(*(picture.convert("RGB") for picture in pictures))
        assert pictures[0].size == pictures[1].size
