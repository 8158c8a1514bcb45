"""Fitting a polynomial to noisy points: what is learned when, and when to stop."""

from functools import cache
from typing import Any

import numpy as np

from cnnlesson.momentum.regression import (
    PolynomialRegression,
    early_stopping_filter,
    tikhonov_filter,
)
from cnnlesson.widgets.shared.cut import cut_marks
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.settings import Choice, Number, Whole
from cnnlesson.widgets.shared.svg import svg_image, svg_path, svg_window

__all__ = ["PolynomialFit"]

_NUM_POINTS = 20
_NOISE = 0.35
_DEGREES = range(2, 8)


def _truth(x: np.ndarray) -> np.ndarray:
    return np.sin(np.pi * x)


@cache
def _problem(degree: int) -> PolynomialRegression:
    """Return the same noisy points, with the features of one degree."""
    generator = np.random.default_rng(1)
    # To the hundredths that travel to the page.
    x = np.round(np.sort(generator.uniform(-1, 1, _NUM_POINTS)), 2)
    y = np.round(_truth(x) + _NOISE * generator.standard_normal(_NUM_POINTS), 2)
    return PolynomialRegression(x, y, degree)


class PolynomialFit(Figure, module="polynomial_fit"):
    r"""A polynomial that momentum fits to 20 noisy points, one eigenfeature after the other.

    The points are sin πx on [-1, 1] plus noise of standard deviation 0.35, from a fixed seed. The
    descent starts from zero. Beside it stands Tikhonov's penalty with the strength :math:`\delta =
    (1 - \mu) / (\alpha k)`, which keeps nearly the same part of each eigenfeature as k steps do.

    Attributes
    ----------
    degree : int, default 7
        Degree d of the polynomial, 2 to 7.
    num_steps : int, default 300
        Number of steps k, 1 to 100,000.
    lr : float, default 1
        Step size α, 0.01 to 1. Up to 1 nothing diverges.
    momentum : float, default 0
        Momentum μ, 0 to 0.99.
    shown : {"both", "early stopping", "Tikhonov"}
        Which of the two fits is drawn.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.

    Examples
    --------
    >>> figure = PolynomialFit(degree=3, num_steps=10)
    >>> figure.early_stopping().round(2)  # what part of each eigenfeature is learned
    array([1.  , 0.99, 0.66, 0.27])
    """

    degree = Whole(7, low=_DEGREES[0], high=_DEGREES[-1])
    num_steps = Whole(300, low=1, high=100_000)
    lr = Number(1.0, low=0.01, high=1)
    momentum = Number(0.0, low=0, high=0.99)
    shown = Choice("both", "early stopping", "Tikhonov")

    @property
    def problem(self) -> PolynomialRegression:
        """The points, with the features of this degree."""
        return _problem(self.degree)

    @property
    def penalty(self) -> float:
        """The strength δ of Tikhonov's penalty that matches this many steps."""
        return (1 - self.momentum) / (self.lr * self.num_steps)

    def early_stopping(self) -> np.ndarray:
        """Return what part of each eigenfeature is learned.

        Returns
        -------
        numpy.ndarray, shape (degree + 1,)
            Nothing, 0, to all of it, 1; with momentum a part may swing beyond 1.
        """
        return early_stopping_filter(
            self.problem.curvatures, lr=self.lr, momentum=self.momentum, num_steps=self.num_steps
        )

    def tikhonov(self) -> np.ndarray:
        """Return what part of each eigenfeature the penalty keeps.

        Returns
        -------
        numpy.ndarray, shape (degree + 1,)
            From nothing, 0, to all of it, 1.
        """
        return tikhonov_filter(self.problem.curvatures, self.penalty)

    def curve(self, kept: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the fitted polynomial.

        Parameters
        ----------
        kept : numpy.ndarray, shape (degree + 1,)
            What part of each eigenfeature is kept.
        x : numpy.ndarray, shape (m,)
            Points.

        Returns
        -------
        numpy.ndarray, shape (m,)
            Its values.
        """
        return self.problem.features(x) @ self.problem.weights(kept)

    def errors(self, kept: np.ndarray) -> tuple[float, float]:
        """Return how far the fit is from the points, and from the curve without noise.

        Parameters
        ----------
        kept : numpy.ndarray, shape (degree + 1,)
            What part of each eigenfeature is kept.

        Returns
        -------
        tuple of float
            Root mean square over the 20 points, and over 81 even places from -1 to 1.
        """
        x, places = self.problem.x, np.linspace(-1, 1, 81)
        misses = (
            self.curve(kept, x) - self.problem.y,
            self.curve(kept, places) - _truth(places),
        )
        on_points, on_truth = (float(np.sqrt(np.mean(miss**2))) for miss in misses)
        return on_points, on_truth

    def data(self) -> dict[str, Any]:
        """Return the points, and each degree's eigenvalues, eigenvectors and solution."""
        # To the digits on which all machines agree.
        problems = [_problem(degree) for degree in _DEGREES]
        return {
            "points": np.column_stack([problems[0].x, problems[0].y]).tolist(),
            "eigen": {
                problem.degree: {
                    "curvatures": [float(f"{value:.12g}") for value in problem.curvatures],
                    "coefficients": problem.coefficients.round(11).tolist(),
                    "eigenvectors": problem.eigenvectors.T.round(11).tolist(),
                }
                for problem in problems
            },
        }

    def picture(self) -> str:
        """Return the points with the curves, and a bar for each eigenfeature, as an ``<svg>``."""
        places = np.linspace(-1, 1, 41)

        def pixels(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
            return [(20 + 150 * (a + 1), 150 - 65 * b) for a, b in zip(x, y, strict=True)]

        dots = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
            for x, y in pixels(self.problem.x, self.problem.y)
        )
        early, other = self.early_stopping(), self.tikhonov()
        right = 2 if early.max() > 1.2 else 1.2  # with much momentum a part swings beyond 1
        one = 264 / right  # pixels
        fits = (
            ("early stopping", early, 'stroke-width="2"'),
            ("Tikhonov", other, 'stroke-dasharray="5 4"'),
        )
        box = (20, 20, 300, 260)
        drawn = [fit for fit in fits if self.shown in ("both", fit[0])]
        truth = svg_path(pixels(places, _truth(places)))
        curves = f'<path d="{truth}" stroke-opacity="0.4"/>' + "".join(
            f'<path d="{svg_path(pixels(places, self.curve(kept, places)))}" {look}/>'
            for _, kept, look in drawn
        )
        finer = np.linspace(-1, 1, 81)  # as the live figure
        cut, lost = cut_marks(
            [np.column_stack([finer, self.curve(kept, finer)]) for _, kept, _ in drawn],
            box=box,
            ends=((-1, 1), (-2, 2)),
        )
        bars = "".join(
            f'<path d="M370,{30 + 28 * i}h{one * np.clip(part, 0, right):.1f}" stroke-width="12" '
            'stroke-opacity="0.4"/>'
            for i, part in enumerate(early)
            if self.shown != "Tikhonov"
        )
        marks = "".join(
            f'<path d="M{370 + one * part:.1f},{20 + 28 * i}v20" stroke-width="2"/>'
            for i, part in enumerate(other)
            if self.shown != "early stopping"
        )
        label = (
            "Left noisy points, the curve they come from, faint, and polynomials, by early "
            "stopping, solid, or by Tikhonov’s penalty, dashed; right what part of each "
            f"eigenfeature is learned, a bar each, and what part the penalty keeps, a mark.{lost}"
        )
        body = (
            f'<g fill="currentColor" fill-opacity="0.6">{dots}</g>'
            f'<g fill="none" stroke="currentColor">{svg_window(curves, box)}'
            f"{bars}{marks}</g>{cut}"
            '<g fill="currentColor" font-size="13"><text x="20" y="292">x from −1 to 1</text>'
            '<text x="370" y="292">0</text>'
            f'<text x="{370 + one:.0f}" y="292" text-anchor="middle">learned: 1</text></g>'
        )
        return svg_image(body, label=label, size=(640, 300))

    def summary(self) -> str:
        """Return how far the fit has come, in words."""
        early = self.early_stopping()
        (near, true), (_, also_true) = self.errors(early), self.errors(self.tikhonov())
        return (
            f"After {self.num_steps} steps of size α = {self.lr:.4g} with momentum μ = "
            f"{self.momentum:.4g}, {np.sum(early > 0.5)} of {self.degree + 1} eigenfeatures are "
            f"more than half learned; the fit is {near:.3f} away from the points and {true:.3f} "
            f"from the curve without noise. With Tikhonov’s penalty δ = {self.penalty:.3g} that "
            f"is {also_true:.3f}."
        )
