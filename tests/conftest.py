"""A browser for the tests, and pages opened in it with everything foreign blocked and recorded."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode, urlsplit

import nbformat
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error as PlaywrightError,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

# The first is Chromium without windows to draw: a page opens in a third of the processor's time.
ON_PATH = (
    "chromium-headless-shell",
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge"),
)
CHANNELS = ("chrome", "msedge")
# Not by a route: with one, the browser would keep no file from one page to the next.
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
EXTENSIONS = Path(__file__).parents[1] / "book" / "_ext"
# What the book does to its figures' pages; the rest of it is for texts.
USED = ("figures", "lean", "one_script", "one_style", "policy")
PATIENCE = 60_000  # milliseconds: a busy machine is no defect
expect.set_options(timeout=PATIENCE)


def _ways_to_launch(playwright: Playwright) -> Iterator[Callable[[], Browser]]:
    # As root, as in a container, Chromium refuses to start inside its sandbox.
    launch = partial(playwright.chromium.launch, args=["--no-sandbox", NO_OTHER_HOST])
    for path in filter(None, map(shutil.which, ON_PATH)):
        yield partial(launch, executable_path=path)
    for channel in CHANNELS:
        yield partial(launch, channel=channel)
    yield launch
    install = [sys.executable, "-m", "playwright", "install", "chromium"]
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(install, check=False, capture_output=True, timeout=300)
    yield launch


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium: an installed one, else Playwright's own. Without any: skipped, in CI failed."""
    with sync_playwright() as playwright:
        for launch in _ways_to_launch(playwright):
            try:
                browser = launch()
            except PlaywrightError:
                continue
            yield browser
            browser.close()
            return
    message = (
        "no browser: install Chromium or Chrome, or let `python -m playwright install chromium` "
        "reach the network"
    )
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass
class Visit:
    """An open page, and what went wrong on it.

    ``errors`` are the console's errors and uncaught exceptions, less the theme's own;
    ``foreign`` the addresses it asked for on other hosts, all refused.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # A browser asks a server for this file now or later or never, whether there is one or not.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self._note(message.text)

    def _note(self, error: str) -> None:
        self.errors.append(error)

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in (None, "", "127.0.0.1", "localhost"):
            self.foreign.append(request.url)


@pytest.fixture(scope="module")
def context_for(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return ``context_for(is_new=False, **options) -> context``: one for all who ask for the same.

    In a new context a page takes twice as long: nothing is kept from the pages before. Who asks for
    a new one has it alone.
    """
    contexts = {}

    def context_for(*, is_new: bool = False, **options: object) -> BrowserContext:
        key = json.dumps([options, len(contexts) if is_new else None], sort_keys=True)
        if key not in contexts:
            contexts[key] = browser.new_context(**options)
            contexts[key].set_default_timeout(PATIENCE)
        return contexts[key]

    yield context_for
    for context in contexts.values():
        context.close()


def _open_pages(context_for: Callable[..., BrowserContext]) -> Iterator[Callable[..., Visit]]:
    visits = []

    def open_page(url: str, width: int = 1280, theme: str = "light", **options: object) -> Visit:
        viewport = {"width": width, "height": 900 if width > 500 else 844}
        context = context_for(viewport=viewport, color_scheme=theme, **options)
        visits.append(Visit(context.new_page()))
        visits[-1].page.goto(url)
        return visits[-1]

    yield open_page
    for visit in visits:
        visit.page.close()


@pytest.fixture
def open_page(context_for: Callable[..., BrowserContext]) -> Iterator[Callable[..., Visit]]:
    """Return ``open_page(url, width=1280, theme="light", **context_options) -> Visit``."""
    yield from _open_pages(context_for)


