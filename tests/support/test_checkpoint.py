"""Interrupted training: it goes on to the very same weights, or says why it cannot."""

import copy
import math
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from cnnlesson import ClassicalSGD, History, train_model
from cnnlesson._support.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from cnnlesson._support.fingerprints import name_of

NUM_EPOCHS, BATCHES = 4, 4  # batches per epoch
cross_entropy = nn.CrossEntropyLoss()


def points(n: int = 22) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    return torch.randn(n, 4, generator=generator), torch.arange(n) % 3


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


TRAININGS = {
    "momentum": (sgd, None),
    "classical": (lambda p: ClassicalSGD(p, lr=0.1, momentum=0.9), None),
    "adam": (torch.optim.Adam, None),
    "steps": (sgd, lambda o: lr_scheduler.StepLR(o, 1, gamma=0.5)),
    "milestones": (sgd, lambda o: lr_scheduler.MultiStepLR(o, [1, 3], gamma=0.5)),
    "cosine": (sgd, lambda o: lr_scheduler.CosineAnnealingLR(o, NUM_EPOCHS)),
    "one cycle": (sgd, lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=NUM_EPOCHS * BATCHES)),
    "cyclic": (sgd, lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=3)),
    "plateau": (sgd, lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=0.5)),
    "groups": (
        lambda p: torch.optim.SGD([{"params": [w], "lr": 0.1 / i} for i, w in enumerate(p, 1)]),
        None,
    ),
}


class Training:
    """A model with dropout and statistics, its optimizer and its schedule, new each time."""

    def __init__(self, name: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.model = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3)
        )
        make_optimizer, make_scheduler = TRAININGS[name]
        self.optimizer = make_optimizer(self.model.parameters())
        self.scheduler = make_scheduler(self.optimizer) if make_scheduler else None

    def run(self, path=None, stop_at=None, **options) -> History:
        calls = []

        def criterion(outputs, labels):
            calls.append(1)
            if len(calls) == stop_at:
                raise KeyboardInterrupt
            return cross_entropy(outputs, labels)

        x, y = options.pop("data", points())
        x_val, y_val = points(9)
        options = {
            "num_epochs": NUM_EPOCHS,
            "batch_size": 6,
            "x_val": x_val,
            "y_val": y_val,
        } | options
        return train_model(
            self.model,
            self.optimizer,
            criterion,
            x,
            y,
            scheduler=self.scheduler,
            progress=False,
            checkpoint=path,
            **options,
        )

    def state(self) -> dict:
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "random": torch.get_rng_state(),
        }
        return copy.deepcopy(parts)


def assert_same(a, b) -> None:
    """Compare bit for bit, down to the last tensor."""
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


def uninterrupted(name: str) -> tuple[History, dict]:
    training = Training(name)
    return training.run(), training.state()


# Going on


@pytest.mark.parametrize("name", TRAININGS)
@pytest.mark.parametrize("stop_at", [1, 3, 4, 5, 8, 9, 14, 16])
def test_resumed_anew_it_ends_as_if_never_interrupted(name, stop_at, tmp_path):
    path = tmp_path / "training.pt"
    assert Training(name).run(path, stop_at).status == "interrupted"
    resumed = Training(name, seed=99)  # other initial weights, another random state
    history = resumed.run(path)
    expected, state = uninterrupted(name)
    assert history == expected
    assert_same(resumed.state(), state)


@pytest.mark.parametrize("name", TRAININGS)
@pytest.mark.parametrize("stop_at", [1, 3, 6, 16])
def test_resumed_with_the_same_objects_as_in_a_notebook(name, stop_at, tmp_path):
    training = Training(name)
    training.run(tmp_path / "training.pt", stop_at)
    history = training.run(tmp_path / "training.pt")
    expected, state = uninterrupted(name)
    assert history == expected
    assert_same(training.state(), state)


def test_interrupted_again_and_again(tmp_path):
    history = History(status="interrupted")
    seed = 0
    while history.status == "interrupted":
        training = Training("one cycle", seed)
        history = training.run(tmp_path / "training.pt", stop_at=7)
        seed += 1
    expected, state = uninterrupted("one cycle")
    assert seed > 2
    assert history == expected
    assert_same(training.state(), state)


