"""Chapter 12: right answers, and for each exercise the ways to be wrong that are told apart."""

from dataclasses import replace

import numpy as np
import torch
from scipy.stats import ttest_1samp, ttest_ind
from verdicts import checks_of, ended

from cnnlesson import Run, check, load_results, results_path


def steps_on_flipping_slope(beta1):
    """Let PyTorch's Adam walk where the gradient is +1 and −1 in turn; return its last length."""
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=1, betas=(beta1, 0.999))
    places = []
    for t in range(1000):
        w.grad = torch.full_like(w, (-1.0) ** t)
        optimizer.step()
        places.append(w.item())
    return abs(places[-1] - places[-2])


def mean_of_cycle(num_steps=10_000):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=num_steps, cycle_momentum=False
    )
    lrs = []
    for _ in range(num_steps):
        lrs.append(cycle.get_last_lr()[0])
        optimizer.step()
        cycle.step()
    return np.mean(lrs)


RECIPE = load_results([results_path("recipe")]).query(
    "num_images == 42000 and num_epochs == 5 and pixels == 'standardized' and momentum == 0.9"
)


def correct(schedule, lr):
    chosen = RECIPE[(RECIPE["schedule"] == schedule) & (RECIPE["lr"] == lr)]
    return 18_000 * chosen.sort_values("seed")["test_accuracy"].to_numpy()


SCHEDULE, CONSTANT = correct("one-cycle", 0.05), correct("constant", 0.01)


def width(test, level=0.95):
    interval = test.confidence_interval(level)
    return interval.high - interval.low


PAIRED = width(ttest_1samp(SCHEDULE - CONSTANT, 0))
UNPAIRED = width(ttest_ind(SCHEDULE, CONSTANT, equal_var=False))
ERROR = np.std(SCHEDULE - CONSTANT, ddof=1) / np.sqrt(len(SCHEDULE))


def variant(accuracy=0.9, seeds=(0, 1), **settings):
    return [ended(Run(seed=seed, **settings), accuracy) for seed in seeds]


MOMENTUM, CYCLE = {"momentum": 0.0, "lr": 0.1}, {"schedule": "one-cycle"}
FOUR = [variant(), variant(**MOMENTUM), variant(**CYCLE), variant(0.8, **MOMENTUM, **CYCLE)]


def instead(i, results):
    return [*FOUR[:i], results, *FOUR[i + 1 :]]


RIGHT = {
    "12-1": [(steps_on_flipping_slope(0.9), steps_on_flipping_slope(0.0)), (0.053, 1)],
    "12-2": [(31.6, 3925)],
    "12-3": [mean_of_cycle(), 0.51],
    "12-4": [("Adam 0.9", 0.959)],
    "12-5": [(PAIRED, UNPAIRED), (35, 43)],
    "12-6": [FOUR],
}
WRONG = {
    "12-1": [
        (0.053, "Expected the shape 2"),
        ((1, 0.053), "in the other order"),
        ((0, 1), "they cancel in part"),
        ((1, 1), "on a steady slope"),
        ((0.526, 1), "classical momentum"),
        ((0.1, 1), "the latest gradient alone"),
        ((0.01, 1), "Add all of them up"),
        ((1.664, 1), "average of the squares corrected"),
        ((0.3, 1), "in turn c and −c"),
        ((0.053, 0), "nothing cancels"),
        ((0.053, 2), "the second is not"),
    ],
    "12-2": [
        (31.6, "Expected the shape 2"),
        ((1000, 3925), "divided by its root"),
        ((0.0316, 3925), "upside down"),
        ((3.16, 3925), "Break it"),
        ((1, 3925), "At first they differ"),
        ((20, 3925), "not 20 times as long"),
        ((31.6, 4613), "s is off by 1%"),
        ((31.6, 1000), "in part only"),
        ((31.6, 3924), "a step is 1.00% too long"),
        ((31.6, 2000), "a step is 7.53% too long"),
        ((31.6, 5000), "below 1% before"),
    ],
    "12-3": [
        ("half", "Expected a number"),
        (1 / mean_of_cycle(), "the peak, in means"),
        (0.52, "the way up"),
        (0.02, "the two ends"),
        (1.04 / 3, "last a moment each"),
        (0.5, "does not begin at 0"),
        (3, "below the peak"),
        (0.6, "How long is each"),
    ],
    "12-4": [
        ("Adam 0.9", "Expected a rule and an accuracy"),
        (("Adam", 0.959), "Expected one of Adam 0, "),
        (("Nesterov 0.98", 0.954), "with the first three"),
        (("AdamW 0.9", 0.957), "with all twelve"),
        (("Nesterov 0.9", 0.956), "loses least against its own best"),
        (("SGD 0.9", 0.954), "One reaches more"),
        (("Adam 0.9", 0.965), "the most it reaches"),
        (("Adam 0.9", 0.963), "does not reach 0.963"),
    ],
    "12-5": [
        (PAIRED, "Expected the shape 2"),
        ((UNPAIRED, PAIRED), "in the other order"),
        ((PAIRED / 2, UNPAIRED / 2), "the half of it"),
        ((PAIRED / 18_000, UNPAIRED / 18_000), "a share of the images"),
        ((2 * 1.96 * ERROR, UNPAIRED), "1.96 is for very many"),
        ((width(ttest_1samp(SCHEDULE - CONSTANT, 0), 0.9), UNPAIRED), "one of 90%"),
        ((50, UNPAIRED), "not 50 images wide"),
        ((PAIRED, PAIRED), "not as wide"),
        ((PAIRED, UNPAIRED / 2), "The other is the half"),
        ((PAIRED, width(ttest_ind(SCHEDULE, CONSTANT))), "to scatter alike"),
        ((PAIRED, 60), "the other is not"),
    ],
    "12-6": [
        (FOUR[:3], "Expected four lists"),
        (instead(1, 0.9), "Without the first: expected what run_experiment returns"),
        (instead(0, variant() + variant(batch_size=8)), "more than the seed differs"),
        (instead(3, variant(**MOMENTUM, **CYCLE, seeds=(0, 2))), "different seeds"),
        ([results[:1] for results in FOUR], "One seed cannot tell"),
        (instead(1, variant(lr=0.1)), "only α has changed"),
        (instead(1, variant(**CYCLE)), "these are not two parts"),
        (instead(3, variant(**MOMENTUM)), "not without exactly these two"),
        (instead(3, variant(0.1, **MOMENTUM, **CYCLE)), "Without both it has not learned"),
    ],
}

test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)


def test_what_two_parts_cost_is_counted():
    four = [*FOUR[:3], [replace(r, test_accuracies=[0.85]) for r in FOUR[3]]]
    assert "in 2,000 images: +0 and +0 alone, +100 together" in check("12-6", four).words
