"""The training loop, against the loop it grew from; and what it does when things go wrong."""

import copy
import math
import os
import re
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest
import torch
from original_loop import original_loop
from sklearn.metrics import accuracy_score
from torch import nn
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, ReduceLROnPlateau, StepLR

from cnnlesson import ConvNet, History, train_model
from cnnlesson.training import train_epoch

criterion = nn.CrossEntropyLoss()


def images(n: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    return torch.rand(n, 1, 28, 28, generator=generator), torch.arange(n) % 10


def points(n: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    return torch.randn(n, 4, generator=generator), torch.arange(n) % 3


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 3))


def train(model=None, *, lr=0.1, momentum=0.9, loss=criterion, data=None, **options):
    model = small_model() if model is None else model
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    x, y = points() if data is None else data
    options = {"batch_size": 6, "num_epochs": 3, "progress": False} | options
    return train_model(model, optimizer, loss, x, y, **options)


# The loop


@pytest.mark.parametrize("n", [96, 100])
def test_without_shuffling_it_is_the_original_loop_bit_for_bit(n):
    x, y = images(n)
    weights, losses = [], []
    for ours in (True, False):
        torch.manual_seed(5)
        model = ConvNet()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.8)
        if ours:
            history = train_model(
                model, optimizer, criterion, x, y, num_epochs=3, shuffle=False, progress=False
            )
            losses.append(history.train_loss)
            assert len(history.batch_loss) == 3 * math.ceil(n / 32)
        else:
            losses.append(original_loop(model, optimizer, criterion, x, y, 32, 3))
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*weights)
    assert losses[0] == losses[1]


def test_one_epoch_takes_a_step_with_each_batch_as_it_is_asked_for():
    x, y = points(12)
    model = nn.Linear(4, 3)
    weights = [model.weight.detach().clone()]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = train_epoch(model, optimizer, criterion, [(x[:6], y[:6]), (x[6:], y[6:])])
    for images, labels in ((x[:6], y[:6]), (x[6:], y[6:])):
        expected = criterion(model(images), labels).item()
        assert next(losses) == expected
        assert not torch.equal(weights[-1], model.weight)
        weights.append(model.weight.detach().clone())
    assert list(losses) == []


def test_no_step_follows_a_loss_that_is_not_finite():
    x, y = points(6)
    model = nn.Linear(4, 3)
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    assert list(train_epoch(model, optimizer, criterion, [(x * math.inf, y), (x, y)])) != []
    assert torch.equal(model.weight, before)


def batches_of(n=10, batch_size=4, num_epochs=3, **options) -> list[list[int]]:
    """Return the images of each batch, by number."""
    seen = []

    def note(outputs, labels):
        seen.append(labels.tolist())
        assert outputs.shape[0] == len(labels)
        return outputs.sum()

    x = torch.randn(n, 4)
    options = {"batch_size": batch_size, "num_epochs": num_epochs} | options
    train(data=(x, torch.arange(n)), loss=note, lr=1e-6, **options)
    return seen


def epochs_of(**options) -> list[list[int]]:
    batches = batches_of(**options)
    return [list(chain(*batches[i : i + 3])) for i in range(0, len(batches), 3)]


def test_every_epoch_sees_every_image_once_in_a_new_order():
    epochs = epochs_of()
    assert len(epochs) == 3
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, range(10)]}) == 4


def test_the_order_belongs_to_the_seed():
    torch.manual_seed(1)
    first = epochs_of(seed=3)
    torch.manual_seed(2)
    assert epochs_of(seed=3) == first
    assert epochs_of(seed=4) != first


def test_without_shuffling_the_order_is_that_of_the_images():
    assert epochs_of(shuffle=False) == [list(range(10))] * 3


def test_the_last_batch_may_be_smaller():
    assert [len(batch) for batch in batches_of(num_epochs=1)] == [4, 4, 2]
    assert [len(batch) for batch in batches_of(num_epochs=1, batch_size=5)] == [5, 5]
    assert [len(batch) for batch in batches_of(num_epochs=1, batch_size=100)] == [10]


