"""What a first visit to a page fetches and how far it jumps: limits that hang on no machine."""

import pytest
from building import PAGES
from page_speed import measure, served

HEAVY = ["book/intro", "notebooks/06_momentum", "notebooks/08_bowl", "notebooks/11_why_it_diverged"]


@pytest.fixture(scope="module")
def address(book):
    with served(book) as address:
        yield address


def check(seen):
    assert seen["bytes"] < 250_000
    assert seen["requests"] < 20
    assert seen["jumps"] < 0.05


@pytest.mark.parametrize("page", HEAVY)
def test_the_first_screen_is_light_and_stays_in_place(browser, address, page):
    check(measure(browser, f"{address}/{page}.html", slow=False))


@pytest.mark.prove
@pytest.mark.parametrize("page", PAGES)
def test_the_first_screen_of_every_page_is_light(browser, address, page):
    check(measure(browser, f"{address}/{page}.html", slow=False))