def test_a_checkpoint_changes_nothing_by_itself(tmp_path):
    training = Training("momentum")
    expected, state = uninterrupted("momentum")
    torch.manual_seed(0)
    training = Training("momentum")
    assert training.run(tmp_path / "training.pt") == expected
    assert_same(training.state(), state)
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


def test_more_epochs_later_are_the_same_as_at_once(tmp_path):
    training = Training("momentum")
    assert len(training.run(tmp_path / "training.pt", num_epochs=2).train_loss) == 2
    resumed = Training("momentum", seed=5)
    history = resumed.run(tmp_path / "training.pt")
    expected, state = uninterrupted("momentum")
    assert history == expected
    assert_same(resumed.state(), state)


def test_a_finished_training_is_only_read(tmp_path):
    path = tmp_path / "training.pt"
    Training("momentum").run(path)
    written = path.stat().st_mtime_ns
    again = Training("momentum", seed=7)
    history = again.run(path)
    expected, state = uninterrupted("momentum")
    assert history == expected
    assert_same(again.state(), state)
    assert path.stat().st_mtime_ns == written


def test_a_diverged_training_diverges_again_at_the_same_place(tmp_path):
    def run():
        training = Training("momentum")
        training.optimizer.param_groups[0]["lr"] = 1e38
        return training.run(tmp_path / "training.pt")

    first = run()
    assert first.status == "diverged"
    assert run() == first


def test_a_path_may_be_a_string(tmp_path):
    Training("momentum").run(str(tmp_path / "training.pt"), num_epochs=1)
    assert (tmp_path / "training.pt").exists()


def test_an_unfinished_file_is_no_checkpoint(tmp_path):
    path = tmp_path / "training.pt"
    unfinished = tmp_path / "training.pt.0a1b2c3d.unfinished"
    unfinished.write_bytes(b"half a checkpo")
    training = Training("momentum")
    assert training.run(path) == uninterrupted("momentum")[0]
    assert sorted(tmp_path.iterdir()) == [path, unfinished]  # somebody else's: it stays


