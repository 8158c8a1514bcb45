"""Make the interactive figures live on the pages of the built book.

One stylesheet and one classic script with what figures share are written from the package's CSS
and JavaScript, and loaded on those pages that hold a figure, and a script for each figure where it
stands. Weights of a network, in a file beside the module that runs it, get a script of their own.
What trains in the page is fetched by itself, when it is first asked to train, and so is whatever a
module imports by ``import("./name.js")``: what the menu at the foot of a figure offers, say. Sphinx
adds the content's checksum to their addresses.
"""

import base64
import json
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from lightningcss import process_stylesheet
from shorter import shorter
from sphinx.application import Sphinx

from cnnlesson.widgets.shared.bundle import brought_later, definitions, needed
from cnnlesson.widgets.shared.parcel import WORKER_MODULES, parcel
from cnnlesson.widgets.shared.sources import WIDGETS, sources_of, styles

_HERE = Path(__file__).parent
_OFFERS = "offers"
_MARKS = "marks"
_ASKING = "prediction", "question"
_GOAL = 142, 103  # pixels of a line about a goal, on a phone and on a wide screen
_LIVE = "training_panel"  # draws what a kernel trains: no page of the book can


@cache
def _modules() -> tuple[dict[str, dict[str, str]], dict[str, set[str]], set[str]]:
    """Return the sources that each figure may use, the modules it needs, and those on every page.

    What only one figure needs comes with it: a page is not to fetch it for others. What asks is on
    the page of every chapter.
    """
    folders = {path.parent.name for path in WIDGETS.glob("*/*.js")} - {"shared", _LIVE}
    sources = {name: sources_of(name) for name in sorted(folders)}
    needs = {name: set(needed(name, own)) for name, own in sources.items()}
    everywhere = {"progress"}.union(*(needs[name] for name in _ASKING))  # what marks.js needs too
    common = everywhere | {
        module
        for module in sources_of("shared")
        if sum(module in need for need in needs.values()) > 1
    }
    return sources, needs, common


@cache
def _scripts() -> dict[str, str]:
    """Return the script of every page with a figure, the marks, and a script for each figure."""
    sources, needs, common = _modules()
    of_all = sources_of("shared")
    for name in _ASKING:
        of_all |= sources[name]
    page = "".join((_HERE / f"{name}.js").read_text("utf-8") for name in ("mount", "ways"))
    scripts = {
        "figures": shorter(
            f'(() => {{\n"use strict";\n{page}{definitions(of_all, common)}mountAll();\n}})();\n'
        ),
        _MARKS: _pushed((_HERE / "marks.js").read_text("utf-8") + "markAll();\n"),
    }
    for name, own in sources.items():
        if name not in _ASKING:
            modules = needs[name] - common - set(WORKER_MODULES)
            scripts[f"figure_{name}"] = _pushed(definitions(own, modules))
    return scripts


def _pushed(source: str) -> str:
    """Return a script that has `mount.js` run some source, whichever of the two comes first."""
    return shorter(
        "(globalThis.cnnlessonFigures ??= []).push((define, modules, later) => {\n"
        f'"use strict";\n{source}}});\n'
    )


@cache
def _later() -> dict[str, str]:
    """Return the scripts that a page fetches when a reader first does what they are for."""
    (sources, needs, common), shared = _modules(), sources_of("shared")
    scripts = {}
    for figure, own in sources.items():
        for name in sorted(brought_later(own)):
            there = common if name in shared else common | needs[figure]
            modules = set(needed(name, own)) - there
            extra = _link() if name == _OFFERS else ""
            scripts[name] = _pushed(definitions(own, modules) + extra)
    return scripts


def _link() -> str:
    """Return what a page's menu has beyond a notebook's: a link, and the library of its QR code."""
    library, names = (_HERE / "lean_qr.mjs").read_text("utf-8").rsplit("export", 1)
    [made] = re.findall(r"(\w+) as generate\b", names)
    link = (_HERE / "link.js").read_text("utf-8")
    return (
        f'define("lean_qr", () => {{\n{library}\nreturn {{ generate: {made} }};\n}});\n'
        f'define("link", () => {{\n{link}\nreturn {{ offerLink }};\n}});\n'
    )


def _stylesheet() -> str:
    own = [
        path
        for path in sorted(WIDGETS.glob("*/*.css"))
        if path.parent.name not in ("shared", _LIVE)
    ]
    return process_stylesheet(styles(*own, _HERE / "book.css") + _room(), minify=True)


def _room() -> str:
    """Return rules that keep for each picture the room of its live figure: nothing moves then."""
    rooms = json.loads((_HERE / "figure_heights.json").read_text("utf-8"))
    room = "calc(var(--room) + var(--goal, 0px))"
    rules = [f".cnnlesson-figure:not(.is-still) {{ min-height: {room}; }}"]
    for i, width in enumerate(("width < 640px", "width >= 640px")):
        heights = (
            f"[data-module={name}] {{ --room: {room[i]}px; }}" for name, room in rooms.items()
        )
        goal = f"""[data-state*='"goal": {{'] {{ --goal: {_GOAL[i]}px; }}"""
        rules.append(f"@media ({width}) {{ {' '.join(heights)} {goal} }}")
    return f"@media screen and (scripting: enabled) {{ {' '.join(rules)} }}"


def _weights() -> dict[str, str]:
    """Return the script that holds the weights of a module, by the module's name."""
    return {
        path.stem: f"(globalThis.cnnlessonData ??= {{}}).{path.stem} = "
        f'{{ weights: "{base64.b64encode(path.read_bytes()).decode()}" }};\n'
        for path in sorted(WIDGETS.glob("*/*.f16"))
    }


def _parts() -> dict[str, str]:
    """Return the scripts that hold what the laboratory trains with, by name."""
    return {
        f"training_lab_{i}.js": f"(globalThis.cnnlessonParts ??= [])[{i}] = "
        f'"{base64.b64encode(part).decode()}";\n'
        for i, part in enumerate(parcel())
    }


def _write_assets(app: Sphinx) -> None:
    # Added now, because a static path known earlier has each of its scripts loaded on every page.
    folder = Path(app.doctreedir) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in (_scripts() | _later()).items():
        (folder / f"{name}.js").write_text(script, "utf-8")
    (folder / "figures.css").write_text(_stylesheet(), "utf-8")
    for module, script in _weights().items():
        (folder / f"{module}_weights.js").write_text(script, "utf-8")
    for name, script in _parts().items():
        (folder / name).write_text(script, "utf-8")
    app.config.html_static_path.append(str(folder))


def _load_assets(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    body = context.get("body", "")
    for module in _weights():
        if f'data-module="{module}"' in body:
            app.add_js_file(f"{module}_weights.js", loading_method="defer")
    for name in _scripts():
        module = name.removeprefix("figure_")
        # The record has goals of other figures, by whose measures it judges.
        if f'data-module="{module}"' in body or f"&quot;module&quot;: &quot;{module}&quot;" in body:
            app.add_js_file(f"{name}.js", loading_method="defer")
    if 'class="cnnlesson-figure"' in body:
        for name in ("figures", _MARKS):
            app.add_js_file(f"{name}.js", loading_method="defer")
        app.add_css_file("figures.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    scripts = [*_scripts().values(), *_later().values()]
    digest = sha256("".join([*scripts, _stylesheet()]).encode()).hexdigest()
    # A setting of kind "html" that changed makes Sphinx write every page again.
    app.add_config_value("figures_digest", digest, "html")
    app.connect("builder-inited", _write_assets)
    app.connect("html-page-context", _load_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
