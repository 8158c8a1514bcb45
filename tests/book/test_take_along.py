"""The whole book as one file: an archive that opens from disk, and a PDF."""

import re
import shutil

import pytest
import yaml
from bs4 import BeautifulSoup
from building import PAGES, ROOT
from figure_page import drag_slider
from take_along import make_pdf, make_zip, on_one_page, pages_in_order


@pytest.fixture(scope="module")
def whole(book):
    return BeautifulSoup(on_one_page(book), "html.parser")


def test_it_has_every_page_in_order(whole):
    assert pages_in_order() == PAGES
    chapters = [section.h1.get_text() for section in whole.select("section.chapter")]
    assert len(chapters) == len(PAGES) + 1
    assert [title.split(".")[0] for title in chapters[1:13]] == [str(i) for i in range(1, 13)]
    assert chapters[-1] == "Solutions"
    assert len(whole.select(".contents a")) == len(PAGES)


def test_its_links_and_pictures_lead_somewhere(whole, book):
    places = [element["id"] for element in whole.select("[id]")]
    assert len(places) == len(set(places))
    links = [link["href"] for link in whole.select("a[href]")]
    inside = [link for link in links if link.startswith("#")]
    assert len(inside) > 400
    assert {link.removeprefix("#") for link in inside} <= set(places)
    assert all(link.startswith(("#", "http", "mailto:")) for link in links)
    pictures = [image["src"] for image in whole.select("img")]
    assert len(pictures) > 80
    assert [name for name in pictures if not (book / name).exists()] == []


def test_all_is_unfolded_and_every_figure_is_a_picture_and_a_sentence(whole):
    assert all(fold.has_attr("open") for fold in whole.select("details"))
    figures = whole.select(".cnnlesson-figure")
    assert len(figures) > 20
    asks = ("question", "prediction", "paths", "reader_record")  # they are words
    drawn = [figure for figure in figures if figure["data-module"] not in asks]
    assert len(drawn) > 20
    for figure in drawn:
        assert figure.select_one("svg[role=img]")
        assert len(figure.select_one("p").get_text()) > 40
    assert all(figure.select_one("p").get_text().strip() for figure in figures)
    assert whole.select("script, button, iframe") == []


def test_solutions_stand_at_the_end(whole):
    *chapters, solutions = whole.select("section.chapter")
    count = len(solutions.select(".tag_hide-cell"))
    assert count > 30
    assert not any(chapter.select(".tag_hide-cell") for chapter in chapters)
    assert len(whole.select(".to-solution a")) == count


def test_the_archive_opens_from_disk_with_its_figures_alive(book, tmp_path, open_page):
    make_zip(book, tmp_path / "book.zip")
    shutil.unpack_archive(tmp_path / "book.zip", tmp_path)
    visit = open_page((tmp_path / "html" / "book" / "intro.html").as_uri())
    figure = visit.page.locator(".momentum-explorer.is-live")
    figure.wait_for()
    before = figure.locator("path.momentum").first.get_attribute("d")
    drag_slider(visit.page, "momentum", 0.3)
    visit.page.wait_for_function(
        "(d) => document.querySelector('.is-live path.momentum').getAttribute('d') !== d",
        arg=before,
    )
    visit.page.get_by_role("link", name="The digits").first.click()
    visit.page.locator(".bd-article h1", has_text="The digits").wait_for()
    assert visit.errors == []


def test_the_book_that_is_published_has_both():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text("utf-8"))
    steps = [step.get("run", "") for step in workflow["jobs"]["book"]["steps"]]
    made = next(i for i, step in enumerate(steps) if "take_along.py pdf" in step)
    assert "take_along.py zip" in steps[made]
    assert steps[made + 1] == "mv _build/book.zip _build/book.pdf _build/html"


def test_the_intro_offers_both(book):
    text = (book / "book" / "intro.html").read_text("utf-8")
    for name in ("book.pdf", "book.zip"):
        assert re.search(rf'href="https://[\w.-]+/[\w-]+/{name}"', text)


@pytest.mark.prove
def test_the_pdf_has_pages_an_outline_links_and_its_fonts(book, tmp_path):
    make_pdf(book, tmp_path / "book.pdf")
    pdf = (tmp_path / "book.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 150
    assert pdf.count(b"/Outlines") > 0
    assert len(re.findall(rb"/Title ", pdf)) > 200
    assert len(re.findall(rb"/Subtype /Link", pdf)) > 400
    fonts = re.findall(rb"/Type /FontDescriptor.*?>>", pdf, re.DOTALL)
    assert any(b"STIXTwoMath" in font for font in fonts)
    assert all(b"/FontFile" in font or b"Type3" in font for font in fonts)
    assert not (book / "_whole_book.html").exists()
