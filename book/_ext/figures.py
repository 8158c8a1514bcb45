"""Make the interactive figures live on the pages of the built book.

One classic script and one stylesheet are written from the package's JavaScript and CSS, and
loaded on those pages that hold a figure. Weights of a network, in a file beside the module that
runs it, get a script of their own. Sphinx adds the content's checksum to their addresses.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path

from lightningcss import process_stylesheet
from rjsmin import jsmin
from sphinx.application import Sphinx

_HERE = Path(__file__).parent
_WIDGETS = _HERE.parents[1] / "cnnlesson" / "widgets"
_LIVE = "training_panel"  # draws what a kernel trains: no page of the book can


def _script() -> str:
    # Comments and indentation stay in the repository; a phone need not fetch them.
    modules = [path for path in sorted(_WIDGETS.glob("*/*.js")) if path.parent.name != _LIVE]
    sources = {path.stem: jsmin(path.read_text("utf-8")) for path in modules}
    mount = jsmin((_HERE / "mount.js").read_text("utf-8"))
    return f"(() => {{\n{mount}\nmountAll({json.dumps(sources, ensure_ascii=False)});\n}})();\n"


def _stylesheet() -> str:
    shared = _WIDGETS / "shared" / "figure.css"
    own = [
        path
        for path in sorted(_WIDGETS.glob("*/*.css"))
        if path.parent.name not in ("shared", _LIVE)
    ]
    sheets = "".join(path.read_text("utf-8") for path in (shared, *own, _HERE / "book.css"))
    return process_stylesheet(sheets, minify=True)


def _weights() -> dict[str, str]:
    """Return the script that holds the weights of a module, by the module's name."""
    return {
        path.stem: f"(globalThis.cnnlessonData ??= {{}}).{path.stem} = "
        f'{{ weights: "{base64.b64encode(path.read_bytes()).decode()}" }};\n'
        for path in sorted(_WIDGETS.glob("*/*.f16"))
    }


def _write_assets(app: Sphinx) -> None:
    # Added now, because a static path known earlier has each of its scripts loaded on every page.
    folder = Path(app.doctreedir) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.js").write_text(_script(), "utf-8")
    (folder / "figures.css").write_text(_stylesheet(), "utf-8")
    for module, script in _weights().items():
        (folder / f"{module}_weights.js").write_text(script, "utf-8")
    app.config.html_static_path.append(str(folder))


def _load_assets(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    body = context.get("body", "")
    for module in _weights():
        if f'data-module="{module}"' in body:
            app.add_js_file(f"{module}_weights.js", loading_method="defer")
    if 'class="cnnlesson-figure"' in body:
        app.add_js_file("figures.js", loading_method="defer")
        app.add_css_file("figures.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    digest = sha256((_script() + _stylesheet()).encode()).hexdigest()
    # A setting of kind "html" that changed makes Sphinx write every page again.
    app.add_config_value("figures_digest", digest, "html")
    app.connect("builder-inited", _write_assets)
    app.connect("html-page-context", _load_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
