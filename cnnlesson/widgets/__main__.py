"""Lay out a new interactive figure: a folder with all it needs, a test, and a name to import.

    python -m cnnlesson.widgets my_figure

What is laid out works at once: a wave with one slider. Then replace the wave.
"""

import argparse
import re
import sys
from pathlib import Path
from string import Template

WIDGETS = Path(__file__).parent
TESTS = WIDGETS.parents[1] / "tests" / "widgets"


def lay_out(name: str) -> list[Path]:
    """Write the files of a figure, and return them.

    Parameters
    ----------
    name : str
        Its module's name, such as ``"my_figure"``; its class is then ``MyFigure``.

    Returns
    -------
    list of pathlib.Path
        The files, the one that names the figure for import last.

    Raises
    ------
    ValueError
        If this is no such name, or there is a figure of that name; nothing is written then.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(f"NAME: expected a name such as my_figure, found {name!r}")
    folder = WIDGETS / name
    if folder.exists():
        raise ValueError(f"NAME: expected a new name, found that there is {folder} already")
    words = {"name": name, "class": name.title().replace("_", "")}
    pages = {
        folder / f"{name}.py": "figure.py.txt",
        folder / f"{name}.js": "figure.js.txt",
        TESTS / f"test_{name}.py": "test.py.txt",
    }
    folder.mkdir()
    for path, template in pages.items():
        text = (WIDGETS / "_new" / template).read_text("utf-8")
        # In JavaScript a dollar sign is the language's own.
        path.write_text(text if path.suffix == ".js" else Template(text).substitute(words), "utf-8")
    page = folder / "__init__.py"
    page.write_text(
        f'"""The figure `{words["class"]}`: its Python, its JavaScript and its style."""\n\n'
        f"from cnnlesson.widgets.{name}.{name} import {words['class']}\n\n"
        f'__all__ = ["{words["class"]}"]\n',
        "utf-8",
    )
    names = WIDGETS / "__init__.pyi"
    lines = names.read_text("utf-8").splitlines()
    lines = sorted([*lines, f"from .{name} import {words['class']} as {words['class']}"])
    names.write_text("\n".join(lines) + "\n", "utf-8")
    return [*pages, page, names]


def main() -> None:
    """Lay out the figure that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m cnnlesson.widgets", description=__doc__)
    parser.add_argument("name", help="such as my_figure")
    options = parser.parse_args()
    try:
        files = lay_out(options.name)
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write("".join(f"{path}\n" for path in files))


if __name__ == "__main__":
    main()
