"""`make check` runs the tests that a change touches: every module has some."""

from pathlib import Path

import pytest
from changed import NEVER, ROOT, figures_touched, is_touched

FILES = [path.relative_to(ROOT) for path in sorted((ROOT / "cnnlesson").rglob("*.py"))]
FILES.remove(Path("cnnlesson/__init__.py"))  # only names: tests/test_package.py always runs
TESTS = [path.relative_to(ROOT) for path in sorted((ROOT / "tests").rglob("test_*.py"))]


def run_for(*names):
    changed = frozenset(map(Path, names))
    return {tests.as_posix() for tests in TESTS if is_touched(tests, changed)}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_module_has_tests_that_run_when_it_changes(file):
    assert run_for(file) > run_for("README.md")


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("cnnlesson/model.py", {"tests/lesson/test_model.py"}),
        (
            "cnnlesson/tracing.py",
            {p.as_posix() for p in TESTS if p.parent == Path("tests/lesson/tracing")},
        ),
        (
            "cnnlesson/widgets/momentum_explorer/momentum_explorer.js",
            {"tests/browser/test_browser_momentum.py", "tests/browser/test_every_figure.py"},
        ),
        ("tests/claims/test_claims_map.py", {"tests/claims/test_claims_map.py"}),
        ("notebooks/03_shapes.ipynb", {"tests/book/test_notebooks.py"}),
    ],
)
def test_what_a_change_runs(file, tests):
    assert run_for(file) - run_for("README.md") == tests


def test_the_whole_book_is_not_read_before_a_commit():
    assert not NEVER & set(map(Path, run_for(*FILES, *TESTS)))


@pytest.mark.parametrize(
    ("files", "figures"),
    [
        (["cnnlesson/widgets/eigen_basis/eigen_basis.js", "README.md"], {"eigen_basis"}),
        (["cnnlesson/widgets/eigen_basis/eigen_basis.js", "cnnlesson/widgets/shared/dom.js"], None),
        (["tests/browser/test_every_figure.py"], None),
        (["cnnlesson/tracing.py"], set()),
    ],
)
def test_what_all_figures_share_is_tested_of_those_that_changed(files, figures):
    assert figures_touched(frozenset(map(Path, files))) == figures
