"""The clues are what their formulas say, and what the printed numbers are held against."""

import numpy as np
import pytest
import torch
from torch import nn

from cnnlesson import Run, load_digits
from cnnlesson.experiments.clues import always_one_class, never_drawn, train_biases
from cnnlesson.experiments.images import choose_images


def test_what_is_never_drawn_by_drawing_it():
    generator = np.random.default_rng(0)
    left = [50 - len(np.unique(generator.integers(50, size=20))) for _ in range(20_000)]
    expected = never_drawn(50, 20)
    assert np.mean(left) == pytest.approx(expected.mean, abs=0.06)
    assert np.std(left) == pytest.approx(expected.std, rel=0.03)
    assert never_drawn(1, 5) == (0, 0)


def test_the_printed_sizes_are_those_of_a_split_with_replacement():
    """No parameter is free: 60,000 images, 18,000 of them drawn, as every cell's accuracy says."""
    expected = never_drawn(60_000, 18_000)
    assert expected.mean == pytest.approx(60_000 * np.exp(-0.3), abs=0.2)
    assert round(expected.mean) == 44_449
    assert expected.std == pytest.approx(40.5, abs=0.05)
    for printed in (44_483, 44_395):
        assert abs(printed - expected.mean) < 1.5 * expected.std


def test_one_class_for_everything_by_choosing():
    generator = np.random.default_rng(0)
    labels = np.arange(40) < 6
    right = [generator.permutation(labels)[:25].sum() for _ in range(20_000)]
    expected = always_one_class(25, 40, 6)
    assert np.mean(right) == pytest.approx(expected.mean, abs=0.03)
    assert np.std(right) == pytest.approx(expected.std, rel=0.03)
    assert always_one_class(40, 40, 6) == (6, 0)
    with pytest.raises(ValueError, match="num_chosen: expected at most 40, found 41"):
        always_one_class(41, 40, 6)
    with pytest.raises(ValueError, match="num_of_class: expected at most 40, found 41"):
        always_one_class(20, 40, 41)


def test_the_printed_training_accuracy_is_that_of_one_answer_nine_among_few(request):
    """Always 9 fits 4414 of 44,483; so do three other classes, but not the 1 of shuffled digits."""
    if not request.config.has_mnist:
        pytest.skip("MNIST is not there")
    counts = load_digits("mnist").labels.bincount().tolist()
    off = [
        (4414 - expected.mean) / expected.std
        for expected in (always_one_class(44_483, 60_000, count) for count in counts)
    ]
    assert abs(off[9]) < 0.2
    assert abs(off[1]) > 15
    assert [digit for digit in range(10) if abs(off[digit]) < 2] == [0, 2, 6, 9]


def test_ten_biases_are_a_network_of_nothing_else():
    labels = np.random.default_rng(0).integers(10, size=103)
    layer = nn.Linear(1, 10)
    nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD([layer.bias], lr=0.1, momentum=0.7)
    expected = []
    for _ in range(3):
        losses = []
        for batch in torch.from_numpy(labels).split(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(layer(torch.zeros(len(batch), 1)), batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        expected.append(sum(losses) / len(losses))
    found = train_biases(labels, lr=0.1, momentum=0.7, batch_size=20, num_epochs=3)
    assert found == pytest.approx(expected, rel=1e-5)


def test_ten_biases_on_sorted_digits_lose_what_the_original_printed_at_its_end(request):
    """Printed in epochs 9 and 10 at momentum 0.9: 2.3109 and 2.3154."""
    if not request.config.has_mnist:
        pytest.skip("MNIST is not there")
    labels = load_digits("mnist").labels
    losses = {}
    for order in ("sorted", "file"):
        run = Run(order=order, split="with-replacement", num_images=44_439)
        train, _ = choose_images(run, labels)
        losses[order] = train_biases(
            labels[train].numpy(), lr=0.001, momentum=0.9, batch_size=32, num_epochs=4
        )
    assert losses["sorted"][2:] == pytest.approx([2.3109, 2.3154], abs=0.0015)
    assert max(losses["file"]) < 2.303  # the logarithm of ten: nothing to remember, nothing to lose
