"""Questions on a page: what they answer, what the browser keeps, and what if it keeps nothing."""

import json

import pytest
from asked import QUESTIONS
from figure_page import check_by_kind, check_within, come_back, computed
from playwright.sync_api import expect

from cnnlesson.widgets import Question

FIGURE = Question
FIGURE_PAGES = {"index": [lambda question=q: question for q in QUESTIONS.values()]}
PLACE = "cnnlesson.answers"
# For each kind: a wrong answer with its words, and the right one.
WAYS = {
    "choose": ("The mean", "That is mean-pooling.", "The largest"),
    "number": ("1200", "The biases are missing.", " 1,216 "),
    "order": (
        ["compute the loss"],
        "Old gradients would still be there.",
        ["empty the gradients", "compute the loss", "go backward", "change the weights"],
    ),
    "line": (
        "loss.backward()",
        "It computes the gradients.",
        "loss = criterion(softmax(model(x)), y)",
    ),
    "print": ("(28,14)", "Without padding the border is lost.", "( 26, 13 )"),
}
BECAUSE = {kind: question.data()["because"] for kind, question in QUESTIONS.items()}


def at(page, kind):
    question = page.locator(".cnnlesson-figure[data-module]").nth(list(QUESTIONS).index(kind))
    question.scroll_into_view_if_needed()
    live = question.locator(".is-live")
    live.wait_for()
    return live


def give(question, answer):
    """Press the buttons with these words, or type."""
    if question.get_by_role("textbox").count():
        question.get_by_role("textbox").fill(answer)
        question.get_by_role("textbox").press("Enter")
        return
    for words in [answer] if isinstance(answer, str) else answer:
        question.get_by_role("button").filter(has_text=words).click()


@pytest.mark.parametrize("kind", QUESTIONS)
def test_a_wrong_answer_is_told_what_it_mistakes_and_a_right_one_why(open_fresh, kind):
    page = open_fresh(390 if kind in ("choose", "line") else 1280, host="file")
    question, (wrong, words, right) = at(page, kind), WAYS[kind]
    reply = question.get_by_role("status").last
    expect(question).not_to_contain_text(BECAUSE[kind])
    expect(reply).to_be_empty()
    give(question, wrong)
    expect(reply).to_have_text(f"Not yet. {words}Look again at After the figures.")
    reply.get_by_role("link").click()
    assert page.url.endswith("#after-the-figures")
    expect(page.locator("#after-the-figures")).to_be_in_viewport()
    if kind == "order":
        question.get_by_role("button", name="Start over").click()
        expect(reply).to_be_empty()
    give(question, right)
    expect(reply).to_have_text(f"Right. {BECAUSE[kind]}")
    come_back(page)
    expect(at(page, kind).get_by_role("status").last).to_have_text(f"Right. {BECAUSE[kind]}")
    kept = json.loads(page.evaluate(f"localStorage.getItem('{PLACE}')"))
    assert kept["version"] == 1
    assert kept["answers"][f"00-{kind}"]["right"] is True
    check_within(page)


def test_what_was_answered_wrong_is_there_the_next_day(open_fresh):
    page = open_fresh()
    for kind, (wrong, _, _) in WAYS.items():
        give(at(page, kind), wrong)
    come_back(page)
    for kind, (_, words, _) in WAYS.items():
        expect(at(page, kind).get_by_role("status").last).to_contain_text(words)
    expect(at(page, "number").get_by_role("textbox")).to_have_value("1200")
    expect(at(page, "choose").locator("[aria-pressed=true]")).to_have_text("The mean")
    check_by_kind(page, context=".is-live")


def test_by_keyboard_alone(open_fresh):
    page = open_fresh()
    at(page, "number").get_by_role("textbox").focus()
    page.keyboard.type("2e3")
    page.keyboard.press("Enter")
    reply = at(page, "number").get_by_role("status").last
    expect(reply).to_contain_text("Begin with the weights of one kernel.")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("many")
    page.keyboard.press("Tab")
    expect(at(page, "number").get_by_role("button")).to_be_focused()
    page.keyboard.press("Space")
    expect(reply).to_have_text("A number is asked for, such as 0.35, 1,600 or 2/3.")
    steps = at(page, "order").get_by_role("button")
    steps.first.focus()
    told = at(page, "order").get_by_role("status").last
    while "Right." not in told.text_content():  # it is said of each step if it comes too early
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        if (
            at(page, "order")
            .get_by_role("button", name="Start over")
            .evaluate("(e) => e === document.activeElement")
        ):
            steps.first.focus()


