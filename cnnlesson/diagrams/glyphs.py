"""The geometry of the diagrams: each stage of a network as polygons, and the stages set in rows.

All lengths are in points, 1/72 inch; y grows upwards.
"""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cnnlesson.diagrams.stages import Stage

__all__ = [
    "Glyph",
    "Label",
    "Layout",
    "Place",
    "Plane",
    "Row",
    "Scale",
    "box",
    "set_in_rows",
    "stack",
]

LABEL_SIZE, CAPTION_SIZE = 10.0, 9.0
LINE_HEIGHT = 1.25 * CAPTION_SIZE
ROW_WIDTH = 720.0
MARGIN, GAP = 8.0, 30.0

Line = tuple[np.ndarray, np.ndarray]


class Scale:
    """How long to draw what, in one network.

    A side of n pixels is drawn proportional to n, or, where that would make the smallest map
    too small to see, to a power of n. Channels and features go by their logarithm.

    Parameters
    ----------
    stages : list of Stage
        All stages of the network.

    Attributes
    ----------
    LARGEST, SMALLEST : float
        Side of the largest map, and the least side of the smallest one, in points.
    most : int
        Pixels along the longest side of all maps.
    power : float
        The power of n; 1 where sides are proportional to their pixels.
    """

    LARGEST, SMALLEST = 92.0, 16.0

    def __init__(self, stages: list[Stage]) -> None:
        sizes = [size for stage in stages for size in stage.shape[1:]]
        self.most, least = max(sizes, default=1), min(sizes, default=1)
        needed = math.log(self.SMALLEST / self.LARGEST)
        spread = math.log(least / self.most)
        self.power = needed / spread if spread < needed else 1.0

    def side(self, pixels: int) -> float:
        """Return the side of a feature map.

        Parameters
        ----------
        pixels : int
            Pixels n along the side, 1 or more.

        Returns
        -------
        float
            Length in points, `SMALLEST` to `LARGEST` within the network.
        """
        return self.LARGEST * (pixels / self.most) ** self.power

    def squares(self, channels: int) -> int:
        """Return how many squares stand for a stack of feature maps.

        Parameters
        ----------
        channels : int
            Number of maps, 1 or more.

        Returns
        -------
        int
            1 to 16, at most one for each map.
        """
        return min(channels, 1 + round(1.5 * math.log2(channels)), 16)

    def width(self, channels: int) -> float:
        """Return the width of a box.

        Parameters
        ----------
        channels : int
            Number of feature maps, 1 or more.

        Returns
        -------
        float
            Length in points, 5 or more.
        """
        return 5 + 4.5 * math.log2(channels)

    def bar(self, features: int) -> float:
        """Return the height of a fully connected layer.

        Parameters
        ----------
        features : int
            Number of features, 1 or more.

        Returns
        -------
        float
            Length in points, 16 or more.
        """
        return 16 + 8.5 * math.log2(features)


class Plane(NamedTuple):
    """Where a feature map lies in the picture: its top left corner and its two edges.

    Attributes
    ----------
    corner : numpy.ndarray, shape (2,)
        The top left corner, x and y in points.
    across, down : numpy.ndarray, shape (2,)
        From there to the top right corner, and to the bottom left one.
    """

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray

    def at(self, u: float, v: float) -> np.ndarray:
        """Return the point that lies u of the way across and v of the way down.

        Parameters
        ----------
        u, v : float
            Shares of the two edges; from 0 to 1 on the map itself.

        Returns
        -------
        numpy.ndarray, shape (2,)
            The point, x and y in points.
        """
        return self.corner + u * self.across + v * self.down

    def part(self, u: tuple[float, float], v: tuple[float, float]) -> np.ndarray:
        """Return a rectangle on the map.

        Parameters
        ----------
        u, v : tuple of float
            Where it begins and ends, as shares of the way across and down, 0 to 1.

        Returns
        -------
        numpy.ndarray, shape (4, 2)
            Its corners, clockwise from the top left, in points.
        """
        return np.array([self.at(a, b) for b, a in zip(np.repeat(v, 2), u + u[::-1], strict=True)])


