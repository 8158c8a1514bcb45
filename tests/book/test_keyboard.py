"""By keyboard alone: every stop is of use and is seen, and no figure is in the way."""

import pytest
from bs4 import BeautifulSoup
from building import PAGES
from playwright.sync_api import expect

# The theme's own, and those of the figures, whose focus other tests look at.
STOP = """async () => {
    const stop = document.activeElement;
    const look = (e) => {
        const style = getComputedStyle(e);
        const inside = [...e.querySelectorAll("*")].map((part) => getComputedStyle(part));
        const parts = inside.map(({ stroke, outlineStyle }) => stroke + outlineStyle);
        return [style.outlineStyle, style.boxShadow, style.transform, ...parts].join();
    };
    const focused = look(stop);
    stop.blur();
    const isSeen = look(stop) !== focused;
    stop.focus({ preventScroll: true, focusVisible: true });
    // What was far is measured when it is near.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const scrolls = stop.scrollWidth > stop.clientWidth || stop.scrollHeight > stop.clientHeight;
    const isText = stop.matches(".equation, pre, .output, .pst-scrollable-table-container");
    return { name: stop.tagName + " " + (stop.ariaLabel ?? stop.textContent).trim().slice(0, 40),
        isSeen, isUseless: isText && !scrolls && stop.tabIndex === 0,
        isPage: stop === document.body };
}"""


@pytest.fixture(scope="module")
def address(book, serve):
    return serve(book)


@pytest.mark.parametrize(("chapter", "width"), [("08_bowl", 1280), ("04_training", 390)])
def test_every_stop_is_seen_and_none_is_a_formula_that_need_not_scroll(
    address, open_page, chapter, width
):
    page = open_page(f"{address}/notebooks/{chapter}.html", width=width).page
    stops = []
    for _ in range(600):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(STOP))
        if stops[-1]["isPage"]:
            break
    assert stops.pop()["isPage"]
    assert len(stops) > 100
    assert [stop["name"] for stop in stops if stop["isUseless"]] == []
    assert [stop["name"] for stop in stops if not stop["isSeen"]] == []


def test_there_is_a_way_to_each_figure_and_past_it(address, open_page):
    visit = open_page(f"{address}/notebooks/08_bowl.html")
    page = visit.page
    page.locator(".is-live").first.wait_for()
    figures = page.locator("[data-module]:not([data-module=question], [data-module=prediction])")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the first figure")).to_be_focused()
    page.keyboard.press("Enter")
    for i in range(figures.count()):
        figure = figures.nth(i)
        expect(figure).to_be_focused()
        figure.locator(".ways").wait_for(state="attached")
        page.keyboard.press("Tab")
        past = figure.get_by_role("link", name="Past this figure")
        expect(past).to_be_focused()
        expect(past).to_be_in_viewport()
        if i < figures.count() - 1:
            page.keyboard.press("Tab")
            expect(figure.get_by_role("link", name="To the next figure")).to_be_focused()
            page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    is_behind = figures.last.evaluate(
        "(e) => !e.contains(document.activeElement) && "
        "Boolean(e.compareDocumentPosition(document.activeElement) & 4)"
    )
    assert is_behind
    assert visit.errors == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("notebooks/")])
def test_what_unfolds_a_cell_says_what_it_holds(book, page):
    soup = BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")
    names = []
    for fold in soup.select("details.hide > summary"):
        assert not fold.has_attr("aria-label")
        for other in fold.select(".expanded"):
            other.decompose()
        names.append(" ".join(fold.get_text(" ").split()))
        exercise = fold.find_previous(class_="exercise")
        if "solution" in names[-1] and exercise:
            number = exercise.select_one(".caption-number").get_text().split()[1]
            assert names[-1] == f"Show the solution of exercise {number}"
    assert all(len(name.split()) > 4 for name in names)
    assert len(set(names)) >= 0.7 * len(names)  # an exercise may have two solutions
