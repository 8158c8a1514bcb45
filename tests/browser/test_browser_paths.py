"""Where to begin: two answers lead to a way, and a reader who comes back goes on."""

import json

import pytest
from asked import CHAPTERS
from figure_page import check_by_kind, check_within, come_back
from playwright.sync_api import expect

from cnnlesson.widgets.paths import Paths

FIGURE_PAGES = {"index": [lambda: Paths(CHAPTERS)]}
ADVICE = Paths(CHAPTERS).data()["advice"]
NAMES = {way["key"]: way["name"] for way in Paths(CHAPTERS).data()["ways"]}


@pytest.fixture
def open_with(open_fresh):
    """Return ``open_with(answers, **as open_figure) -> Page``: with answers kept before."""

    def open_with(answers, **how):
        page = open_fresh(**how)
        stored = json.dumps({"version": 1, "answers": answers})
        page.evaluate("(text) => localStorage.setItem('cnnlesson.answers', text)", stored)
        come_back(page)
        page.locator(".is-live").wait_for()
        return page

    return open_with


def reading(place, *, is_read, when):
    return {"given": {"place": place, "isRead": is_read, "when": when}}


def yours(page):
    return page.locator(".is-yours")


@pytest.mark.parametrize("pair", ADVICE)
def test_each_pair_of_answers_leads_to_a_way(open_with, pair):
    page = open_with({}, width=390 if pair.startswith("no") else 1280, host="file")
    data = Paths(CHAPTERS).data()
    expect(yours(page)).to_have_count(0)
    for question, answer in zip(data["asked"], pair.split(), strict=True):
        words = question["options"][answer]
        page.get_by_role("group", name=question["prompt"]).get_by_role(
            "button", name=words, exact=True
        ).click()
    way, reason = ADVICE[pair]
    expect(yours(page)).to_contain_text(NAMES[way])
    expect(yours(page)).to_contain_text(f"For you. {reason}")
    come_back(page)
    expect(yours(page)).to_contain_text(NAMES[way])
    check_within(page)
    check_by_kind(page, context=".is-live")


def test_whoever_is_new_begins_at_the_beginning_of_each_way(open_with):
    page = open_with({})
    links = page.locator(".paths a")
    expect(links).to_have_text(
        ["Begin with 1. Part 1", "Begin with 6. Part 6", "Begin with 1. Part 1"]
    )
    assert links.first.get_attribute("href") == "part_1.html"


def test_whoever_comes_back_goes_on_where_they_were(open_with):
    page = open_with(
        {
            "01": reading("the-end", is_read=True, when=1),
            "02": reading("nine neighbours", is_read=False, when=3),
            "06": reading("", is_read=True, when=2),
        }
    )
    links = page.locator(".paths a")
    expect(links).to_have_text(
        [
            "Continue where you were: 2. Part 2",
            "Go on with 2. Part 2",
            "Next: 7. Part 7",
            "Go on with 2. Part 2",
        ]
    )
    addresses = [link.get_attribute("href") for link in links.all()]
    assert addresses[:3] == ["part_2.html#nine%20neighbours"] * 2 + ["part_7.html"]


def test_a_way_that_was_read_says_so(open_with):
    page = open_with({f"{i:02}": reading("", is_read=True, when=i) for i in range(6, 13)})
    expect(page.get_by_text("You have read all of it.")).to_have_count(1)


UNFIT = {
    "path": [{"given": {"trained": "toString"}}, {"given": "yes"}, {"given": 3}, 4],
    "02": [
        {"given": {"place": 1, "isRead": True, "when": 1}},
        {"given": {"place": "", "isRead": True, "when": "now"}},
        {"given": None},
        ["02"],
    ],
}


@pytest.mark.parametrize(("name", "entry"), [(n, e) for n in UNFIT for e in UNFIT[n]])
def test_what_fits_nothing_is_left_out_and_said_once(open_with, name, entry):
    kept = {"01": reading("", is_read=True, when=1), name: entry}
    page = open_with(kept)
    expect(page.locator(".warning")).to_have_count(1)
    page.get_by_role("button", name="Yes").click()
    warnings = [text for text in page.locator(".warning").all_text_contents() if text]
    assert len(warnings) == 1
    assert "fits no question here" in warnings[0]
    expect(page.locator(".paths a").first).to_have_text("Continue where you were: 1. Part 1")
    answers = page.evaluate("JSON.parse(localStorage.getItem('cnnlesson.answers')).answers")
    assert answers["01"] == kept["01"]
    assert answers["path"]["given"] == {"trained": "yes"}
