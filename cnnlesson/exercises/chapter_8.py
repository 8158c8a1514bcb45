"""The exercises of chapter 8, momentum on a bowl."""

import math

import numpy as np

from cnnlesson.exercises.off import AnswerError, called, in_turn, number, off_if, tensor
from cnnlesson.momentum.descent import momentum_descent
from cnnlesson.momentum.quadratic import max_stable_lr, optimal_lr, optimal_momentum

__all__ = ["CHECKS"]


def _by_hand(answer: object) -> None:
    found = tensor(answer, 5).tolist()
    plain, heavy = optimal_lr(1, 9), optimal_momentum(1, 9)
    flat, steep = abs(1 - found[0]), abs(1 - 9 * found[0])
    off_if(math.isclose(found[0], 2 / 9, rel_tol=1e-3), "With α = 2/9 the steep end never rests.")
    off_if(
        abs(flat - steep) > 0.01,
        f"With α = {found[0]:g} the rate is {flat:.3g} at the flat end and {steep:.3g} at the "
        "steep one. One of them could still gain.",
    )
    in_turn(
        found,
        ("The step size of gradient descent", plain.lr, {}),
        (
            *("Its rate", plain.rate),
            {
                -plain.rate: "A rate is a size, and has no sign.",
                8 / 9: "Put your α into the factor of one end.",
            },
        ),
        (
            *("The step size of momentum", heavy.lr),
            {
                math.sqrt(heavy.lr): "A square is missing.",
                plain.lr**2: "It needs the roots of the curvatures.",
                plain.lr: "That is the one of gradient descent.",
            },
        ),
        (
            *("The momentum", heavy.momentum),
            {
                heavy.rate: "That is the rate.",
                plain.rate**2: "Momentum sees another κ.",
                1 - heavy.rate**2: "That is the friction.",
            },
        ),
        (
            *("The rate of momentum", heavy.rate),
            {
                heavy.momentum: "That is the momentum.",
                plain.rate: "That is the rate of gradient descent.",
                2 / 3: "Divide by √κ + 1.",
            },
        ),
    )


def _askew(answer: object) -> None:
    found = tensor(answer, 3).tolist()
    hessian, mu = np.array([[5.0, 2.0], [2.0, 2.0]]), 0.5
    flat, steep = np.linalg.eigvalsh(hessian)
    off_if(found[0] > found[1], "The smaller eigenvalue comes first.")
    for matrix, words in (
        (np.diag(np.diag(hessian)), "These stand on the diagonal. What does the mixed term do?"),
        ([[5, 4], [4, 2]], "The mixed term is shared by two entries of the Hessian."),
        (2 * hessian, "They are twice too large. What becomes of the ½?"),
        (hessian / 2, "They are half as large. What do second derivatives make of a square?"),
    ):
        off_if(np.allclose(found[:2], np.linalg.eigvalsh(matrix), atol=0.01), words)
    in_turn(
        found,
        ("The smaller eigenvalue", flat, {}),
        ("The larger eigenvalue", steep, {}),
        (
            *("The largest α", max_stable_lr(steep, mu)),
            {
                max_stable_lr(flat, mu): "The other direction has left the bowl long before.",
                max_stable_lr(steep, 0): "That is without momentum.",
                (1 + mu) / steep: "Momentum still converges at twice as much.",
            },
        ),
    )


def _arriving(answer: object) -> str:
    curvatures = np.array([0.5, 1.0, 3.0, 4.0])
    lrs = tensor(called(answer, curvatures.copy()), 4).double().numpy()
    off_if(np.allclose(lrs, curvatures), "These are the curvatures themselves.")
    off_if(bool((lrs <= 0).any()), "A step size is larger than 0.")
    off_if(np.allclose(lrs, lrs[0]), "With one step size for all steps no two directions arrive.")
    off_if(
        np.allclose(np.sort(lrs), np.sort(2 / curvatures)),
        "A step that is twice as long as it should be lands on the other side.",
    )
    path = np.cumprod(1 - lrs[:, None] * curvatures, axis=0)
    missing = int((~(np.abs(path[-1]) <= 1e-5)).sum())
    off_if(missing > 0, f"After 4 steps {missing} of 4 directions have not arrived.")
    return f"On the way one direction was {np.abs(path).max():.3g} times its distance away."


def _detour(answer: object) -> None:
    more = number(answer)
    s, t = 0.1, np.arange(1000)
    bare, delayed = (1 - s) ** t, (1 + t * s) * (1 - s) ** t
    fewest, most = (int(np.sum(w > 1e-3)) for w in (bare, delayed))
    off_if(more == most, "That is all of them. How many more?")
    off_if(more == fewest, "So many does the power take alone.")
    off_if(more < 0, "The sign: it takes more, not fewer.")
    off_if(abs(more - most / fewest) < 0.01, "That is how many times as many.")
    off_if(abs(more - (most - fewest)) == 1, "One off. Count those that are above a thousandth.")
    off_if(more % 1 != 0, "Steps are counted.")
    there = (1 + (fewest + more) * s) * (1 - s) ** (fewest + more)
    off_if(more != most - fewest, f"So many steps more, and {there:.2g} of the distance is left.")


def _nesterov_edge(answer: object) -> None:
    for mu in (0.0, 0.6, 0.9):
        found, right = number(called(answer, mu)), (2 + 2 * mu) / (1 + 2 * mu)
        if math.isclose(found, right, abs_tol=1e-3):
            continue
        case = f"For μ = {mu:g} it gives {found:.3g}. "
        off_if(
            math.isclose(found, 2 + 2 * mu, abs_tol=1e-3),
            case + "That is the edge of the three lines, which do not look ahead.",
        )
        off_if(
            mu > 0 and math.isclose(found, 1 + 1 / mu, abs_tol=1e-3),
            case + "That is what the determinant alone asks for.",
        )
        off_if(math.isclose(found, 1 / right, abs_tol=1e-3), case + "It stands on its head.")
        off_if(not 0 < found < math.inf, case + "A step size is larger than 0, and finite.")
        shrunk = mu * (1 - found)
        rate = np.abs(np.linalg.eigvals(np.array([[1 - found, shrunk], [-found, shrunk]]))).max()
        off_if(rate > 1, case + f"There the rate is {rate:.3f}: beyond the edge.")
        raise AnswerError(case + f"There the rate is {rate:.3f}, and a larger αλ converges still.")


def _loses(answer: object) -> str:
    start = tensor(answer, 3).double().numpy()
    off_if(not np.isfinite(start).all(), "A start is finite.")
    off_if(not start.any(), "There it has arrived before the first step.")
    curvatures = np.array([1.0, 50.5, 100.0])
    steps, last = [], []
    for lr, mu in ((optimal_lr(1, 100).lr, 0.0), optimal_momentum(1, 100)[:2]):
        walk = momentum_descent(
            lambda w: curvatures * w, start, lr=np.array(lr), momentum=mu, num_steps=1000
        )
        far = np.linalg.norm(walk.w, axis=1) > 1e-3 * np.linalg.norm(start)
        steps.append(int(np.flatnonzero(far)[-1]) + 1)
        last.append(curvatures[np.abs(walk.w[steps[-1] - 1]).argmax()])
    counted = f"Gradient descent takes {steps[0]} steps from there, and momentum {steps[1]}."
    off_if(steps[0] >= steps[1], f"{counted} It waits longest for the direction λ = {last[0]:g}.")
    return counted


CHECKS = (_by_hand, _askew, _arriving, _detour, _nesterov_edge, _loses)
