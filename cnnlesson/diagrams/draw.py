"""Pictures of a network, drawn from its trace: stacks of feature maps, and boxes."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from cnnlesson._support.arguments import checked
from cnnlesson.diagrams.blank_input import InputShape, Model
from cnnlesson.diagrams.colours import colour_of
from cnnlesson.diagrams.glyphs import (
    CAPTION_SIZE,
    LABEL_SIZE,
    LINE_HEIGHT,
    Glyph,
    Label,
    Layout,
    Scale,
    box,
    set_in_rows,
    stack,
)
from cnnlesson.diagrams.links import Link, link
from cnnlesson.diagrams.stages import Stage, trace_stages

__all__ = ["draw_boxes", "draw_feature_maps", "save_svg"]

INK = "#1f2328"


@checked
def draw_feature_maps(
    model: Model, input_shape: InputShape = (1, 1, 28, 28), *, ax: Axes | None = None
) -> Axes:
    """Draw a network as stacks of feature maps, in the style of LeNet-5 [1]_.

    Every number in the picture is read from the traced model. A window and the pixel it becomes
    are drawn at their true place. Side lengths are proportional to the number of pixels, or, when
    that would make the smallest map invisible, to a power of it. A stack shows more squares for
    more channels, but not all of them: the label has the number.

    Parameters
    ----------
    model : torch.nn.Module
        A network whose layers and functions run one after the other, on any device, ``meta``
        included.
    input_shape : tuple of int, default (1, 1, 28, 28)
        Shape of the input, batch dimension first.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The picture fills it as a whole, text included. By default a new figure,
        10 inches wide at most; a longer network continues on the next row, where its last stage
        is repeated with a dashed outline.

    Returns
    -------
    matplotlib.axes.Axes
        Its label, ``ax.get_label()``, says in words what the picture shows.

    Raises
    ------
    ShapeError
        If the network cannot take such an input.
    ValueError
        If it is no chain, or a shape has too many dimensions to be drawn.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE, 1998, figure 2.
    """
    return _draw(trace_stages(model, input_shape), stack, ax)


@checked
def draw_boxes(
    model: Model, input_shape: InputShape = (1, 1, 28, 28), *, ax: Axes | None = None
) -> Axes:
    """Draw a network as boxes, in the style of AlexNet [1]_.

    A box is as high and as deep as the feature maps, by the scale of ``draw_feature_maps``. Its
    width grows with the logarithm of the number of channels. The numbers along its edges are read
    from the traced model: height and width of the maps, and channels underneath.

    Parameters
    ----------
    model : torch.nn.Module
        A network whose layers and functions run one after the other, on any device, ``meta``
        included.
    input_shape : tuple of int, default (1, 1, 28, 28)
        Shape of the input, batch dimension first.
    ax : matplotlib.axes.Axes, optional
        Where to draw, as in ``draw_feature_maps``.

    Returns
    -------
    matplotlib.axes.Axes
        Its label, ``ax.get_label()``, says in words what the picture shows.

    Raises
    ------
    ShapeError
        If the network cannot take such an input.
    ValueError
        If it is no chain, or a shape has too many dimensions to be drawn.

    References
    ----------
    .. [1] A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep
       convolutional neural networks", NeurIPS 2012, figure 2.
    """
    return _draw(trace_stages(model, input_shape), box, ax)


def save_svg(ax: Axes, path: str | PathLike[str]) -> None:
    """Save a diagram as SVG, for light and dark pages.

    The background is transparent and the ink takes the colour of the text around the picture. As
    a file of its own, or in an ``img`` element, it follows the reader's colour scheme. Text stays
    text. The same diagram gives the same bytes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A diagram. The figure it is on is saved as a whole.
    path : str or path-like
        Where to write.
    """
    path = Path(path)
    with mpl.rc_context({"svg.hashsalt": "cnnlesson", "svg.fonttype": "none"}):
        metadata = {"Title": ax.get_label(), "Date": None, "Creator": None}
        ax.figure.canvas.figure.savefig(path, format="svg", transparent=True, metadata=metadata)
    svg = path.read_text(encoding="utf-8").replace(INK, "currentColor")
    # svg:root is this file on its own; inline in a page, the page's own colour is inherited.
    style = "<style>@media (prefers-color-scheme: dark) { svg:root { color: #e6e6e6 } }</style>"
    svg = svg.replace("<svg ", '<svg role="img" ', 1).replace("</title>", f"</title>\n {style}", 1)
    path.write_text(svg, encoding="utf-8", newline="\n")


def _draw(stages: list[Stage], glyph: Callable[[Stage, Scale], Glyph], ax: Axes | None) -> Axes:
    scale = Scale(stages)
    glyphs = [glyph(stage, scale) for stage in stages]
    captions = [[line for text in s.operations for line in text.split(", ")] for s in stages]
    layout = set_in_rows(glyphs, captions)
    pen = _Pen(ax, layout)
    for row in layout.rows:
        placed = [glyphs[place.stage].moved(place.x, row.middle) for place in row.places]
        numbers = [place.stage for place in row.places]
        links = [
            link(left, right, stages[number - 1], stages[number], number)
            for left, right, number in zip(placed, placed[1:], numbers[1:], strict=False)
        ]
        lines = [[], *(joint.lines for joint in links), []]
        for k, (drawn, number) in enumerate(zip(placed, numbers, strict=True)):
            repeated = k == 0 and number > 0
            pen.glyph(drawn, stages[number], number, repeated)
            for label in drawn.labels:
                pen.text(label.clear_of(lines[k] + lines[k + 1]), LABEL_SIZE)
        for joint, place in zip(links, row.places[1:], strict=True):
            pen.link(joint, place.stage)
            for k, text in enumerate(captions[place.stage]):
                at = np.array([place.caption_x, row.captions - k * LINE_HEIGHT])
                pen.text(Label(at, text, "center", "top"), CAPTION_SIZE)
    pen.ax.set_label(" ".join(str(stage) for stage in stages))
    return pen.ax


class _Pen:
    """Draws on an Axes, which it scales to the layout."""

    def __init__(self, ax: Axes | None, layout: Layout) -> None:
        if ax is None:
            size = (layout.width / 72, layout.height / 72)
            ax = plt.figure(figsize=size, layout="none").add_axes((0, 0, 1, 1))
        self.ax = ax
        ax.set(xlim=(0, layout.width), ylim=(-layout.height, 0), aspect="equal")
        ax.set_axis_off()
        room = ax.get_window_extent()
        pixels = min(room.width / layout.width, room.height / layout.height)
        self.zoom = pixels * 72 / ax.figure.dpi

    def polygon(self, points: np.ndarray, width: float, **style: Any) -> None:
        style = {"edgecolor": INK, "facecolor": "none", "joinstyle": "round"} | style
        self.ax.add_patch(Polygon(points, linewidth=width * self.zoom, clip_on=False, **style))

    def text(self, label: Label, size: float) -> None:
        x, y = label.at
        self.ax.text(
            x,
            y,
            label.text,
            size=size * self.zoom,
            color=INK,
            ha=label.horizontal,
            va=label.vertical,
            parse_math=False,
        )

    def glyph(self, glyph: Glyph, stage: Stage, number: int, repeated: bool) -> None:
        colour = colour_of(stage)
        for face, shade in zip(glyph.faces, glyph.shades, strict=True):
            if repeated:
                self.polygon(face, 0.9, edgecolor=colour, linestyle=(0, (3, 2)))
            else:
                name = f"stage-{number}" if face is glyph.faces[-1] else None
                self.polygon(face, 0.9, edgecolor=colour, facecolor=(colour, shade), gid=name)

    def link(self, joint: Link, number: int) -> None:
        for line in joint.lines:
            self.polygon(np.array(line), 0.6, closed=False)
        if joint.window is not None and joint.pixel is not None:
            self.polygon(joint.window, 1.0, gid=f"window-{number}")
            self.polygon(joint.pixel, 0.6, facecolor=INK, gid=f"pixel-{number}")
