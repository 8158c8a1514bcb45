"""What every interactive figure has: one JavaScript module, settings, and a view without a kernel.

A figure lives in two kinds of hosts. In a live notebook it is an ordinary anywidget. On a static
page the ``text/html`` of the same cell output stands for it: a ``<div>`` that names the module and
holds the settings, on which the page mounts the same module. Inside the ``<div>`` is a picture
with a sentence, for readers without JavaScript and for previews of the notebook.
"""

import json
import re
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import anywidget
from traitlets import Dict, default

from cnnlesson.widgets.shared.settings import Setting

__all__ = ["Figure", "self_contained", "sources_of", "style_of"]

_WIDGETS = Path(__file__).parents[1]
_IMPORT = re.compile(r'^import \{([^}]+)\} from "(?:\.|\.\./shared)/(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function|class) )", re.MULTILINE)


def self_contained(module: str, shared: Mapping[str, str]) -> str:
    """Return a figure's module with the shared ones put inside it, so that it imports nothing.

    A live notebook hands the front end one string, and no address from which a second file could
    be fetched.

    Parameters
    ----------
    module : str
        Source of the module. Each of its imports has the form
        ``import { a, b } from "./name.js";``, or ``"../shared/name.js"``.
    shared : mapping of str to str
        Sources of the modules that may be imported, by name. Each export is a declaration that
        begins its line. A shared module may import others.

    Returns
    -------
    str
        Source that defines the imported names itself.

    Raises
    ------
    ValueError
        If an import has another form, or names a module that is not there.
    """

    def inline(found: re.Match) -> str:
        names, source = " ".join(found[1].split()).removesuffix(","), found[2]
        if source not in shared:
            raise ValueError(f"expected an import from one of {sorted(shared)}, found {source!r}")
        body = _EXPORT.sub("", self_contained(shared[source], shared))
        return f"const {{ {names} }} = (() => {{\n{body}return {{ {names} }};\n}})();\n"

    inlined = _IMPORT.sub(inline, module)
    if other := re.search(r"^\s*import\b.*$", inlined, re.MULTILINE):
        raise ValueError(f'expected `import {{ … }} from "./name.js";`, found `{other[0].strip()}`')
    return inlined


def sources_of(module: str, folder: str = "") -> tuple[str, dict[str, str]]:
    """Return the source of a figure's module, and of those it may import, by name.

    Parameters
    ----------
    module : str
        Its name.
    folder : str, default ""
        The folder it is in; by default that of its own name.

    Returns
    -------
    str
        Source of the module.
    dict of str to str
        Sources of the modules beside it and in ``shared``.
    """
    paths = [*(_WIDGETS / "shared").glob("*.js"), *(_WIDGETS / (folder or module)).glob("*.js")]
    sources = {path.stem: path.read_text("utf-8") for path in paths}
    return sources.pop(module), sources


def style_of(module: str, folder: str = "") -> str:
    """Return the style of a figure: the shared rules, and those in a file of its own name, if any.

    Parameters
    ----------
    module, folder : str
        As for `sources_of`.

    Returns
    -------
    str
        CSS.
    """
    sheets = [_WIDGETS / "shared" / "figure.css", _WIDGETS / (folder or module) / f"{module}.css"]
    return "".join(path.read_text("utf-8") for path in sheets if path.exists())


class Figure(anywidget.AnyWidget):
    """An interactive figure; its settings are its traits.

    A subclass names its JavaScript module, ``class MomentumExplorer(Figure,
    module="momentum_explorer")``, declares its settings as traits of
    ``cnnlesson.widgets.shared.settings`` and writes the two methods that serve readers without
    JavaScript, `picture` and `summary`.

    Parameters
    ----------
    **settings
        Initial values of the traits: of these, and of those of every widget, such as ``layout``.

    Raises
    ------
    TypeError
        If there is no trait of such a name.
    """

    module: ClassVar[str]
    _limits = Dict().tag(sync=True)
    _initial = Dict().tag(sync=True)
    _data = Dict().tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        # A widget would take any name, and say nothing or little.
        if unknown := settings.keys() - self.class_trait_names():
            raise TypeError(
                f"{type(self).__name__}: expected settings among {', '.join(self._names())}, "
                f"found {', '.join(sorted(unknown))}"
            )
        super().__init__(**settings)

    def __init_subclass__(cls, *, module: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if module:
            cls.module = module
            cls._esm = self_contained(*sources_of(module))
            cls._css = style_of(module)

    @classmethod
    def _names(cls) -> list[str]:
        """Return the names of the settings, in the order the class declares them."""
        return [
            name
            for base in reversed(cls.__mro__)
            for name, trait in vars(base).items()
            if isinstance(trait, Setting)
        ]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name, in the order the class declares them."""
        return {name: getattr(self, name) for name in self._names()}

    @default("_limits")
    def _default_limits(self) -> dict[str, Any]:
        return {name: self.trait_metadata(name, "limits") for name in self.settings}

    @default("_initial")
    def _default_initial(self) -> dict[str, Any]:
        return self.settings

    @default("_data")
    def _default_data(self) -> dict[str, Any]:
        return self.data()

    def data(self) -> dict[str, Any]:
        """Return what the module needs besides the settings: numbers that never change.

        Returns
        -------
        dict
            Values for JSON; the module finds them in its state, by these names. Empty by default.
        """
        return {}

    def page_data(self) -> dict[str, Any]:
        """Return those of the data that are not on every page already."""
        return self._data

    def picture(self) -> str:
        """Return the current state as an ``<svg>`` with ``role="img"`` and a text alternative."""
        raise NotImplementedError

    def summary(self) -> str:
        """Return the current state as one sentence with its numbers."""
        raise NotImplementedError

    def to_html(self) -> str:
        """Return the figure for a static page, readable before anything is mounted on it.

        Returns
        -------
        str
            A ``<div>`` with the module's name, the settings, the picture and the sentence. It
            depends on the settings alone.
        """
        state = {**self.settings, "_limits": self._limits}
        if data := self.page_data():
            state["_data"] = data
        packed = json.dumps(state, ensure_ascii=False)
        return (
            f'<div class="cnnlesson-figure" data-module="{self.module}" '
            f'data-state="{escape(packed)}">\n'
            f"{self.picture()}\n<p>{escape(self.summary())}</p>\n</div>"
        )

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{type(self).__name__}({settings})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        # Colab promises no preference for the widget over HTML: offer it nothing else.
        if bundle is None or "google.colab" in sys.modules:
            return bundle
        data, metadata = bundle
        return {**data, "text/html": self.to_html()}, metadata
