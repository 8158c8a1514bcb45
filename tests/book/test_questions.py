"""The questions and predictions of the chapters: enough of them, each with one right answer."""

import ast
import json
import re
from html import unescape
from itertools import chain
from types import SimpleNamespace

import nbformat
from figure_page import computed
from test_notebooks import CHAPTERS, chapter, code_cells, python, tags

from cnnlesson.widgets import Question

__all__ = ["chapter"]  # a fixture
ASKED = re.compile(r"\b(?:Question|Prediction)\.(\w+)\(|\.(beside)\(")


def asking(notebook):
    """Return the cells that ask, or that put a prediction beside the truth."""
    return [cell for cell in code_cells(notebook) if ASKED.search(cell.source)]


def told(cell):
    """Return what the cell gave to the page: a question, a prediction, or one beside the truth."""
    [html] = [o["data"]["text/html"] for o in cell.outputs if "text/html" in o.get("data", {})]
    state = json.loads(unescape(re.search(r'data-state="([^"]*)"', html)[1]))
    return state["_data"]


def questions(notebook):
    return [told(cell) for cell in asking(notebook) if "Question." in cell.source]


def predictions(notebook):
    return [told(cell) for cell in asking(notebook) if "Question." not in cell.source]


def headings(notebook):
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    return re.findall(r"^##+ (.*)$", text, re.MULTILINE)


def test_a_chapter_has_five_questions_of_three_kinds_at_its_end(chapter):
    found = questions(chapter)
    assert len(found) >= 5
    assert len({question["kind"] for question in found}) >= 3


def test_a_chapter_asks_for_a_prediction_and_later_tells_each(chapter):
    found = predictions(chapter)
    names = [prediction["name"] for prediction in found if "truth" not in prediction]
    assert names
    assert [p["name"] for p in found][: len(names)] == names, "told before it is asked"
    assert sorted(p["name"] for p in found if "truth" in p) == sorted(names)


def test_what_is_asked_is_not_read_as_code(chapter):
    for cell in asking(chapter):
        assert "remove-input" in tags(cell)
        assert cell.metadata["jupyter"]["source_hidden"]


def test_a_question_leads_to_a_part_of_its_chapter(chapter):
    there = headings(chapter)
    for question in questions(chapter):
        assert there.count(question["place"]["title"]) == 1, question["name"]


def test_no_two_have_one_name_and_each_names_its_chapter():
    names = []
    for path in CHAPTERS:
        notebook = nbformat.read(path, as_version=4)
        asked = [*questions(notebook), *(p for p in predictions(notebook) if "truth" not in p)]
        names += [question["name"] for question in asked]
        assert {question["name"][:2] for question in asked} == {path.name[:2]}
    assert len(names) == len(set(names))


def test_right_numbers_and_truths_are_computed_not_typed(chapter):
    for cell in asking(chapter):
        for node in ast.walk(ast.parse(python(cell))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "number":
                [right] = [k.value for k in node.keywords if k.arg == "right"]
            elif node.func.attr == "beside":
                [right] = node.args
            else:
                continue
            names = [part for part in ast.walk(right) if isinstance(part, ast.Name)]
            assert names, ast.unparse(node)[:60]


def candidates(question):
    """Return every answer that a question knows, the right one first."""
    kind, right = question["kind"], question["right"]
    if kind == "order":
        options = question["options"]
        steps = [options[i] for i in right]
        early = [[*steps[:n], step] for n in range(len(steps)) for step in steps[n + 1 :]]
        return [steps, *early]
    if kind in ("choose", "line"):
        others = [option for i, option in enumerate(question["options"]) if i != right]
        return [question["options"][right], *others]
    known = [str(right), *(str(answer) for answer, _ in question["wrong"])]
    return [*known, "1234567.5" if kind == "number" else "something else"]


def test_exactly_one_answer_is_right_and_each_other_has_its_words(chapter, browser):
    found = questions(chapter)

    asked = [
        SimpleNamespace(_esm=Question._esm, settings={}, data=lambda data=data: data)
        for data in ({**question, "given": candidates(question)} for question in found)
    ]
    with browser.new_page() as page:
        verdicts = computed(page, asked)
    for question, (first, *others) in zip(found, verdicts, strict=True):
        assert first == {"isRight": True, "words": question["because"]}
        assert len(others) >= 2, question["name"]
        for verdict in others:
            assert not verdict["isRight"], question["name"]
            assert len(verdict["words"].split()) >= 4, question["name"]


def test_there_are_sixty_questions_and_twelve_predictions():

    notebooks = [nbformat.read(path, as_version=4) for path in CHAPTERS]
    assert len(list(chain.from_iterable(map(questions, notebooks)))) >= 60
    asked = chain.from_iterable(map(predictions, notebooks))
    assert len([p for p in asked if "truth" not in p]) >= 12
