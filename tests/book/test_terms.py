"""Terms at their first use: linked, explained to mouse, keyboard and finger, in every chapter."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup
from building import PAGES
from figure_page import check_by_kind, check_within
from playwright.sync_api import expect
from terms import ONLY_IN, pattern_of

CHAPTERS = [page for page in PAGES if page.split("/")[-1][0].isdigit()]
# What learners look for, whether a chapter has the word or not.
LOOKED_FOR = (
    *("overfitting", "hyperparameter", "backpropagation", "heavy ball", "Nesterov", "Adam"),
    *("dead ReLU", "epoch", "logits", "condition number", "validation set", "macro average"),
)
NO_PROSE = (
    ".dropdown, .equation, math, code, pre, table, .cnnlesson-figure, svg, figcaption, "
    ".admonition-title, "
    ".tag_hide-cell, .tag_hide-output"
)


def soup(book, page):
    return BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def glossary(book):
    """Return the terms of the built glossary, by their places."""
    terms = soup(book, "book/glossary").select("dl.glossary dt[id]")
    return {term["id"]: term.contents[0].strip() for term in terms}


def test_the_glossary_has_what_is_looked_for_in_order(glossary):
    names = list(glossary.values())
    assert set(LOOKED_FOR) <= set(names)
    assert names == sorted(names, key=str.lower)


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_first_use_of_each_term_is_linked(book, glossary, page):
    """Read from the page, not from what the page is made of."""
    article = soup(book, page).select_one("article")
    for other in article.select(NO_PROSE):
        other.decompose()
    only_in = yaml.safe_load(ONLY_IN.read_text("utf-8"))
    wanted = {
        place: name
        for place, name in glossary.items()
        if int(page.split("/")[1][:2]) in only_in.get(name, range(1, 13))
    }
    linked = {}
    text = ""
    for paragraph in article.select("p:not(.so-far)"):
        for part in paragraph.descendants:
            if not isinstance(part, str):
                continue
            link = part.find_parent("a")
            if link and "term" in link.get("class", ()):
                linked.setdefault(link["href"].partition("#")[2], len(text))
            # What is linked elsewhere, or is a longer term's part, is no use of its own.
            text += "·" * len(part) if link else part
        text += "¶"
    assert len(linked) >= 9
    assert set(linked) <= set(wanted)
    for place, name in wanted.items():
        one = re.escape(name[1:]).replace(r"\ ", r"\s+")
        first = f"[{name[0]}{name[0].upper()}]"
        used = re.search(rf"(?<![\w-]){first}{one}(?:e?s)?(?![\w-])", text)
        if used and not (name == "logits" and place in linked):
            assert place in linked, f"{name}: {text[used.start() - 30 : used.end() + 20]!r}"
            # Or the paragraph has the chapter's own link to it.
            assert "¶" not in text[used.start() : linked[place]], name


def test_exceptions_are_terms_and_chapters(glossary):
    only_in = yaml.safe_load(ONLY_IN.read_text("utf-8"))
    assert set(only_in) <= set(glossary.values())
    for chapters in only_in.values():
        assert set(chapters) < set(range(1, 13))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Batches of 32", "Batches"),
        ("a batch sharpness", "batch sharpness"),
        ("one logit", "logit"),
        ("the\nbatch\nsharpness", "batch\nsharpness"),
        ("it standardised pixels", "standardised"),
        ("a mini-batch", None),
        ("batched", None),
        ("rebatch", None),
        ("the biases", "biases"),
        ("relu", None),
    ],
)
def test_a_term_is_found_in_its_forms_the_longest_first(text, found):
    terms = ["batch", "batch sharpness", "logits", "standardise", "bias", "ReLU"]
    match = pattern_of(terms).search(text)
    assert (match and match[0]) == found


def test_each_meaning_is_the_glossarys_and_holds_no_link(book, glossary):
    script = (book / "_static" / "terms.js").read_text("utf-8")
    assert len(script) < 16_000
    assert "<a " not in script
    for place in glossary:
        assert f'"{place}":' in script
    assert '"term-epoch":"<p>One pass over all training images.</p>"' in script
    assert "<math" in script


@pytest.fixture
def open_chapter(book, serve, open_page):
    def open_chapter(width=1280, theme="light", host="file", **options):
        address = book.as_uri() if host == "file" else serve(book)
        visit = open_page(f"{address}/notebooks/04_training.html", width, theme, **options)
        visit.page.evaluate("scrollTo(0, 0)")
        return visit

    return open_chapter


def first_term(page):
    return page.locator("a.term").first


MEANING = "Exponentiate the logits and divide by the sum: positive numbers that sum to 1."


def test_a_mouse_that_rests_sees_the_meaning_and_may_rest_on_it(open_chapter):
    visit = open_chapter()
    page = visit.page
    tip = page.get_by_role("tooltip")
    expect(tip).to_have_count(0)
    first_term(page).hover()
    expect(tip).to_have_text(MEANING)
    tip.hover()
    page.wait_for_timeout(400)
    expect(tip).to_be_visible()
    check_by_kind(page, context=".meaning")
    page.mouse.move(5, 5)
    expect(tip).to_have_count(0)
    first_term(page).click()
    assert page.url.endswith("glossary.html#term-softmax")
    assert visit.errors == []


def test_the_keyboard_reads_it_and_escapes(open_chapter):
    page = open_chapter(host="server").page
    first_term(page).focus()
    expect(page.get_by_role("tooltip")).to_have_text(MEANING)
    assert first_term(page).evaluate("(e) => e.getAttribute('aria-describedby')") == "meaning"
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_contain_text("−ln")
    page.evaluate("document.activeElement.blur()")
    expect(page.get_by_role("tooltip")).to_have_count(0)
    expect(page.locator("[aria-describedby=meaning]")).to_have_count(0)


def test_a_tap_shows_it_and_a_second_one_leads_on(open_chapter):
    visit = open_chapter(390, "dark", has_touch=True, is_mobile=True)
    page = visit.page
    first_term(page).tap()
    tip = page.get_by_role("tooltip")
    expect(tip).to_have_text(MEANING)
    assert page.url.endswith("04_training.html")
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    check_within(page)
    check_by_kind(page, context=".meaning")
    page.locator("article h1").tap()
    expect(tip).to_have_count(0)
    for term in page.locator("a.term").all()[:6]:
        term.tap()
        expect(tip).to_be_visible()
        check_within(page)
        page.keyboard.press("Escape")
    first_term(page).tap()
    first_term(page).tap()
    page.wait_for_url("**/glossary.html#term-softmax")
    assert visit.errors == []
