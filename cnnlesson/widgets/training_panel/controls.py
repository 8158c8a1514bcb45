"""What the reader moves and presses: a control for each setting, and the buttons."""

from collections.abc import Iterable
from typing import Any

import ipywidgets
from traitlets import Bunch, HasTraits

__all__ = ["Buttons", "setting_controls"]

_NUMBERS_OF_IMAGES = (100, 200, 500, 1000, 2000, 4000, 6000, 12_000, 20_000)


class Buttons(ipywidgets.HBox):
    """Train, Stop and Clear, and a bar that fills while a training is under way.

    Attributes
    ----------
    train_button, stop_button, clear_button : ipywidgets.Button
        What is pressed. Stop can be pressed only while a training is under way, Train only
        otherwise.
    bar : ipywidgets.IntProgress
        Steps done.
    """

    def __init__(self) -> None:
        self.train_button = ipywidgets.Button(
            description="Train", icon="play", button_style="primary"
        )
        self.stop_button = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self.clear_button = ipywidgets.Button(description="Clear", icon="trash")
        self.bar = ipywidgets.IntProgress(value=0, max=1)
        super().__init__(
            [self.train_button, self.stop_button, self.clear_button, self.bar],
            layout=ipywidgets.Layout(flex_flow="row wrap"),
        )

    def begin(self, num_steps: int) -> None:
        """Show that a training of so many steps has begun."""
        self.train_button.disabled, self.stop_button.disabled = True, False
        self.bar.max, self.bar.value = num_steps, 0

    def end(self) -> None:
        """Show that it has ended."""
        self.train_button.disabled, self.stop_button.disabled = False, True


def setting_controls(owner: HasTraits, *, num_images: int) -> ipywidgets.GridBox:
    """Return controls that follow the settings of a panel, and that they follow.

    Parameters
    ----------
    owner : HasTraits
        The panel, with a trait for each setting.
    num_images : int
        Training images there are.

    Returns
    -------
    ipywidgets.GridBox
        One control a setting, in as many columns as there is room for.
    """
    look = {"layout": ipywidgets.Layout(width="auto"), "style": {"description_width": "104px"}}
    images = [n for n in _NUMBERS_OF_IMAGES if n < num_images] + [num_images]
    controls = []
    for name, label, values in (
        ("lr", "step size α", [m / 10**e for e in range(5, 0, -1) for m in (1, 2, 5)] + [1.0]),
        ("momentum", "momentum μ", [hundredths / 100 for hundredths in range(100)]),
        ("batch_size", "batch size", [2**k for k in range(11)]),
        ("num_epochs", "epochs", range(1, 21)),
        ("pixels", "pixels", ["raw", "unit", "standardized"]),
        ("order", "order", ["shuffled", "sorted"]),
        ("num_images", "images", images),
        ("seed", "seed", range(100)),
    ):
        is_word = isinstance(values[0], str)
        make = ipywidgets.Dropdown if is_word else ipywidgets.SelectionSlider
        control = make(description=label, options=_options(values), **look)
        _bind(owner, name, control)
        controls.append(control)
    return ipywidgets.GridBox(
        controls,
        layout=ipywidgets.Layout(
            grid_template_columns="repeat(auto-fit, minmax(min(100%, 300px), 1fr))",
            grid_gap="0 24px",
        ),
    )


def _bind(owner: HasTraits, name: str, control: ipywidgets.Widget) -> None:
    """Let a setting and its control follow each other; a new value is one more option."""

    def read(change: Bunch) -> None:
        setattr(owner, name, change.new)

    def show(change: Bunch) -> None:
        control.unobserve(read, "value")
        values = {value for _, value in control.options}
        with control.hold_sync():
            if change.new not in values:
                control.options = _options(sorted({*values, change.new}))
            control.value = change.new
        control.observe(read, "value")

    control.observe(read, "value")
    show(Bunch(new=getattr(owner, name)))
    owner.observe(show, name)


def _options(values: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return each value with the text that a control shows."""
    return [(value if isinstance(value, str) else f"{value:,.10g}", value) for value in values]
