"""The record on a page: what was kept stands there, whatever the storage is like, and leaves it."""

import csv
import io
import json

import pytest
from asked import ASKING, CHAPTERS
from figure_page import check_by_kind, check_within, come_back
from playwright.sync_api import expect
from test_browser_question import HOLDS, REFUSE

from cnnlesson.widgets.reader_record import ReaderRecord

FIGURE_PAGES = {"index": [lambda: ReaderRecord([ASKING, *CHAPTERS])]}
PLACE = "cnnlesson.answers"
SEEING = "1x28x28 pool7 pool4 flatten linear1to10"
MINE = {
    "00": {"given": {"place": "a", "isRead": True, "when": 1}},
    "03": {"given": {"place": "b", "isRead": False, "when": 2}},
    "00-word": {"given": "lower"},
    "00-share": {"given": 0.5},
    "00-edge": {"given": [1, 0.1, 0.01]},
    "00-choose": {"given": "The mean", "right": False, "tries": 1},
    "00-number": {"given": " 1,216 ", "right": True, "tries": 3},
    "00-order": {"given": ["compute the loss"], "right": False, "tries": 2},
    "00-line": {"given": "    loss.backward()", "right": False, "tries": 1},
    "00-print": {"given": "( 26, 13 )", "right": True, "tries": 1},
    "00-small": {"given": {"settings": {"stack": SEEING}, "value": 20}, "right": True},
}
# What the record says of each.
SAID = [
    "You said “lower”; it is “higher”.",
    "You said 0.50; it is 0.87.",
    "Dashed is what you drew, solid what is.",
    "Not yet. You said The mean.",
    "Right. You said 1,216 parameters, at try 3.",
    "Not yet. You said compute the loss, at try 2.",
    "Not yet. You said loss.backward().",
    "Right. You said ( 26, 13 ).",
    "Reached. Best: parameters 20. What it reads, only a training tells.",
]
TOTAL = (
    "1 of 13 chapters read, 3 of 3 predictions made, 2 of 5 questions answered right, "
    "1 of 1 goals reached."
)
NONE = (
    "0 of 13 chapters read, 0 of 3 predictions made, 0 of 5 questions answered right, "
    "0 of 1 goals reached."
)


@pytest.fixture
def open_record(open_fresh):
    """Return ``open_record(answers, **as open_figure) -> page``: with these kept before."""

    def open_record(answers, **how):
        page = open_fresh(**how)
        if answers:
            stored = json.dumps({"version": 1, "answers": answers})
            page.evaluate(f"(text) => localStorage.setItem('{PLACE}', text)", stored)
        come_back(page)
        page.locator(".reader-record").wait_for()
        return page

    return open_record


def said(page):
    return page.locator(".reader-record .item :is(.beside, .right, .wrong)")


def total(page):
    return page.locator(".reader-record .total")


@pytest.mark.parametrize("look", [(1280, "light", "server"), (390, "dark", "file")])
def test_all_that_was_kept_stands_there(open_record, look):
    width, theme, host = look
    page = open_record(MINE, width=width, theme=theme, host=host)
    expect(said(page)).to_have_text(SAID)
    expect(total(page)).to_have_text(TOTAL)
    headings = page.locator(".reader-record h2")
    expect(headings).to_have_text(["0. What is asked", "3. Part 3"])
    links = page.locator(".reader-record .item a")
    addresses = [link.get_attribute("href") for link in links.all()]
    assert addresses[0] == "part_0.html#prediction-00-word"
    assert addresses[3] == "part_0.html#question-00-choose"
    assert addresses[8] == "part_0.html#goal-00-small"
    check_within(page)
    check_by_kind(page, context=".reader-record")


def test_what_was_not_predicted_is_not_told(open_record):
    page = open_record({"00-word": MINE["00-word"]})
    expect(said(page)).to_have_text(SAID[:1])
    expect(page.locator(".reader-record")).not_to_contain_text("0.87")


def test_right_is_what_is_right_whatever_the_storage_says(open_record):
    wrong = {**MINE["00-choose"], "right": True}
    page = open_record({"00-choose": wrong})
    expect(said(page)).to_have_text(["Not yet. You said The mean."])
    expect(total(page)).to_contain_text("0 of 5 questions")