def test_images_and_labels_stay_together():
    x = torch.arange(50.0)[:, None].repeat(1, 4)
    pairs = []

    class Echo(nn.Linear):
        def forward(self, x):
            pairs.append(x[:, 0].long())
            return super().forward(x)

    def compare(outputs, labels):
        assert torch.equal(pairs[-1], labels)
        return 0 * outputs.sum()

    train(Echo(4, 3), data=(x, torch.arange(50)), loss=compare)
    assert len(pairs) == 28  # 9 an epoch, and one before the first step


def test_the_global_random_state_decides_dropout_not_the_order():
    before = torch.get_rng_state()
    train(nn.Linear(4, 3))
    torch.set_rng_state(before)
    nn.Linear(4, 3)
    after = torch.get_rng_state()
    torch.set_rng_state(before)
    train(nn.Linear(4, 3))
    assert torch.equal(torch.get_rng_state(), after)


def test_no_epochs_leave_the_weights_alone():
    model = small_model()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert train(model, num_epochs=0) == History()
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_the_model_is_in_training_mode_whatever_it_was():
    model = small_model().eval()
    modes = []
    model.register_forward_pre_hook(lambda module, args: modes.append(module.training))
    train(model, x_val=points(7)[0], y_val=points(7)[1])
    epoch = [True] * 4 + [False]
    # Before the first step it has answered to validation images, and to a last, smaller batch.
    assert modes == [False, True, False, *epoch[1:], *epoch, *epoch]
    assert model.training


def test_a_lazy_model_can_be_trained():
    model = nn.Sequential(nn.LazyLinear(3))
    assert train(model).status == "completed"


# Validation


def test_validation_measures_and_changes_nothing():
    x_val, y_val = points(31)
    models = [small_model(), small_model()]
    torch.manual_seed(1)
    plain = train(models[0])
    torch.manual_seed(1)
    validated = train(models[1], x_val=x_val, y_val=y_val)
    for a, b in zip(models[0].state_dict().values(), models[1].state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert validated.train_loss == plain.train_loss
    model = models[1].eval()
    with torch.no_grad():
        logits = model(x_val)
    assert validated.val_loss[-1] == pytest.approx(criterion(logits, y_val).item())
    assert validated.val_accuracy[-1] == accuracy_score(y_val, logits.argmax(1))
    assert len(validated.val_loss) == len(validated.val_accuracy) == 3
    assert plain.val_loss == plain.val_accuracy == []


# The schedule


def rates(make, num_epochs=3, **options) -> list[float]:
    """Return the step size with which each batch was taken."""
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    optimizer.register_step_pre_hook(lambda o, *_: found.append(o.param_groups[0]["lr"]))
    x, y = points()
    train_model(
        model,
        optimizer,
        criterion,
        x,
        y,
        batch_size=5,
        num_epochs=num_epochs,
        scheduler=scheduler,
        progress=False,
        **options,
    )
    return found


def test_most_schedules_move_after_an_epoch():
    found = rates(lambda o: StepLR(o, 1, gamma=0.5))
    assert found == pytest.approx([0.1] * 4 + [0.05] * 4 + [0.025] * 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda o: OneCycleLR(o, max_lr=0.5, total_steps=12),
        lambda o: CyclicLR(o, base_lr=0.01, max_lr=0.1, step_size_up=3),
    ],
)
def test_cycles_move_after_a_batch(make):
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)
    scheduler = make(optimizer)
    expected = []
    for _ in range(12):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < 12:
            scheduler.step()
    assert rates(make) == pytest.approx(expected)


@pytest.mark.parametrize("validate", [True, False])
def test_a_plateau_is_one_of_the_validation_loss_else_of_the_training_loss(validate):
    class Noted(ReduceLROnPlateau):
        metrics = ()

        def step(self, metrics, epoch=None):
            self.metrics = (*self.metrics, metrics)
            super().step(metrics, epoch)

    x_val, y_val = points(9)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = Noted(optimizer)
    options = {"x_val": x_val, "y_val": y_val} if validate else {}
    history = train_model(
        model, optimizer, criterion, *points(), scheduler=scheduler, progress=False, **options
    )
    assert list(scheduler.metrics) == (history.val_loss if validate else history.train_loss)


def test_a_cycle_that_is_too_short_is_refused_before_the_first_step():
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = OneCycleLR(optimizer, max_lr=0.5, total_steps=11)
    before = model[0].weight.clone()
    with pytest.raises(ValueError, match=r"^scheduler: expected one for the 12 steps to come, fou"):
        train_model(
            model, optimizer, criterion, *points(), batch_size=6, num_epochs=3, scheduler=scheduler
        )
    assert torch.equal(model[0].weight, before)


