"""The whole book as one file: a PDF to print, or an archive that opens from disk.

python book/take_along.py pdf
python book/take_along.py zip

Both are made of the built book, `_build/html`, and stand beside it.
"""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "_build"
_NAME = "book"
_LEFT_OUT = "script, button, .headerlink, nav, .toctree-wrapper, template, iframe"
_PAPER = """
@page { size: A4; margin: 20mm 18mm 22mm; }
html { font-size: 13px; }
body { background: none; }
.bd-article h1 { font-size: 20pt; }
.bd-article h2 { font-size: 14pt; }
.bd-article h3 { font-size: 12pt; }
.bd-main, .bd-main .bd-content, .bd-article {
  display: block !important; margin: 0 !important; max-width: 174mm; padding: 0 !important;
}
.bd-article :is(img, svg) { height: auto; max-width: 100% !important; min-width: 0 !important; }
.bd-article table.dataframe { font-size: 0.75em; }
.bd-article h1 { display: block !important; }
section.chapter { break-before: page; }
.contents li { line-height: 1.5; list-style: none; }
.cnnlesson-figure svg { color: #000; }
.to-solution { font-style: italic; }
"""
_FOOTER = (
    '<p style="font-size: 8px; width: 100%; text-align: center">'
    '<span class="pageNumber"></span></p>'
)


def pages_in_order() -> list[str]:
    """Return the pages of the book as its table of contents has them."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    pages = [contents["root"]]
    for part in contents["parts"]:
        for page in part["chapters"]:
            pages += [page["file"], *(section["file"] for section in page.get("sections", []))]
    return pages


def on_one_page(html: Path) -> str:
    """Return the whole book as one page without scripts.

    Every fold is open, each figure is its picture and its sentence, and the solutions stand at the
    end. Links within the book lead to their place in it.

    Parameters
    ----------
    html : Path
        The built book.

    Returns
    -------
    str
        HTML, whose addresses are seen from that folder.
    """
    pages = pages_in_order()
    chapters, solutions, contents = [], [], []
    for number, page in enumerate(pages):
        soup = BeautifulSoup((html / f"{page}.html").read_text("utf-8"), "html.parser")
        article = soup.select_one("article")
        for extra in article.select(_LEFT_OUT):
            extra.decompose()
        for fold in article.select("details"):
            fold["open"] = ""
        title = article.select_one("h1").get_text(" ", strip=True)
        _rename(article, number, page, pages, html)
        contents.append(f'<li><a href="#p{number}">{title}</a></li>')
        own = [
            _put_aside(cell, number, i) for i, cell in enumerate(article.select(".tag_hide-cell"))
        ]
        if own:
            solutions.append(f"<h2>{title}</h2>{''.join(own)}")
        chapters.append(
            f'<section class="chapter" id="p{number}">{article.decode_contents()}</section>'
        )
    head = BeautifulSoup((html / f"{pages[0]}.html").read_text("utf-8"), "html.parser")
    title = head.select_one("title").get_text().split("—")[-1].strip()
    answers = f'<section class="chapter"><h1>Solutions</h1>{"".join(solutions)}</section>'
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="_static/style.css"><style>{_PAPER}</style></head>'
        f'<body><main id="main-content" class="bd-main"><div class="bd-content">'
        f'<article class="bd-article"><h1>{title}</h1>'
        f'<nav class="contents"><ol>{"".join(contents)}</ol></nav>'
        f"{''.join(chapters)}{answers}</article></div></main></body></html>"
    )


def _put_aside(cell: Tag, number: int, i: int) -> str:
    """Take a solution out of its chapter, and leave a link in its place."""
    place = f"p{number}-solution-{i}"
    link = BeautifulSoup(
        f'<p class="to-solution"><a href="#{place}">A solution is at the end.</a></p>',
        "html.parser",
    ).p
    cell.replace_with(link)
    return f'<div id="{place}">{cell}</div>'


def _rename(article: Tag, number: int, page: str, pages: list[str], html: Path) -> None:
    """Make names unique in the whole book, and have links and pictures follow."""
    seen: set[str] = set()
    for element in article.select("[id]"):
        if element["id"] in seen:  # exercises share one
            del element["id"]
        else:
            seen.add(element["id"])
            element["id"] = f"p{number}-{element['id']}"
    here = (html / page).parent
    for link in article.select("a[href]"):
        target, place = urldefrag(unquote(link["href"]))
        if ":" in target:
            continue
        file = Path(os.path.normpath(here / target)) if target else html / f"{page}.html"
        name = file.relative_to(html).with_suffix("").as_posix()
        if name in pages:
            link["href"] = f"#p{pages.index(name)}" + (f"-{place}" if place else "")
        else:
            del link["href"]  # a file beside the book
    for image in article.select("img[src]"):
        image["src"] = Path(os.path.normpath(here / image["src"])).relative_to(html).as_posix()
        image.attrs.pop("loading", None)


def make_pdf(html: Path, file: Path) -> None:
    """Print the whole book."""
    whole = html / "_whole_book.html"
    whole.write_text(on_one_page(html), "utf-8")
    try:
        with sync_playwright() as playwright:
            found = filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome")))
            browser = playwright.chromium.launch(
                executable_path=next(found, None), args=["--no-sandbox"]
            )
            page = browser.new_page()
            page.set_default_timeout(600_000)
            page.goto(whole.as_uri())
            page.evaluate("document.fonts.ready.then(() => undefined)")
            page.pdf(
                path=file,
                prefer_css_page_size=True,
                print_background=True,
                outline=True,
                tagged=True,
                display_header_footer=True,
                header_template="<p></p>",
                footer_template=_FOOTER,
            )
            browser.close()
    finally:
        whole.unlink()


def make_zip(html: Path, file: Path) -> None:
    """Pack the built book."""
    shutil.make_archive(str(file.with_suffix("")), "zip", html.parent, html.name)


if __name__ == "__main__":
    make = {"pdf": make_pdf, "zip": make_zip}
    if len(sys.argv) != 2 or sys.argv[1] not in make:
        sys.exit(f"expected one of {', '.join(make)}: python book/take_along.py pdf")
    if not (BUILT / "html" / "index.html").exists():
        sys.exit("expected the built book in _build/html: make build")
    make[sys.argv[1]](BUILT / "html", BUILT / f"{_NAME}.{sys.argv[1]}")