class Label(NamedTuple):
    """A text that belongs to a glyph, and the side of it that lies at ``at``.

    Attributes
    ----------
    at : numpy.ndarray, shape (2,)
        Where it stands, x and y in points.
    text : str
        One line of text, as large as ``LABEL_SIZE``.
    horizontal : {"center", "left", "right"}
        Which part of the text lies at the x.
    vertical : {"baseline", "top"}
        Which part lies at the y.
    """

    at: np.ndarray
    text: str
    horizontal: str = "center"
    vertical: str = "baseline"

    def extent(self) -> tuple[float, float]:
        """Return where the text begins and ends.

        Returns
        -------
        tuple of float
            The x of its left end, and that of its right end, in points.
        """
        width = text_width(self.text, LABEL_SIZE)
        left = self.at[0] - width * {"left": 0, "center": 0.5, "right": 1}[self.horizontal]
        return left, left + width

    def clear_of(self, lines: list[Line]) -> "Label":
        """Return the label where no line crosses it.

        Parameters
        ----------
        lines : list of tuple of numpy.ndarray
            Start and end of each, shape (2,), from left to right, in points.

        Returns
        -------
        Label
            The same text at the same x: above the lines if it stands on its baseline, else below.
        """
        up = self.vertical == "baseline"
        left, right = self.extent()
        y = self.at[1]
        for start, end in lines:
            if start[0] < right and left < end[0]:
                x = np.clip((left, right), start[0], end[0])
                heights = np.interp(x, (start[0], end[0]), (start[1], end[1]))
                y = max(y, heights.max() + 5) if up else min(y, heights.min() - 2)
        return self._replace(at=np.array([self.at[0], y]))


