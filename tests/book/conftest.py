"""The book, built once for all checks of it."""

from functools import partial

import pytest
from building import ROOT, build


@pytest.fixture(scope="session")
def book(build_once):
    folder = build_once("book", partial(build, ROOT, ["-W", "--keep-going", "-n"]))
    return folder / "_build" / "html"
