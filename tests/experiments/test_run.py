"""An experiment does what its settings say, and says what came of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.optim.lr_scheduler import ConstantLR, OneCycleLR

from cnnlesson import (
    ConvNet,
    Run,
    dead_channels,
    evaluate,
    load_digits,
    predict,
    prepare,
    run_experiment,
    standardize,
)
from cnnlesson.experiments.images import RandomShift, choose_images

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
        *("measure_training", "stretch", "split", "weight_decay", "shift", "activation"),
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


def test_what_is_noted_along_the_way_is_what_the_network_does():
    run = Run(num_epochs=2, measure_every=7, order="sorted", pixels="unit", **SMALL)
    experiment = prepare(run, DIGITS)
    seen = []

    def look(history):
        if len(history.batch_loss) % 7 == 0:
            answers = predict(experiment.model, experiment.x_test)
            right = [
                (answers[experiment.y_test == digit] == digit).double().mean().item()
                for digit in range(10)
            ]
            relu = experiment.model.layers[:2](experiment.x_test)
            seen.append(
                (answers, right, (relu > 0).double().mean().item(), history.batch_loss[-7:])
            )

    result = experiment.measure(experiment.train(on_step=look))
    assert len(seen) == len(result.answers) == 2
    for i, (answers, right, active, losses) in enumerate(seen):
        assert result.answers[i] == answers.bincount(minlength=10).tolist()
        assert result.class_accuracies[i] == pytest.approx(right, abs=0.0051)
        assert result.active_shares[i][0] == pytest.approx(active, rel=0.005)
        assert result.losses_between[i] == pytest.approx(sum(losses) / 7, rel=1e-3)
        assert sum(result.answers[i]) == 100


def test_pooling_first_changes_no_bit():
    run = Run(num_epochs=2, pixels="unit", lr=0.01, seed=2, **SMALL)
    experiment, plain = prepare(run, DIGITS), prepare(run, DIGITS)
    history = experiment.train()
    convert_conv2d_weight_memory_format(plain.model, torch.channels_last)  # as `faster` has them
    optimizer = torch.optim.SGD(plain.model.parameters(), lr=0.01, momentum=0.8)
    generator = torch.Generator().manual_seed(2)
    losses = []
    for _ in range(2):
        for batch in torch.randperm(200, generator=generator).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(
                plain.model(plain.x_train[batch]), plain.y_train[batch]
            )
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert history.batch_loss == losses


def test_a_run_that_died_says_when():
    result = run_experiment(
        Run(lr=3.0, momentum=0.0, pixels="standardized", measure_every=1, **SMALL), DIGITS
    )
    assert result.status == "dead"
    first = int(result.died_after) - 1
    assert all(min(shares) == 0 for shares in result.active_shares[first:])
    assert first == 0 or min(result.active_shares[first - 1]) > 0
    revived = replace(result, active_shares=[[0.1, 0.0], [0.1, 0.1], [0.1, 0.0], [0.1, 0.0]])
    assert revived.died_after == 3
    assert replace(revived, active_shares=[[0.1, 0.0002], [0.1, 0.00005]]).died_after == 2
    assert replace(revived, active_shares=[[0.1, 0.0], [0.1, 0.1]]).died_after == math.inf
    assert replace(revived, active_shares=[]).died_after == math.inf


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
        ("stretch", 0),
        ("stretch", 100),
        ("split", "half"),
        ("weight_decay", -0.1),
        ("shift", -1),
        ("shift", 0.5),
        ("activation", "tanh"),
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


# The settings of the images


LABELS = DIGITS.labels


def test_the_order_of_the_file_is_kept():
    shuffled, _ = choose_images(Run(**SMALL), LABELS)
    in_file, _ = choose_images(Run(order="file", **SMALL), LABELS)
    assert in_file.tolist() == sorted(shuffled.tolist())


@pytest.mark.parametrize("stretch", [1, 7, 60, 200, 1000])
def test_windows_and_blocks_lie_between_sorted_and_shuffled(stretch):
    by_class, _ = choose_images(Run(order="sorted", **SMALL), LABELS)
    windows, _ = choose_images(Run(order="windows", stretch=stretch, **SMALL), LABELS)
    blocks, _ = choose_images(Run(order="blocks", stretch=stretch, **SMALL), LABELS)
    again, _ = choose_images(Run(order="blocks", stretch=stretch, **SMALL), LABELS)
    other, _ = choose_images(Run(order="blocks", stretch=stretch, seed=1, **SMALL), LABELS)
    for i in range(0, 200, stretch):
        assert set(windows[i : i + stretch]) == set(by_class[i : i + stretch])
    cut = [by_class[i : i + stretch].tolist() for i in range(0, 200, stretch)]
    found, rest = [], blocks.tolist()
    while rest:
        [block] = [block for block in cut if rest[0] in block]
        assert rest[: len(block)] == block
        found.append(block)
        rest = rest[len(block) :]
    assert sorted(found) == sorted(cut)
    assert blocks.tolist() == again.tolist()
    assert (blocks.tolist() == other.tolist()) == (stretch >= 200)
    assert (windows.tolist() == by_class.tolist()) == (stretch == 1)


def test_images_drawn_with_replacement_leave_the_others_for_training():
    run = Run(split="with-replacement", order="file", num_images=1300, num_test_images=540)
    train, test = choose_images(run, LABELS)
    assert len(set(test)) < len(test) == 540
    assert not set(train) & set(test)
    assert train.tolist() == sorted(train)
    all_others = set(range(len(LABELS))) - set(test)
    assert set(train) == set(sorted(all_others)[:1300])


def test_a_stretch_goes_with_windows_and_blocks_only():
    with pytest.raises(ValueError, match="stretch: expected a number of images with order='block"):
        Run(order="blocks")
    with pytest.raises(ValueError, match="stretch: expected none with order='sorted', found 100"):
        Run(order="sorted", stretch=100)


def test_shifts_move_each_image_by_itself_and_only_in_training():
    shift = RandomShift(2, seed=0)
    x = DIGITS.images[:300]
    moved = shift(x)
    places = set()
    for before, after in zip(x, moved, strict=True):
        padded = nn.functional.pad(before, [2] * 4, mode="replicate")
        matches = [
            (i, j)
            for i in range(5)
            for j in range(5)
            if torch.equal(padded[:, i : i + 28, j : j + 28], after)
        ]
        assert len(matches) == 1
        places |= set(matches)
    assert len(places) == 25
    assert not torch.equal(shift(x), moved)
    assert torch.equal(RandomShift(2, seed=0)(x), moved)
    assert torch.equal(shift.eval()(x), x)
    assert torch.equal(RandomShift(0, seed=0)(x), x)


def test_a_shifted_run_trains_on_shifted_images_and_is_measured_on_the_others():
    still, moved = (Run(shift=shift, pixels="unit", **SMALL) for shift in (0, 2))
    assert run_experiment(still, DIGITS).train_losses != run_experiment(moved, DIGITS).train_losses
    experiment = prepare(moved, DIGITS)
    result = experiment.measure(experiment.train())
    expected = evaluate(experiment.model, experiment.x_test, experiment.y_test)
    assert result.test_accuracies == [expected]


@pytest.mark.parametrize("rule", ["sgd", "nesterov", "adam", "adamw"])
def test_weight_decay_is_that_of_the_rule(rule):
    def weights(**settings):
        run = Run(optimizer=rule, lr=0.01, pixels="unit", **settings, **SMALL)
        experiment = prepare(run, DIGITS)
        experiment.train()
        return torch.cat([w.detach().flatten() for w in experiment.model.parameters()])

    default, none, much = weights(), weights(weight_decay=0.0), weights(weight_decay=1.0)
    assert torch.equal(default, none) == (rule != "adamw")
    assert much.norm() < none.norm()


def test_a_leaky_network_has_no_channel_that_is_dead():
    run = Run(activation="leaky-relu", pixels="unit", **SMALL)
    experiment = prepare(run, DIGITS)
    assert [type(layer) for layer in experiment.model.layers].count(nn.LeakyReLU) == 2
    assert experiment.model.layers[1].negative_slope == 0.1
    assert dead_channels(experiment.model, experiment.x_test) == {}
    assert run_experiment(run, DIGITS).dead_channels == []


def test_a_row_without_settings_is_refused_and_one_out_of_range_too():
    with pytest.raises(ValueError, match=r"row: expected settings of a run, found \['status'\]"):
        Run.from_row({"status": "dead"})
    with pytest.raises(ValueError, match="momentum"):
        Run.from_row({"momentum": 2.0})
    row = {"num_images": np.float64(6000), "measure_training": np.True_, "seed": np.int64(3)}
    assert Run.from_row(row) == Run(num_images=6000, measure_training=True, seed=3)
