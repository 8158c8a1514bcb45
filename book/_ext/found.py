"""What search engines and other pages show of each page, and what is there for a lost reader.

A description from its first sentences, a card with its first picture, its address where the book
is published, a list of all pages, and a page for addresses that lead nowhere.
"""

import re
from html import escape, unescape
from pathlib import Path
from urllib.parse import urlsplit

import matplotlib
from docutils import nodes
from pages import pages_of, rewrite_pages, when_written
from PIL import Image, ImageDraw, ImageFont
from sphinx.application import Sphinx

_LENGTH = 155  # characters of a description that search engines show
_CARD = (800, 420)
_GROUND, _INK = "#0f5c8c", "#ffffff"
_LOST = "404.html"
_TOLD = re.compile(
    r'<title>.*?</title>|<meta (?:name|property)="(?:desc|og:|twit).*?>'
    r'|<link rel="(?:canonical|icon)".*?>'
)
_LATEX = re.compile(r"[\\{}^_&]")
_LINK = re.compile(r'((?:href|src|action)=")(?![a-z]+:|/|#)([^"]*)"')


def description_of(doctree: nodes.document) -> str:
    """Return the first sentences of a page, as many as search engines show.

    Parameters
    ----------
    doctree : docutils.nodes.document
        The page.

    Returns
    -------
    str
        Text without markup, at most 155 characters.
    """
    words = ""
    for paragraph in doctree.findall(nodes.paragraph):
        text = "".join(map(_in_words, paragraph.findall(nodes.Text)))
        if isinstance(paragraph.parent, nodes.section) and not _LATEX.search(text):
            words += " " + " ".join(text.split())
        if len(words) > _LENGTH:
            break
    words = words.strip()
    if len(words) <= _LENGTH:
        return words
    sentences = re.findall(r".*?[.?!](?= |$)", words[:_LENGTH])
    whole = "".join(sentences).strip()
    return whole if len(whole) > _LENGTH / 3 else words[: _LENGTH - 1].rsplit(" ", 1)[0] + "…"


def _in_words(text: nodes.Text) -> str:
    """Return text as it stands, and a formula of Greek letters and signs as these."""
    if not isinstance(text.parent, nodes.math):
        return text.astext()
    return unescape(re.sub(r"\\([a-z]+)", r"&\1;", text.astext()))


def _describe(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if not isinstance(doctree, nodes.document):
        return
    base = app.config.html_baseurl
    title = re.sub(r"<[^>]*>", "", context["title"])
    told = description_of(doctree) or f"{title}: {app.config.html_title}"
    properties = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title,
        "og:description": told,
        "og:url": f"{base}{page}.html",
        "og:image": f"{base}{_card(page)}",
    }
    lines = [f'<meta name="description" content="{escape(told)}">']
    lines += [
        f'<meta property="{name}" content="{escape(text)}">' for name, text in properties.items()
    ]
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n    ".join(["", *lines])


def _describe_lists(app: Sphinx) -> None:
    """Describe by its title what nobody wrote: lists, and forms to search with."""

    def describe(text: str, _: Path) -> str:
        if '<meta name="description"' in text:
            return text
        told = r"\g<0>\n    " + r'<meta name="description" content="\1: \2">'
        return re.sub(r"<title>(.*?) (?:&#8212;|-) (.*?)</title>", told, text, count=1)

    rewrite_pages(app, describe)


def _lead_in(app: Sphinx) -> None:
    """Write the page at the root, which leads to the first: whoever shares it shares the book."""
    root = app.config.master_doc
    text = (app.outdir / f"{root}.html").read_text("utf-8")
    head = "\n".join(_TOLD.findall(text)).replace('href="../', 'href="')
    (app.outdir / "index.html").write_text(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'{head}\n<meta http-equiv="Refresh" content="0; url={root}.html">\n</head>\n'
        f'<body><p><a href="{root}.html">{escape(app.config.html_title)}</a></p></body>\n</html>\n',
        "utf-8",
    )


def _card(page: str) -> str:
    return f"_static/cards/{page.replace('/', '-')}.png"


def _draw_cards(app: Sphinx) -> None:
    for page in pages_of(app):
        text = page.read_text("utf-8")
        title = re.search(r'<meta property="og:title" content="([^"]*)"', text)
        if title is None:
            continue
        name = page.relative_to(app.outdir).with_suffix("").as_posix()
        found = re.search(r'<img [^>]*src="([^"]*_images/[^"]+\.(?:png|webp))"', text)
        picture = (page.parent / found[1]).resolve() if found else None
        file = app.outdir / _card(name)
        file.parent.mkdir(exist_ok=True)
        _draw_card(title[1], app.config.html_title, picture).save(file, optimize=True)


def _draw_card(title: str, book: str, picture: Path | None) -> Image.Image:
    """Return a title, above a picture where there is one."""
    card = Image.new("RGB", _CARD, "white" if picture else _GROUND)
    draw = ImageDraw.Draw(card)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    large, small = (
        ImageFont.truetype(str(folder / name), size)
        for name, size in (("DejaVuSans-Bold.ttf", 34), ("DejaVuSans.ttf", 20))
    )
    draw.rectangle((0, 0, _CARD[0], 114), fill=_GROUND)
    draw.text((40, 26), title, font=large, fill=_INK)
    draw.text((40, 74), book, font=small, fill=_INK)
    if picture:
        with Image.open(picture) as image:
            drawn = Image.alpha_composite(
                Image.new("RGBA", image.size, "white"), image.convert("RGBA")
            )
        room = (_CARD[0] - 80, _CARD[1] - 140)
        scale = min(part / whole for part, whole in zip(room, drawn.size, strict=True))
        drawn = drawn.resize([round(scale * side) for side in drawn.size], Image.Resampling.LANCZOS)
        card.paste(drawn.convert("RGB"), ((_CARD[0] - drawn.width) // 2, 126))
    return card.quantize(32, dither=Image.Dither.NONE)


def _list_pages(app: Sphinx) -> None:
    base = app.config.html_baseurl
    addresses = [
        f"<url><loc>{base}{page.relative_to(app.outdir).as_posix()}</loc></url>"
        for page in pages_of(app)
        if 'rel="canonical"' in page.read_text("utf-8")
        and page.name not in (_LOST, "search.html", "index.html")
    ]
    (app.outdir / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(addresses)
        + "\n</urlset>\n",
        "utf-8",
    )
    (app.outdir / "robots.txt").write_text(f"User-agent: *\nSitemap: {base}sitemap.xml\n", "utf-8")


def _help_the_lost(app: Sphinx) -> None:
    """Let the page for lost readers name its files from the root: it is shown at any address."""
    root = urlsplit(app.config.html_baseurl).path

    def root_links(text: str, page: Path) -> str:
        if page.name != _LOST:
            return text
        text = text.replace('data-content_root="./"', f'data-content_root="{root}"')
        return _LINK.sub(rf'\g<1>{root}\g<2>"', text)

    rewrite_pages(app, root_links)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", _describe)
    when_written(app, _describe_lists, priority=650)
    when_written(app, _lead_in, priority=655)
    when_written(app, _draw_cards, priority=660)  # after the pictures have their last form
    when_written(app, _list_pages, priority=670)
    return when_written(app, _help_the_lost, priority=850)
