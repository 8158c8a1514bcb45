"""What a chapter of the built book asks: hidden until it is answered, and walked by a learner."""

import json
from itertools import pairwise

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


def give(figure, answer):
    """Answer a question as a learner would: by typing, or by pressing what it says."""
    if figure.get_by_role("textbox").count():
        figure.get_by_role("textbox").fill(answer)
        figure.get_by_role("button", name="Check").click()
        return
    for words in [answer] if isinstance(answer, str) else answer:
        figure.get_by_role("button").filter(has_text=words.replace("`", "").strip()).click()


def test_a_learner_walks_through_a_chapter_and_comes_back_the_next_day(book, open_page):
    """Predicts wrong, reads the truth, answers wrong, reads why, answers right."""
    visit = open_page((book / f"{WALKED}.html").as_uri(), 390, "dark")
    page = visit.page
    live = page.locator(".asking.is-live")
    live.last.wait_for()
    soup = page_of(book, WALKED)
    asked = [p for p in asked_on(soup, "prediction") if "truth" not in p]
    count = 2 * len(asked)
    figures = [live.nth(i) for i in range(live.count())]
    beside = page.locator(".beside")
    expect(beside.first).to_contain_text("You made no prediction.")
    longer, limit = figures[:2]
    longer.get_by_role("slider").fill("2")
    longer.get_by_role("button", name="Keep this prediction").click()
    limit.get_by_role("button", name="lower").click()
    told = ["You said 2.0; it is 10.0.", "You said “lower”; it is “higher”."]
    expect(beside).to_have_text(told)
    questions = asked_on(soup, "question")
    answers = [candidates(question) for question in questions]
    for figure, question, (right, wrong, *_) in zip(
        figures[count:], questions, answers, strict=True
    ):
        reply = figure.get_by_role("status").last
        give(figure, wrong)
        expect(reply).to_contain_text("Not yet.")
        expect(reply.get_by_role("link")).to_have_text(question["place"]["title"])
        if question["kind"] == "order":
            figure.get_by_role("button", name="Start over").click()
        give(figure, right)
        expect(reply).to_have_text(f"Right. {question['because']}".replace("`", ""))
    page.reload()
    live.last.wait_for()
    expect(beside).to_have_text(told)
    for figure in figures[count:]:
        expect(figure.get_by_role("status").last).to_contain_text("Right.")
    tops = [figure.bounding_box()["y"] for figure in figures]
    assert all(a < b for a, b in pairwise(tops)), "in the order of the page"
    assert visit.errors == []
    assert visit.foreign == []
