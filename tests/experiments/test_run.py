"""An experiment does what its settings say, and says what came of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, OneCycleLR

from cnnlesson import ConvNet, Run, evaluate, load_digits, run_experiment, standardize

DIGITS = load_digits("sklearn")
SMALL = {"num_images": 200, "num_test_images": 100}


@pytest.mark.parametrize("pixels", ["raw", "unit", "standardized"])
@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_an_experiment_is_the_loop_written_out(pixels, order):
    run = Run(lr=0.002, momentum=0.5, batch_size=50, pixels=pixels, order=order, seed=3, **SMALL)
    result = run_experiment(run, DIGITS)

    train, test = train_test_split(np.arange(1797), train_size=0.7, random_state=0)
    train, test = train[:200], test[:100]
    if order == "sorted":
        train = np.array(sorted(train, key=lambda i: DIGITS.labels[i].item()))
    scale = {"raw": lambda x: x, "unit": lambda x: x / 255, "standardized": standardize}[pixels]
    x, y = scale(DIGITS.images), DIGITS.labels
    torch.manual_seed(3)
    model = ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.5)
    generator = torch.Generator().manual_seed(3)
    indices = torch.randperm(200, generator=generator) if order == "shuffled" else torch.arange(200)
    losses = []
    for batch in indices.split(50):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[train[batch]]), y[train[batch]])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert result.status == "completed"
    # The experiment keeps its weights in another order in memory, and adds in another order.
    assert result.train_losses == pytest.approx([sum(losses) / 4], rel=1e-4)
    assert result.test_accuracies == [evaluate(model, x[test], y[test])]


def test_a_row_holds_every_setting_and_the_final_results():
    run = Run(num_epochs=2, **SMALL)
    result = run_experiment(run, DIGITS)
    row = result.to_dict()
    assert list(row) == [
        *("lr", "momentum", "batch_size", "num_epochs", "num_images", "num_test_images"),
        *("pixels", "order", "seed", "optimizer", "schedule", "measure_every"),
        "measure_training",
        *("status", "train_loss", "test_accuracy", "seconds"),
    ]
    assert row["train_loss"] == result.train_losses[1]
    assert row["test_accuracy"] == result.test_accuracies[1]
    assert row["seconds"] > 0


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("sgd", lambda p: torch.optim.SGD(p, 0.002, momentum=0.7)),
        ("nesterov", lambda p: torch.optim.SGD(p, 0.002, momentum=0.7, nesterov=True)),
        ("adam", lambda p: torch.optim.Adam(p, 0.002, betas=(0.7, 0.999))),
        ("adamw", lambda p: torch.optim.AdamW(p, 0.002, betas=(0.7, 0.999))),
    ],
)
def test_rule_and_schedule_are_those_of_pytorch(name, rule, schedule):
    chosen = {"optimizer": name, "schedule": schedule, "pixels": "unit"}
    result = run_experiment(Run(lr=0.002, momentum=0.7, batch_size=50, **chosen, **SMALL), DIGITS)

    train, _ = train_test_split(np.arange(1797), train_size=0.7, random_state=0)
    torch.manual_seed(0)
    model = ConvNet()
    optimizer = rule(model.parameters())
    scheduler = {
        "constant": lambda: ConstantLR(optimizer, factor=1),
        "one-cycle": lambda: OneCycleLR(optimizer, 0.002, total_steps=4, cycle_momentum=False),
    }[schedule]()
    losses = []
    for batch in torch.randperm(200, generator=torch.Generator().manual_seed(0)).split(50):
        optimizer.zero_grad()
        images = DIGITS.images[train[:200]][batch] / 255
        loss = nn.functional.cross_entropy(model(images), DIGITS.labels[train[:200]][batch])
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    assert result.train_losses == pytest.approx([sum(losses) / 4], rel=1e-5)


def test_nesterov_without_momentum_is_gradient_descent():
    plain, ahead = (
        run_experiment(Run(momentum=0.0, optimizer=rule, **SMALL), DIGITS)
        for rule in ("sgd", "nesterov")
    )
    assert plain.train_losses == ahead.train_losses


def test_accuracy_along_the_way_is_measured_without_a_trace():
    watched = run_experiment(Run(num_epochs=2, measure_every=3, **SMALL), DIGITS)
    unwatched = run_experiment(Run(num_epochs=2, **SMALL), DIGITS)
    assert len(watched.accuracy_curve) == 14 // 3
    assert watched.train_losses == unwatched.train_losses
    assert unwatched.accuracy_curve == []
    every = run_experiment(Run(num_epochs=2, measure_every=7, **SMALL), DIGITS)
    assert every.accuracy_curve == every.test_accuracies  # 7 steps an epoch


def test_accuracy_on_the_training_images_is_measured_where_asked():
    result = run_experiment(Run(num_epochs=20, measure_training=True, **SMALL), DIGITS)
    assert result.train_accuracy > result.test_accuracy
    assert run_experiment(Run(**SMALL), DIGITS).train_accuracy is None


def test_the_first_measurement_that_is_high_enough_counts():
    result = run_experiment(Run(num_epochs=2, measure_every=3, **SMALL), DIGITS)
    result = replace(result, accuracy_curve=[0.2, 0.5, 0.4, 0.6])
    steps = [result.steps_to(accuracy) for accuracy in (0.1, 0.5, 0.55, 0.7)]
    assert steps == [3, 6, 12, math.inf]


def test_seeds_matter_and_repeat():
    runs = [Run(seed=seed, **SMALL) for seed in (0, 1, 0)]
    losses = [run_experiment(run, DIGITS).train_losses for run in runs]
    assert losses[0] == losses[2] != losses[1]


def test_the_random_state_of_the_caller_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run_experiment(Run(**SMALL), DIGITS)
    assert torch.equal(torch.get_rng_state(), before)


def test_divergence_is_a_status():
    result = run_experiment(Run(lr=1e30, num_epochs=3, **SMALL), DIGITS)
    assert result.status == "diverged"
    assert np.isnan(result.train_loss)
    assert np.isnan(result.test_accuracy)


def test_a_network_with_one_answer_for_all_is_dead():
    result = run_experiment(Run(lr=3.0, momentum=0.0, pixels="standardized", **SMALL), DIGITS)
    assert result.status == "dead"


def test_an_interrupted_training_is_not_dead_whatever_its_network_answers():
    def interrupt(history):
        if len(history.batch_loss) == 8:  # one after the first epoch
            raise KeyboardInterrupt

    run = Run(lr=3.0, momentum=0.0, pixels="standardized", num_epochs=2, **SMALL)
    result = run_experiment(run, DIGITS, on_step=interrupt)
    assert max(result.dead_channels) == 1
    assert result.status == "interrupted"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", 0),
        ("lr", float("nan")),
        ("momentum", 1.0),
        ("momentum", -0.1),
        ("batch_size", 0),
        ("num_epochs", 0),
        ("pixels", "grey"),
        ("order", "random"),
        ("seed", -1),
        ("optimizer", "adamax"),
        ("schedule", "warm"),
        ("measure_every", 0),
        ("measure_training", "yes"),
    ],
)
def test_a_setting_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        Run(**{name: value})


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match=r"num_images: expected at most 1257, found 6000"):
        run_experiment(Run(), DIGITS)


def test_a_misspelt_setting_is_refused():
    with pytest.raises(ValueError, match="momentun"):
        Run(momentun=0.9)


def test_one_test_image_cannot_show_a_dead_network():
    run = Run(num_images=100, num_test_images=1, pixels="standardized")
    assert run_experiment(run, DIGITS).status == "completed"
