"""What a chapter of the built book asks: hidden until it is answered, and walked by a learner."""

import json

import pytest
from bs4 import BeautifulSoup
from building import PAGES
from playwright.sync_api import expect
from test_questions import candidates

CHAPTERS = [page for page in PAGES if page.split("/")[-1][0].isdigit()]
WALKED = "notebooks/06_momentum"


def page_of(book, page):
    return BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")


def asked_on(soup, module):
    figures = soup.select(f"[data-module={module}]")
    return [json.loads(figure["data-state"])["_data"] for figure in figures]


@pytest.mark.parametrize("page", CHAPTERS)
def test_what_is_said_to_an_answer_is_not_in_the_text_before(book, page):
    soup = page_of(book, page)
    for folded in soup.select("details"):  # the old questions' answers
        folded.decompose()
    text = soup.get_text()
    found = asked_on(soup, "question")
    assert len(found) >= 5
    for question in found:
        said = [question["because"], question.get("otherwise"), *question.get("words", [])]
        said += [words for _, words in question.get("wrong", [])]
        for words in filter(None, said):
            assert words.replace("`", "") not in text, question["name"]
        assert question["prompt"].replace("`", "") in text


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_question_leads_to_a_place_of_its_page(book, page):
    soup = page_of(book, page)
    places = {element["id"]: element for element in soup.select("[id]")}
    for question in asked_on(soup, "question"):
        heading = places[question["place"]["id"]].select_one("h2, h3")
        title = question["place"]["title"].replace("`", "")
        assert title in heading.get_text(), question["name"]


def figure(page, module, i):
    """Return a figure of the page, come near: it may wait for that to be set up."""
    there = page.locator(f"[data-module={module}]").nth(i)
    there.scroll_into_view_if_needed()
    live = there.locator(".is-live")
    live.wait_for()
    return live


def give(asked, answer):
    """Answer a question as a learner would: by typing, or by pressing what it says."""
    if asked.get_by_role("textbox").count():
        asked.get_by_role("textbox").fill(answer)
        asked.get_by_role("button", name="Check").click()
        return
    for words in [answer] if isinstance(answer, str) else answer:
        asked.get_by_role("button").filter(has_text=words.replace("`", "").strip()).click()


def test_a_learner_walks_through_a_chapter_and_comes_back_the_next_day(book, open_page):
    """Predicts wrong, reads the truth, answers wrong, reads why, answers right."""
    visit = open_page((book / f"{WALKED}.html").as_uri(), 390, "dark")
    page = visit.page
    soup = page_of(book, WALKED)
    longer, limit = (figure(page, "prediction", i) for i in range(2))
    expect(figure(page, "prediction", 2)).to_contain_text("You made no prediction.")
    longer.scroll_into_view_if_needed()
    longer.get_by_role("slider").fill("2")
    longer.get_by_role("button", name="Keep this prediction").click()
    limit.get_by_role("button", name="lower").click()
    told = ["You said 2.0; it is 10.0.", "You said “lower”; it is “higher”."]
    for i, words in enumerate(told, start=2):
        expect(figure(page, "prediction", i).locator(".beside")).to_have_text(words)
    for i, question in enumerate(asked_on(soup, "question")):
        right, wrong, *_ = candidates(question)
        asked = figure(page, "question", i)
        reply = asked.get_by_role("status").last
        give(asked, wrong)
        expect(reply).to_contain_text("Not yet.")
        expect(reply.get_by_role("link")).to_have_text(question["place"]["title"])
        if question["kind"] == "order":
            asked.get_by_role("button", name="Start over").click()
        give(asked, right)
        expect(reply).to_have_text(f"Right. {question['because']}".replace("`", ""))
    page.reload()
    for i, words in enumerate(told, start=2):
        expect(figure(page, "prediction", i).locator(".beside")).to_have_text(words)
    for i in range(len(asked_on(soup, "question"))):
        expect(figure(page, "question", i).get_by_role("status").last).to_contain_text("Right.")
    assert visit.errors == []
    assert visit.foreign == []
