"""How the book is found: descriptions, cards, the search, and the page for the lost."""

import re
from html import unescape
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from building import PAGES, ROOT
from PIL import Image
from playwright.sync_api import expect
from search_words import WORDS

SITE = "https://cnnlesson.github.io/cnnlesson/"
# What a learner types, and the chapter that explains it.
LEADS_TO = {
    "in_features": "03_shapes",
    "learning rate": "09_conventions",
    "heavy ball": "08_bowl",
    "receptive field": "03_shapes",
    "dead relu": "11_why_it_diverged",
    "diverge": "11_why_it_diverged",
    "mat1 and mat2": "03_shapes",
    "nesterov": "09_conventions",
    "softmax twice": "04_training",
    "adam": "12_going_further",
    "overfitting": "04_training",
    "hyperparameter": "10_map",
    "backpropagation": "04_training",
    "cnn": "02_convolution",
}


@pytest.fixture(scope="module")
def heads(book):
    heads = {}
    for page in PAGES:
        soup = BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")
        metas = soup.select("head meta[content]")
        heads[page] = {m.get("name") or m.get("property"): unescape(m["content"]) for m in metas}
        heads[page]["canonical"] = soup.select_one("link[rel=canonical]")["href"]
        heads[page]["icon"] = soup.select_one("link[rel=icon]")["href"]
    return heads


def test_each_page_is_described_in_its_own_words(heads, book):
    told = [head["description"] for head in heads.values()]
    assert len(set(told)) == len(PAGES)
    for text in told:
        assert 20 < len(text) <= 155, text
        assert not re.search(r"[<>\\{}$`]", text), text


def test_lists_and_forms_are_described_as_well(book):
    for page in ("404", "genindex", "search"):
        soup = BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")
        [told] = soup.select("head meta[name=description]")
        assert told["content"].endswith(": One network, one idea")


def test_each_page_has_an_address_and_a_card_with_its_own_picture(heads, book):
    cards = []
    for page, head in heads.items():
        assert head["canonical"] == head["og:url"] == f"{SITE}{page}.html"
        assert head["og:description"] == head["description"]
        file = book / head["og:image"].removeprefix(SITE)
        with Image.open(file) as card:
            assert card.size == (800, 420)
            cards.append(card.convert("RGB").tobytes())
        assert (book / page).parent.joinpath(head["icon"]).exists()
    assert len(set(cards)) == len(PAGES)


def test_the_list_of_pages_names_each(book):
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
    listed = [e.text for e in ElementTree.parse(book / "sitemap.xml").iter(name)]
    assert {f"{SITE}{page}.html" for page in PAGES} <= set(listed)
    assert all((book / place.removeprefix(SITE)).exists() for place in listed)
    assert f"Sitemap: {SITE}sitemap.xml" in (book / "robots.txt").read_text("utf-8")


def test_the_root_leads_to_the_first_page_and_is_shared_as_the_book(book, heads, open_page):
    soup = BeautifulSoup((book / "index.html").read_text("utf-8"), "html.parser")
    metas = {m.get("name") or m.get("property"): m["content"] for m in soup.select("meta[content]")}
    first = heads["book/intro"]
    for name in ("description", "og:url", "og:image"):
        assert metas[name] == first[name]
    assert "Momentum rolls down a narrow valley." in metas["description"]
    assert (book / soup.select_one("link[rel=icon]")["href"]).exists()
    visit = open_page((book / "index.html").as_uri())
    visit.page.wait_for_url("**/book/intro.html")
    assert visit.errors == []


def test_a_lost_reader_can_search(book, serve, open_page, tmp_path):
    (tmp_path / "cnnlesson").symlink_to(book)
    address = serve(tmp_path)
    visit = open_page(f"{address}/cnnlesson/404.html")
    visit.page.locator("article form input").fill("momentum")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#search-results li").first).to_be_visible()
    assert visit.errors == []


def test_the_search_leads_to_the_right_chapter_and_shows_sentences(book, serve, open_page):
    address = serve(book)
    visit = open_page(f"{address}/search.html")
    for words, chapter in LEADS_TO.items():
        visit.page.goto(f"{address}/search.html?q={words.replace(' ', '+')}")
        results = visit.page.locator("#search-results li")
        results.first.locator("p.context").wait_for()
        links = results.locator("a").evaluate_all("(all) => all.map((a) => a.href)")
        assert any(chapter in link for link in links[:3]), (words, links[:3])
        excerpt = results.first.locator("p.context").inner_text()
        assert re.match(r"[A-Z“‘(0-9]", excerpt), excerpt
        assert not re.search(r"\\\w|\$|\n|import |Contents", excerpt), excerpt
    assert visit.errors == []


def test_the_index_names_pages_that_are_there(book):
    index = yaml.safe_load(WORDS.read_text("utf-8"))
    places = {place for places in index.values() for place in places}
    assert {place.partition("#")[0] for place in places} <= set(PAGES)
    assert set(index) >= set(LEADS_TO)
    assert SITE in (ROOT / "README.md").read_text("utf-8")
