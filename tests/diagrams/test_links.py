"""What joins two stages: the window of a pixel, by hand, or the sides of both."""

import numpy as np
import pytest
from torch import nn

from cnnlesson.diagrams.glyphs import Scale, box, stack
from cnnlesson.diagrams.links import link
from cnnlesson.diagrams.stages import trace_stages


def joined(layer, shape, number=1, glyph=stack):
    """Join the input and what the layer makes of it; return the link and both glyphs."""
    stages = trace_stages(layer, (1, *shape))
    left, right = (glyph(stage, Scale(stages)) for stage in stages)
    return link(left, right.moved(300, 0), *stages, number), left, right.moved(300, 0)


def part_of(plane, points):
    """Return the first and the last corner as pixels across and down a plane."""
    return (points[[0, 2]] - plane.corner) / [plane.across[0], plane.down[1]]


# Of pixels 0 to 9 that which lies 0.72 across and 0.25 down, or 0.5 and 0.75; a half goes to even.
@pytest.mark.parametrize(("number", "column", "row"), [(1, 6, 2), (2, 4, 7)])
def test_a_window_and_its_pixel_lie_where_they_do(number, column, row):
    layer = nn.Conv2d(1, 2, 3, stride=2, padding=1)
    joint, left, right = joined(layer, (1, 20, 20), number)
    pixel = np.array([column, row])
    assert part_of(right.entry, joint.pixel) * 10 == pytest.approx(np.array([pixel, pixel + 1]))
    seen = np.array([2 * pixel - 1, 2 * pixel + 2])
    assert part_of(left.exit, joint.window) * 20 == pytest.approx(seen)
    (start, end), (other, same) = joint.lines
    assert np.array([start, other]) == pytest.approx(joint.window[1:3])
    assert np.array([end, same]) == pytest.approx(np.tile(joint.pixel.mean(axis=0), (2, 1)))


def test_the_border_cuts_a_window():
    joint, left, _ = joined(nn.Conv2d(1, 1, 9, padding=4), (1, 4, 4))
    assert part_of(left.exit, joint.window) == pytest.approx(np.array([[0, 0], [1, 1]]))


def test_all_of_a_map_is_joined_to_all_features():
    joint, left, right = joined(nn.Flatten(), (4, 5, 6))
    assert joint.window is None
    assert joint.pixel is None
    for (start, end), v in zip(joint.lines, (0, 1), strict=True):
        assert start == pytest.approx(left.exit.at(1, v))
        assert end == pytest.approx(right.entry.at(0, v))


def test_all_of_a_map_is_joined_to_the_one_pixel_it_becomes():
    joint, _, right = joined(nn.Sequential(nn.Linear(6, 1)), (1, 1, 6))
    assert [tuple(end) for _, end in joint.lines] == [tuple(right.entry.at(0.5, 0.5))] * 2


def test_what_has_no_window_and_is_no_mixture_is_not_joined():
    assert joined(nn.Linear(6, 3), (2, 5, 6))[0] == ([], None, None)


def test_a_box_shows_how_deep_a_window_goes():
    deep = joined(nn.Conv2d(8, 4, 3), (8, 9, 9), glyph=box)[0]
    thin = joined(nn.MaxPool2d(3), (8, 9, 9), glyph=box)[0]
    reach = [max(abs(start - end)[0] for start, end in joint.lines[:4]) for joint in (deep, thin)]
    assert reach[0] == pytest.approx(8 * reach[1])
