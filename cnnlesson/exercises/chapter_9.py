"""The exercises of chapter 9, one momentum in four conventions."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnnlesson.exercises.off import AnswerError, called, in_turn, off_if, tensor
from cnnlesson.momentum.descent import convert_lr, momentum_descent

__all__ = ["CHECKS"]

Gradient = Callable[[np.ndarray], np.ndarray]


def _three_recipes(answer: object) -> None:
    found = tensor(answer, 3).tolist()
    classical = convert_lr(0.02, 0.95, source="classical", target="pytorch")
    average = convert_lr(2, 0.98, source="average", target="pytorch")
    in_turn(
        found,
        (
            *("The first", classical),
            dict.fromkeys((0.02 / 0.05, 0.02 * 0.05), "Neither of the two is an average."),
        ),
        (
            *("The second", average),
            {
                2 / (1 - 0.98): "The steps would be longer still. Which form adds up, and in full?",
                2 * 0.98: "That is μ times it. What does a new gradient count in either form?",
                2: "In the average a new gradient does not count in full.",
            },
        ),
        (
            *("The third", 0.5 * (1 - 0.9)),
            {
                0.5 / (1 - 0.9): "Dampening makes steps shorter. Do it by the step size.",
                0.5 * 0.9: "That is τ times it. What is left of a gradient?",
                0.5: "Without dampening each gradient counts more.",
            },
        ),
    )


def _late(answer: object) -> None:
    found = tensor(answer, 2).tolist()
    off_if(found[0] > found[1], "μ = 0.9 comes first, and it is the one that forgets sooner.")
    for mu, steps in zip((0.9, 0.99), found, strict=True):
        if steps == _first_step(mu, 0.1 / 9):
            continue
        off_if(steps % 1 != 0 or steps < 0, "Steps are counted.")
        case = f"After {steps:g} steps at μ = {mu} it is {1 + 9 * mu**steps:.3f} times as long as "
        case += "it will be. "
        off_if(steps == _first_step(mu, 0.1), case + "A tenth of what, at first, is too much?")
        off_if(steps == _first_step(mu, 0.01), case + "How much too long is it at first?")
        off_if(
            math.isclose(steps, 1 / (1 - mu), rel_tol=1e-3), case + "So many steps it remembers."
        )
        off_if(1 + 9 * mu**steps <= 1.1, case + "It was so near before.")
        raise AnswerError(case + "10% more is asked.")


def _first_step(mu: float, share: float) -> int:
    """Return the first step after which what fades is down to a share of itself."""
    return math.ceil(math.log(share) / math.log(mu))


def _momentum_changes(answer: object) -> None:
    momenta = np.array([0.95, 0.9, 0.8, 0.6, 0.8, 0.9])
    found = tensor(called(answer, momenta.copy()), 3).double().numpy()
    right = _ends(momenta, 0.1 / (1 - momenta))
    if np.allclose(found, right, atol=1e-4):
        return
    still = np.full_like(momenta, momenta[0])
    off_if(
        np.allclose(found, _ends(still, 0.1 / (1 - still)), atol=1e-4),
        "The first μ is used for all steps.",
    )
    off_if(
        np.allclose(np.sort(found), np.sort(right), atol=1e-4),
        "All three places are there, in another order.",
    )
    classical, pytorch, _ = np.abs(found - right) <= 1e-4
    off_if(not classical, "The classical place is off, for six μ of its own.")
    off_if(not pytorch, "PyTorch's place is off, for six μ of its own.")
    for place, words in (
        (_ends(momenta, 0.1 + 0 * momenta)[2], "The step size of the average is not α."),
        (_ends(momenta, 0.1 / (1 - still))[2], "The step size of the average changes with μ."),
        (right[1], "The average ends where PyTorch's does. Does it keep what it has averaged?"),
    ):
        off_if(abs(found[2] - place) <= 1e-4, words)
    raise AnswerError("The place of the average is off, for six μ of its own.")


def _ends(momenta: np.ndarray, average_lrs: np.ndarray) -> np.ndarray:
    """Return where three conventions end on a bowl: classical, PyTorch and average, α = 0.1."""
    w, memory = np.ones(3), np.zeros(3)
    for mu, lr in zip(momenta, average_lrs, strict=True):
        memory = mu * memory + np.array([-0.1, 1, 1 - mu]) * w
        w = w + np.array([1, -0.1, -lr]) * memory
    return w


def _two_decays(answer: object) -> None:
    mu, decay = 0.9, 0.1
    found = tensor(answer, 2).tolist()
    in_turn(
        found,
        (
            *("Where it settles", 1 / (1 + (1 - mu) * decay)),
            {
                1 / (1 + decay): "That is where the coupled decay settles.",
                1 / (1 + decay / (1 - mu)): "At rest the buffer is longer than the gradient.",
                1: "There the loss is least, and the decay still pulls.",
                0: "There the decay rests, and the loss still pulls.",
            },
        ),
        (
            *("The other decay", decay / (1 - mu)),
            {
                decay * (1 - mu): "A weaker pull settles nearer to 1, and farther off is asked.",
                decay: "With that one it settles elsewhere: see your first number.",
                decay * mu: "What is b at rest, measured in g?",
            },
        ),
    )


def _points_ahead(answer: object) -> None:
    schedule = np.interp(np.arange(40), [0, 15, 39], [0.05, 0.3, 0.01])
    start, mu = np.array([-3.0, 2.0]), 0.8
    given = start.copy()
    found = tensor(called(answer, _valley, given, schedule.copy(), mu), 40, 2).double().numpy()
    off_if(not np.array_equal(given, start), "It changes the start that it is given.")
    walk = momentum_descent(
        _valley, start, lr=schedule, momentum=mu, num_steps=40, convention="nesterov-pytorch"
    )
    right = walk.w[1:]
    near = np.abs(found - right).max(axis=1) < 1e-4
    if near.all():
        return
    for points, words in (
        (_ahead(start, schedule, mu)[0], "These are the weights, not the points ahead."),
        (
            _ahead(start, schedule, mu, rescales=False, shifts=False)[1],
            "The velocity keeps the step sizes of its time.",
        ),
        (
            _ahead(start, schedule, mu, shifts=False)[1],
            "When the velocity is rescaled, the point ahead moves. It has to stay.",
        ),
    ):
        off_if(np.allclose(found, points, atol=1e-4), words)
    first = int(np.argmin(near))
    off_if(first == 0, "The first step is off, and no α has changed before it.")
    raise AnswerError(f"On a valley of its own step {first + 1} is off. Is r new over old?")


def _valley(w: np.ndarray) -> np.ndarray:
    """Return the gradient of a valley with bumps."""
    return np.array([0.1, 1.0]) * w + 0.2 * np.sin(2 * w)


def _ahead(
    start: np.ndarray,
    schedule: np.ndarray,
    mu: float,
    *,
    rescales: bool = True,
    shifts: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of Nesterov's look-ahead form and the points ahead, one row per step."""
    w, v, old, rows = start, np.zeros(2), schedule[0], []
    for lr in schedule:
        r = lr / old if rescales else 1.0
        w, v, old = w + shifts * mu * (1 - r) * v, r * v, lr
        v = mu * v - lr * _valley(w + mu * v)
        w = w + v
        rows.append((w, w + mu * v))
    weights, points = zip(*rows, strict=True)
    return np.array(weights), np.array(points)


