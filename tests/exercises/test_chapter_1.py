"""Chapter 1: right answers, and for each exercise the ways to be wrong that are told apart."""

import torch
from sklearn.cluster import KMeans
from verdicts import checks_of


def three_means(x, y, x_new, labels_of=lambda nearest: nearest // 3):
    clusters = [
        KMeans(3, n_init=1, random_state=0).fit(x[y == k].flatten(1).numpy()).cluster_centers_
        for k in range(10)
    ]
    means = torch.cat([torch.from_numpy(centres) for centres in clusters])
    return labels_of(torch.cdist(x_new.flatten(1), means).argmin(dim=1))


def one_mean(x, y, x_new):
    means = torch.stack([x[y == k].mean(dim=0) for k in range(10)]).flatten(1)
    return torch.cdist(x_new.flatten(1), means).argmin(dim=1)


GRID = [28 * row + column for row in range(4, 25, 3) for column in range(6, 22, 3)][:40]
RIGHT = {
    "01-1": [lambda x: (x * 0.3081 + 0.1307) * 255, lambda x: (x * 0.308108 + 0.13066) * 255],
    "01-2": [(1, 0), torch.tensor([1, 0])],
    "01-3": [lambda rows: rows.reshape(-1, 1, 28, 28).transpose(2, 3)],
    "01-4": [0.75, torch.tensor(0.7501)],
    "01-5": [three_means],
    "01-6": [GRID, torch.tensor(GRID)],
}
WRONG = {
    "01-1": [
        (3, "Expected a function, found int"),
        (lambda x: x.nothing, "fails: AttributeError"),
        (lambda x: None, "returns nothing"),
        (lambda x: x[0], "Expected the shape 20×1×28×28, found 1×28×28"),
        (lambda x: x, "Nothing has changed"),
        (lambda x: x * 0.3081 + 0.1307, "One factor"),
        (lambda x: x * 0.3081 * 255, "In which order"),
        (lambda x: x * 255, "smallest and the largest"),
    ],
    "01-2": [
        ("1 and 0", "Expected a tensor of numbers"),
        (1, "Expected the shape 2, found a single number"),
        ((1, 33), "each from 0 to 9"),
        ((0, 1), "other order"),
        ((1, 8), "One of the two"),
        ((7, 5), "Neither"),
    ],
    "01-3": [
        (torch.zeros(10, 1, 28, 28), "Expected a function"),
        (lambda rows: rows, "Expected the shape 10×1×28×28, found 10×784"),
        (lambda rows: rows.reshape(-1, 1, 28, 28), "mirrored along its diagonal"),
        (lambda rows: rows.reshape(-1, 1, 28, 28).rot90(1, (2, 3)), "turned or mirrored"),
        (lambda rows: rows.reshape(-1, 1, 28, 28) * 0, "other pixels"),
    ],
    "01-4": [
        ("most", "Expected a number, found str"),
        (75, "between 0 and 1"),
        (-3, "this is none"),
        (1, "test set together"),
        (0.25, "share that is tested"),
        (0.5, "no coin"),
        (0.6, "Think of one test image"),
    ],
    "01-5": [
        ([1, 2], "Expected a function, found list"),
        (lambda x, y, x_new: y, "Expected the shape 1000, found 3000"),
        (lambda *data: three_means(*data, labels_of=lambda n: n), "which digit does that mean"),
        (lambda *data: three_means(*data, labels_of=lambda n: n / 3.0 - 0.7), "from 0 to 9"),
        (lambda *data: three_means(*data, labels_of=lambda n: n % 10), "in their order"),
        (one_mean, "1.00 of the mistakes are left"),
    ],
    "01-6": [
        (7, "Expected a list of places, found int"),
        ([784], "from 0 to 783"),
        ([5, 5], "twice"),
        (range(41), "at most 40 places, found 41"),
        (range(40), "They tell 1"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)
