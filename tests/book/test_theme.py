"""What the theme does on a page, done by one script that comes when the page is there."""

import pytest
from figure_page import come_back
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def address(book, serve):
    return serve(book)


@pytest.fixture
def page(address, open_page):
    visit = open_page(f"{address}/notebooks/06_momentum.html")
    yield visit.page
    assert visit.errors == []


def test_menus_come_with_the_first_click_although_their_script_was_not_there(
    book, address, open_page
):
    assert "bootstrap.js" not in (book / "notebooks" / "06_momentum.html").read_text("utf-8")
    visit, held = open_page("about:blank"), []
    page = visit.page
    page.route("**/bootstrap.js*", lambda route: held.append(route))  # it is not there yet
    page.goto(f"{address}/notebooks/06_momentum.html", wait_until="domcontentloaded")
    launch = page.locator(".dropdown-launch-buttons")
    launch.locator("button").dispatch_event("pointerdown")
    launch.locator("button").dispatch_event("click")
    while not held:
        page.wait_for_timeout(20)
    assert page.evaluate("typeof bootstrap") == "undefined"
    held[0].continue_()
    expect(launch.get_by_text("Binder")).to_be_visible()
    page.keyboard.press("Escape")
    expect(launch.get_by_text("Binder")).to_be_hidden()
    launch.locator("button").hover()
    page.locator(".theme-switch-button").hover()
    expect(page.get_by_role("tooltip")).to_have_text("Color mode")
    assert visit.errors == []


def test_the_theme_is_right_before_any_script_file_runs(address, open_page):
    visit = open_page(f"{address}/search.html", theme="dark")
    visit.page.route("**/theme.js*", lambda route: route.abort())
    visit.page.goto(f"{address}/book/glossary.html")
    assert visit.page.locator("html").get_attribute("data-theme") == "dark"
    assert visit.page.locator("html").get_attribute("data-mode") == "auto"


def test_the_switch_goes_round_and_is_kept(address, open_page):
    page = open_page(f"{address}/notebooks/06_momentum.html", is_new=True).page
    seen = []
    for _ in range(3):
        page.locator(".theme-switch-button").click()
        seen.append(page.locator("html").get_attribute("data-mode"))
    assert seen == ["dark", "light", "auto"]
    page.locator(".theme-switch-button").click()
    come_back(page)
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_contents_show_the_page_one_is_on_and_stay_where_they_were(address, open_page):
    page = open_page("about:blank").page
    page.set_viewport_size({"width": 1280, "height": 420})
    page.goto(f"{address}/book/licences.html")
    expect(page.locator(".bd-docs-nav .active > a").last).to_be_in_viewport()
    contents = page.locator("div.bd-sidebar")
    contents.evaluate("(e) => { e.scrollTop = 31; }")
    page.goto(f"{address}/book/references.html")
    page.wait_for_function(
        "() => Math.round(document.querySelector('div.bd-sidebar').scrollTop) === 31"
    )


@pytest.mark.parametrize("name", ["intro", "08_bowl"])
def test_on_a_phone_no_script_measures_the_page_before_it_is_painted(address, open_page, name):
    """None of those that come with the page asks for a size or a place while it is run."""
    visit = open_page("about:blank", width=390)
    visit.page.add_init_script("""
        globalThis.asked = [];
        const sizes = ["offsetHeight", "offsetWidth", "offsetTop"];
        for (const name of sizes) {
            const { get } = Object.getOwnPropertyDescriptor(HTMLElement.prototype, name);
            Object.defineProperty(HTMLElement.prototype, name, { get() {
                if (document.currentScript?.defer) asked.push(name);
                return get.call(this);
            } });
        }
        const { getBoundingClientRect } = Element.prototype;
        Element.prototype.getBoundingClientRect = function () {
            if (document.currentScript?.defer) asked.push(this.id || this.className);
            return getBoundingClientRect.call(this);
        };
    """)
    folder = "book" if name == "intro" else "notebooks"
    visit.page.goto(f"{address}/{folder}/{name}.html", wait_until="load")
    assert visit.page.evaluate("asked") == []


def test_code_is_copied_and_a_note_unfolds(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = page.locator("div.highlight:visible pre").first
    code.hover()
    code.locator("xpath=following-sibling::button").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == code.inner_text().strip()
    fold = page.locator("details.sd-dropdown").first
    expect(fold.locator("p").first).to_be_hidden()
    fold.locator("summary").click()
    expect(fold.locator("p").first).to_be_visible()


def test_its_buttons_print_and_fill_the_screen(page):
    page.evaluate("print = () => { globalThis.printed = true; }")
    page.locator(".dropdown-download-buttons button").first.click()
    page.locator(".btn-download-pdf-button").click()
    assert page.evaluate("printed")
    page.locator(".btn-fullscreen-button").click()
    page.wait_for_function("() => document.fullscreenElement")


def test_on_a_phone_the_contents_slide_in(address, open_page):
    visit = open_page(f"{address}/book/glossary.html", width=390)
    visit.page.locator(".primary-toggle").click()
    expect(visit.page.locator("#pst-primary-sidebar-modal")).to_be_visible()
    expect(visit.page.get_by_role("link", name="Momentum on a bowl")).to_be_visible()
    assert visit.errors == []


def test_the_search_finds_marks_and_unmarks(address, open_page):
    visit = open_page(f"{address}/book/glossary.html")
    page = visit.page
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("heavy ball")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.click()
    expect(page.locator(".highlighted").first).to_be_attached()
    page.locator(".highlight-link a").click()
    expect(page.locator(".highlighted")).to_have_count(0)
    assert visit.errors == []