# What the caller set


def test_a_layer_frozen_in_evaluation_mode_stays_frozen():
    model = small_model().train()
    model[1].eval()
    mean = model[1].running_mean.clone()
    train(model, on_step=lambda _: model.eval())
    assert torch.equal(model[1].running_mean, mean)
    assert model.training
    assert model[2].training
    assert not model[1].training


def test_a_model_in_evaluation_mode_trains_in_training_mode():
    model = small_model().eval()
    mean = model[1].running_mean.clone()
    train(model)
    assert not torch.equal(model[1].running_mean, mean)
    assert all(module.training for module in model.modules())


# Divergence


def fails_at(batch: int, what) -> nn.Module:
    """Return a loss that ``what`` replaces at the given batch, counted over all epochs."""

    class Failing(nn.Module):
        calls = 0

        def forward(self, outputs, labels):
            self.calls += 1
            loss = criterion(outputs, labels)
            if self.calls != batch:
                return loss
            if isinstance(what, type):
                raise what
            return loss * what

    return Failing()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("batch", "where"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 1)), (7, (2, 3))])
def test_a_loss_that_is_not_finite_ends_training_and_says_where(value, batch, where):
    model = small_model()
    history = train(model, loss=fails_at(batch, value))
    assert history.status == "diverged"
    assert history.stopped_at == where
    assert len(history.train_loss) == where[0] - 1
    assert len(history.batch_loss) == batch - 1
    assert all(map(math.isfinite, history.batch_loss + history.train_loss))
    assert all(p.isfinite().all() for p in model.parameters())
    assert f"diverged at epoch {where[0]}, batch {where[1]}" in repr(history)


def test_a_real_divergence():
    def bowl(outputs, labels):
        return outputs.square().mean()

    history = train(nn.Linear(4, 3), loss=bowl, lr=100, num_epochs=50)
    assert history.status == "diverged"
    assert len(history.batch_loss) > 3
    assert history.batch_loss[-1] > 1e20
    assert all(map(math.isfinite, history.batch_loss))


def test_weights_that_overflow_in_the_last_step_are_a_divergence():
    def steep(outputs, labels):
        return 1e30 * outputs.sum()

    history = train(nn.Linear(4, 3), data=points(6), loss=steep, lr=1e30, num_epochs=1)
    assert math.isfinite(history.batch_loss[0])
    assert history.status == "diverged"
    assert history.stopped_at == (1, 1)
    assert history.train_loss == []


def test_a_validation_loss_that_is_not_finite_is_a_divergence():
    x_val, y_val = points(5)
    x_val[3, 1] = math.inf
    history = train(nn.Linear(4, 3), x_val=x_val, y_val=y_val, num_epochs=1)
    assert history.status == "diverged"
    assert history.val_loss == history.val_accuracy == history.train_loss == []
    history.to_frame()


# The keyboard


@pytest.mark.parametrize(("batch", "where"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 1)), (12, (3, 4))])
def test_an_interrupt_returns_what_there_is(batch, where):
    history = train(loss=fails_at(batch, KeyboardInterrupt))
    plain = train()
    assert history.status == "interrupted"
    assert history.stopped_at == where
    assert history.train_loss == plain.train_loss[: where[0] - 1]
    assert history.batch_loss == plain.batch_loss[: batch - 1]
    assert f"interrupted at epoch {where[0]}, batch {where[1]}" in repr(history)


def test_an_interrupt_between_two_epochs_belongs_to_the_next():
    """As when it comes before the order of that epoch is drawn."""

    class Impatient(nn.Linear):
        begun = 0

        def train(self, mode=True):
            self.begun += mode
            if self.begun == 4:  # once by the check before the first step, then once an epoch
                raise KeyboardInterrupt
            return super().train(mode)

    history = train(Impatient(4, 3), num_epochs=6)
    assert history.status == "interrupted"
    epoch, batch = history.stopped_at
    assert (epoch, batch) == (len(history.train_loss) + 1, 1)
    assert len(history.batch_loss) == 4 * (epoch - 1)


