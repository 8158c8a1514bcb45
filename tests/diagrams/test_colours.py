"""What colour a stage has."""

import pytest

from cnnlesson.diagrams.colours import COLOURS, colour_of
from cnnlesson.diagrams.stages import Stage


@pytest.mark.parametrize(
    ("shape", "kind", "name"),
    [
        ((1, 28, 28), "Input", "input"),
        ((784,), "Input", "input"),
        ((4, 26, 26), "Conv2d", "map"),
        ((4, 26), "Linear", "map"),
        ((4, 13, 13), "MaxPool2d", "pooled"),
        ((4, 1, 1), "AdaptiveAvgPool2d", "pooled"),
        ((676,), "Flatten", "features"),
        ((10,), "Linear", "features"),
    ],
)
def test_a_stage_has_the_colour_of_what_it_is(shape, kind, name):
    assert colour_of(Stage(shape, kind)) == COLOURS[name]


def test_the_colours_differ():
    assert len(set(COLOURS.values())) == len(COLOURS)
