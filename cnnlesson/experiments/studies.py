"""The runs behind the chapters on measurements: what was measured, and with how many seeds."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from cnnlesson.experiments.class_order import CLASS_ORDER
from cnnlesson.experiments.run import Pixels, Rule, Run

__all__ = [
    "BEYOND",
    "CURVATURE",
    "LEARNING_RATES",
    "MOMENTA",
    "ORIGINAL",
    "RECIPE",
    "STUDIES",
    "WITHOUT",
]

MOMENTA = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
# Twelve step sizes a scale of pixels, from far too small to far too large for any momentum.
_STEPS = [float(f"{digit}e{power}") for power in range(-4, 1) for digit in (1, 2, 5)][1:13]
LEARNING_RATES: dict[Pixels, tuple[float, ...]] = {
    "standardized": tuple(_STEPS),
    "unit": tuple(float(f"{lr * 10:.3g}") for lr in _STEPS),
    "raw": tuple(float(f"{lr / 100:.3g}") for lr in _STEPS),
}
_SEEDS = range(5)
_SORTED: tuple[Pixels, ...] = ("standardized", "raw")

# Short runs, of which a map can have many.
_short = partial(Run, num_test_images=1000)
_standardized = partial(_short, pixels="standardized")

_at_full_length = partial(Run, num_images=42_000, num_test_images=18_000, measure_training=True)
# The three trainings of the original notebook; the first was to go on for 37 epochs more.
ORIGINAL = (
    _at_full_length(lr=0.001, momentum=0.8, num_epochs=3),
    _at_full_length(lr=0.001, momentum=0.9, num_epochs=10),
    _at_full_length(lr=0.01, momentum=0.0, batch_size=256, num_epochs=100),
)

RECIPE = Run(
    lr=0.05,
    momentum=0.9,
    optimizer="nesterov",
    schedule="one-cycle",
    batch_size=32,
    num_epochs=5,
    num_images=42_000,
    num_test_images=18_000,
    pixels="standardized",
)
_RULES: dict[Rule, tuple[float, ...]] = {
    "nesterov": (0.9, 0.98),
    "adam": (0.0, 0.9, 0.98),
    "adamw": (0.9,),
}


def _tries(*lrs: float, **change: Any) -> tuple[dict[str, Any], ...]:
    return tuple(change | {"lr": lr} for lr in lrs)


# Each is given four step sizes, the recipe too. Where only the length of the training changes, the
# recipe's own.
WITHOUT: dict[str, tuple[dict[str, Any], ...]] = {
    "nothing": _tries(0.02, 0.05, 0.1, 0.2),
    "schedule": _tries(0.005, 0.01, 0.02, 0.05, schedule="constant"),
    "momentum": _tries(0.1, 0.3, 0.5, 1.0, momentum=0.0),
    "standardised pixels": _tries(0.05, 0.1, 0.2, 0.5, pixels="unit"),
    "most of the images": ({"num_images": 6000, "num_epochs": 35},),
    "four epochs of five": ({"num_epochs": 1},),
}
# What might lift the recipe further: more epochs, shifted images, weight decay.
BEYOND: tuple[dict[str, Any], ...] = (
    {"weight_decay": 5e-4},
    {"shift": 1},
    {"shift": 2},
    {"num_epochs": 15},
    {"num_epochs": 15, "shift": 1},
    {"num_epochs": 15, "shift": 2},
    {"num_epochs": 15, "weight_decay": 5e-4},
    {"num_epochs": 15, "shift": 1, "weight_decay": 5e-4},
    {"num_epochs": 15, "shift": 2, "weight_decay": 5e-4},
)

# The original's experiments on a seventh of the images, and how much momentum is too much.
_RERUN: tuple[dict[str, Any], ...] = (
    *({"momentum": momentum, "num_epochs": 3} for momentum in (0.8, 0.9)),
    *({"momentum": momentum} for momentum in (0.0, 0.95)),
    {"momentum": 0.0, "lr": 0.01},
    {"momentum": 0.0, "lr": 0.01, "batch_size": 256, "num_epochs": 3},
    {"momentum": 0.8, "pixels": "standardized"},
    {"momentum": 0.99, "num_epochs": 6},
    # As many steps as two epochs of the original.
    {"momentum": 0.9, "num_epochs": 14},
)

# Step sizes of the map that end beyond the edge, for the same network with leaky ReLUs.
_LEAKY = {momentum: _STEPS[last - 6 : last] for momentum, last in ((0.0, 12), (0.9, 11), (0.98, 9))}
# Twice as fine as the map's, about the edges that it shows.
_HALF_STEPS = (
    *(0.005, 0.007, 0.01, 0.014, 0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.5, 0.7, 1.0),
)
_FIRST_HALF_STEP = dict(zip(MOMENTA, (8, 8, 8, 7, 6, 5, 2, 0), strict=True))

STUDIES: dict[str, tuple[Run, ...]] = {
    # Step size against momentum, for each scale of the pixels.
    "map": tuple(
        _short(lr=lr, momentum=momentum, pixels=pixels, seed=seed)
        for seed, pixels in product(_SEEDS, LEARNING_RATES)
        for momentum, lr in product(MOMENTA, LEARNING_RATES[pixels])
    ),
    # The same number of images in more or fewer steps; batches of 32 are in the map.
    "batch_size": tuple(
        _standardized(lr=lr, momentum=momentum, batch_size=batch_size, seed=seed)
        for seed, batch_size, momentum, lr in product(
            _SEEDS, (8, 128, 512), (0.0, 0.9), LEARNING_RATES["standardized"][4:]
        )
    ),
    # Zeros first, nines last.
    "order": tuple(
        _short(lr=lr, momentum=momentum, order="sorted", pixels=pixels, seed=seed)
        for pixels in _SORTED
        for seed, momentum, lr in product(
            _SEEDS, (0.0, 0.5, 0.8, 0.9), LEARNING_RATES[pixels][2:12:2]
        )
    ),
    # Steps to an accuracy, every momentum with as many step sizes: those of one range of α/(1 - μ).
    "race": tuple(
        _standardized(
            lr=float(f"{effective * (1 - momentum):.3g}"),
            momentum=momentum,
            batch_size=batch_size,
            num_epochs=num_epochs,
            seed=seed,
            measure_every=measure_every,
        )
        for seed, (batch_size, num_epochs, measure_every) in product(
            _SEEDS, ((32, 3, 25), (256, 6, 6))
        )
        for momentum, effective in product((0.0, 0.5, 0.9, 0.98), (0.05, 0.1, 0.2, 0.4))
    ),
    # Other rules on the map of standardized pixels, beside those of its runs.
    "rules": tuple(
        _standardized(lr=lr, momentum=momentum, optimizer=optimizer, seed=seed)
        for seed, (optimizer, momenta) in product(_SEEDS, _RULES.items())
        for momentum, lr in product(momenta, LEARNING_RATES["standardized"])
    ),
    # The settings of the original's first two experiments, with many more seeds than the map's.
    "luck": tuple(
        _short(lr=0.001, momentum=momentum, seed=seed)
        for seed in range(5, 65)
        for momentum in (0.8, 0.9)
    ),
    # Chapter 7's, some of which it measures again.
    "rerun": tuple(Run(**settings, seed=seed) for settings in _RERUN for seed in _SEEDS),
    # The original's trainings, the longest first.
    "original": tuple(replace(run, seed=seed) for run in reversed(ORIGINAL) for seed in _SEEDS),
    # A recipe, and the recipe without each of its parts in turn.
    "recipe": tuple(
        replace(RECIPE, **change, seed=seed)
        for seed in _SEEDS
        for changes in WITHOUT.values()
        for change in changes
    ),
    # What it takes to get beyond the recipe.
    "beyond": tuple(replace(RECIPE, **change, seed=seed) for seed in _SEEDS for change in BEYOND),
    # Leaky ReLUs at settings of the map, whose ReLUs they stand beside.
    "leaky": tuple(
        _standardized(lr=lr, momentum=momentum, activation="leaky-relu", seed=seed)
        for seed, (momentum, lrs) in product(_SEEDS, _LEAKY.items())
        for lr in lrs
    ),
    # The edge in half-steps, and with four times as many steps for the velocity to build up in.
    "edges": tuple(
        _standardized(lr=lr, momentum=momentum, num_epochs=4, seed=seed)
        for seed, (momentum, first) in product(_SEEDS, _FIRST_HALF_STEP.items())
        for lr in _HALF_STEPS[first : first + 7]
    ),
    **CLASS_ORDER,
}

_batches = Run(pixels="standardized", num_test_images=1000)
# Step sizes of one range of α/(1 - μ), the last beyond the edge.
_CONSTANT = {
    0.0: (0.05, 0.2, 0.5, 1.0),
    0.9: (0.005, 0.02, 0.1, 0.2),
    0.98: (0.005, 0.02, 0.05),
}
_ONE_CYCLE = {0.0: (1.0,), 0.9: (0.2,), 0.98: (0.05,)}
# No noise: every step sees all images. Half as many steps, because each costs more.
_full = replace(_batches, num_images=250, batch_size=250, num_epochs=94)
_WITHOUT_NOISE = {0.0: (0.2,), 0.9: (0.02, 0.1)}
# As few images and about as many steps as there, in batches again.
_few = replace(_batches, num_images=250, num_epochs=12)
# Limits that differ by a factor of a hundred, and ten times as long for the network to come there.
_EFFECTIVE = (0.005, 0.02, 0.05, 0.2, 0.5)


def _tracked() -> Iterator[tuple[Run, tuple[int, ...]]]:
    """Give each run, and after which steps to measure in it: one seed after the other."""
    for seed in _SEEDS:
        # Before the first step the settings do not matter, only the network and the pixels.
        for pixels in LEARNING_RATES:
            yield Run(pixels=pixels, num_images=250, num_test_images=1000, seed=seed), (0,)
        for base, grid in (
            (_batches, _CONSTANT),
            (replace(_batches, schedule="one-cycle"), _ONE_CYCLE),
            (_full, _WITHOUT_NOISE),
        ):
            for momentum, lrs in grid.items():
                for lr in lrs:
                    # The steps grow, because most happens in the first of them.
                    yield replace(base, lr=lr, momentum=momentum, seed=seed), (2, 8, 32, 94, 188)
    for seed in _SEEDS:
        for momentum, lrs in _WITHOUT_NOISE.items():
            for lr in lrs:
                yield replace(_few, lr=lr, momentum=momentum, seed=seed), (2, 8, 32, 94)
    for seed, momentum, effective in product(_SEEDS, _CONSTANT, _EFFECTIVE):
        lr = float(f"{effective * (1 - momentum):.3g}")
        long = replace(_batches, lr=lr, momentum=momentum, num_epochs=10, seed=seed)
        yield long, (188, 470, 940, 1880)


# Trainings along which the curvature is measured, and after which steps.
CURVATURE = tuple(_tracked())