KILLS = """
import os, random, signal, sys, time
import torch
from torch import nn
from cnnlesson import train_model

torch.set_num_threads(1)
path, kills = sys.argv[1], int(sys.argv[2])

def train(checkpoint, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 300), nn.Dropout(0.5), nn.Linear(300, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.arange(80.0).reshape(20, 4).sin(), torch.arange(20) % 3
    history = train_model(
        model, optimizer, nn.CrossEntropyLoss(), x, y, batch_size=10, num_epochs=60,
        progress=False, checkpoint=checkpoint,
    )
    return history, model.state_dict()

random.seed(int(sys.argv[3]))
train(None, seed=0)  # warms up
started = time.monotonic()
train(path + ".other", seed=0)
duration = time.monotonic() - started
killed = 0
for seed in range(kills):
    child = os.fork()
    if child == 0:
        train(path, seed)
        os._exit(0)
    time.sleep(random.uniform(0, duration / 5))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed += os.WIFSIGNALED(status)
# The first child may have died before it wrote anything: then another one's weights were first.
candidates = [train(None, seed) for seed in range(kills + 1)]
history, weights = train(path, seed=kills)
same = [
    history == other and all(map(torch.equal, weights.values(), other_weights.values()))
    for other, other_weights in candidates
]
print(killed, sum(same))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")
def test_killed_at_any_moment_it_goes_on(tmp_path):
    path = tmp_path / "training.pt"
    seed = random.randrange(10**6)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLS, path, "6", str(seed)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    killed, same = map(int, done.stdout.split())
    assert killed > 0, f"seed {seed}"
    assert same == 1, f"seed {seed}"


# Files that are no checkpoint of this training


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "training.pt"
    Training("steps").run(path, num_epochs=2)
    return path.read_bytes()


def assert_refused(path: Path, expected: str, found: str, name: str = "steps", **options) -> None:
    """Expect one line of error, and a training that is as before."""
    training = Training(name, seed=3)
    before = training.state()
    contents = path.read_bytes() if path.is_file() else None
    with pytest.raises(
        ValueError, match="; give another path, or delete the file to sta"
    ) as caught:
        training.run(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected {expected}")
    assert f", found {found}" in message
    assert "\n" not in message
    assert_same(training.state(), before)
    assert contents == (path.read_bytes() if path.is_file() else None)


def not_a_checkpoint() -> dict[str, bytes]:
    return {
        "empty": b"",
        "garbage": bytes(random.Random(0).randbytes(5000)),
        "html": b"<!doctype html><title>404</title>",
        "text": b"training",
    }


@pytest.mark.parametrize("name", not_a_checkpoint())
def test_another_kind_of_file(name, tmp_path):
    path = tmp_path / "training.pt"
    path.write_bytes(not_a_checkpoint()[name])
    size = path.stat().st_size
    assert_refused(path, "a checkpoint written by train_model", f"{size} bytes that cannot be read")


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        3,
        {"weights": torch.ones(2)},
        {"settings": 3},
        {"settings": {}, "losses": []},
        nn.Linear(2, 2).state_dict(),
    ],
    ids=["list", "number", "tensor", "settings", "losses", "state_dict"],
)
def test_another_file_of_torch(content, tmp_path):
    path = tmp_path / "training.pt"
    torch.save(content, path)
    assert_refused(path, "a checkpoint written by train_model", f"{path.stat().st_size} bytes")


def test_a_whole_pickled_model_is_not_even_unpickled(tmp_path):
    path = tmp_path / "training.pt"
    torch.save(nn.Linear(2, 2), path)
    assert_refused(path, "a checkpoint written by train_model", f"{path.stat().st_size} bytes")


def test_a_zip_of_something_else(tmp_path):
    path = tmp_path / "training.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", "what")
    assert_refused(path, "a checkpoint written by train_model", f"{path.stat().st_size} bytes")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint(checkpoint, share, tmp_path):
    path = tmp_path / "training.pt"
    path.write_bytes(checkpoint[: int(share * len(checkpoint))])
    assert_refused(path, "a checkpoint written by train_model", f"{path.stat().st_size} bytes")


def test_a_flipped_bit_is_found_or_does_no_harm(checkpoint, tmp_path):
    path = tmp_path / "training.pt"
    choice = random.Random(0)
    refused = 0
    expected = Training("steps")
    expected.run(num_epochs=2)
    for _ in range(60):
        damaged = bytearray(checkpoint)
        damaged[choice.randrange(len(damaged))] ^= 1 << choice.randrange(8)
        path.write_bytes(damaged)
        training = Training("steps", seed=3)
        before = training.state()
        try:
            training.run(path, num_epochs=2)
        except ValueError:
            refused += 1
            assert_same(training.state(), before)
        else:  # in the padding between the parts, or in a date
            assert_same(training.state(), expected.state())
    assert refused > 10


def test_a_flipped_bit_in_a_weight_is_found(checkpoint, tmp_path):
    path = tmp_path / "training.pt"
    path.write_bytes(checkpoint)
    weight = torch.load(path, weights_only=True)["model"]["0.weight"].numpy().tobytes()
    place = checkpoint.index(weight)
    damaged = bytearray(checkpoint)
    damaged[place] ^= 1
    path.write_bytes(damaged)
    assert_refused(path, "a checkpoint written by train_model", f"{len(damaged)} bytes")


def test_a_folder(tmp_path):
    found = "a folder that cannot be read"
    assert_refused(tmp_path, "a checkpoint written by train_model", found)


@pytest.mark.parametrize(
    ("options", "expected", "found"),
    [
        ({"batch_size": 7}, "batch_size 7", "6"),
        ({"shuffle": False}, "shuffle False", "True"),
        ({"seed": 1}, "seed 1", "0"),
        ({"data": points(23)}, "number of images 23", "22"),
        ({"x_val": None, "y_val": None}, "number of validation images 0", "9"),
        ({"name": "adam"}, "optimizer Adam", "SGD"),
        ({"name": "classical"}, "optimizer ClassicalSGD", "SGD"),
        ({"name": "momentum"}, "initial step sizes|scheduler None", ""),
        ({"name": "milestones"}, "scheduler MultiStepLR", "StepLR"),
    ],
)
def test_a_checkpoint_of_another_training(checkpoint, options, expected, found, tmp_path):
    path = tmp_path / "training.pt"
    path.write_bytes(checkpoint)
    expected = expected.split("|")[-1]
    assert_refused(path, f"a checkpoint with {expected}", found, **options)


OTHERS = {
    "other lr": (lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9), TRAININGS["steps"][1]),
    "other momentum": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8), TRAININGS["steps"][1]),
    "other gamma": (sgd, lambda o: lr_scheduler.StepLR(o, 1, gamma=0.4)),
    "other step": (sgd, lambda o: lr_scheduler.StepLR(o, 2, gamma=0.5)),
    "two groups": (
        lambda p: torch.optim.SGD([{"params": [w]} for w in p], lr=0.1, momentum=0.9),
        TRAININGS["steps"][1],
    ),
    "other lr of the group": (
        lambda p: torch.optim.SGD([{"params": p, "lr": 0.3}], lr=0.1, momentum=0.9),
        TRAININGS["steps"][1],
    ),
}


def in_turn(optimizer, milestone: int) -> lr_scheduler.LRScheduler:
    parts = [lr_scheduler.StepLR(optimizer, 1) for _ in range(2)]
    return lr_scheduler.SequentialLR(optimizer, parts, [milestone])


CYCLE = partial(lr_scheduler.OneCycleLR, max_lr=0.2, total_steps=99)
# Each pair differs in one setting, that PyTorch keeps in a place of its own.
PAIRS = {
    "momentum of a group": (
        (sgd, None),
        (lambda p: torch.optim.SGD([{"params": p, "momentum": 0.5}], lr=0.1, momentum=0.9), None),
        "settings of the groups ({'momentum': '0.5'},), found ({},);",
    ),
    "weight decay of a group": (
        (sgd, lambda o: lr_scheduler.StepLR(o, 1)),
        (
            lambda p: torch.optim.SGD([{"params": p, "weight_decay": 1}], lr=0.1, momentum=0.9),
            lambda o: lr_scheduler.StepLR(o, 1),
        ),
        "settings of the groups ({'weight_decay': '1'},), found ({},);",
    ),
    "part of a chain": (
        (sgd, lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 1)])),
        (sgd, lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 2)])),
        "scheduler ChainedScheduler {}, StepLR {'step_size': 2, 'gamma': 0.1}, found Chained",
    ),
    "where a sequence turns": (
        (sgd, lambda o: in_turn(o, 1)),
        (sgd, lambda o: in_turn(o, 2)),
        "scheduler SequentialLR {'_milestones': [2]}, StepLR",
    ),
    "form of a cycle": (
        (sgd, CYCLE),
        (sgd, partial(CYCLE, anneal_strategy="linear")),
        "scheduler OneCycleLR {'total_steps': 99",
    ),
    "rise of a cycle": (
        (sgd, CYCLE),
        (sgd, partial(CYCLE, pct_start=0.5)),
        "scheduler OneCycleLR {'total_steps': 99",
    ),
    "top of a cycle": (
        (sgd, partial(lr_scheduler.CyclicLR, base_lr=0.1, max_lr=0.2)),
        (sgd, partial(lr_scheduler.CyclicLR, base_lr=0.1, max_lr=0.3)),
        "scheduler CyclicLR {'max_lrs': [0.3]",
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_setting_in_a_place_of_its_own_is_compared_too(name, tmp_path, monkeypatch):
    one, other, expected = PAIRS[name]
    path = tmp_path / "training.pt"
    monkeypatch.setitem(TRAININGS, "one", one)
    monkeypatch.setitem(TRAININGS, "other", other)
    Training("one").run(path, num_epochs=1)
    assert len(Training("one").run(path, num_epochs=2).train_loss) == 2
    assert_refused(path, f"a checkpoint with {expected}", "", name="other")


def test_a_layer_that_is_frozen_in_evaluation_mode_is_another_training(tmp_path):
    path = tmp_path / "training.pt"
    Training("momentum").run(path, num_epochs=1)
    frozen = Training("momentum")
    frozen.model[1].eval()
    with pytest.raises(ValueError, match=r"with layers in evaluation mode \('1',\), found \(\);"):
        frozen.run(path)
    thawed = Training("momentum")
    thawed.model.eval()  # as after an evaluation: it trains in training mode
    assert thawed.run(path) == uninterrupted("momentum")[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("other lr", "optimizer SGD {'lr': 0.2"),
        ("other momentum", "optimizer SGD {'lr': 0.1, 'momentum': 0.8"),
        ("other gamma", "scheduler StepLR {'step_size': 1, 'gamma': 0.4}"),
        ("other step", "scheduler StepLR {'step_size': 2"),
        ("two groups", "parameters per group (('0.weight',), ('0.bias',)"),
        ("other lr of the group", "initial step sizes ('0.3',)"),
    ],
)
def test_other_settings_of_the_optimizer_or_the_schedule(
    checkpoint, name, expected, tmp_path, monkeypatch
):
    path = tmp_path / "training.pt"
    path.write_bytes(checkpoint)
    monkeypatch.setitem(TRAININGS, name, OTHERS[name])
    assert_refused(path, f"a checkpoint with {expected}", "", name=name)


ALL = "(('0.weight', '0.bias', '1.weight', '1.bias', '3.weight', '3.bias'),)"


@pytest.mark.parametrize(
    ("model", "expected", "found"),
    [
        (nn.Sequential(nn.Linear(4, 9)), "shape of 0.weight (9, 4)", "(8, 4)"),
        (nn.Sequential(nn.Linear(4, 8, bias=False)), "parameters per group (('0.weight',),)", ALL),
        (
            nn.Sequential(OrderedDict(a=nn.Linear(4, 8))),
            "parameters per group (('a.weight', 'a.bias'),)",
            ALL,
        ),
        (
            nn.Sequential(
                nn.Linear(4, 8),
                nn.BatchNorm1d(8, track_running_stats=False),
                nn.Dropout(),
                nn.Linear(8, 3),
            ),
            "layer 1 BatchNorm1d(8, eps=1e-05, momentum=0.1, affine=True, bias=True, "
            "track_running_stats=False)",
            "BatchNorm1d(8, eps=1e-05, momentum=0.1, affine=True, bias=True, "
            "track_running_stats=True)",
        ),
    ],
    ids=["width", "bias", "names", "buffers"],
)
def test_another_model(checkpoint, model, expected, found, tmp_path):
    path = tmp_path / "training.pt"
    path.write_bytes(checkpoint)
    if found == "(8, 4)":
        model = nn.Sequential(model[0], nn.BatchNorm1d(9), nn.Dropout(), nn.Linear(9, 3))
    before = copy.deepcopy(model.state_dict())
    optimizer = sgd(model.parameters())
    scheduler = TRAININGS["steps"][1](optimizer)
    x_val, y_val = points(9)
    with pytest.raises(ValueError, match="; give another path") as caught:
        train_model(
            model,
            optimizer,
            cross_entropy,
            *points(),
            batch_size=6,
            x_val=x_val,
            y_val=y_val,
            scheduler=scheduler,
            checkpoint=path,
        )
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a checkpoint with {expected}, found {found};")
    assert_same(copy.deepcopy(model.state_dict()), before)


def test_more_epochs_than_asked_for(checkpoint, tmp_path):
    path = tmp_path / "training.pt"
    path.write_bytes(checkpoint)
    assert_refused(path, "a checkpoint of at most 1 epochs", "2", num_epochs=1)


# Every optimizer, resumed three times


def optimizers() -> list[type[torch.optim.Optimizer]]:
    kinds = [kind for kind in vars(torch.optim).values() if isinstance(kind, type)]
    kinds = [kind for kind in kinds if issubclass(kind, torch.optim.Optimizer)]
    unfit = {torch.optim.Optimizer, torch.optim.LBFGS, torch.optim.SparseAdam}
    return [ClassicalSGD, *(kind for kind in kinds if kind not in unfit)]


@pytest.mark.parametrize("kind", optimizers(), ids=lambda kind: kind.__name__)
def test_any_optimizer_is_resumed_three_times(kind, tmp_path, monkeypatch):
    def make(parameters):
        if kind is getattr(torch.optim, "Muon", None):  # for matrices alone
            parameters = [w for w in parameters if w.requires_grad_(w.ndim == 2).requires_grad]
        return kind(parameters, lr=0.01)

    monkeypatch.setitem(TRAININGS, "any", (make, None))
    path = tmp_path / "training.pt"
    for seed in range(3):  # the first begins; what the others begin with is replaced
        assert Training("any", seed=seed).run(path, stop_at=6).status == "interrupted"
    resumed = Training("any", seed=9)
    assert resumed.run(path) == uninterrupted("any")[0]


# What else is another training


def refusal(path: Path, tmp_path: Path, model=None, **options) -> str:
    """Return why a checkpoint is refused, and make sure that nothing was changed."""
    training = Training("momentum", seed=3)
    if model is not None:
        training.model = model
        training.optimizer = sgd(model.parameters())
        x, x_val = points()[0], points(9)[0]
        dtype = next(model.parameters()).dtype
        options |= {"data": (x.to(dtype), points()[1]), "x_val": x_val.to(dtype)}
    before = training.state()
    with pytest.raises(ValueError, match="; give another path") as caught:
        training.run(path, **options)
    assert_same(training.state(), before)
    return str(caught.value)


def layers(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), activation, nn.Linear(8, 3))


def test_other_images_or_labels_of_the_same_number_are_refused(tmp_path):
    path = tmp_path / "training.pt"
    Training("momentum").run(path, num_epochs=1)
    x, y = points()
    assert "a checkpoint with training images (22, 4)" in refusal(path, tmp_path, data=(x + 1, y))
    assert "a checkpoint with training labels (22,)" in refusal(path, tmp_path, data=(x, y.flip(0)))
    x, y = points(9)
    assert "with validation images (9, 4)" in refusal(path, tmp_path, x_val=-x)
    assert "with validation labels (9,)" in refusal(path, tmp_path, y_val=y.flip(0))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: layers(nn.Tanh()), "layer 1 Tanh(), found ReLU();"),
        (lambda _: layers(nn.LeakyReLU(0.2)), "layer 1 LeakyReLU(negative_slope=0.2), found ReLU("),
        (lambda model: model.half(), "type of 0.weight torch.float16, found torch.float32;"),
        (
            lambda model: model[0].requires_grad_(False) and model,
            "training of 0.weight False, found True;",
        ),
    ],
    ids=["tanh", "leaky", "float64", "frozen"],
)
def test_another_network_of_the_same_shapes_is_refused(change, expected, tmp_path):
    path = tmp_path / "training.pt"
    training = Training("momentum")
    training.model = layers(nn.ReLU())
    training.optimizer = sgd(training.model.parameters())
    training.run(path, num_epochs=1)
    assert f"expected a checkpoint with {expected}" in refusal(
        path, tmp_path, change(layers(nn.ReLU()))
    )


def test_parameters_in_another_order_are_refused(tmp_path):
    path = tmp_path / "training.pt"
    Training("momentum").run(path, num_epochs=1)
    reversed_one = Training("momentum")
    reversed_one.optimizer = sgd(list(reversed_one.model.parameters())[::-1])
    before = reversed_one.state()
    with pytest.raises(ValueError, match=r"parameters per group \(\('3.bias', '3.weight'"):
        reversed_one.run(path)
    assert_same(reversed_one.state(), before)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1)),
        (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction="sum")),
        (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(weight=torch.ones(3))),
        (nn.CrossEntropyLoss(), nn.MultiMarginLoss()),
        (nn.functional.cross_entropy, nn.functional.multi_margin_loss),
    ],
)
def test_another_loss_is_told_by_its_name_and_settings(one, other):
    assert name_of(one) == name_of(copy.deepcopy(one))
    assert name_of(one) != name_of(other)


def edits() -> dict[str, Callable[[dict], object]]:
    """Return what a hand may do to the content of a file."""

    def velocity(content: dict) -> None:
        content["optimizer"]["state"][0]["momentum_buffer"] = torch.zeros(7)

    return {
        "no model": lambda c: c.pop("model"),
        "no random state": lambda c: c.pop("random"),
        "a short random state": lambda c: c.update(random=c["random"][:10]),
        "an order of another type": lambda c: c.update(order=torch.zeros(3)),
        "a weight that is missing": lambda c: c["model"].pop("0.weight"),
        "a weight of another shape": lambda c: c["model"].update({"0.bias": torch.zeros(2)}),
        "an optimizer without groups": lambda c: c["optimizer"].update(param_groups=[]),
        "an optimizer that is text": lambda c: c.update(optimizer="SGD"),
        "a loss that is text": lambda c: c["losses"].update(train_loss=["low"]),
        "a loss that is NaN": lambda c: c["losses"].update(batch_loss=[math.nan]),
        "lists of other lengths": lambda c: c["losses"].update(val_loss=[1.0, 2.0, 3.0]),
        "another status": lambda c: c["losses"].update(status="diverged"),
        "a list that nobody knows": lambda c: c["losses"].update(extra=[]),
        "settings that are a list": lambda c: c.update(settings=[]),
        "a velocity of another shape": velocity,
    }


@pytest.mark.parametrize("name", edits())
def test_a_file_edited_by_hand_is_refused_or_does_no_harm(name, tmp_path):
    path = tmp_path / "training.pt"
    Training("momentum").run(path, num_epochs=2)
    content = torch.load(path, weights_only=True)
    edits()[name](content)
    torch.save(content, path)
    assert "expected a checkpoint written by train_model" in refusal(path, tmp_path)


# Files that cannot be written


def test_a_folder_that_is_not_there_is_reported_before_training(tmp_path):
    training = Training("momentum")
    before = training.state()
    path = tmp_path / "nowhere" / "training.pt"
    with pytest.raises(ValueError, match=r"expected a file that can be written, found") as caught:
        training.run(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert_same(training.state(), before)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_without_permission_is_reported_before_training(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ValueError, match="expected a file that can be written, found"):
            Training("momentum").run(tmp_path / "training.pt")
    finally:
        tmp_path.chmod(0o700)


def test_a_failed_write_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "training.pt"
    Training("momentum").run(path, num_epochs=2)
    kept = path.read_bytes()
    write = Path.write_bytes

    def full(file, content):
        write(file, bytes(content)[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ValueError, match=f"^{path}: expected a file .* No space left on device"):
        Training("momentum").run(path)
    assert path.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_really_full_says_so(tmp_path):
    """A limit on the size of files stands for the disk."""
    script = (
        "import resource, signal, sys\n"
        "from cnnlesson import train_model\n"
        "import torch\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "model = torch.nn.Linear(4, 3)\n"
        "sgd = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "data = torch.zeros(6, 4), torch.zeros(6, dtype=torch.int64)\n"
        "loss = torch.nn.CrossEntropyLoss()\n"
        "try:\n"
        "    train_model(model, sgd, loss, *data, checkpoint=sys.argv[1])\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    path = tmp_path / "training.pt"
    done = subprocess.run(
        [sys.executable, "-c", script, path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{path}: expected a file that can be written, found: File too large\n"
    assert list(tmp_path.iterdir()) == []


# The two functions themselves


def state() -> TrainingState:
    training = Training("steps")
    return TrainingState(
        training.model, training.optimizer, training.scheduler, torch.Generator().manual_seed(1)
    )


def test_two_trainings_that_write_one_file_do_not_end_each_other(tmp_path):
    """With one name for the unfinished file, one would move away what the other still writes."""
    path = tmp_path / "training.pt"
    losses = vars(History())
    states = [state(), state()]

    def write(own: TrainingState) -> None:
        for _ in range(10):
            save_checkpoint(path, {}, own, losses)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, states))  # raises what either raised
    assert load_checkpoint(path, {}, states[0], 3) == losses
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_no_checkpoint(tmp_path):
    assert load_checkpoint(tmp_path / "training.pt", {}, state(), 3) is None


def test_the_order_of_the_images_goes_on(tmp_path):
    saved, loaded = state(), state()
    torch.randperm(5, generator=saved.order)
    save_checkpoint(tmp_path / "a.pt", {"a": 1}, saved, {"train_loss": [0.1]})
    assert load_checkpoint(tmp_path / "a.pt", {"a": 1}, loaded, 3) == {"train_loss": [0.1]}
    following = [torch.randperm(50, generator=s.order) for s in (saved, loaded)]
    assert torch.equal(*following)


def test_a_setting_that_only_the_file_has_is_a_difference(tmp_path):
    save_checkpoint(tmp_path / "a.pt", {"a": 1, "b": 2}, state(), {"train_loss": []})
    with pytest.raises(ValueError, match=r"a\.pt: expected a checkpoint with b None, found 2; "):
        load_checkpoint(tmp_path / "a.pt", {"a": 1}, state(), 3)


@pytest.mark.skipif(os.name != "posix", reason="a signal is sent as POSIX systems do")
def test_an_interrupt_while_writing_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "training.pt"
    save, calls = torch.save, []

    def slow(content, file):
        save(content, file)
        calls.append(file)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(torch, "save", slow)
    training = Training("momentum")
    assert training.run(path).status == "interrupted"
    monkeypatch.undo()
    history = Training("momentum", seed=1).run(path)
    assert history == uninterrupted("momentum")[0]
