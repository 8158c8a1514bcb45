"""Chapter 6: right answers, and for each exercise the ways to be wrong that are told apart."""

import math

import torch
from verdicts import checks_of

from cnnlesson import optimal_momentum


def step(w, v, gradient, lr, mu):
    v = mu * v - lr * gradient(w)
    return w + v, v


def late(w, v, gradient, lr, mu):
    return w + v, mu * v - lr * gradient(w)


def buffer(w, v, gradient, lr, mu):
    b = mu * v + gradient(w)
    return w - lr * b, b


def for_each(share=0.9, sign=-1.0, keeps=True, moves=True, names=("weight", "bias")):
    def momentum_step(weights, gradients, velocities, lr, momentum):
        for name in names:
            v = share * velocities.get(name, 0.0) + sign * lr * gradients[name]
            velocities[name] = v if keeps else torch.zeros_like(v)
            if moves:
                weights[name] = weights[name] + v

    return momentum_step


def tuned(kappa, factor=0.97, more=0.03):
    best = optimal_momentum(1 / kappa, 1.0)
    return best.lr * factor, best.momentum + more * (1 - best.momentum)


NUMBERS = [0.02, 0.039, 0.05705, 0.4, 45, 13.51]


def instead(i, value):
    return [*NUMBERS[:i], value, *NUMBERS[i + 1 :]]


RIGHT = {
    "06-1": [step],
    "06-2": [NUMBERS],
    "06-3": [0.05, torch.tensor(0.05)],
    "06-4": [for_each()],
    "06-5": [lambda mu: (1 - mu) / (1 + mu)],
    "06-6": [lambda mu: 1 - mu],
    "06-7": [tuned],
}
WRONG = {
    "06-1": [
        (0.9, "Expected a function"),
        (lambda w, v: w, "fails: TypeError"),
        (lambda *a: step(*a)[::-1], "in the other order"),
        (late, "old velocity"),
        (lambda w, v, g, lr, mu: step(w, v, g, -lr, mu), "It climbs"),
        (lambda w, v, g, lr, mu: step(w, 0, g, lr, mu), "forgotten the old velocity"),
        (buffer, "PyTorch's buffer"),
        (lambda *a: (0, step(*a)[1]), "the weight is not"),
        (lambda *a: (0, 0), "the velocity is off"),
    ],
    "06-2": [
        (NUMBERS[:5], "Expected the shape 6, found 5"),
        (instead(0, 0.01), "The first step, 0.01, is off. The gradient is 2."),
        (instead(1, 0.019), "The second step, 0.019, is off. A share"),
        (instead(2, 0.06), "The third step, 0.06, is off."),
        (instead(3, 0.2), "The last length, 0.2, is off. The gradient is 2."),
        (instead(4, 44), "not quite 90%"),
        (instead(5, 20), "rule of thumb"),
    ],
    "06-3": [
        ("less", "Expected a number"),
        (0.5, "That is α′ itself"),
        (5, "has to be shorter"),
        (0.45, "That is μα′"),
        (0.1, "After 20 steps"),
    ],
    "06-4": [
        ({}, "Expected a function"),
        (lambda weights: weights, "fails: TypeError"),
        (for_each(names=["weight"]), "missing for one of the names"),
        (for_each(moves=False), "have not moved"),
        (for_each(sign=1.0), "goes uphill"),
        (for_each(sign=-2.0), "After the first step weight is off"),
        (for_each(keeps=False), "what is kept in between"),
    ],
    "06-5": [
        (1 / 19, "Expected a function"),
        (lambda mu: 1 - mu, "squared before they are added"),
        (lambda mu: (1 - mu) ** 2, "older ones are noisy"),
        (lambda mu: 1 / (1 - mu**2), "variance of the sum"),
        (lambda mu: math.sqrt((1 - mu) / (1 + mu)), "That is its root"),
        (lambda mu: mu, "Unroll the average"),
    ],
    "06-6": [
        ([1, 0.5], "Expected a function"),
        (lambda mu: 2 * (1 + mu), "without the bug"),
        (lambda mu: 1 + mu, "lower than without momentum"),
        (lambda mu: 1.0, "beyond the edge"),
        (lambda mu: (1 - mu) / 2, "a larger α converges"),
    ],
    "06-7": [
        ((3.1, 0.68), "Expected a function"),
        (lambda kappa: 3.1, "Expected the shape 2"),
        (lambda kappa: (3.1, 1.0), "expected α > 0 and 0 ≤ μ < 1"),
        (lambda kappa: (5, 0.5), "not there after 3,000"),
        (lambda kappa: tuned(kappa, factor=0.85, more=0), "those of the best rate take"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