def test_an_interrupt_while_validating_leaves_lists_of_one_length():
    calls = []

    class Impatient(nn.Linear):
        def forward(self, x):
            if not self.training:
                calls.append(len(x))
                if len(calls) == 4:  # the first two were before the first step
                    raise KeyboardInterrupt
            return super().forward(x)

    x_val, y_val = points(5)
    history = train(Impatient(4, 3), x_val=x_val, y_val=y_val)
    assert history.status == "interrupted"
    assert history.stopped_at == (2, 4)
    assert len(history.to_frame()) == 1
    assert len(history.train_loss) == len(history.val_loss) == len(history.val_accuracy) == 1


def test_a_function_watches_every_step():
    model, seen = small_model(), []

    def watch(history):
        seen.append(list(history.batch_loss))
        model.eval()  # must not outlast the call

    history = train(model, num_epochs=2, on_step=watch)
    assert [len(losses) for losses in seen] == list(range(1, 9))
    assert seen[-1] == history.batch_loss == train(num_epochs=2).batch_loss


def test_a_watching_function_can_end_training():
    def stop(history):
        if len(history.batch_loss) == 6:
            raise KeyboardInterrupt

    history = train(on_step=stop)
    assert (history.status, history.stopped_at) == ("interrupted", (2, 2))
    assert len(history.batch_loss) == 6


def test_other_errors_go_through():
    with pytest.raises(ZeroDivisionError):
        train(loss=fails_at(2, ZeroDivisionError))


@pytest.mark.parametrize("way", ["progress", "TQDM_DISABLE"])
def test_a_silent_training_has_no_bar_at_all(monkeypatch, way):
    """Each bar takes a lock, and a forked process that was killed with it never gives it back."""
    monkeypatch.setattr("cnnlesson._support.bars.tqdm", None)
    if way == "TQDM_DISABLE":
        monkeypatch.setenv("TQDM_DISABLE", "1")
    else:
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
    assert train(progress=way == "TQDM_DISABLE").status == "completed"


# A real terminal. The bars need a process of their own: tqdm reads TQDM_DISABLE when imported.


SCRIPT = """
import sys
import torch
from torch import nn
from cnnlesson import train_model

torch.set_num_threads(1)
cross_entropy = nn.CrossEntropyLoss()

def train(**options):
    model, calls = nn.Linear(4, 3), []

    def criterion(outputs, labels):
        calls.append(labels)
        if len(calls) == 30:
            print("under way", flush=True)
        return cross_entropy(outputs, labels)

    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x, y = torch.randn(20, 4), torch.arange(20) % 3
    history = train_model(model, optimizer, criterion, x, y, batch_size=5, **options)
    print(history.status, history.stopped_at, len(history.batch_loss), flush=True)
    print("END", file=sys.stderr, flush=True)

train(num_epochs=6)
train(num_epochs=6, progress=False)
train(num_epochs=10**7, progress=False)
"""


def start(environment: dict[str, str]) -> subprocess.Popen:
    inherited = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=inherited | environment | {"PYTHONIOENCODING": "utf-8"},
        cwd=Path(__file__).parents[2],
    )


def interrupt(process: subprocess.Popen) -> tuple[str, str]:
    """Press Ctrl-C in the last, endless training; return the output and the errors."""
    lines = []
    while "under way\n" not in lines:
        lines.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    return "".join(lines) + output, errors


@pytest.mark.skipif(os.name != "posix", reason="a signal is sent as POSIX systems do")
def test_progress_and_ctrl_c_in_a_process_of_its_own():
    processes = [start({}), start({"TQDM_DISABLE": "1"})]
    try:
        (output, errors), (output_disabled, errors_disabled) = map(interrupt, processes)
    finally:
        for process in processes:
            process.kill()
    for lines in (output.splitlines(), output_disabled.splitlines()):
        assert lines[:3] == ["completed None 24", "completed None 24", "under way"]
        status, epoch, batch, count = re.fullmatch(
            r"(\w+) \((\d+), (\d+)\) (\d+)", lines[3]
        ).groups()
        assert status == "interrupted"
        assert 1 <= int(batch) <= 4
        assert int(count) - 4 * (int(epoch) - 1) in (int(batch) - 1, int(batch))
    assert [process.returncode for process in processes] == [0, 0]

    shown, *silent = errors.split("END\n")
    assert silent == ["", "", ""]
    assert errors_disabled == "END\n" * 3
    bars = [line for line in shown.replace("\r", "\n").splitlines() if "100%" in line]
    assert [line.split(":")[0] for line in bars[-6:]] == [f"epoch {i}/6" for i in range(1, 7)]
    assert re.search(r"4/4 .*batch.*, loss \d\.\d{4}\]", bars[-1])


