"""Chapter 9: right answers, and for each exercise the ways to be wrong that are told apart."""

import numpy as np
from verdicts import checks_of


def last_places(momenta, share=lambda mu, first: 1 / (1 - mu), memory=lambda mu, first: mu):
    w, kept = np.ones(3), np.zeros(3)
    for mu in momenta:
        kept = memory(mu, momenta[0]) * kept + np.array([-0.1, 1, 1 - mu]) * w
        w = w + np.array([1, -0.1, -0.1 * share(mu, momenta[0])]) * kept
    return w


def points_ahead(
    gradient, start, schedule, mu, rescale=True, shift=True, power=1, ahead=True, sign=1
):
    w, v, old, points = start, 0.0, schedule[0], []
    for lr in schedule:
        r = (lr / old) ** power if rescale else 1.0
        w, v, old = w + shift * mu * (1 - r) * v, r * v, lr
        v = mu * v - sign * lr * gradient(w + mu * v)
        w = w + v
        points.append(w + ahead * mu * v)
    return np.array(points)


def in_place(gradient, start, schedule, mu):
    points = points_ahead(gradient, start, schedule, mu)
    start += 1
    return points


def family(walk_with, average=True, remembers=("velocity", "buffer"), ahead=True):
    steps = -np.diff(walk_with(np.ones_like, 0.0, np.repeat([0.1, 0.0], 200), 0.9)[:, 0])
    if average and steps[199] < 0.5:
        return "average"
    name = remembers[0] if steps[200:].sum() > 1 else remembers[1]
    w = walk_with(lambda w: w, 1.0, [0.1, 0.1], 0.9)[:, 0]
    looks = ahead and not np.isclose(w[2], w[1] - 0.1 * w[1] + 0.9 * (w[1] - w[0]))
    return f"{name}, looks ahead" if looks else name


RIGHT = {
    "09-1": [(0.02, 0.04, 0.05)],
    "09-2": [(43, 448)],
    "09-3": [last_places],
    "09-4": [(0.99, 1.0), (1 / 1.01, 1)],
    "09-5": [points_ahead],
    "09-6": [family],
}
WRONG = {
    "09-1": [
        (0.02, "Expected the shape 3"),
        ((0.4, 0.04, 0.05), "The first, 0.4, is off. Neither"),
        ((0.02, 100, 0.05), "longer still"),
        ((0.02, 1.96, 0.05), "μ times it"),
        ((0.02, 2, 0.05), "does not count in full"),
        ((0.02, 0.04, 5), "The third, 5, is off. Dampening makes steps shorter"),
        ((0.02, 0.04, 0.45), "τ times it"),
        ((0.02, 0.04, 0.5), "counts more"),
    ],
    "09-2": [
        (43, "Expected the shape 2"),
        ((448, 43), "forgets sooner"),
        ((42, 448), "it is 1.108 times as long as it will be. 10% more is asked"),
        ((42.7, 448), "Steps are counted"),
        ((22, 448), "A tenth of what"),
        ((44, 448), "How much too long"),
        ((10, 448), "So many steps it remembers"),
        ((43, 500), "After 500 steps at μ = 0.99 it is 1.059 times"),
        ((43, 500), "It was so near before"),
    ],
    "09-3": [
        ({"classical", "PyTorch"}, "Expected a function"),
        (lambda momenta: momenta, "Expected the shape 3, found 6"),
        (lambda momenta: last_places(np.full(6, momenta[0])), "The first μ is used"),
        (lambda momenta: last_places(momenta)[::-1], "in another order"),
        (
            lambda momenta: last_places(momenta, share=lambda mu, first: 1),
            "step size of the average is not α",
        ),
        (
            lambda momenta: last_places(momenta, share=lambda mu, first: 1 / (1 - first)),
            "step size of the average changes with μ",
        ),
        (lambda momenta: last_places(momenta)[[0, 1, 1]], "ends where PyTorch's does"),
        (
            lambda momenta: last_places(momenta, memory=lambda mu, first: first),
            "The classical place is off",
        ),
        (lambda momenta: last_places(momenta) * (1, 2, 1), "PyTorch's place is off"),
        (lambda momenta: last_places(momenta) * (1, 1, 2), "The place of the average is off"),
    ],
    "09-4": [
        (0.99, "Expected the shape 2"),
        ((1 / 1.1, 1), "where the coupled decay settles"),
        ((0.5, 1), "longer than the gradient"),
        ((1, 1), "the decay still pulls"),
        ((0, 1), "the loss still pulls"),
        ((0.99, 0.01), "nearer to 1"),
        ((0.99, 0.1), "see your first number"),
        ((0.99, 0.09), "measured in g"),
    ],
    "09-5": [
        ([0.1], "Expected a function"),
        (lambda *data: np.zeros((41, 2)), "Expected the shape 40×2, found 41×2"),
        (in_place, "changes the start"),
        (lambda *data: points_ahead(*data, ahead=False), "not the points ahead"),
        (lambda *data: points_ahead(*data, rescale=False), "step sizes of its time"),
        (lambda *data: points_ahead(*data, shift=False), "the point ahead moves"),
        (lambda *data: points_ahead(*data, power=-1), "step 2 is off"),
        (lambda *data: points_ahead(*data, sign=-1), "The first step is off"),
    ],
    "09-6": [
        ("buffer", "Expected a function, found str"),
        (lambda walk_with: walk_with(), "fails: TypeError"),
        (lambda walk_with: "nesterov", "looks ahead', found 'nesterov'"),
        (lambda walk_with: ["buffer"], "found ['buffer']"),
        (lambda walk_with: "buffer", "all five the same name"),
        (lambda walk_with: family(walk_with, average=False), "How long do steps become"),
        (
            lambda walk_with: family(walk_with, remembers=("buffer", "velocity")),
            "taken for each other",
        ),
        (lambda walk_with: family(walk_with, ahead=False), "On a slope it does not show"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
