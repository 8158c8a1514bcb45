"""The exercises of chapter 6, momentum in equations."""

import math
from typing import Any

import numpy as np
import torch

from cnnlesson.exercises.off import AnswerError, called, in_turn, number, off_if, tensor
from cnnlesson.momentum.descent import momentum_descent
from cnnlesson.momentum.quadratic import optimal_momentum

__all__ = ["CHECKS"]


def _three_lines(answer: object) -> None:
    w, v, lr, mu = 2.0, -0.5, 0.1, 0.9

    def gradient(w: float) -> float:
        return 3 * w

    found = tensor(called(answer, w, v, gradient, lr, mu), 2)
    right = mu * v - lr * gradient(w)

    def is_near(w_next: float, v_next: float) -> bool:
        return torch.allclose(found, torch.tensor([w_next, v_next]), atol=1e-4)

    if is_near(w + right, right):
        return
    buffer = mu * v + gradient(w)
    off_if(is_near(right, w + right), "Both are right, in the other order: the weight comes first.")
    off_if(is_near(w + v, right), "The weight moves by the old velocity.")
    off_if(
        is_near(w + mu * v + lr * gradient(w), mu * v + lr * gradient(w)),
        "It climbs. Which way does a gradient point?",
    )
    off_if(is_near(w - lr * gradient(w), -lr * gradient(w)), "It has forgotten the old velocity.")
    off_if(is_near(w - lr * buffer, buffer), "That is PyTorch's buffer: here v is a step itself.")
    off_if(math.isclose(found[1], right, abs_tol=1e-4), "The velocity is right, the weight is not.")
    raise AnswerError("On numbers of its own the velocity is off. Do one step on paper.")


def _steps_and_memory(answer: object) -> None:
    lr, mu, g = 0.01, 0.95, 2.0
    found = tensor(answer, 6).tolist()
    end, steps = lr * g / (1 - mu), math.ceil(math.log(0.1) / math.log(mu))
    first = [lr * g * sum(mu**s for s in range(t)) for t in (1, 2, 3)]
    in_turn(
        found,
        ("The first step", first[0], {lr: "The gradient is 2."}),
        (
            *("The second step", first[1]),
            {lr * g * mu: "A share of the first is kept, and a push comes to it."},
        ),
        (
            *("The third step", first[2]),
            {2 * lr * g: "A share of the second is kept, and a push comes to it."},
        ),
        (
            *("The last length", end),
            {lr / (1 - mu): "The gradient is 2.", lr * g: "It grows: see the first three."},
        ),
        (
            *("The number of steps to 90%", steps),
            {
                steps - 1: "After these it is not quite 90% yet.",
                20: "That is how far it remembers.",
            },
        ),
        (
            *("The half-life", math.log(2) / -math.log(mu)),
            {1 / (1 - mu): "That is the rule of thumb for its memory."},
        ),
    )


def _another_convention(answer: object) -> None:
    lr = number(answer)
    off_if(
        abs(lr - 0.5) < 1e-4, "That is α′ itself. Its gradients are counted less than PyTorch's."
    )
    off_if(abs(lr - 5) < 1e-3, "That makes it longer by 1/(1 − μ), and it has to be shorter.")
    off_if(abs(lr - 0.45) < 1e-4, "That is μα′. Which share does the average give a gradient?")
    w, b, paper, m = 1.0, 0.0, 1.0, 0.0
    for _ in range(20):
        m = 0.9 * m + 0.1 * paper
        paper -= 0.5 * m
        b = 0.9 * b + w
        w -= lr * b
    off_if(
        not abs(w - paper) < 1e-6,
        f"After 20 steps on a bowl PyTorch is at {w:.3f}, the paper at {paper:.3f}.",
    )


