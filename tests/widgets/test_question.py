"""What a `Question` is made of, and what it refuses."""

import json
import re
from html import unescape

import pytest

from cnnlesson.widgets import Question

WORDS = {"because": "It is so.", "at": "A heading"}
CHOICE = {
    "name": "02-shift",
    "prompt": "What does `max` do to $x$?",
    "right": "Nothing",
    "wrong": {"It halves it": "That is the mean.", "It doubles <b>it</b>": "That is the sum."},
}
NUMBER = {
    "name": "02-weights",
    "prompt": "How many?",
    "right": 1216,
    "wrong": {1200: "The biases are missing.", 1600: "The batch does not count."},
    "otherwise": "Count the weights of one kernel first.",
}
STEPS = {"name": "04-loop", "prompt": "In which order?", "first": "empty the gradients"}
THEN = {"forward": "Too early one.", "backward": "Too early two.", "step": "Too early three."}
CODE = "for x in xs:\n    y = model(x)\n\n    y.step()"
LINES = {"for x in xs:": "It visits all.", "y = model(x)": "It computes."}


def data_of(question):
    """Return what the page is given."""
    return json.loads(unescape(re.search(r'data-state="([^"]*)"', question.to_html())[1]))["_data"]


def text_of(question):
    return unescape(re.sub(r"<[^>]*>", "", question.to_html()))


def test_a_choice_tells_the_right_one_by_its_place_among_all():
    data = data_of(Question.choose(**CHOICE, **WORDS))
    assert data["options"][data["right"]] == "Nothing"
    assert sorted(data["options"]) == sorted(["Nothing", *CHOICE["wrong"]])
    for option, words in zip(data["options"], data["words"], strict=True):
        assert words == CHOICE["wrong"].get(option, "")
    assert data["place"] == {"title": "A heading", "id": "a-heading"}


def test_the_order_of_answers_does_not_depend_on_which_is_right():
    wrong = dict(CHOICE["wrong"])
    right = "It halves it"
    del wrong[right]
    other = Question.choose(
        **CHOICE | {"right": right, "wrong": {**wrong, "Nothing": "No."}}, **WORDS
    )
    assert data_of(other)["options"] == data_of(Question.choose(**CHOICE, **WORDS))["options"]


def test_steps_are_shown_in_another_order_than_the_right_one():
    for then in (THEN, dict(reversed(THEN.items()))):
        data = data_of(Question.order(**STEPS, then=then, **WORDS))
        right = [data["options"][i] for i in data["right"]]
        assert right == [STEPS["first"], *then]
        assert data["options"] != right
        said = dict(zip(data["options"], data["words"], strict=True))
        assert said == {STEPS["first"]: "", **then}


def test_a_program_is_run_to_know_what_it_prints():
    question = Question.prints(
        "03-view",
        "x = 3\nprint((x, x // 2))",
        wrong={"(3, 1.5)": "Whole."},
        otherwise="No.",
        **WORDS,
    )
    assert data_of(question)["right"] == "(3, 1)"
    assert "(3, 1)" not in text_of(question)
    assert "print((x, x // 2))" in text_of(question)


def test_the_lines_of_a_program_keep_their_indent_and_lose_empty_ones():
    question = Question.wrong_line(
        "04-wrong", "Which?", code=CODE, right="y.step()", wrong=LINES, **WORDS
    )
    data = data_of(question)
    assert data["options"] == ["for x in xs:", "    y = model(x)", "    y.step()"]
    assert data["right"] == 2


def test_without_javascript_it_is_asked_in_words_and_no_answer_is_told():
    html = Question.choose(**CHOICE, **WORDS).to_html()
    assert "<p>What does <code>max</code> do to $x$?</p>" in html
    assert html.count("<li>") == 3
    assert "It doubles &lt;b&gt;it&lt;/b&gt;" in html
    shown = text_of(Question.number(**NUMBER, **WORDS))
    assert shown.strip() == "How many?"
    assert repr(Question.number(**NUMBER, **WORDS)) == "Question('02-weights')"


def test_numbers_are_numbers_of_python():
    np = pytest.importorskip("numpy")
    data = data_of(Question.number(**NUMBER | {"right": np.float32(0.5)}, **WORDS))
    assert data["right"] == 0.5


REFUSED = {
    "the right answer among the wrong": (
        Question.choose,
        {**CHOICE, "right": "It halves it"},
        "wrong: expected answers other than 'It halves it'",
    ),
    "no wrong answer": (Question.choose, {**CHOICE, "wrong": {}}, "wrong: expected answers other"),
    "an answer without words": (
        Question.choose,
        {**CHOICE, "wrong": {"a": "Said.", "b": " "}},
        "words of its own",
    ),
    "two answers with the same words": (
        Question.choose,
        {**CHOICE, "wrong": {"a": "Said.", "b": "Said. "}},
        "words of its own",
    ),
    "a name of another form": (
        Question.choose,
        {**CHOICE, "name": "Shift"},
        "name: expected one such as '02-sizes', found 'Shift'",
    ),
    "no prompt": (Question.choose, {**CHOICE, "prompt": ""}, "prompt: expected words"),
    "a wrong number too close to the right one": (
        Question.number,
        {**NUMBER, "tolerance": 8},
        "wrong: expected numbers more than 16 apart",
    ),
    "two steps": (
        Question.order,
        {**STEPS, "then": {"forward": "Too early."}},
        "then: expected at least two steps, found 1",
    ),
    "a program that prints nothing": (
        Question.prints,
        {"name": "03-view", "code": "x = 1", "wrong": {"1": "No."}, "otherwise": "No, no."},
        "code: expected it to print one line, found ''",
    ),
    "a wrong line that is printed": (
        Question.prints,
        {"name": "03-view", "code": "print((1, 2))", "wrong": {"(1,2)": "N."}, "otherwise": "No."},
        "wrong: expected other lines",
    ),
    "a line that is not in the program": (
        Question.wrong_line,
        {
            **{"name": "04-wrong", "prompt": "Which?", "code": CODE, "wrong": LINES},
            "right": "y.stop()",
        },
        "code: expected each of its lines",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_one_right_answer_is_refused(case):
    make, settings, message = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make(**settings, **WORDS)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_nobody_can_type_is_refused(number):
    for change in ({"right": number}, {"wrong": {number: "No."}}, {"tolerance": abs(number)}):
        with pytest.raises(ValueError, match=r"expected finite numbers, found .*(nan|inf)"):
            Question.number(**NUMBER | change, **WORDS)
