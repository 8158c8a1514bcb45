"""Schedules of step sizes: stepped when they are due, and long enough for the training."""

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CyclicLR,
    LinearLR,
    OneCycleLR,
    SequentialLR,
    StepLR,
)

from cnnlesson._support.schedule import Schedule


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)


def one_cycle(optimizer, steps=7):
    return OneCycleLR(optimizer, 0.5, total_steps=steps, cycle_momentum=False)


BY_BATCH = {
    "one cycle": one_cycle,
    "cyclic": lambda o: CyclicLR(o, 0.01, 0.1, step_size_up=3),
    "chain": lambda o: ChainedScheduler([one_cycle(o), ConstantLR(o)]),
    "sequence": lambda o: SequentialLR(o, [LinearLR(o, 0.1), one_cycle(o)], milestones=[4]),
    "sequence of three": lambda o: SequentialLR(
        o, [LinearLR(o), StepLR(o, 2), one_cycle(o, 5)], milestones=[2, 6]
    ),
    "chain of a sequence": lambda o: ChainedScheduler(
        [SequentialLR(o, [LinearLR(o), one_cycle(o)], milestones=[3]), StepLR(o, 2)]
    ),
}
BY_EPOCH = {
    "step": lambda o: StepLR(o, 1),
    "chain": lambda o: ChainedScheduler([StepLR(o, 1), ConstantLR(o)]),
    "sequence": lambda o: SequentialLR(o, [LinearLR(o), StepLR(o, 1)], milestones=[2]),
}


@pytest.mark.parametrize("name", BY_BATCH)
def test_what_is_defined_by_batches_moves_after_a_batch(name):
    optimizer = sgd()
    schedule = Schedule(BY_BATCH[name](optimizer), optimizer)
    before = schedule.scheduler.last_epoch if hasattr(schedule.scheduler, "last_epoch") else None
    rate = optimizer.param_groups[0]["lr"]
    schedule.after_epoch(1.0)
    assert optimizer.param_groups[0]["lr"] == rate
    optimizer.step()
    rates = []
    for _ in range(4):
        schedule.after_batch()
        rates.append(optimizer.param_groups[0]["lr"])
    assert len({rate, *rates}) > 1
    assert before is None or schedule.scheduler.last_epoch == before + 4


@pytest.mark.parametrize("name", BY_EPOCH)
def test_all_others_move_after_an_epoch(name):
    optimizer = sgd()
    schedule = Schedule(BY_EPOCH[name](optimizer), optimizer)
    rate = optimizer.param_groups[0]["lr"]
    schedule.after_batch()
    assert optimizer.param_groups[0]["lr"] == rate
    optimizer.step()
    schedule.after_epoch(1.0)
    assert optimizer.param_groups[0]["lr"] != rate
    schedule.check_length(10**6)


@pytest.mark.parametrize("begun", [0, 3, 6])
@pytest.mark.parametrize("name", [name for name in BY_BATCH if name != "cyclic"])
def test_a_schedule_that_is_too_short_is_found_before_it_ends(name, begun):
    """What `check_length` allows is exactly what PyTorch can step."""
    optimizer = sgd()
    scheduler = BY_BATCH[name](optimizer)
    schedule = Schedule(scheduler, optimizer)
    optimizer.step()
    for _ in range(begun):
        schedule.after_batch()
    allowed = 0
    while True:
        try:
            schedule.check_length(allowed + 1)
        except ValueError as error:
            assert f"make it with total_steps={allowed + 1}" in str(error)  # noqa: PT017
            break
        allowed += 1
    for _ in range(allowed):
        schedule.after_batch()
    with pytest.raises(ValueError, match="Tried to step"):
        schedule.after_batch()


def test_without_a_scheduler_nothing_moves():
    optimizer = sgd()
    schedule = Schedule(None, optimizer)
    schedule.check_length(10**9)
    schedule.after_batch()
    schedule.after_epoch(1.0)
    assert optimizer.param_groups[0]["lr"] == 0.1