@pytest.fixture(scope="module")
def open_lasting_page(context_for: Callable[..., BrowserContext]) -> Iterator[Callable[..., Visit]]:
    """Return the same, for pages that stay open for all tests of a module."""
    yield from _open_pages(context_for)


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Return ``serve(folder) -> address``, a static host as plain as they come."""

    class Quiet(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # or each file of a page needs a connection of its own

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # or a browser in a hurry is refused

    servers = []

    def serve(folder: Path) -> str:
        server = Server(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def build_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return ``build_once(name, build) -> folder``: whichever worker comes first builds it."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def build_once(name: str, build: Callable[[Path], None]) -> Path:
        folder, is_built = shared / name, shared / f"{name}.built"
        with FileLock(shared / f"{name}.lock"):
            if not is_built.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what failed on another worker
                folder.mkdir()
                build(folder)
                is_built.touch()
        return folder

    return build_once


def _write_page(path: Path, figures: list[object]) -> None:
    cells = [new_markdown_cell("# A page\n\nText.")]
    for figure in figures:
        data, _ = figure._repr_mimebundle_()
        output = new_output("execute_result", data=data, execution_count=1)
        cells.append(new_code_cell("figure", outputs=[output], execution_count=1))
    cells.append(new_markdown_cell("## After the figures\n\n" + "Text.\n\n" * 60))
    path.parent.mkdir(exist_ok=True)
    metadata = {"language_info": {"name": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)


def _build_figures(modules: list[ModuleType], source: Path) -> None:
    pages = ["plain"]
    (source / "plain.md").write_text("# No figure\n\nText.\n")
    for module in modules:
        for name, figures in figures_of(module).items():
            pages.append(f"{module.__name__}/{name}")
            _write_page(source / f"{pages[-1]}.ipynb", [figure() for figure in figures])
    root, *chapters = pages
    toc = {"format": "jb-book", "root": root, "chapters": [{"file": page} for page in chapters]}
    config = {
        "title": "Figures",
        "logo": "",
        "execute": {"execute_notebooks": "off"},
        "sphinx": {
            "local_extensions": dict.fromkeys(USED, str(EXTENSIONS)),
            "config": {
                "nb_mime_priority_overrides": [["html", "text/html", 5]],
                "html_context": {"default_mode": "auto"},
            },
        },
    }
    (source / "_toc.yml").write_text(json.dumps(toc))
    (source / "_config.yml").write_text(json.dumps(config))
    build = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", build, "build", source, "-W", "-n", "-q"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr


def figures_of(module: ModuleType) -> dict[str, list[Callable[[], object]]]:
    """Return the pages that a test module asks for, each with what makes its figures.

    A module names its ``FIGURE``; one that needs more says so in ``FIGURE_PAGES``.
    """
    if hasattr(module, "FIGURE"):
        return {"index": [module.FIGURE], **getattr(module, "FIGURE_PAGES", {})}
    return getattr(module, "FIGURE_PAGES", {})


@pytest.fixture(scope="session")
def figure_book(request: pytest.FixtureRequest, build_once: Callable[..., Path]) -> Path:
    """A built book with the figures of every test module, each module's in a folder of its name."""
    modules = {getattr(item, "module", None) for item in request.session.items}
    modules = sorted(filter(figures_of, modules), key=lambda module: module.__name__)
    return build_once("figures", partial(_build_figures, modules)) / "_build" / "html"


@pytest.fixture(scope="module")
def book(request: pytest.FixtureRequest, figure_book: Path) -> Path:
    """The folder with the test module's own pages."""
    return figure_book / request.module.__name__


@pytest.fixture(scope="module")
def addresses(book: Path, figure_book: Path, serve: Callable[[Path], str]) -> dict[str, str]:
    """Where these pages are: as files, and on a server."""
    return {"file": book.as_uri(), "server": f"{serve(figure_book)}/{book.name}"}


def bring_to_life(page: Page) -> None:
    """Go by each figure of a page, as a reader does, until it is live; then back."""
    figures = page.locator(".cnnlesson-figure[data-module]").all()
    for figure in figures[2:]:  # the first two are near
        figure.scroll_into_view_if_needed()
        figure.locator(".is-live").wait_for()
    if figures[2:]:
        page.evaluate("scrollTo(0, 0)")
    page.locator(".is-live").last.wait_for()


@pytest.fixture
def open_figure(
    request: pytest.FixtureRequest, addresses: dict[str, str], open_page: Callable[..., Visit]
) -> Iterator[Callable[..., Page]]:
    """Return ``open_figure(width, theme, host, tail, settings, figure, **context_options)``.

    It opens a page of the test module and returns it: its only one, or the one that is named after
    the module of a figure. The address ends in ``tail``, or in a query with ``settings``. After the
    test: nothing went wrong on any page so opened.
    """
    visits = []

    def open_figure(
        width: int = 1280,
        theme: str = "light",
        host: str = "server",
        tail: str = "",
        settings: Mapping[str, object] | None = None,
        figure: str = "",
        **options: object,
    ) -> Page:
        if settings:
            module = figure or request.module.FIGURE.module
            tail = "?" + urlencode({f"{module}.{name}": value for name, value in settings.items()})
        address = f"{addresses[host]}/{figure or 'index'}.html{tail}"
        visit = open_page(address, width, theme, **options)
        visits.append(visit)
        bring_to_life(visit.page)
        return visit.page

    yield open_figure
    for visit in visits:
        assert visit.errors == []
        assert visit.foreign == []


@pytest.fixture
def open_fresh(open_figure: Callable[..., Page]) -> Callable[..., Page]:
    """Return ``open_fresh(**as open_figure)``: a page of a browser that has kept nothing."""

    def open_fresh(*where: object, **how: object) -> Page:
        return open_figure(*where, **how, is_new=True)

    return open_fresh
