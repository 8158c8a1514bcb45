"""Parameters: those of layers and models, and why rows do not add up."""

import torch
from torch import nn

from cnnlesson._support.parameters import count_parameters, outside_the_rows


def test_a_parameter_counts_once_and_a_frozen_one_trains_nothing():
    layer = nn.Linear(3, 2)
    layer.bias.requires_grad_(False)
    assert count_parameters(nn.Sequential(layer, layer)) == (8, 6)
    assert count_parameters(nn.LazyLinear(3)) == (0, 0)


def test_what_is_in_no_row_or_in_several_is_named():
    model = nn.Sequential(*(nn.Linear(1, 1) for _ in range(6)))
    model.extra = nn.Parameter(torch.zeros(5))
    rest = "1.weight, 1.bias, 2.weight and 7 more"
    assert outside_the_rows(model, [model[0]]) == [f"15 in no row: extra, {rest}"]
    assert outside_the_rows(model, [*model, model[1], model[1]]) == [
        "5 in no row: extra",
        "4 in several rows, counted once: 1.weight, 1.bias",
    ]