def test_a_screen_reader_hears_what_is_seen(open_fresh):
    page = open_fresh()
    give(at(page, "choose"), "The mean")
    expect(at(page, "choose")).to_match_aria_snapshot("""
        - group "Question":
          - paragraph:
            - text: What does
            - code: max
            - text: keep?
          - group "Answers":
            - button "The first"
            - button "The mean" [pressed]
            - button "The largest"
          - status:
            - paragraph: Not yet. That is mean-pooling.
            - paragraph:
              - text: Look again at
              - link "After the figures"
        """)
    expect(at(page, "number").get_by_role("textbox", name="Your answer parameters")).to_be_visible()


NUMBERS = {
    "1216": 1216,
    "1,216": 1216,
    "1 216.0": 1216,
    "−0.5": -0.5,
    "1/4": 0.25,
    "2e-3": 0.002,
    ".5": 0.5,
    "12,34": None,
    "1,2345": None,
    "1/0": None,
    "many": None,
    "3 apples": None,
    "": None,
}


@pytest.mark.parametrize("typed", NUMBERS)
def test_numbers_are_read_as_people_type_them(open_page, typed):
    value = NUMBERS[typed]
    right = 0.0 if value is None else value
    question = Question.number(
        *("00-n", "?"), right=right, wrong={right + 1: "No."}, otherwise="N.", because="B.", at="A"
    )
    data = {**question.data(), "given": [typed]}
    question.data = lambda: data
    [[verdict]] = computed(open_page("about:blank").page, [question])
    assert verdict == (None if value is None else {"isRight": True, "words": "B."})


# What the browser's storage may be like, and what is said of it.
# The theme keeps its own there.
REFUSE = """for (const name of ["setItem"{}]) {{
    const own = Storage.prototype[name];
    Storage.prototype[name] = function (key, ...rest) {{
        if (key.startsWith("cnnlesson")) throw new DOMException("", "QuotaExceededError");
        return own.call(this, key, ...rest);
    }};
}}"""
HOLDS = "if (!sessionStorage.seen) {{ localStorage.setItem('cnnlesson.answers', {}); }}"
HOLDS += "sessionStorage.seen = 1; localStorage.setItem('other', 'kept');"
OLD = {"version": 0, "answers": {"00-choose": {"given": "The mean"}}}
MINE = {"given": "The mean", "right": False, "tries": 1}
TAMPERED = {"version": 1, "answers": {"00-choose": {"given": 7}, "00-line": 3, "01-other": MINE}}
STORAGES = {
    "full": (REFUSE.format(""), "the browser’s storage is full"),
    "forbidden": (REFUSE.format(', "getItem"'), "lets the page keep nothing"),
    "older": (HOLDS.format(repr(json.dumps(OLD))), "of another version"),
    "no JSON": (HOLDS.format("'{'"), "damaged"),
    "a list": (HOLDS.format("'[1]'"), "damaged"),
    "nothing": (HOLDS.format("'null'"), "damaged"),
    "tampered": (HOLDS.format(repr(json.dumps(TAMPERED))), "fits no question here"),
}


@pytest.mark.parametrize("case", STORAGES)
def test_whatever_the_storage_is_like_the_page_works_and_says_so_once(open_page, addresses, case):
    script, said = STORAGES[case]
    visit = open_page(f"{addresses['server']}/../plain.html", is_new=True)
    page = visit.page
    page.add_init_script(script)
    page.goto(f"{addresses['server']}/index.html")
    for kind in ("choose", "number"):
        give(at(page, kind), WAYS[kind][0])
        expect(at(page, kind).get_by_role("status").last).to_contain_text(WAYS[kind][1])
    warnings = [text for text in page.locator(".warning").all_text_contents() if text]
    assert len(warnings) == 1
    assert said in warnings[0]
    if case not in ("full", "forbidden"):
        stored = page.evaluate("({ ...localStorage })")
        assert stored["other"] == "kept"
        answers = json.loads(stored[PLACE])["answers"]
        assert answers["00-choose"] == MINE
        if case == "tampered":  # another page's is not lost
            assert answers["01-other"] == MINE
        else:
            assert stored[f"{PLACE}.aside"] in script
        come_back(page)
        expect(at(page, "choose").get_by_role("status").last).to_contain_text("mean-pooling")
    assert visit.errors == []
