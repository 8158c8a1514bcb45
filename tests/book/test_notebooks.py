"""The notebooks keep their form. That they run, and say the same again, nbval checks."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from reading_time import minutes_of_exercises, minutes_to_read

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.name[0].isdigit()]  # the others are appendices
PARTS = [
    "{admonition} In this chapter",
    "*Time*",
    "*You will be able to*",
    "*You need*",
    "{admonition} Predict",
    "# Break it",
    "hallenge",
    "# Exercises",
    "{exercise}",
    "# Check yourself",
    "{dropdown}",
    "# Key points",
    "# Sources",
]
PHOTOGRAPHS = re.compile(r"\b(imshow|show_\w+)\(")
EXCUSES = {"nbval-ignore-output", "nbval-skip"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", ()))


def python(cell):
    """Return the source without IPython's commands."""
    return "\n".join(re.sub(r"^(\s*)%.*", r"\1pass", line) for line in cell.source.splitlines())


def test_there_are_chapters():
    assert len(CHAPTERS) >= 7


def test_it_is_valid_and_carries_no_widget_state(notebook):
    nbformat.validate(notebook)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


def test_it_ran_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_its_parts_come_in_order(chapter):
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    position = 0
    for part in PARTS:
        found = text.find(part, position)
        assert found >= 0, f"expected {part!r} after character {position}"
        position = found


TIME = re.compile(r"\*Time\*: (\d+) minutes to read(?: and try)?, (\d+) for the exercises")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_its_time_is_what_the_measure_says(path):
    chapter = nbformat.read(path, as_version=4)
    [said] = TIME.findall(chapter.cells[0].source)
    measured = minutes_to_read(chapter), minutes_of_exercises(chapter)
    for minutes, expected in zip(map(int, said), measured, strict=True):
        assert minutes % 5 == 0
        assert minutes == pytest.approx(expected, abs=5), f"expected {expected:.0f} minutes"


def test_it_begins_as_all_chapters_do(notebook):
    install, setup = code_cells(notebook)[:2]
    url = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["url"]
    assert tags(install) == {"remove-cell"}
    assert f"%pip install --quiet git+{url}" in install.source
    assert 'plt.style.use("cnnlesson.lesson")' in setup.source
    assert "torch.set_num_threads(1)" in setup.source


def test_cells_are_short(notebook):
    # Of what is read as code: a question is words, and its cell is left out of the page.
    read = [cell for cell in code_cells(notebook)[2:] if "remove-input" not in tags(cell)]
    lengths = sorted(len(cell.source.splitlines()) for cell in read)
    assert lengths[len(lengths) // 2] <= 5
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(python(cell))):
            if isinstance(node, ast.FunctionDef) and "lesson" not in tags(cell):
                assert node.end_lineno - node.lineno < 10, node.name


def test_no_cell_failed_unless_it_should(notebook):
    for cell in code_cells(notebook):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in tags(cell)), cell.source


def test_every_picture_says_what_it_shows(notebook):
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt.split()) >= 6, cell.source


def test_photographs_keep_their_colours_in_the_dark(notebook):
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            shows_photographs = bool(PHOTOGRAPHS.search(cell.source))
            assert not shows_photographs or "keep-colours" in tags(cell), cell.source


def test_solutions_are_hidden_and_tested(chapter):
    solutions = [cell for cell in code_cells(chapter) if "hide-cell" in tags(cell)]
    assert len(solutions) >= 2
    for cell in solutions:
        assert "assert" in cell.source
        assert cell.metadata["jupyter"]["source_hidden"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_exercise_says_how_it_is_checked_and_its_solution_is(path):
    chapter = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    exercises = re.findall(r":::\{exercise\}.*?\n:::", text, re.DOTALL)
    names = [re.search(r'check\("([\d-]+)",', exercise)[1] for exercise in exercises]
    assert names == [f"{path.name[:2]}-{i}" for i in range(1, len(exercises) + 1)]
    assert len(names) >= 6
    assert "no end" in exercises[-1]
    solutions = [cell.source for cell in code_cells(chapter) if "hide-cell" in tags(cell)]
    assert [n for n in names if any(f'check("{n}",' in s for s in solutions)] == names


def test_an_excuse_has_its_reason_beside_it(notebook):
    for cell in code_cells(notebook):
        if tags(cell) & EXCUSES:
            assert cell.source.startswith("# "), cell.source


def test_no_path_of_a_machine_is_stored(notebook):
    stored = nbformat.writes(notebook)
    assert not re.search(r"/(home|root|Users|work|tmp)/", stored)