class Glyph(NamedTuple):
    """One stage, its vertical middle at y = 0.

    Attributes
    ----------
    faces : list of numpy.ndarray, shape (corners, 2)
        Polygons that do not overlap, so that they can be see-through; the last is the front.
    shades : list of float
        Opacity of each face.
    labels : list of Label
        Its numbers.
    entry, exit : Plane
        The map that lines from the stage before arrive at, and the one that lines leave from.
    channels : numpy.ndarray, shape (2,)
        From the exit plane back through all channels.
    looks : tuple of tuple of float
        How far down and across the map the pixel lies whose window is shown, in turns, so that
        the lines that arrive and those that leave keep apart.
    """

    faces: list[np.ndarray]
    shades: list[float]
    labels: list[Label]
    entry: Plane
    exit: Plane
    channels: np.ndarray
    looks: tuple[tuple[float, float], ...]

    def moved(self, x: float, y: float) -> "Glyph":
        """Return the same glyph elsewhere.

        Parameters
        ----------
        x, y : float
            How far to the right and up, in points.

        Returns
        -------
        Glyph
            The same glyph there.
        """
        by = np.array([x, y])
        return self._replace(
            faces=[face + by for face in self.faces],
            labels=[label._replace(at=label.at + by) for label in self.labels],
            entry=self.entry._replace(corner=self.entry.corner + by),
            exit=self.exit._replace(corner=self.exit.corner + by),
        )

    def bounds(self) -> tuple[float, float, float, float]:
        """Return what the glyph takes up, labels included.

        Returns
        -------
        tuple of float
            Left, bottom, right and top, in points.
        """
        corners = [*self.faces]
        for label in self.labels:
            low = label.at[1] - (LABEL_SIZE if label.vertical == "top" else 0)
            ends = [(x, y) for x in label.extent() for y in (low, low + LABEL_SIZE)]
            corners.append(np.array(ends))
        points = np.concatenate(corners)
        return (*points.min(axis=0), *points.max(axis=0))


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text.

    Parameters
    ----------
    text : str
        The line.
    size : float
        Font size, in points.

    Returns
    -------
    float
        Its width in Matplotlib's current font, in points.
    """
    font = FontProperties(size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


def stack(stage: Stage, scale: Scale) -> Glyph:
    """Draw a stage as offset squares, or as a column if it is flat.

    Parameters
    ----------
    stage : Stage
        Maps of 1 or 2 axes, or features.
    scale : Scale
        Lengths for the whole network.

    Returns
    -------
    Glyph
        Its left edge at x = 0.
    """
    if len(stage.shape) == 1:
        height, offset, count = scale.bar(stage.shape[0]), 0.0, 1
        width = 9.0
    else:
        *rows, columns = stage.shape[1:]
        width, offset = scale.side(columns), 3.2
        height = scale.side(rows[0]) if rows else 9.0
        count = scale.squares(stage.shape[0])
    back = np.array([0.0, (height + (count - 1) * offset) / 2])
    step = np.array([offset, -offset])
    # Of all squares but the front one a strip on the left and one on the top can be seen.
    seen = np.array(
        [(0, -height), (0, 0), (width, 0), (width, -offset), (offset, -offset), (offset, -height)]
    )
    faces = [seen + back + k * step for k in range(count - 1)]
    front = Plane(back + (count - 1) * step, np.array([width, 0.0]), np.array([0.0, -height]))
    faces.append(front.part((0, 1), (0, 1)))
    middle = (width + (count - 1) * offset) / 2
    labels = [Label(np.array([middle, back[1] + 5]), stage.label)]
    return Glyph(
        faces, [0.26] * count, labels, front, front, np.zeros(2), ((0.75, 0.5), (0.25, 0.72))
    )


def box(stage: Stage, scale: Scale) -> Glyph:
    """Draw a stage as a box: channels to the right, rows down, columns into the page.

    Parameters
    ----------
    stage : Stage
        Maps of 1 or 2 axes, or features.
    scale : Scale
        Lengths for the whole network.

    Returns
    -------
    Glyph
        Its front's left edge at x = 0.
    """
    channels, *size = stage.shape
    if not size:
        width, height, depth = 7.0, scale.bar(channels), 9.0
    else:
        *rows, columns = size
        width, depth = scale.width(channels), scale.side(columns)
        height = scale.side(rows[0]) if rows else 9.0
    right, down = np.array([width, 0.0]), np.array([0.0, -height])
    back = 0.5 * depth * np.array([math.cos(math.pi / 4), math.sin(math.pi / 4)])
    corner = np.array([0.0, (height - back[1]) / 2])
    entry, exit = Plane(corner, back, down), Plane(corner + right, back, down)
    top, front = Plane(corner, right, back), Plane(corner, right, down)
    faces = [plane.part((0, 1), (0, 1)) for plane in (top, exit, front)]
    bottom = corner[1] - height
    labels = [Label(np.array([width / 2, bottom - 4]), str(channels), vertical="top")]
    if size:
        x, y = corner + 0.7 * back
        labels.append(Label(np.array([x - 4, y + 1]), str(size[-1]), "right", "baseline"))
    if len(size) == 2:
        labels.append(Label(np.array([-4, bottom + 8]), str(size[0]), "right", "top"))
    return Glyph(faces, [0.12, 0.42, 0.26], labels, entry, exit, -right, ((0.5, 0.25), (0.5, 0.55)))


class Place(NamedTuple):
    """A stage in a row.

    Attributes
    ----------
    stage : int
        Its number in the network, from 0 for the input.
    x : float
        Where its glyph's x = 0 lies, in points.
    caption_x : float
        Middle of the caption before it, in points; 0 where none is shown.
    """

    stage: int
    x: float
    caption_x: float


class Row(NamedTuple):
    """Stages side by side.

    Attributes
    ----------
    places : list of Place
        From left to right. The caption of the first one is not shown.
    middle : float
        The y of its glyphs.
    captions : float
        The y where its captions begin.
    """

    places: list[Place]
    middle: float
    captions: float


class Layout(NamedTuple):
    """All rows; the picture reaches from (0, 0) to the right and down.

    Attributes
    ----------
    rows : list of Row
        From top to bottom.
    width, height : float
        Size of the picture, in points.
    """

    rows: list[Row]
    width: float
    height: float


def set_in_rows(glyphs: list[Glyph], captions: list[list[str]]) -> Layout:
    """Set the stages like words: where a row is full, its last stage also begins the next one.

    Parameters
    ----------
    glyphs : list of Glyph
        The stages.
    captions : list of list of str
        The lines of text between a stage and the one before.

    Returns
    -------
    Layout
        As few rows as possible, and those about equally long.
    """
    bounds = [glyph.bounds() for glyph in glyphs]
    widths = [max((text_width(t, CAPTION_SIZE) for t in lines), default=0) for lines in captions]
    rows = _fill(bounds, widths, ROW_WIDTH)
    for limit in np.arange(ROW_WIDTH, 0, -10):
        narrower = _fill(bounds, widths, limit)
        if len(narrower) > len(rows):
            break
        rows = narrower

    placed, width, y = [], 0.0, -MARGIN
    for row in rows:
        middle = y - max(bounds[place.stage][3] for place in row)
        top = middle + min(bounds[place.stage][1] for place in row) - 0.8 * LINE_HEIGHT
        placed.append(Row(row, middle, top))
        y = (
            top
            - LINE_HEIGHT * max((len(captions[place.stage]) for place in row[1:]), default=0)
            - 3 * MARGIN
        )
        width = max(width, *(_right(place, bounds, widths) for place in row))
    return Layout(placed, width + MARGIN, -y - 2 * MARGIN)


def _fill(bounds: list, widths: list[float], limit: float) -> list[list[Place]]:
    """Break the row where the next stage would end beyond the limit."""
    rows = [[Place(0, MARGIN - bounds[0][0], 0.0)]]
    for stage in range(1, len(bounds)):
        place = _beside(rows[-1], stage, bounds, widths)
        if _right(place, bounds, widths) > limit - MARGIN and len(rows[-1]) > 1:
            rows.append([Place(stage - 1, MARGIN - bounds[stage - 1][0], 0.0)])
            place = _beside(rows[-1], stage, bounds, widths)
        rows[-1].append(place)
    return rows


def _beside(row: list[Place], stage: int, bounds: list, widths: list[float]) -> Place:
    """Return the next place in a row, as near as the labels and the captions allow."""
    last = row[-1]
    end = last.x + bounds[last.stage][2]
    taken = last.caption_x + widths[last.stage] / 2 + MARGIN if len(row) > 1 else MARGIN
    start = max(end + GAP, 2 * (taken + widths[stage] / 2) - end)
    return Place(stage, start - bounds[stage][0], (end + start) / 2)


def _right(place: Place, bounds: list, widths: list[float]) -> float:
    return max(place.x + bounds[place.stage][2], place.caption_x + widths[place.stage] / 2)
