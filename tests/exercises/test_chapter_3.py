"""Chapter 3: right answers, and for each exercise the ways to be wrong that are told apart."""

import torch
from torch import nn
from verdicts import checks_of

from cnnlesson import ConvNet


def conv(inputs, outputs, stride, kernel_size=3, padding=1, dilation=1):
    return nn.Conv2d(inputs, outputs, kernel_size, stride, padding, dilation)


def small(*first, last=2):
    return nn.Sequential(
        *first, nn.ReLU(), conv(1, 1, 3), nn.ReLU(), nn.Conv2d(1, 10, last), nn.Flatten()
    )


THIRDS = nn.Sequential(conv(1, 1, 3), nn.ReLU(), conv(1, 1, 3))
LENET = [32, 28, 14, 10, 5, 400]
STRIDED = [14, 7, 3136, 50_186, 7]
RIGHT = {
    "03-1": [lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1],
    "03-2": [LENET, torch.tensor(LENET)],
    "03-3": [lambda k, d: d * (k - 1) / 2],
    "03-4": [STRIDED],
    "03-5": [nn.Flatten, nn.Flatten()],
    "03-6": [[(224, 2), (227, 0)], [(229, 0), (224, 3)]],
    "03-7": [small(THIRDS)],
}


def instead(numbers, i, value):
    return [*numbers[:i], value, *numbers[i + 1 :]]


WRONG = {
    "03-1": [
        (26, "Expected a function"),
        (lambda n, k: n - k, "fails: TypeError"),
        (lambda n, k, s, p, d: (n + 2 * p - k) // s, "A place is missing"),
        (lambda n, k, s, p, d: (n + 2 * p - k) / s + 1, "no parts of a place"),
        (lambda n, k, s, p, d: (n + 2 * p - k) // s + 1, "dilated window"),
        (lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s + 1, "padded line"),
        (lambda n, k, s, p, d: n, "List the starts"),
    ],
    "03-2": [
        ([28, 14, 10, 5, 400], "Expected the shape 6, found 5"),
        (instead(LENET, 1, 27), "The second size, 27, is off. All before it are right. From 32"),
        (instead(LENET, 2, 16), "no padding"),
        (instead(LENET, 3, 9), "From 14"),
        (instead(LENET, 5, 80), "rows and columns"),
        (instead(LENET, 5, 150), "How many maps"),
        (instead(LENET, 0, 28), "The first size, 28, is off."),
    ],
    "03-3": [
        (1, "Expected a function"),
        (lambda k, d: d * (k - 1), "on both sides"),
        (lambda k, d: (k - 1) / 2, "dilation has no say"),
        (lambda k, d: d * (k // 2), "a whole number at all"),
        (lambda k, d: 0, "28 pixels become 26"),
    ],
    "03-4": [
        (STRIDED[:4], "Expected the shape 5, found 4"),
        (instead(STRIDED, 0, 13), "Where is the padding"),
        (instead(STRIDED, 1, 14), "The second size, 14, is off. All before it are right."),
        (instead(STRIDED, 2, 49), "more than one map"),
        (instead(STRIDED, 2, 1568), "first convolution"),
        (instead(STRIDED, 3, 50_080), "biases are missing"),
        (instead(STRIDED, 4, 5), "lie further apart"),
    ],
    "03-5": [
        ("nn.Flatten()", "Hand over the layer"),
        (6, "Expected a layer, found int"),
        (nn.ReLU(), "changes no shape"),
        (nn.MaxPool2d(2), "more than 5 columns"),
        (nn.Linear(5, 1600), "What does 10240 consist of"),
        (nn.Dropout(), "one axis of three"),
    ],
    "03-6": [
        (227, "Expected the shape 2×2, found a single number"),
        ([(224, 1), (227, 0)], "the maps have 54 rows"),
        ([(226, 1), (227, 0)], "changes two things"),
        ([(227, 0), (227, 0)], "same way twice"),
        ([(227, 0), (228, 0)], "by another amount"),
    ],
    "03-7": [
        (80, "Expected a network, found int"),
        (ConvNet(), "MaxPool2d is not among"),
        (nn.Sequential(nn.Conv2d(1, 10, 28), nn.Flatten()), "larger than 3×3"),
        (small(conv(1, 1, 1, dilation=9)), "is dilated"),
        (small(conv(3, 1, 3)), "does not take an image"),
        (small(conv(1, 1, 3)), "Expected ten numbers for an image, found 90"),
        (small(conv(1, 1, 4), last=3), "does not see"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
