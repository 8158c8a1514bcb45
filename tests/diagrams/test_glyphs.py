"""The geometry of the diagrams: monotone scales, faces that do not overlap, rows that fit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cnnlesson.diagrams.glyphs import ROW_WIDTH, Plane, Scale, box, set_in_rows, stack
from cnnlesson.diagrams.stages import Stage

maps = st.tuples(st.integers(1, 2048), st.integers(1, 512), st.integers(1, 512))
signals = st.tuples(st.integers(1, 2048), st.integers(1, 512))
features = st.tuples(st.integers(1, 100_000))
stages = st.lists(
    st.builds(Stage, st.one_of(maps, signals, features), st.just("Conv2d")), min_size=1, max_size=25
)


def area(polygon: np.ndarray) -> float:
    """Return the area inside a polygon, by the shoelace formula."""
    x, y = polygon.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_sides_are_proportional_where_that_can_be_seen():
    scale = Scale([Stage((1, 28, 28), "Input"), Stage((4, 14, 7), "Conv2d")])
    assert scale.side(28) == pytest.approx(2 * scale.side(14)) == pytest.approx(4 * scale.side(7))


@given(stages)
@settings(max_examples=30, deadline=None)
def test_larger_is_drawn_larger_and_the_smallest_can_be_seen(stages):
    scale = Scale(stages)
    sizes = sorted({size for stage in stages for size in stage.shape[1:]})
    sides = [scale.side(size) for size in sizes]
    assert all(a < b for a, b in pairwise(sides))
    assert all(scale.SMALLEST - 1e-9 <= side <= scale.LARGEST for side in sides)


@pytest.mark.parametrize("drawn", ["squares", "width", "bar"])
def test_more_is_drawn_as_more(drawn):
    amounts = [getattr(Scale([]), drawn)(n) for n in range(1, 3000)]
    assert all(a <= b for a, b in pairwise(amounts))
    assert drawn != "squares" or all(count <= n for n, count in enumerate(amounts, 1))


@given(maps)
@settings(max_examples=50, deadline=None)
def test_the_squares_of_a_stack_cover_it_once(shape):
    stage = Stage(shape, "Conv2d")
    scale = Scale([stage])
    faces = stack(stage, scale).faces
    height, width = scale.side(shape[1]), scale.side(shape[2])
    strip = 3.2 * (width + height - 3.2)
    assert len(faces) == scale.squares(shape[0])
    assert area(faces[-1]) == pytest.approx(width * height)
    assert [area(face) for face in faces[:-1]] == pytest.approx([strip] * (len(faces) - 1))


@given(maps)
@settings(max_examples=50, deadline=None)
def test_a_box_has_the_area_of_its_outline(shape):
    stage = Stage(shape, "Conv2d")
    glyph = box(stage, Scale([stage]))
    corner, back = glyph.entry.corner, glyph.entry.corner + glyph.entry.across
    right, down = -glyph.channels, glyph.entry.down
    outline = [corner, back, back + right, back + right + down, corner + right + down]
    outline.append(corner + down)
    assert sum(area(face) for face in glyph.faces) == pytest.approx(area(np.array(outline)))


def test_a_part_of_a_plane_runs_clockwise_from_the_top_left():
    plane = Plane(np.array([1.0, 2.0]), np.array([10.0, 0.0]), np.array([0.0, -4.0]))
    expected = [(2, 0), (6, 0), (6, -2), (2, -2)]
    assert plane.part((0.1, 0.5), (0.5, 1)) == pytest.approx(np.array(expected, dtype=float))


@given(stages, st.sampled_from([stack, box]))
@settings(max_examples=30, deadline=None)
def test_rows_are_in_order_apart_and_no_wider_than_the_page(stages, draw):
    scale = Scale(stages)
    glyphs = [draw(stage, scale) for stage in stages]
    layout = set_in_rows(glyphs, [["Conv 3×3", "ReLU"]] * len(stages))
    numbers = [[place.stage for place in row.places] for row in layout.rows]
    assert numbers[0] + [n for row in numbers[1:] for n in row[1:]] == list(range(len(stages)))
    assert all(before[-1] == after[0] for before, after in pairwise(numbers))
    for row in layout.rows:
        spans = [
            (p.x + glyphs[p.stage].bounds()[0], p.x + glyphs[p.stage].bounds()[2])
            for p in row.places
        ]
        assert all(a[1] + 20 < b[0] for a, b in pairwise(spans))
        assert spans[0][0] > 0
        assert spans[-1][1] <= layout.width
        assert spans[-1][1] <= ROW_WIDTH or len(row.places) <= 2
