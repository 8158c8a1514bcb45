"""Pictures that arrive when they are near, in a place of their size, as the smallest of files.

matplotlib draws PNG files. WebP holds the same pixels, each of them, in two fifths of the bytes. A
picture's width and height stand on the page, so that nothing moves when it comes.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from pages import rewrite_pages, when_written
from PIL import Image
from sphinx.application import Sphinx

_PICTURE = re.compile(r'<img\b[^>]*?src="([^":?]*_images/[^":?]+)"[^>]*>')


def _shrink(picture: Path) -> None:
    """Write a PNG file anew as WebP, if that is smaller."""
    smaller = picture.with_suffix(".webp")
    with Image.open(picture) as image:
        image.save(smaller, lossless=True, method=4)
    if smaller.stat().st_size < picture.stat().st_size:
        picture.unlink()
    else:
        smaller.unlink()


@cache
def _size(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        return image.size


def _settle(app: Sphinx) -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(_shrink, (app.outdir / "_images").glob("*.png")))

    def place(found: re.Match, page: Path) -> str:
        file = (page.parent / unquote(found[1])).resolve()
        smaller = file.with_suffix(".webp")
        tag = found[0]
        if not file.exists() and smaller.exists():
            tag = tag.replace(file.name, smaller.name)
            file = smaller
        if file.suffix == ".svg" or "loading=" in tag:
            return tag
        width, height = _size(file)
        size = "" if "width=" in tag else f' width="{width}" height="{height}"'
        return tag.replace("<img", f'<img loading="lazy" decoding="async"{size}', 1)

    rewrite_pages(app, lambda text, page: _PICTURE.sub(lambda found: place(found, page), text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    return when_written(app, _settle, priority=650)
