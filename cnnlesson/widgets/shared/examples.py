"""Two trainings that were run once, as a picture and in words."""

import math

from cnnlesson.widgets.shared.example_runs import EXAMPLES
from cnnlesson.widgets.shared.svg import svg_image, svg_path

__all__ = ["describe_examples", "examples_picture"]


def examples_picture() -> str:
    """Return the losses of the examples as a picture.

    Returns
    -------
    str
        An ``<svg>``, always the same.
    """
    curves, labels = [], []
    for example, look in zip(EXAMPLES, ("", ' stroke-dasharray="5 4"'), strict=True):
        points = [
            (70 + 560 * (i + 1) / len(example.losses), 110 - 80 * math.log10(loss / 10))
            for i, loss in enumerate(example.losses)
        ]
        momentum = f"μ = {example.run.momentum:g}"
        curves.append(f'<path d="{svg_path(points)}"{look}/>')
        labels.append(f'<text x="624" y="{points[-1][1] - 22:.0f}">{momentum}</text>')
    marks = "".join(
        f'<text x="62" y="{114 - 80 * (power - 1)}">{10.0**power:g}</text>'
        for power in (2, 1, 0, -1)
    )
    run = EXAMPLES[0].run
    label = (
        "The loss of two trainings against the images seen, on a logarithmic "
        "scale. With less momentum it keeps falling; with more it soon falls no further."
    )
    body = (
        '<rect x="70" y="25" width="560" height="265" fill="none" stroke="#888"/>'
        '<g fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round">'
        f"{''.join(curves)}</g>"
        f'<g fill="currentColor" font-size="13" text-anchor="end">{marks}{"".join(labels)}'
        '<text x="70" y="310">0</text><text x="62" y="14">loss</text>'
        f'<text x="630" y="310">{run.num_images:,} images seen</text></g>'
    )
    return svg_image(body, label=label)


def describe_examples() -> str:
    """Return what came of the examples.

    Returns
    -------
    str
        One sentence.
    """
    run = EXAMPLES[0].run
    names = [
        f"with μ = {example.run.momentum:g} ({word}), {100 * example.test_accuracy:.1f}% of "
        f"{example.run.num_test_images:,} test images are right"
        for example, word in zip(EXAMPLES, ("solid", "dashed"), strict=True)
    ]
    return (
        f"After one epoch of {run.num_images:,} images at α = {run.lr:g}, {', and '.join(names)}."
    )