def test_nothing_is_printed(capfd):
    train()
    assert capfd.readouterr() == ("", "")


# The history


def test_history_as_a_table():
    history = History(train_loss=[2.0, 1.0], val_loss=[2.5, 1.5], val_accuracy=[0.5, 0.75])
    expected = pd.DataFrame(
        {"train_loss": [2.0, 1.0], "val_loss": [2.5, 1.5], "val_accuracy": [0.5, 0.75]},
        index=pd.Index([1, 2], name="epoch"),
    )
    pd.testing.assert_frame_equal(history.to_frame(), expected, check_index_type=False)
    assert list(History(train_loss=[2.0]).to_frame().columns) == ["train_loss"]
    assert len(History().to_frame()) == 0


@pytest.mark.parametrize(
    ("history", "text"),
    [
        (History(), "History(completed: 0 epochs)"),
        (History(train_loss=[2.0]), "History(completed: 1 epoch, train loss 2.0000 → 2.0000)"),
        (
            History([2.0, 0.5], [2.5, 1.5], [0.5, 0.75], [], "interrupted", (3, 7)),
            "History(interrupted at epoch 3, batch 7: 2 epochs, train loss 2.0000 → 0.5000, "
            "validation accuracy 0.7500)",
        ),
    ],
)
def test_history_in_a_line(history, text):
    assert repr(history) == text


# Bad arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size: expected a whole number, 1 or more, found 0"),
        ({"batch_size": 2.5}, "batch_size: expected a whole number, 1 or more, found 2.5"),
        ({"num_epochs": -1}, "num_epochs: expected a whole number, 0 or more, found -1"),
        ({"num_epochs": "3"}, "num_epochs: expected a whole number, 0 or more, found '3'"),
        ({"seed": -1}, "seed: expected a whole number, 0 or more"),
        (
            {"scheduler": 3},
            "scheduler: expected one of torch.optim.lr_scheduler, or None, found 3; ",
        ),
        ({"checkpoint": 3}, "checkpoint: expected str | os.PathLike | None, found 3"),
        (
            {"loss": None},
            "criterion: expected a function of the model's output and the labels, such as ",
        ),
        ({"x_val": points()[0]}, "x_val and y_val: expected both or neither, found one"),
        ({"y_val": points()[1]}, "x_val and y_val: expected both or neither, found one"),
        (
            {"x_val": points()[0], "y_val": points(9)[1]},
            "y_val: expected one label for each of the 20 images in x_val, found shape (9,)",
        ),
        ({"x_val": points()[0][:0], "y_val": points()[1][:0]}, "x_val: expected at least one"),
        ({"data": (points()[0][:0], points()[1][:0])}, "x_train: expected at least one image"),
        ({"data": (points()[0], points()[1][:3])}, "y_train: expected one label for each of"),
        ({"data": (points()[0], points()[1][:, None])}, "y_train: expected one label for each"),
        ({"shuffle": "off"}, "shuffle: expected True or False, found 'off'"),
        ({"progress": "yes"}, "progress: expected True or False, found 'yes'"),
        (
            {"data": (points()[0].numpy(), points()[1])},
            "x_train: expected a torch.Tensor, found a Num",
        ),
        (
            {"data": (points()[0], points()[1].tolist())},
            "y_train: expected a torch.Tensor, found a lis",
        ),
    ],
)
def test_bad_arguments_are_named(options, message):
    model = small_model()
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        train(model, **options)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_an_optimizer_of_another_model_is_refused():
    old, new = small_model(), small_model()
    optimizer = torch.optim.SGD(old.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"^optimizer: expected one that holds parameters of mod"):
        train_model(new, optimizer, criterion, *points())


