"""What a class is handed: no answers for those who learn, all of them for those who teach."""

import csv
import json
import re

import handout
import nbformat
import pytest
from building import ROOT

CHAPTERS = handout.chapters()
ROWS = list(csv.DictReader(handout.MISCONCEPTIONS.open(encoding="utf-8", newline="")))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handout")
    (folder / "students").mkdir()
    (folder / "students" / "of_an_old_version.ipynb").touch()
    handout.write(folder)
    return folder


def lines_of(cells):
    return {line.strip() for cell in cells for line in cell.source.splitlines()}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_students_get_no_solution_and_lose_nothing_else(written, path):
    chapter = nbformat.read(path, 4)
    given = nbformat.read(written / "students" / path.name, 4)
    nbformat.validate(given)
    is_solution = ["hide-cell" in cell.metadata.get("tags", []) for cell in chapter.cells]
    assert sum(is_solution) >= 4
    solutions = [c for c, hidden in zip(chapter.cells, is_solution, strict=True) if hidden]
    others = [c for c, hidden in zip(chapter.cells, is_solution, strict=True) if not hidden]
    told = {line for line in lines_of(solutions) - lines_of(others) if len(line) > 12}
    assert told
    assert not told & lines_of(given.cells)
    assert "{dropdown} Answer" not in json.dumps(given)
    assert "{dropdown} Solution" not in json.dumps(given)
    for cell, theirs, hidden in zip(chapter.cells, given.cells, is_solution, strict=True):
        assert cell.id == theirs.id
        if cell.cell_type == "code":
            assert theirs.outputs == []
            assert theirs.execution_count is None
            assert (theirs.source == cell.source) != hidden
        elif "{dropdown}" not in cell.source:
            assert theirs.source == cell.source.strip()


def test_an_empty_cell_fails_kindly_and_stops_nothing(written):
    chapter = nbformat.read(written / "students" / "12_going_further.ipynb", 4)
    empty = [cell for cell in chapter.cells if cell.source.startswith("# Your answer")]
    assert all(cell.metadata["tags"] == ["raises-exception"] for cell in empty)
    words = []
    for cell in empty:
        with pytest.raises(NotImplementedError) as caught:
            exec(cell.source, {})
        words.append(str(caught.value))
    assert "No answer yet: How long is a step?" in words
    assert "No answer yet: Goal" in words


def test_hints_and_derivations_stay(written):
    told = {path.stem: path.read_text("utf-8") for path in (written / "students").iterdir()}
    assert set(told) == {path.stem for path in CHAPTERS}
    assert "{dropdown} A hint for a quarter" in told["01_digits"]
    assert told["08_bowl"].count("{dropdown} Derivation") > 9
    assert told["08_bowl"].count("*Your answer:*") >= 5


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_teachers_get_all_of_it_and_a_note_in_its_place(written, path):
    chapter = nbformat.read(path, 4)
    given = nbformat.read(written / "teachers" / path.name, 4)
    nbformat.validate(given)
    assert "hide-cell" not in json.dumps([cell.metadata for cell in given.cells])
    notes = [i for i, cell in enumerate(given.cells) if "For whoever teaches" in cell.source]
    kept = [cell for i, cell in enumerate(given.cells) if i not in notes]
    assert [cell.source for cell in kept] == [cell.source for cell in chapter.cells]
    own = [row for row in ROWS if path.name.startswith(f"{int(row['chapter']):02d}")]
    text = "".join(given.cells[i].source for i in notes)
    sources = "\n".join(cell.source for cell in chapter.cells)
    for row in own:
        assert row["what helps"] in text
        assert re.search(rf'Question\.\w+\(\s*"{row["question"]}"', sources)


def test_each_chapter_has_something_that_goes_wrong():
    assert {int(row["chapter"]) for row in ROWS} == set(range(1, 13))
    assert all(all(row.values()) for row in ROWS)
    assert len({row["question"] for row in ROWS}) == len(ROWS)


def test_a_note_under_no_heading_is_refused():
    chapter = nbformat.read(CHAPTERS[0], 4)
    with pytest.raises(ValueError, match="Nowhere"):
        handout.for_teachers(chapter, [{"where": "Nowhere"}])


def test_the_assessment_is_right_and_its_points_add_up():
    """Its cells hold the answers, and assert them."""
    assessment = nbformat.read(handout.ASSESSMENT, 4)
    names = {}
    for cell in assessment.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, "assessment", "exec"), names)
    text = "".join(cell.source for cell in assessment.cells)
    points = [int(number) for number in re.findall(r"\{exercise\} .* \((\d+)\)", text)]
    assert len(points) == 10
    assert sum(points) == 30
    project = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert sum(project) == 30
    assert "assessment" not in (ROOT / "_toc.yml").read_text("utf-8")
