"""Initial weights follow from the seed alone, and leave the global generator alone."""

import threading

import pytest
import torch
from torch import nn

from cnnlesson import ConvNet
from cnnlesson._support.seeding import Seeded


@pytest.mark.parametrize(
    "make",
    [ConvNet, lambda: nn.Linear(3, 2), lambda: nn.Conv1d(2, 3, 2), lambda: nn.GRU(3, 2)],
)
@pytest.mark.parametrize("seed", [0, 7])
def test_the_weights_are_those_after_seeding_the_global_generator(make, seed):
    with Seeded(seed):
        model = make()
    torch.manual_seed(seed)
    expected = make()
    for weight, other in zip(model.parameters(), expected.parameters(), strict=True):
        assert torch.equal(weight, other)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    with Seeded(3):
        ConvNet()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_another_thread_draws_meanwhile_changes_nothing():
    done = threading.Event()

    def draw():
        while not done.is_set():
            torch.rand(10)

    torch.manual_seed(5)
    expected = list(ConvNet().parameters())
    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(50):
            with Seeded(5):
                model = ConvNet()
            assert all(map(torch.equal, model.parameters(), expected))
    finally:
        done.set()
        thread.join()