def test_an_optimizer_of_some_parameters_needs_the_others_frozen():
    model = small_model()
    first = model[0].weight.clone()
    optimizer = torch.optim.SGD(model[3].parameters(), lr=0.1)
    expected = "optimizer: expected all 6 parameters .*, found 4 missing: 0.weight, 0.bias, 1.wei"
    with pytest.raises(ValueError, match=f"^{expected}"):
        train_model(model, optimizer, criterion, *points())
    model[:2].requires_grad_(False)
    train_model(model, optimizer, criterion, *points(), num_epochs=1, progress=False)
    assert torch.equal(model[0].weight, first)


def test_a_scheduler_of_another_optimizer_is_refused():
    model = small_model()
    old, new = (torch.optim.SGD(model.parameters(), lr=0.1) for _ in range(2))
    with pytest.raises(ValueError, match=r"^scheduler: expected one that was made for optimizer"):
        train_model(model, new, criterion, *points(), scheduler=StepLR(old, 1))


# What does not fit, said before the first step


class Pair(nn.Linear):
    def forward(self, x):
        return super().forward(x), x


class Shaped(nn.Linear):
    """A layer that gives its answers another shape."""

    def __init__(self, change) -> None:
        super().__init__(4, 3)
        self.change = change

    def forward(self, x):
        return self.change(super().forward(x))


def squeezed() -> nn.Module:
    """Takes any batch but one of a single image, from which it drops the first axis."""
    return Shaped(lambda outputs: outputs[:, :, None].squeeze())


def dealt_out() -> nn.Module:
    """Takes no other batch than one of six."""
    return nn.Sequential(Shaped(lambda outputs: outputs.view(6, 3)), nn.Linear(3, 3))


def numbers() -> tuple[torch.Tensor, torch.Tensor]:
    """A number to be met for each point, in place of a class."""
    x, y = points()
    return x, y.float()