def _many_tensors(answer: object) -> None:
    weights = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    expected = {name: [w.clone(), torch.zeros_like(w)] for name, w in weights.items()}
    velocities: dict[str, torch.Tensor] = {}
    for t in range(3):
        gradients = {name: torch.full_like(w, 1.0 + t) for name, w in weights.items()}
        kept = {name: g.clone() for name, g in gradients.items()}
        called(answer, weights, gradients, velocities, 0.1, 0.9, returns=False)
        for name, state in expected.items():
            state[1] = 0.9 * state[1] - 0.1 * kept[name]
            state[0] = state[0] + state[1]
        off_if(set(velocities) != set(weights), "A velocity is missing for one of the names.")
        off_if(
            all(
                torch.equal(weights[name], state[0] - state[1]) for name, state in expected.items()
            ),
            "The weights have not moved.",
        )
        for name, (w, _) in expected.items():
            found = tensor(weights[name], *w.shape)
            if torch.allclose(found, w, atol=1e-5):
                continue
            off_if(t == 0 and bool((found > w).all()), "The first step goes uphill.")
            off_if(t == 0, f"After the first step {name} is off.")
            raise AnswerError(
                f"The first {t} steps are right, the next is off: what is kept in between?"
            )


def _noise(answer: object) -> None:
    for mu in (0.0, 0.5, 0.9):
        found, right = number(called(answer, mu)), (1 - mu) / (1 + mu)
        if math.isclose(found, right, rel_tol=1e-3):
            continue
        case = f"For μ = {mu:g} it gives {found:.3g}. "
        off_if(
            math.isclose(found, 1 - mu, rel_tol=1e-3),
            case + "Shares are squared before they are added up.",
        )
        off_if(
            math.isclose(found, (1 - mu) ** 2, rel_tol=1e-3),
            case + "That is what the latest gradient gives alone. The older ones are noisy too.",
        )
        off_if(
            math.isclose(found, 1 / (1 - mu**2), rel_tol=1e-3),
            case + "That is the variance of the sum. The average has a factor in front.",
        )
        off_if(math.isclose(found, math.sqrt(right), rel_tol=1e-3), case + "That is its root.")
        raise AnswerError(case + "Unroll the average, and add up the squares of its shares.")


def _too_late(answer: object) -> None:
    for mu in (0.0, 0.5, 0.8, 0.9):
        found, right = number(called(answer, mu)), 1 - mu
        if math.isclose(found, right, abs_tol=1e-6):
            continue
        case = f"For μ = {mu:g} it gives {found:.3g}. "
        off_if(
            math.isclose(found, 2 * (1 + mu), abs_tol=1e-6),
            case + "That is the edge without the bug.",
        )
        off_if(found > 1, case + "The edge is lower than without momentum.")
        rate = np.abs(np.linalg.eigvals(np.array([[1, 1], [-found, mu]]))).max()
        off_if(rate > 1, case + f"There the rate is {rate:.3f}: beyond the edge.")
        raise AnswerError(case + f"There the rate is {rate:.3f}, and a larger α converges still.")


def _fewest_steps(answer: object) -> str:
    counts = []
    for kappa in (10, 100, 1000):
        lr, mu = tensor(called(answer, kappa), 2).tolist()
        off_if(not 0 <= mu < 1 or lr <= 0, f"For κ = {kappa}: expected α > 0 and 0 ≤ μ < 1.")
        best = optimal_momentum(1 / kappa, 1.0)
        formula, found = _steps(kappa, best.lr, best.momentum), _steps(kappa, lr, mu)
        off_if(found is None, f"For κ = {kappa} it is not there after 3,000 steps.")
        off_if(
            found >= formula,
            f"For κ = {kappa} it takes {found} steps, and those of the best rate take {formula}.",
        )
        counts.append(found)
    return "Steps to a thousandth at κ = 10, 100, 1000: " + ", ".join(map(str, counts)) + "."


def _steps(kappa: float, lr: float, mu: float) -> Any:
    """Return the steps until the distance stays below a thousandth; None if that takes too long."""
    curvatures = np.array([1 / kappa, 1.0])
    path = momentum_descent(
        lambda w: curvatures * w, np.ones(2), lr=np.array(lr), momentum=mu, num_steps=3000
    ).w
    far = np.flatnonzero(~(np.abs(path).max(axis=1) <= 1e-3))
    return None if far[-1] == len(path) - 1 else int(far[-1]) + 1


CHECKS = (
    *(_three_lines, _steps_and_memory, _another_convention, _many_tensors, _noise, _too_late),
    _fewest_steps,
)
