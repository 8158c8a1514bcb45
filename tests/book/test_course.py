"""What a chapter of the built book asks: hidden until it is answered, and walked by a learner."""

import json
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from building import PAGES, ROOT
from figure_page import check_within
from playwright.sync_api import expect
from test_questions import candidates, predictions, questions

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
    explorer = figure(page, "momentum_explorer", 1)
    explorer.locator("[name=lr]").fill("3.1")
    explorer.locator("[name=momentum]").fill("0.68")
    expect(explorer.locator(".goal")).to_contain_text("Reached.")
    check_foot(page, "2 of 2 predicted, 6 of 6 right, 1 of 1 reached")
    page.close()
    # The next day.
    visit = open_page((book / "book" / "intro.html").as_uri(), 390, "dark")
    page = visit.page
    go_on = figure(page, "paths", 0).get_by_role("link", name="Continue where you were")
    expect(go_on).to_have_text("Continue where you were: 6. Momentum in equations")
    go_on.click()
    for i, words in enumerate(told, start=2):
        expect(figure(page, "prediction", i).locator(".beside")).to_have_text(words)
    for i in range(len(asked_on(soup, "question"))):
        expect(figure(page, "question", i).get_by_role("status").last).to_contain_text("Right.")
    page.locator(".so-far").get_by_role("link", name="Your record").click()
    check_record(page, told, asked_on(soup, "question"))
    assert visit.errors == []
    assert visit.foreign == []


def check_foot(page, words):
    """Go to the end of a chapter, and wait until it counts as read."""
    foot = page.locator(".so-far")
    foot.scroll_into_view_if_needed()
    expect(foot).to_have_text(f"Your record: {words}")
    mark = page.locator(".bd-sidenav a", has_text="6. Momentum in equations").locator(".mark")
    expect(mark).to_have_text(" (read)")


def check_record(page, told, asked):
    """Read the record, and print it."""
    record = figure(page, "reader_record", 0)
    expect(record.locator(".beside")).to_have_text(told)
    expect(record.locator(".right")).to_have_count(len(asked) + 1)
    expect(record).to_contain_text("Reached. Best: loss at the end ")
    expect(record).to_contain_text("Read.")
    expect(record.locator(".on-paper")).to_be_hidden()
    page.emulate_media(media="print")
    expect(record.locator(".on-paper")).to_contain_text("Name: ____")
    expect(record.get_by_role("button")).to_have_count(0)  # they are hidden
    for words in told:
        expect(record.get_by_text(words)).to_be_visible()
    check_within(page)
    assert len(re.findall(rb"/Type /Page\b", page.pdf(format="A4"))) in (1, 2)
    page.emulate_media(media="screen")
    link = record.get_by_role("link", name=asked[0]["prompt"].replace("`", "")[:20])
    link.click()
    expect(figure(page, "question", 0)).to_be_in_viewport()


def data_on(book, page, module):
    [figure] = page_of(book, page).select(f"[data-module={module}]")
    return json.loads(figure["data-state"])["_data"]


def test_a_way_takes_the_time_that_its_chapters_state(book):
    """A sum of minutes, read here from the pages in another way than where they are built."""
    minutes = []
    for page in CHAPTERS:
        text = page_of(book, page).select_one(".admonition").get_text()
        minutes.append(int(re.search(r"Time: (\d+) minutes", text)[1]))
    ways = {way["key"]: way for way in data_on(book, "book/intro", "paths")["ways"]}
    for way in ways.values():
        start, end = way["chapters"]
        hours, rest = divmod(sum(minutes[start - 1 : end]), 60)
        found = [int(number) for number in re.findall(r"(\d+) (?:hour|minute)", way["words"])]
        assert found == [number for number in (hours, rest) if number]
    assert sum(minutes[:5]) <= 4 * 60, "more than an afternoon"


def test_the_record_knows_all_that_is_asked_and_where(book):
    found = {c["number"]: c for c in data_on(book, "book/record", "reader_record")["chapters"]}
    for page in CHAPTERS:
        chapter = found[page.split("/")[1][:2]]
        notebook = nbformat.read(ROOT / f"{page}.ipynb", as_version=4)
        told = [prediction for prediction in predictions(notebook) if "truth" in prediction]
        assert chapter["predictions"] == told
        asked = questions(notebook)
        assert [q["name"] for q in chapter["questions"]] == [q["name"] for q in asked]
        assert chapter["address"] == f"../{page}.html"
        places = {element["id"] for element in page_of(book, page).select("[id]")}
        assert {f"question-{question['name']}" for question in asked} <= places
        assert {f"prediction-{prediction['name']}" for prediction in told} <= places
        source = "".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        goals = re.findall(r'\bGoal\(\s*"([^"]+)"', source)
        assert [goal["name"] for goal in chapter["goals"]] == goals
        assert {f"goal-{name}" for name in goals} <= places


def test_a_visit_is_no_reading_and_a_chapter_that_was_read_stays_so(book, open_page):
    page = open_page((book / "notebooks" / "01_digits.html").as_uri(), 390, is_new=True).page
    mark = page.locator(".bd-sidenav .mark").first
    expect(mark).to_have_text("")
    page.wait_for_timeout(600)
    assert page.evaluate("localStorage.getItem('cnnlesson.answers')") is None
    page.locator("#predict, .admonition.tip").first.scroll_into_view_if_needed()
    page.mouse.wheel(0, 1500)
    expect(mark).to_have_text(" (begun)")
    page.locator(".so-far").scroll_into_view_if_needed()
    expect(mark).to_have_text(" (read)")
    expect(page.locator(".so-far")).to_have_text("Your record")  # nothing was answered
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(600)
    kept = json.loads(page.evaluate("localStorage.getItem('cnnlesson.answers')"))
    assert kept["answers"]["01"]["given"]["isRead"] is True
    assert kept["answers"]["01"]["given"]["place"] in ("", "the-digits")