_FAMILIES = {
    "classical": "velocity",
    "pytorch": "buffer",
    "average": "average",
    "nesterov": "velocity, looks ahead",
    "nesterov-pytorch": "buffer, looks ahead",
}


def _find_out(answer: object) -> str:
    counted: list[int] = []
    found = {
        right: called(answer, _walker(convention, counted))
        for convention, right in _FAMILIES.items()
    }
    for name in found.values():
        known = ", ".join(map(repr, found))
        off_if(
            not isinstance(name, str) or name not in found,
            f"Expected one of {known}, found {name!r}.",
        )
    off_if(len(set(found.values())) == 1, "It gives all five the same name.")
    off_if(not counted, "It takes no step.")
    for right, name in found.items():
        off_if(
            (right == "average") != (name == "average"),
            "An average and a sum are taken for each other. How long do steps become on a slope?",
        )
    for right, name in found.items():
        off_if(
            right.split(",")[0] != name.split(",")[0],
            "A velocity and a buffer are taken for each other. When do the two part?",
        )
    off_if(
        any(name != right for right, name in found.items()),
        "Who looks ahead is told wrongly. On a slope it does not show.",
    )
    return f"All five, in {sum(counted):,} steps together."


def _walker(convention: Any, counted: list[int]) -> Callable[..., np.ndarray]:
    """Return an optimiser to be found out: it walks, and counts its steps."""

    def walk_with(
        gradient: Gradient, start: Any, lrs: Sequence[float], momentum: float
    ) -> np.ndarray:
        counted.append(len(lrs))
        options = {"momentum": momentum, "num_steps": len(lrs), "convention": convention}
        return momentum_descent(gradient, start, lr=np.asarray(lrs, dtype=float), **options).w

    return walk_with


CHECKS = (_three_recipes, _late, _momentum_changes, _two_decays, _points_ahead, _find_out)
