"""The map to be measured again: what it takes, what it says, and how two maps are compared."""

from itertools import product

import numpy as np
import pytest
from test_run_explorer import made_up
from traitlets import TraitError

from cnnlesson import read_results, results_path
from cnnlesson.widgets import MapLab
from cnnlesson.widgets.shared.bundle import bundle
from cnnlesson.widgets.shared.sources import sources_of

MOMENTA = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
RATES = tuple(float(f"{digit}e{power}") for power in range(-4, 0) for digit in (1, 2, 5))
SCALES = {"standardized": 1, "raw": 0.01}


def made_up_map(seeds=3):
    """Return made-up results of a whole map of 12 × 8 cells at two scales of the pixels."""
    draw = np.random.default_rng(1)
    return [
        made_up(
            float(draw.integers(0, 501) / 500),
            status=str(draw.choice(["completed", "dead", "diverged"], p=[0.8, 0.15, 0.05])),
            **{"lr": lr * SCALES[pixels], "momentum": momentum, "pixels": pixels, "seed": seed},
        )
        for pixels, momentum, lr, seed in product(SCALES, MOMENTA, RATES, range(seeds))
    ]


COMPUTE = """async ([source, state, outcomes]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { compute } = await import(address);
    const kept = new Map(outcomes.map(([name, outcome]) => [name.join(" "), outcome]));
    const { count, agreeing, differing, split, alone } = compute(state, kept);
    const where = differing.map(({ lr, momentum }) => [lr, momentum]);
    return { count, agreeing, split, alone, where };
}"""


def has_learned(status, accuracy):
    return status == "completed" and accuracy >= 0.5


def random_outcomes(figure):
    """Return a made-up outcome for each seed of most cells."""
    draw = np.random.default_rng(2)
    axes, outcomes = figure._axes[figure.pixels], {}
    for lr, momentum in product(axes["lr"], axes["momentum"]):
        if draw.random() < 0.8:
            status = str(draw.choice(["completed", "dead", "diverged"]))
            for seed in range(figure.seed, figure.seed + figure.num_seeds):
                accuracy = None if status == "diverged" else float(draw.random())
                outcomes[lr, momentum, seed] = status, accuracy
    return outcomes


@pytest.mark.parametrize(
    "settings",
    [{}, {"pixels": "raw", "num_seeds": 5, "seed": 3}, {"left": 8, "right": 2, "top": 1}],
    ids=str,
)
def test_two_maps_agree_where_both_say_that_the_network_learned(browser, settings):
    runs = made_up_map()
    figure = MapLab(runs, **settings)
    ours = random_outcomes(figure)
    kept = [
        [[figure.pixels, *key], dict(zip(("status", "accuracy"), outcome, strict=True))]
        for key, outcome in ours.items()
    ]
    state = figure.data() | figure.settings
    with browser.new_page() as page:
        found = page.evaluate(COMPUTE, [bundle("map_lab", sources_of("map_lab")), state, kept])

    theirs = {}
    for r in sorted(runs, key=lambda r: r.run.seed):
        bit = has_learned(r.status, r.test_accuracy)
        theirs.setdefault((r.run.pixels, r.run.lr, r.run.momentum), []).append(bit)
    columns, rows = (figure._axes[figure.pixels][name] for name in ("lr", "momentum"))
    (left, right), (bottom, top) = sorted((figure.left, figure.right)), (figure.bottom, figure.top)
    count, where, split, alone = 0, [], 0, [0] * 3
    for momentum, lr in product(rows[bottom : top + 1], columns[left : right + 1]):
        mine = [has_learned(*ours[key]) for key in ours if key[:2] == (lr, momentum)]
        if not mine:
            continue
        count += 1
        bits = theirs[figure.pixels, lr, momentum]
        majority = 2 * sum(bits) > 3
        alone = [n + (bit == majority) for n, bit in zip(alone, bits, strict=True)]
        if (2 * sum(mine) > len(mine)) != majority:
            where.append([lr, momentum])
            split += len(set(bits)) > 1
    assert len(where) > 0
    assert found == {
        "count": count,
        "agreeing": count - len(where),
        "split": split,
        "alone": alone,
        "where": where,
    }


def test_it_takes_the_committed_map():
    figure = MapLab(read_results(results_path("map")), pixels="standardized")
    assert figure.data()["budget"] == {"batch_size": 32, "num_images": 6000}
    sizes = {pixels: len(one["median"]) for pixels, one in figure.data()["maps"].items()}
    assert sizes == {"raw": 96, "unit": 96, "standardized": 96}
    assert len(figure.to_html()) < 40_000


def test_its_sentence_counts_the_cells_that_learned():
    figure = MapLab(made_up_map(), left=2, right=0, bottom=1, top=1)
    runs = [r for r in made_up_map() if r.run.pixels == "standardized" and r.run.momentum == 0.5]
    learned = sum(
        sum(has_learned(r.status, r.test_accuracy) for r in runs if r.run.lr == lr) > 1
        for lr in RATES[:3]
    )
    assert f"learned in {learned} of 3 cells" in figure.summary()
    assert "From α = 0.0001 to 0.0005 and μ = 0.5 to 0.5" in figure.summary()


def test_what_is_no_whole_map_is_refused():
    runs = made_up_map()
    with pytest.raises(ValueError, match=r"expected every cell .* found 287 of 12 × 8 × 3"):
        MapLab(runs[1:])
    more = [
        made_up(lr=0.7, seed=seed, pixels="standardized", momentum=momentum)
        for seed, momentum in product(range(3), MOMENTA)
    ]
    with pytest.raises(ValueError, match="found 312 of 13 × 8 × 3"):
        MapLab(runs + more)
    with pytest.raises(ValueError, match=r"one pass over at most 6,000 .* found num_epochs=2"):
        MapLab([made_up(num_epochs=2)])
    with pytest.raises(ValueError, match="expected at least one finished run"):
        MapLab([])
    with pytest.raises(TraitError, match="pixels: expected one of raw, standardized, found 'unit'"):
        MapLab(runs, pixels="unit")
    with pytest.raises(TraitError, match="left: expected a whole number from 0 to 11, found 12"):
        MapLab(runs, left=12)
