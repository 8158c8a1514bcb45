"""The pages that the builder wrote, for those extensions that have the last word on them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sphinx.application import Sphinx


def pages_of(app: Sphinx) -> Iterator[Path]:
    """Yield every page of the built book."""
    yield from (page for page in sorted(app.outdir.rglob("*.html")) if "_static" not in page.parts)


def rewrite_pages(app: Sphinx, change: Callable[[str, Path], str]) -> None:
    """Write each page as ``change(text, page)`` returns it."""
    for page in pages_of(app):
        text = page.read_text("utf-8")
        changed = change(text, page)
        if changed != text:
            page.write_text(changed, "utf-8")


def when_written(app: Sphinx, finish: Callable[[Sphinx], None], priority: int) -> dict[str, bool]:
    """Have ``finish(app)`` called when all pages of a book for browsers are written.

    Parameters
    ----------
    app : Sphinx
        The application.
    finish : callable
        What is to be done.
    priority : int
        What has a lower one comes before.

    Returns
    -------
    dict
        What an extension's ``setup`` returns.
    """

    def listen(app: Sphinx, exception: Exception | None) -> None:
        if exception is None and app.builder.format == "html":
            finish(app)

    app.connect("build-finished", listen, priority)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def link_to(app: Sphinx, file: Path, page: Path) -> str:
    """Return the address of a file of the book as a page writes it."""
    return "../" * (len(page.relative_to(app.outdir).parts) - 1) + str(file.relative_to(app.outdir))
