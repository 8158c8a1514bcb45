"""Chapter 4: right answers, and for each exercise the ways to be wrong that are told apart."""

import math

import torch
from torch import nn
from verdicts import checks_of

from cnnlesson import ConvNet, faster, train_model

CRITERION = nn.CrossEntropyLoss()


def in_halves(share=0.5, empties=False, halves=((0, 16), (16, 32))):
    def accumulate(model, x, y):
        for start, end in halves:
            if empties:
                model.zero_grad()
            (CRITERION(model(x[start:end]), y[start:end]) * share).backward()

    return accumulate


def recipe(x, y, seed, lr=0.1):
    torch.manual_seed(seed)
    model = ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    options = {"batch_size": 8, "num_epochs": 4, "seed": seed}
    train_model(faster(model), optimizer, CRITERION, x, y, **options)
    return model


def two_classes(x, y, seed):
    return nn.Sequential(nn.Flatten(), nn.Linear(9, 2))


RIGHT = {
    "04-1": [lambda n, b: (n - 1) // b + 1, lambda n, b: math.ceil(n / b)],
    "04-2": [[0.125, 0.25, 0.625], torch.tensor([1, 2, 5]) / 8],
    "04-3": [math.log(5), 1.61],
    "04-4": [(5.91, 6.91)],
    "04-5": [in_halves()],
    "04-6": [1e-5, 1e-6],
    "04-7": [recipe],
}
WRONG = {
    "04-1": [
        (188, "Expected a function"),
        (lambda n, b: n // b, "make a batch of their own"),
        (lambda n, b: n / b, "smaller batch is a batch"),
        (lambda n, b: n // b + 1, "one batch more"),
        (lambda n, b: n, "are full"),
    ],
    "04-2": [
        (0.125, "Expected the shape 3"),
        ((1, 2, 5), "add up to 1"),
        ((-0.1, 0.4, 0.7), "never negative"),
        ((0, 0.3, 0.7), "exponential never is"),
        ((0.625, 0.25, 0.125), "another order"),
        ((0.2, 0.3, 0.5), "First the three exponentials"),
    ],
    "04-3": [
        ("ln 5", "Expected a number"),
        (2.3026, "knows nothing at all"),
        (0.693, "odd and even"),
        (0.699, "natural one"),
        (-1.609, "never negative"),
        (0.2, "What does it cost"),
        (5, "still possible"),
    ],
    "04-4": [
        (6.91, "Expected the shape 2"),
        ((6.91, 5.91), "lower of the two"),
        ((1.46, 2.30), "same for each class"),
        ((1.46, 6.91), "ten classes"),
        ((0, 6.91), "with one softmax"),
        ((4, 6.91), "999 zeros"),
    ],
    "04-5": [
        (torch.zeros(3, 6), "Expected a function"),
        (lambda model: model, "fails: TypeError"),
        (in_halves(1, halves=[(0, 32)]), "32 images went in at once"),
        (lambda model, x, y: (model(x[:16]), model(x[16:])), "No gradient is left"),
        (in_halves(halves=[(0, 16)]), "Only 16 of the 32"),
        (in_halves(share=1), "twice as long"),
        (in_halves(share=0.25), "half as long"),
        (in_halves(empties=True), "points elsewhere"),
    ],
    "04-6": [
        ("small", "Expected a number"),
        (0, "larger than 0"),
        (0.1, "too far from the tangent"),
        (1e-14, "drowns in rounding"),
    ],
    "04-7": [
        (ConvNet().parameters(), "Expected a function"),
        (lambda x, y, seed: 0.9, "Expected a trained network back, found float"),
        (two_classes, "reads no digits"),
        (lambda x, y, seed: ConvNet(), "Was it trained"),
        (lambda *data: recipe(*data, lr=0.003), "85% is asked"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
