"""A page on paper: unfolded, light, nothing cut at the edge."""

import pytest

STATE = """() => ({
    folded: document.querySelectorAll("details:not([open])").length,
    theme: document.documentElement.dataset.theme,
    faint: [...document.querySelectorAll("details[open] > summary ~ *")].filter(
        (e) => getComputedStyle(e).opacity !== "1").length,
    cut: [...document.querySelectorAll("article pre, article img, .equation")].filter(
        (e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).length,
    skipped: [...document.querySelectorAll(".bd-article section section")].filter(
        (e) => getComputedStyle(e).contentVisibility !== "visible").length,
})"""


@pytest.mark.parametrize("chapter", ["02_convolution", "06_momentum"])
def test_all_is_unfolded_light_and_whole(book, serve, open_page, chapter):
    page = open_page(f"{serve(book)}/notebooks/{chapter}.html", width=760, theme="dark").page
    page.locator(".is-live").first.wait_for()  # a figure may have a fold of its own
    before = page.evaluate(STATE)
    assert before["folded"] > 10
    # On paper all is near: a figure that was not there yet may come, with folds of its own.
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.was = d.open; })")
    assert before["theme"] == "dark"
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    on_paper = page.evaluate(STATE)
    assert on_paper == {"folded": 0, "theme": "light", "faint": 0, "cut": 0, "skipped": 0}
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen", color_scheme="dark")
    after = page.evaluate(STATE)
    assert after["theme"] == "dark"
    assert page.evaluate(
        "[...document.querySelectorAll('details')].every((d) => (d.was ?? d.open) === d.open)"
    )
