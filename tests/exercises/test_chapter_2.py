"""Chapter 2: right answers, and for each exercise the ways to be wrong that are told apart."""

import torch
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, pad, relu
from verdicts import checks_of

VERTICAL = torch.tensor([[-1.0, 0, 1]]).expand(3, 3)
BOTH = torch.stack([VERTICAL, VERTICAL.T])[:, None]
LINE = torch.tensor([1.0, 2, 3, 2, 1])
AWAY = torch.arange(9) - 4.0
RADIUS = (AWAY[:, None] ** 2 + AWAY**2).sqrt()
RING = ((RADIUS >= 3) & (RADIUS < 4.6)).float() - 1.5 * (RADIUS < 2.2)


def single(row, column, value=1.0):
    kernel = torch.zeros(3, 3)
    kernel[row, column] = value
    return kernel


def antialias(x, blur=lambda maps: avg_pool2d(maps, 3, stride=1, padding=1)):
    return max_pool2d(blur(relu(conv2d(x, BOTH))), 2)


def blur_after(x):
    return avg_pool2d(max_pool2d(relu(conv2d(x, BOTH)), 2), 3, stride=1, padding=1)


RIGHT = {
    "02-1": [lambda y: relu(y) + relu(-y), torch.abs],
    "02-2": [single(1, 0), single(1, 0).tolist()],
    "02-3": [LINE.outer(LINE) / 81],
    "02-4": [-0.42, -0.4242, torch.tensor(-0.424)],
    "02-5": [antialias],
    "02-6": [(1, 8, RING), (0, 1, RING.tolist())],
}
WRONG = {
    "02-1": [
        (7, "Expected a function"),
        (lambda y: y.sum(), "found a single number"),
        (lambda y: relu(y) - relu(-y), "That is y again"),
        (relu, "The other one is lost"),
        (lambda y: relu(-y), "The other one is lost"),
        (lambda y: -y.abs(), "Some values are negative"),
        (lambda y: y.abs() * 2, "size is not to change"),
    ],
    "02-2": [
        (single, "Expected a tensor of numbers, found function"),
        (torch.zeros(1, 1, 3, 3), "Expected the shape 3×3, found 1×1×3×3"),
        (single(1, 1), "Nothing moves"),
        (single(1, 2), "the other way"),
        (single(1, 0) + single(1, 1), "not only move"),
        (single(1, 0, 2.0), "brighter"),
        (single(0, 1), "another direction"),
    ],
    "02-3": [
        ("blur", "found str"),
        (torch.full((3, 3), 1 / 9), "Expected the shape 5×5, found 3×3"),
        (torch.full((5, 5), 1 / 25), "one blur over 5×5"),
        (LINE.outer(LINE), "add up to 81"),
        (torch.arange(25.0).reshape(5, 5), "from all sides"),
        (torch.ones(5, 5), "On how many ways"),
    ],
    "02-4": [
        ([0.1, 0.2], "Expected a number"),
        (0, "what padding does already"),
        (0.42, "The sign"),
        (2.82, "full ink"),
        (-1, "Which value has the paper"),
    ],
    "02-5": [
        (BOTH, "Expected a function, found Tensor"),
        (lambda x: max_pool2d(conv2d(x, BOTH), 99), "fails: RuntimeError"),
        (lambda x: x[0, 0], "all four axes"),
        (lambda x: antialias(x, lambda m: avg_pool2d(m, 3, stride=1)), "Expected maps of 13×13"),
        (lambda x: antialias(x, lambda m: m), "nothing is blurred"),
        (blur_after, "gone by then"),
        (lambda x: pad(x, (0, 0, 0, 0))[..., ::2, ::2][..., :13, :13], "changes"),
    ],
    "02-6": [
        (RING, "Expected two digits and a kernel"),
        ((3, 3, RING), "two different digits"),
        ((7, 1, RING), "the chapter's"),
        ((3, 8, torch.zeros(11, 11)), "up to 9×9"),
        ((3, 8, VERTICAL), "of them apart"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