def nothing_trains() -> nn.Module:
    return small_model().requires_grad_(False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": (points()[0], points()[1] + 1)}, "y_train: expected classes from 0 to 2, .* 3"),
        ({"data": (points()[0], points()[1] - 1)}, "y_train: expected classes from 0 to 2, .* -1"),
        (
            {"data": (points()[0], points()[1].float())},
            "y_train: expected classes as int64, found torch.float32; y_train.long",
        ),
        (
            {"data": (points()[0], points()[1].int())},
            "y_train: expected classes as int64, found torch.int32; y_train.long",
        ),
        (
            {"data": (points()[0], nn.functional.one_hot(points()[1]))},
            r"y_train: expected one label for each of the 20 images .*y_train.argmax\(dim=1\)",
        ),
        ({"data": (points()[0].double(), points()[1])}, "x_train: expected float32, .*float64"),
        ({"data": (points()[0].byte(), points()[1])}, "x_train: expected float32, .*uint8"),
        ({"data": (points()[0][:, :3], points()[1])}, r"x_train: expected vectors .*\(n, 4\)"),
        ({"data": images(), "model": "net"}, "model: expected a torch.nn.Module, found 'net'"),
        (
            {"model": Pair(4, 3)},
            "model: expected one tensor of logits .* type tuple; let forward return the logits",
        ),
        (
            {"loss": nn.CrossEntropyLoss(reduction="none")},
            r"criterion: expected one number for a batch, as a tensor, found shape \(6,\); reduct",
        ),
        ({"loss": lambda *_: 0.5}, "criterion: expected one number for a batch, .* found 0.5;"),
        (
            {"model": nn.Linear(4, 1), "loss": nn.functional.l1_loss, "data": numbers()},
            r"criterion: expected outputs of the labels' shape, \(6,\), for l1_loss, found \(6, 1",
        ),
        (
            {
                "model": nn.Linear(4, 1),
                "loss": lambda outputs, labels: 2 * nn.functional.mse_loss(outputs, labels),
                "data": numbers(),
            },
            r"criterion: expected outputs of the labels' shape, .*; squeeze\(1\) at the end of",
        ),
        (
            {"scheduler": torch.optim.lr_scheduler.StepLR},
            r"scheduler: expected one .* the class StepLR; StepLR\(optimizer, …\) makes one",
        ),
        ({"on_step": 3}, "on_step: expected a function of the history so far, found 3"),
        (
            {"model": nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3)), "batch_size": 1},
            r"batch_size: expected batches of two images or more, .*; take a larger batch_size, or",
        ),
        (
            {"model": Shaped(lambda outputs: outputs.mean(0))},
            r"model: expected logits of shape \(6, number of classes\), .* \(3,\); .*mean over dim",
        ),
        (
            {"loss": lambda outputs, labels: criterion(outputs, labels).detach()},
            "criterion: expected a loss with a gradient, found one without",
        ),
        (
            {"model": Shaped(lambda outputs: outputs[:1])},
            r"model: expected logits of shape \(6, number of classes\), .* found shape \(1, 3\)",
        ),
        (
            {"model": Shaped(lambda outputs: outputs.flatten())},
            r"model: expected logits of shape \(6, .*, found shape \(18,\)",
        ),
        (
            {"model": Shaped(lambda outputs: outputs[:, :, None])},
            r"model: expected logits .*, found shape \(6, 3, 1\); nn.Flatten\(\)",
        ),
        (
            {"model": Shaped(lambda outputs: outputs.argmax(1))},
            r"model: expected logits .*, found shape \(6,\); let its last layer have one output",
        ),
        (
            {"model": Shaped(lambda outputs: outputs[:, :1])},
            "model: expected an output for each of two classes or more, found 1 output; if its",
        ),
        (
            {"model": Shaped(lambda outputs: None)},
            "model: expected one tensor of logits .*, found None; does its forward end in return",
        ),
        (
            {"model": squeezed(), "batch_size": 19},
            r"model: expected it to take a last batch of 1 too, after one of 19, found that its "
            r"output has the shape \(3,\) then; drop_last=True leaves it out",
        ),
        (
            {"model": dealt_out()},
            "model: expected it to take a last batch of 2 too, after one of 6, found that it fails",
        ),
        (
            {
                "model": nn.Sequential(nn.Linear(4, 6), nn.GroupNorm(6, 6), nn.Linear(6, 3)),
                "batch_size": 19,
            },
            "batch_size: expected a last batch of two images or more, as GroupNorm takes a mean",
        ),
        (
            {"loss": nn.MSELoss()},
            r"criterion: expected outputs of the labels' shape, \(6,\), for MSELoss, found "
            r"\(6, 3\); nn.CrossEntropyLoss\(\) takes logits",
        ),
        (  # PyTorch compares each with each here, and warns at most
            {"loss": nn.L1Loss(), "model": nn.Linear(4, 1)},
            r"criterion: expected outputs of the labels' .*, found \(6, 1\); squeeze\(1\) at the",
        ),
        (
            {"loss": nn.HuberLoss(), "model": nn.Linear(4, 6)},
            r"criterion: expected outputs of the labels' .*, found \(6, 6\); nn.CrossEntropyLoss",
        ),
        ({"loss": nn.BCEWithLogitsLoss()}, "criterion: expected a loss .* BCEWithLogitsLoss fails"),
        ({"loss": nn.CosineEmbeddingLoss()}, "criterion: expected a loss .* CosineEmbedding"),
        (
            {"loss": nn.CrossEntropyLoss(weight=torch.ones(5))},
            r"criterion: expected a loss .* CrossEntropyLoss fails \(weight tensor should",
        ),
        (
            {"loss": lambda labels, outputs: criterion(outputs, labels)},
            "criterion: expected a loss that .* found that <lambda> fails",
        ),
        (
            {"loss": nn.CrossEntropyLoss},
            r"criterion: .* found the class CrossEntropyLoss; CrossEntropyLoss\(\) makes one",
        ),
        (
            {"loss": "ce"},
            r"criterion: expected a function .* found 'ce'; torch.nn.CrossEntropyLoss\(\) is one",
        ),
        (
            {"data": (points()[0].to_sparse(), points()[1])},
            "x_train: expected an ordinary .*sparse",
        ),
        (
            {"data": (points()[0], points()[1].to(torch.uint16))},
            r"y_train: expected an ordinary .*uint16, which .*; y_train.long\(\)",
        ),
        (
            {"data": (points()[0][0], points()[1][0])},
            r"y_train: expected one label for each .* x_train\[None\] and y_train\[None\] are a",
        ),
        ({"batch_size": 19}, "batch_size: expected a last batch of two images or more, as BatchN"),
        (
            {"batch_size": 21, "drop_last": True},
            "batch_size: expected at most 20, the number of images, with drop_last, found 21",
        ),
        (
            {"x_val": points()[0], "y_val": points()[1] + 1},
            "y_val: expected classes from 0 to 2",
        ),
        (
            {"x_val": points()[0], "y_val": points()[1].int()},
            r"y_val: expected torch.int64, as y_train, found torch.int32; y_val.to\(y_train.dty",
        ),
        (
            {
                "data": (points()[0], points()[1].float()),
                "loss": lambda outputs, labels: ((outputs[:, 0] - labels) ** 2).mean(),
                "x_val": points()[0],
                "y_val": points()[1].float(),
            },
            "y_val: expected classes as whole numbers, to measure an accuracy, found torch.float32",
        ),
        (
            {
                "model": nn.Linear(4, 1),
                "loss": lambda outputs, labels: (outputs[:, 0] - labels).abs().mean(),
                "x_val": points()[0],
                "y_val": points()[1],
            },
            "model: expected an output for each of two classes or more, found 1 output",
        ),
        (
            {"x_val": points()[0][:, :3], "y_val": points()[1]},
            r"x_val: expected vectors of shape \(n, 4\)",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_the_first_step(options, message):
    model = options.pop("model", None) or small_model()
    before = copy.deepcopy(model.state_dict()) if isinstance(model, nn.Module) else {}
    x, y = options.pop("data", points())
    weights = model.parameters() if isinstance(model, nn.Module) else small_model().parameters()
    optimizer = torch.optim.SGD(weights, lr=0.1)
    loss = options.pop("loss", criterion)
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        train_model(model, optimizer, loss, x, y, progress=False, **({"batch_size": 6} | options))
    assert "\n" not in str(caught.value)
    trained = dict(model.named_parameters()) if before else {}
    assert all(torch.equal(trained[name], before[name]) for name in trained)


def test_a_single_image_is_no_batch():
    model = ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = images(8)
    with pytest.raises(ValueError, match=r"^x_train: expected images .*x_train\[:, None\] adds it"):
        train_model(model, optimizer, criterion, x[:, 0], y)


def test_the_last_batch_can_be_left_out():
    assert [len(b) for b in batches_of(num_epochs=2, drop_last=True)] == [4, 4] * 2
    for batch_size in (19, 20):  # 20 is all there are: nothing is left out
        history = train(batch_size=batch_size, drop_last=True, num_epochs=2)
        assert len(history.batch_loss) == len(history.train_loss) == 2


def test_batch_normalisation_of_maps_takes_a_last_batch_of_one():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2 * 26 * 26, 10)
    )
    assert train(model, data=images(7), num_epochs=1).status == "completed"


