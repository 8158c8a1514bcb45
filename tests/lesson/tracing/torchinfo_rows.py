"""The rows that a table should have, by torchinfo."""

import torchinfo
from torch import nn


def rows_by_torchinfo(model: nn.Module, shape: tuple[int, ...]) -> list[tuple]:
    summary = torchinfo.summary(model, shape, depth=20, verbose=0, device="cpu")
    return [
        (info.class_name, tuple(info.input_size), tuple(info.output_size), info.num_params)
        for info in summary.summary_list
        if info.is_leaf_layer
    ]