@pytest.mark.parametrize("stack", ["1x28x28 relu", "1x28x28 <b>", 7])
def test_reached_is_what_the_settings_reach_whatever_the_storage_says(open_record, stack):
    page = open_record({"00-small": {"given": {"settings": {"stack": stack}, "value": 1}}})
    expect(total(page)).to_have_text(NONE)
    expect(page.locator(".warning")).to_contain_text("fits no question here")


@pytest.mark.parametrize("host", ["server", "file"])
def test_an_empty_record_says_so_and_from_a_file_what_may_be_the_reason(open_record, host):
    page = open_record({}, host=host)
    expect(page.locator(".reader-record")).to_contain_text("Nothing is kept here yet.")
    expect(page.get_by_text("You opened this book from your disk")).to_have_count(
        int(host == "file")
    )
    expect(total(page)).to_have_text(NONE)


def test_it_is_saved_as_a_table(open_record):
    formula = {"given": '=HYPERLINK("x")', "right": False, "tries": 1}
    page = open_record(
        {**MINE, "00-print": formula, "00-number": {**MINE["00-number"], "given": "-3"}}
    )
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save as CSV").click()
    assert saving.value.suggested_filename == "record.csv"
    saved = saving.value.path().read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(saved)))
    assert {row["chapter"] for row in rows} == {"00"}
    by_name = {row["name"]: row for row in rows}
    assert list(by_name) == [name for name in MINE if len(name) > 2]
    assert by_name["00-edge"]["given"] == "1; 0.1; 0.01"
    assert by_name["00-edge"]["truth"] == "0.5; 0.3; 0.02"
    assert by_name["00-share"]["truth"] == "0.87"
    assert by_name["00-small"]["kind"] == "goal"
    assert by_name["00-small"]["given"] == f"parameters 20; stack {SEEING}"
    assert (by_name["00-choose"]["right"], by_name["00-choose"]["tries"]) == ("no", "1")
    # No spreadsheet is to run what somebody typed; a number is left as it is.
    assert by_name["00-print"]["given"] == '\'=HYPERLINK("x")'
    assert by_name["00-number"]["given"] == "-3"


def test_it_is_cleared_when_the_reader_means_it(open_record):
    page = open_record(MINE)
    page.evaluate("localStorage.setItem('other', 'kept')")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Clear").click()
    expect(total(page)).to_have_text(TOTAL)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    expect(total(page)).to_have_text(NONE)
    stored = page.evaluate("({ ...localStorage })")
    assert stored["other"] == "kept"
    assert not any(key.startswith(PLACE) for key in stored)
    come_back(page)
    expect(total(page)).to_have_text(NONE)


def test_an_answer_on_another_page_is_there_at_once(open_record):
    page = open_record({})
    other = page.context.new_page()
    other.goto(page.url)
    other.evaluate(
        f"(text) => localStorage.setItem('{PLACE}', text)",
        json.dumps({"version": 1, "answers": MINE}),
    )
    expect(said(page)).to_have_text(SAID)
    other.close()


STRANGE = {"00-word": 7, "00-edge": {"given": [1]}, "00-line": None, "99-x": {"given": 1}}
STORAGES = {
    "full": (REFUSE.format(""), "", NONE),  # nothing is written here
    "forbidden": (REFUSE.format(', "getItem"'), "lets the page keep nothing", NONE),
    "older": (HOLDS.format(repr('{"version": 0, "answers": {}}')), "of another version", NONE),
    "no JSON": (HOLDS.format("'{'"), "damaged", NONE),
    "tampered": (
        HOLDS.format(repr(json.dumps({"version": 1, "answers": {**MINE, **STRANGE}}))),
        "fits no question here",
        TOTAL.replace("3 of 3", "1 of 3"),
    ),
}


@pytest.mark.parametrize("case", STORAGES)
def test_whatever_the_storage_is_like_it_works_and_says_so_once(open_page, addresses, case):
    script, words, counted = STORAGES[case]
    visit = open_page(f"{addresses['server']}/../plain.html", is_new=True)
    page = visit.page
    page.add_init_script(script)
    page.goto(f"{addresses['server']}/index.html")
    expect(total(page)).to_have_text(counted)
    warnings = [text for text in page.locator(".warning").all_text_contents() if text]
    assert len(warnings) == bool(words)
    assert all(words in warning for warning in warnings)
    if case == "tampered":
        kept = json.loads(page.evaluate(f"localStorage.getItem('{PLACE}')"))["answers"]
        assert kept == {**MINE, **STRANGE}
    assert visit.errors == []
