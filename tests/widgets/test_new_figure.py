"""`make figure` lays out a figure that works, and says no before it writes anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A copy of what a figure needs."""
    ignored = shutil.ignore_patterns("measured", "__pycache__")
    shutil.copytree(ROOT / "cnnlesson", tmp_path / "cnnlesson", ignore=ignored)
    (tmp_path / "tests" / "widgets").mkdir(parents=True)
    for name in ("conftest.py", "figure_page.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    return tmp_path


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_figure_works_at_once(checkout):
    done = run(checkout, "cnnlesson.widgets", "my_figure")
    assert done.returncode == 0, done.stderr
    folder = checkout / "cnnlesson" / "widgets" / "my_figure"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("__init__.py", "my_figure.js", "my_figure.py")
    ]
    tests = run(
        checkout, "pytest", "-q", "-p", "no:cacheprovider", "tests/widgets/test_my_figure.py"
    )
    assert tests.returncode == 0, tests.stdout
    assert "4 passed" in tests.stdout


@pytest.mark.parametrize("name", ["MyFigure", "my-figure", "../figure", "3d", "", "stability_map"])
def test_another_name_is_refused_before_anything_is_written(checkout, name):
    before = sorted(checkout.rglob("*"))
    done = run(checkout, "cnnlesson.widgets", name)
    assert done.returncode == 2
    assert "NAME: expected a n" in done.stderr
    assert sorted(checkout.rglob("*")) == before
