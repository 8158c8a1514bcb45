"""How the checks run: the chapters are compared with their stored outputs, where that is fair."""

import os
import signal
from pathlib import Path

import pytest
from changed import EVERY_FIGURE, ROOT, changed_since, figures_touched, is_touched
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# What the browser tests share asserts too, and says what it found.
pytest.register_assert_rewrite("figure_page")
# A busy machine is no defect. In CI the same draws each time: a pull request is judged by what it
# changes, not by luck. At home, other draws.
settings.register_profile("course", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "course")
# One thread, and the instructions that every x86 processor of the last ten years has: sums are then
# added in the same order, and trained networks have the same last digits, on all of them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
os.environ.setdefault("MKL_CBWR", "COMPATIBLE")
os.environ.setdefault("TQDM_DISABLE", "1")  # stored outputs hold no progress bars


def _has_mnist() -> bool:
    from cnnlesson import load_digits

    try:
        load_digits("mnist-test")  # the smaller of the two sets
    except ConnectionError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Compare the chapters strictly on MNIST; on the sample only run them."""
    # A shell that puts the checks in the background has them ignore Ctrl+C, which some send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.has_mnist = _has_mnist()
    if getattr(config.option, "nbval", False) and not config.has_mnist:
        config.option.nbval, config.option.nbval_lax = False, True


def pytest_report_header(config: pytest.Config) -> str:
    """Say which digits the checks run on."""
    if config.has_mnist:
        return "digits: MNIST; every output of every chapter is compared"
    return (
        "digits: a sample of MNIST, as all of it is neither on disk nor to be had; "
        "the chapters run, their outputs are NOT compared"
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make check`."""
    parser.addoption("--since", metavar="COMMIT", help="run only the tests of what changed since")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``--since``, leave out the files of tests whose room has not changed."""
    since = config.getoption("since")
    if not since or collection_path.is_dir():
        return None
    return None if is_touched(collection_path.relative_to(ROOT), changed_since(since)) else True


class Units(LoadScopeScheduling):
    """What one worker does in one go: a notebook, a module of tests, one visit to a built page."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "/test_book.py::" in nodeid else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Units:
    """Spread the built pages over the workers."""
    return Units(config, log)


LONGEST = ("notebooks/07", "tests/book/", "notebooks/", "tests/browser/", "tests/experiments/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start with the longest: no worker is left alone with it at the end.

    With ``--since``, leave out what all figures share for those that have not changed.
    """
    since = config.getoption("since")
    figures = figures_touched(changed_since(since)) if since else None
    if figures is not None:
        items[:] = [
            item
            for item in items
            if item.path != ROOT / EVERY_FIGURE or any(name in item.name for name in figures)
        ]

    def rank(item: pytest.Item) -> int:
        starts = (i for i, start in enumerate(LONGEST) if item.nodeid.startswith(start))
        return next(starts, len(LONGEST))

    items.sort(key=rank)
