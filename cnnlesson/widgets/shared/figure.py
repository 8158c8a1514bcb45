"""What every interactive figure has: one JavaScript module, settings, and a view without a kernel.

A figure lives in two kinds of hosts. In a live notebook it is an ordinary anywidget. On a static
page the ``text/html`` of the same cell output stands for it: a ``<div>`` that names the module and
holds the settings, on which the page mounts the same module. Inside the ``<div>`` is a picture
with a sentence, for readers without JavaScript and for previews of the notebook.
"""

import json
import sys
from html import escape
from typing import Any, ClassVar

import anywidget
from traitlets import Dict, default

from cnnlesson.widgets.shared.goal import Goal
from cnnlesson.widgets.shared.settings import Setting
from cnnlesson.widgets.shared.sources import esm_of, style_of

__all__ = ["Figure"]


class Figure(anywidget.AnyWidget):
    """An interactive figure; its settings are its traits.

    A subclass names its JavaScript module, ``class MomentumExplorer(Figure,
    module="momentum_explorer")``, declares its settings as traits of
    ``cnnlesson.widgets.shared.settings`` and writes the two methods that serve readers without
    JavaScript, `picture` and `summary`.

    Parameters
    ----------
    goal : Goal, optional
        What a reader is to reach; the figure judges it by its `measures`.
    **settings
        Initial values of the traits: of these, and of those of every widget, such as ``layout``.

    Raises
    ------
    TypeError
        If there is no trait of such a name.
    ValueError
        If the figure cannot judge the goal, or opens with it reached.
    """

    module: ClassVar[str]
    _limits = Dict().tag(sync=True)
    _initial = Dict().tag(sync=True)
    _data = Dict().tag(sync=True)

    def __init__(self, *, goal: Goal | None = None, **settings: Any) -> None:
        # A widget would take any name, and say nothing or little.
        if unknown := settings.keys() - self.class_trait_names():
            raise TypeError(
                f"{type(self).__name__}: expected settings among {', '.join(self._names())}, "
                f"found {', '.join(sorted(unknown))}"
            )
        self._goal = goal
        super().__init__(**settings)
        if goal:
            goal.check(self.measures(), self._names())

    def __init_subclass__(cls, *, module: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if module:
            cls.module = module
            cls._esm = esm_of(module)
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
        return self.data() | ({"goal": self._goal.data()} if self._goal else {})

    def data(self) -> dict[str, Any]:
        """Return what the module needs besides the settings: numbers that never change.

        Returns
        -------
        dict
            Values for JSON; the module finds them in its state, by these names. Empty by default.
        """
        return {}

    def measures(self) -> dict[str, float | str]:
        """Return what a goal may ask of the figure, as it stands now.

        Returns
        -------
        dict
            Numbers and words by name, as its module's ``measure`` gives them. Empty by default.
        """
        return {}

    def page_data(self) -> dict[str, Any]:
        """Return those of the data that are not on every page already.

        Returns
        -------
        dict
            What `to_html` writes into the page; all of the data by default.
        """
        return self._data

    def picture(self) -> str:
        """Return the current state as a picture.

        Returns
        -------
        str
            An ``<svg>`` with ``role="img"`` and a text alternative.
        """
        raise NotImplementedError

    def summary(self) -> str:
        """Return the current state as one sentence with its numbers.

        Returns
        -------
        str
            Plain text, without markup.
        """
        raise NotImplementedError

    def still(self) -> str:
        """Return what readers without JavaScript see.

        Returns
        -------
        str
            HTML: the picture and the sentence, unless a figure has something else to say.
        """
        return f"{self.picture()}\n<p>{escape(self.summary())}</p>"

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
            f"{self.still()}\n</div>"
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
