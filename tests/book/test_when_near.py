"""What is far from the screen waits: figures are set up, sections laid out, when near."""

import pytest
from bs4 import BeautifulSoup
from skipped import guess

# Heights before and after a figure is set up, each when it has come into sight.
GO_BY = """async () => {
    const rest = () => new Promise((done) => setTimeout(done, 30));
    const height = (e) => e.getBoundingClientRect().height;
    const seen = [];
    for (const figure of document.querySelectorAll(".cnnlesson-figure[data-module]")) {
        const before = figure.querySelector(".is-live") ? null : height(figure);
        figure.scrollIntoView();
        for (let i = 0; i < 500 && !figure.querySelector(".is-live"); i++) await rest();
        await rest();
        const { kind } = JSON.parse(figure.dataset.state)._data ?? {};
        seen.push([kind ?? figure.dataset.module, before, height(figure)]);
    }
    return seen;
}"""
# What a section is guessed to need, and what it needs.
PLACES = """() => {
    const sections = [...document.querySelectorAll(".bd-article > section > section")];
    const guessed = sections.map((e) => parseFloat(
        getComputedStyle(e).containIntrinsicBlockSize.replace("auto ", "")));
    for (const section of sections) section.style.contentVisibility = "visible";
    return sections.map((e, i) => [e.id, guessed[i], e.getBoundingClientRect().height]);
}"""


@pytest.fixture(scope="module")
def address(book, serve):
    return serve(book)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_figure_is_set_up_when_it_is_near_and_nothing_moves(address, open_page, width):
    page = open_page(f"{address}/notebooks/08_bowl.html", width=width).page
    page.wait_for_timeout(700)  # longer than anything idle waits
    figures = page.locator(".cnnlesson-figure[data-module]").count()
    assert page.locator(".is-live").count() < figures / 2
    for kind, before, after in page.evaluate(GO_BY):
        # A line of code becomes a button, and beside a program is typed: these two do grow.
        if before is not None and kind not in ("line", "print"):
            assert abs(before - after) <= 3, kind
    assert page.locator(".is-live").count() == figures


def test_a_figure_that_the_address_describes_is_shown_at_once(address, open_page):
    query = "graph_descent.momentum=0.5&error_milestones-2.momentum=0.25"
    page = open_page(f"{address}/notebooks/08_bowl.html?{query}").page
    figure = page.locator("[data-module=graph_descent]")
    figure.locator(".is-live").wait_for()
    assert figure.locator("[name=momentum]").input_value() == "0.5"
    page.wait_for_function(
        """() => Math.abs(document.querySelector("[data-module=graph_descent]")
            .getBoundingClientRect().top) < innerHeight / 2"""
    )
    second = page.locator("[data-module=error_milestones]").nth(1)
    second.scroll_into_view_if_needed()
    second.locator(".is-live").wait_for()
    assert second.locator("[name=momentum]").input_value() == "0.25"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_section_has_room_enough_and_not_much_more(address, open_page, width):
    page = open_page(f"{address}/notebooks/08_bowl.html", width=width).page
    places = page.evaluate(PLACES)
    assert len(places) > 8
    for name, guessed, needed in places:
        assert needed <= guessed <= 2 * needed + 1000, name


def test_an_anchor_leads_to_its_heading_however_far(address, open_page):
    page = open_page(f"{address}/notebooks/08_bowl.html#the-lower-bound").page
    page.wait_for_function(
        """() => {
            const { top } = document.getElementById("the-lower-bound").getBoundingClientRect();
            return top >= 0 && top < 200;
        }"""
    )


def test_what_is_folded_needs_no_room():
    text = "<p>" + "word " * 200 + "</p>"
    fold = f"<details><summary>More</summary>{text * 20}</details>"
    sections = [
        BeautifulSoup(f"<section>{part}</section>", "html.parser").section
        for part in (text, text + fold, text * 5)
    ]
    plain, folded, long = map(guess, sections)
    assert folded == plain
    assert all(a > b for a, b in zip(long, plain, strict=True))


@pytest.mark.parametrize("width", [390, 1280])
def test_the_book_begins_with_its_figure_on_the_first_screen(address, open_page, width):
    page = open_page(f"{address}/book/intro.html", width=width).page
    plot = page.locator(".is-live .plot").first
    plot.wait_for()
    box = plot.bounding_box()
    assert page.evaluate("scrollY") == 0
    assert box["y"] + box["height"] < page.viewport_size["height"]
