"""Which tests a change touches: the files that git says differ, and the tests of their rooms."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Quick, and a change anywhere may break what they hold.
ALWAYS = {Path("tests/test_package.py"), Path("tests/test_project.py")}
# What all figures share; a change of one figure is a matter of its own tests there.
EVERY_FIGURE = Path("tests/browser/test_every_figure.py")
# Builds and reads the whole book: minutes, whatever changed.
NEVER = {file.relative_to(ROOT) for file in (ROOT / "tests" / "book").glob("test_*.py")}
NEVER.remove(Path("tests/book/test_notebooks.py"))


@cache
def changed_since(commit: str) -> frozenset[Path]:
    """Return the files that differ from a commit, the untracked too."""
    listings = (["diff", "--name-only", commit], ["ls-files", "--others", "--exclude-standard"])
    names: set[str] = set()
    for listing in listings:
        done = subprocess.run(
            ["git", *listing], cwd=ROOT, capture_output=True, text=True, check=True
        )
        names.update(done.stdout.splitlines())
    return frozenset(map(Path, names))


def is_touched(tests: Path, changed: frozenset[Path]) -> bool:
    """Return whether a file of tests, or a chapter, is to be run. Paths are the repository's."""
    if tests in NEVER:
        return False
    return tests in ALWAYS | changed or any(_is_tested_in(file, tests) for file in changed)


def figures_touched(changed: frozenset[Path]) -> set[str] | None:
    """Return the figures whose tests of `EVERY_FIGURE` are to be run; None where it is for all."""
    touched = set()
    for file in changed:
        match file.parts:
            case ("cnnlesson", "widgets", figure, _, *_) if figure != "shared":
                touched.add(figure)
            case _ if is_touched(EVERY_FIGURE, frozenset({file})):
                return None
    return touched


def _is_tested_in(file: Path, tests: Path) -> bool:
    subject = tests.stem.removeprefix("test_").removeprefix("browser_")
    match file.parts:
        case ("cnnlesson", "widgets", "shared", *_):
            return tests.parts[:2] in (("tests", "widgets"), ("tests", "browser"))
        case ("cnnlesson", "widgets", figure, _, *_):
            # tests/browser/test_browser_momentum.py tests widgets/momentum_explorer
            is_of_it = figure.startswith(subject) or subject.startswith(figure)
            is_its_own = tests.parts[1] in ("widgets", "browser") and is_of_it
            return is_its_own or tests == EVERY_FIGURE
        case ("cnnlesson", room, _, *_):
            return tests.parts[:2] == ("tests", room.removeprefix("_"))
        case ("cnnlesson", _):
            is_of_it = subject.startswith(file.stem) or file.stem in tests.parts
            return tests.parts[:2] == ("tests", "lesson") and is_of_it
        case ("notebooks", _):
            return tests == Path("tests/book/test_notebooks.py")
    return False