def test_labels_that_the_loss_leaves_out_are_fine():
    x, y = points()
    y[3] = -100
    assert train(data=(x, y), num_epochs=1).status == "completed"


def test_a_model_without_a_parameter_to_train_is_refused():
    model = nothing_trains()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"^model: expected a parameter that requires a gradient"):
        train_model(model, optimizer, criterion, *points())


def test_an_optimizer_that_needs_a_closure_is_refused():
    model = small_model()
    with pytest.raises(ValueError, match=r"^optimizer: expected one that takes a step .* LBFGS"):
        train_model(model, torch.optim.LBFGS(model.parameters()), criterion, *points())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda _: torch.optim.SGD,
            r"a torch.optim.Optimizer, found the class SGD; torch.optim.SGD",
        ),
        (lambda _: "adam", "a torch.optim.Optimizer, found 'adam'; "),
        (lambda _: None, "a torch.optim.Optimizer, found None; "),
        (torch.optim.SparseAdam, "one for ordinary gradients, found SparseAdam, .*; take Adam"),
    ],
)
def test_what_is_no_optimizer_for_this(make, message):
    model = small_model()
    with pytest.raises(ValueError, match=f"^optimizer: expected {message}"):
        train_model(model, make(list(model.parameters())), criterion, *points())


def test_errors_of_ones_own_code_go_through():
    class Own(nn.Linear):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train(Own(4, 3))

    def own_loss(outputs, labels):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train(loss=own_loss)


def test_an_exported_model_does_not_train():
    x, _ = points()
    model = torch.export.export(small_model(), (x,)).module()
    modes = [module.training for module in model.modules()]
    with pytest.raises(ValueError, match=r"^model: expected layers .* before torch\.export$"):
        train(model)
    assert [module.training for module in model.modules()] == modes
