"""A network as a still picture: what network_diagram.js draws, without its captions."""

from itertools import pairwise

import numpy as np

from cnnlesson.diagrams.colours import colour_of
from cnnlesson.diagrams.glyphs import Glyph, Label, Scale, set_in_rows, stack
from cnnlesson.diagrams.links import Link, link
from cnnlesson.diagrams.stages import Stage
from cnnlesson.widgets.shared.svg import svg_image, svg_path

__all__ = ["network_picture"]

_TURN = 8.0  # points beside the beginning of a row, for the line that leads there


def network_picture(stages: list[Stage]) -> str:
    """Draw a network from left to right, in as few rows as there is room for.

    Parameters
    ----------
    stages : list of Stage
        The input and what becomes of it.

    Returns
    -------
    str
        An ``<svg>``, which says in words what it shows.
    """
    scale = Scale(stages)
    glyphs = [stack(stage, scale) for stage in stages]
    layout = set_in_rows(glyphs, [[] for _ in stages])
    drawn, end = "", glyphs[0]
    for r, row in enumerate(layout.rows):
        numbers = [place.stage for place in row.places]
        placed = [glyphs[at.stage].moved(at.x + _TURN * (r > 0), row.middle) for at in row.places]
        links = [
            link(left, right, stages[number - 1], stages[number], number)
            for (left, right), number in zip(pairwise(placed), numbers[1:], strict=True)
        ]
        lines = [[], *(joint.lines for joint in links), []]
        for k, (number, glyph) in enumerate(zip(numbers, placed, strict=True)):
            label = glyph.labels[0].clear_of(lines[k] + lines[k + 1])
            drawn += _stage(glyph, label, colour_of(stages[number]), r > 0 and k == 0)
        if r:
            drawn += _turn(end, placed[0], layout.rows[r - 1].captions - 12)
        drawn += "".join(map(_link, links))
        end = placed[-1]
    body = f'<g fill="currentColor" font-size="10" text-anchor="middle">{drawn}</g>'
    size = (layout.width + _TURN * (len(layout.rows) > 1), layout.height)
    return svg_image(body, label=" ".join(map(str, stages)), size=size)


def _path(*shapes: np.ndarray, close: str = "Z") -> str:
    return "".join(svg_path(points * [1, -1]) + close for points in shapes)


def _stage(glyph: Glyph, label: Label, colour: str, is_repeated: bool) -> str:
    """Draw a stage; of the one that a row repeats only the lines."""
    x, y = label.at
    return (
        f'<g fill="{"none" if is_repeated else colour}">'
        f'<path d="{_path(*glyph.faces)}" fill-opacity="0.26" stroke="{colour}"/>'
        f'<text x="{x:.0f}" y="{-y:.0f}" fill="currentColor">{label.text}</text></g>'
    )


def _link(joint: Link) -> str:
    lines = _path(*map(np.array, joint.lines), close="")
    drawn = f'<path d="{lines}" stroke="currentColor" stroke-width="0.6"/>' if lines else ""
    if joint.window is not None and joint.pixel is not None:
        window = f'<path class="seen" d="{_path(joint.window)}" fill="none" stroke="currentColor"/>'
        drawn += f'{window}<path class="pixel" d="{_path(joint.pixel)}"/>'
    return drawn


def _turn(end: Glyph, start: Glyph, y: float) -> str:
    """Lead the eye from the end of a row to the beginning of the next, between the two at y."""
    (right, middle), (left, below) = end.exit.at(1, 0.5), start.entry.at(0, 0.5)
    # Half way down the front map the squares behind it reach so far to the left of it.
    left -= min(left - start.faces[0][:, 0].min(), below - start.entry.at(0, 1)[1]) + 3
    way = [(right + 2, middle), (right + 6, middle), (right + 6, y), (3, y), (3, below)]
    tip = [(left - 4, below + 3), (left, below), (left - 4, below - 3)]
    arrow = _path(np.array([*way, (left, below)]), np.array(tip), close="")
    return f'<path class="turn" d="{arrow}" fill="none" stroke="currentColor"/>'
