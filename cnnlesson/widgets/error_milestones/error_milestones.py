"""The error of momentum by eigenvalue, and how much of it is noise."""

import numpy as np

from cnnlesson.momentum.descent import momentum_descent
from cnnlesson.momentum.iterates import noise_floor, stochastic_error
from cnnlesson.momentum.step_matrix import step_rate
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.settings import Number, Whole
from cnnlesson.widgets.shared.svg import svg_image

__all__ = ["ErrorMilestones"]

_NUM_COMPONENTS = 20
_FRACTIONS = np.array([0.1, 0.01, 0.001])
_HORIZON = 5000  # no error that ripples can come back after this many steps
_TOLERANCE = 1e-9  # of a rate that is 1 but for rounding


class ErrorMilestones(Figure, module="error_milestones"):
    r"""How fast momentum shrinks the error along each eigenvector of a noisy quadratic.

    The loss is :math:`\tfrac12 \sum_i \lambda_i w_i^2` with 20 eigenvalues λ, evenly spaced on a
    logarithmic scale from 1/κ to 1. Every component starts at an error of 1, at rest. Each
    component of each gradient has independent noise of standard deviation σ.

    Parameters
    ----------
    goal : Goal, optional
        What a reader is to reach; `measures` says what it may ask.
    **settings
        The attributes below, by name.

    Attributes
    ----------
    lr : float, default 1
        Step size α, 0.01 to 4.
    momentum : float, default 0.8
        Momentum μ, 0 to 0.99.
    condition_number : float, default 100
        Condition number κ, the ratio of the extreme eigenvalues, 1 to 1000.
    noise : float, default 0.01
        Standard deviation σ of the gradient's noise, 0 to 0.1.
    num_steps : int, default 200
        Number of steps shown, 10 to 1000.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.

    Examples
    --------
    >>> figure = ErrorMilestones(momentum=0, condition_number=10)
    >>> figure.milestones[0]  # steps to 0.1, 0.01 and 0.001 of the error, for λ = 1/10
    array([22., 44., 66.])
    """

    lr = Number(1.0, low=0.01, high=4)
    momentum = Number(0.8, low=0, high=0.99)
    condition_number = Number(100.0, low=1, high=1000)
    noise = Number(0.01, low=0, high=0.1)
    num_steps = Whole(200, low=10, high=1000)

    @property
    def curvatures(self) -> np.ndarray:
        """The eigenvalues λ, the smallest first, shape (20,)."""
        return self.condition_number ** np.linspace(-1, 0, _NUM_COMPONENTS)

    @property
    def rates(self) -> np.ndarray:
        """In the long run, the factor of each component's error per step, shape (20,)."""
        return step_rate(self.lr * self.curvatures, self.momentum)

    @property
    def milestones(self) -> np.ndarray:
        """Steps after which each component's error stays within 0.1, 0.01, 0.001; shape (20, 3).

        Without noise. Infinite where that takes more than 5000 steps.
        """
        error = np.abs(self._path(_HORIZON))
        with np.errstate(invalid="ignore"):
            is_over = ~(error[:, :, None] <= _FRACTIONS)  # an error that is NaN has diverged
        last = _HORIZON - is_over[::-1].argmax(axis=0)
        return np.where(last == _HORIZON, np.inf, last + 1.0)

    def deterministic_error(self) -> np.ndarray:
        """Return the squared error of the path without noise, after each step.

        Returns
        -------
        numpy.ndarray, shape (num_steps + 1,)
            Mean over the components. Infinite or NaN where float64 cannot hold it.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return (self._path(self.num_steps) ** 2).mean(axis=1)

    def stochastic_error(self) -> np.ndarray:
        """Return what the noise adds to the expected squared error, after each step.

        Returns
        -------
        numpy.ndarray, shape (num_steps + 1,)
            Mean over the components of the variance of w.
        """
        loss = stochastic_error(
            self.curvatures,
            np.zeros(1),
            lr=self.lr,
            momentum=self.momentum,
            noise=self.noise,
            steps=np.arange(self.num_steps + 1),
        ).noise
        with np.errstate(over="ignore"):
            return (2 / self.curvatures * loss).mean(axis=1)

    @property
    def noise_floor(self) -> float:
        r"""What the stochastic error tends to; infinite where a component does not converge.

        The mean over the components of
        :math:`\alpha\sigma^2 (1+\mu) / (\lambda (1-\mu) (2(1+\mu) - \alpha\lambda))`.
        """
        if self.noise == 0:
            return 0.0
        room = 2 * (1 + self.momentum) - self.lr * self.curvatures
        if room.min() <= _TOLERANCE:
            return np.inf
        floors = [
            2 / curvature * noise_floor(curvature, self.lr, self.momentum, noise=self.noise)
            for curvature in self.curvatures
        ]
        return float(np.mean(floors))

    def measures(self) -> dict[str, float | str]:
        """Return the expected squared error after the last step, with its noise.

        Returns
        -------
        dict
            What a goal may ask: ``"squared error at the end"``.
        """
        end = self.deterministic_error()[-1] + self.stochastic_error()[-1]
        return {"squared error at the end": float(end)}

    def picture(self) -> str:
        """Return a bar per eigenvalue, up to the three milestones, as an ``<svg>``."""
        ends = np.minimum(self.milestones, self.num_steps) * 560 / self.num_steps
        bars = "".join(
            f'<path d="M70,{288 - 14 * i}h{end:.1f}" stroke-opacity="{opacity}"/>'
            for i, row in enumerate(ends)
            for end, opacity in zip(row[::-1], (0.25, 0.4, 1), strict=True)
        )
        legend = "".join(
            f'<rect x="{x}" y="304" width="22" height="10" fill-opacity="{opacity}"/>'
            f'<text x="{x + 28}" y="314" text-anchor="start">{fraction}</text>'
            for x, opacity, fraction in zip(
                (300, 370, 450), (1, 0.55, 0.25), _FRACTIONS, strict=True
            )
        )  # bars lie over each other, and so do their shades
        label = (
            "A bar for each eigenvalue, as long as its error takes to shrink to a "
            "tenth, a hundredth and a thousandth."
        )
        body = (
            f'<g stroke="currentColor" stroke-width="10">{bars}</g>'
            '<g fill="currentColor" font-size="13" text-anchor="end">'
            f'<text x="62" y="292">{self.curvatures[0]:.2g}</text><text x="62" y="26">λ = 1</text>'
            f'<text x="70" y="314">0</text><text x="630" y="314">{self.num_steps} steps</text>'
            f'<text x="290" y="314">error stays below</text>{legend}</g>'
        )
        return svg_image(body, label=label)

    def summary(self) -> str:
        """Return the slowest component, its milestone and the noise, in one sentence."""
        slowest = int(self.rates.argmax())
        milestone = self.milestones[slowest, -1]
        when = f"after {milestone:.0f} steps" if milestone < np.inf else "not in 5000 steps"
        return (
            f"With α = {self.lr:.4g}, μ = {self.momentum:.4g} and condition number κ = "
            f"{self.condition_number:.4g} the slowest component, λ = "
            f"{self.curvatures[slowest]:.3g}, has shrunk to a thousandth {when}; gradient noise "
            f"of σ = {self.noise:.4g} leaves a mean squared error of {self.noise_floor:.3g}."
        )

    def _path(self, num_steps: int) -> np.ndarray:
        """Return the weights without noise, shape (num_steps + 1, 20)."""
        curvatures = self.curvatures
        return momentum_descent(
            lambda w: curvatures * w,
            np.ones(_NUM_COMPONENTS),
            lr=self.lr,
            momentum=self.momentum,
            num_steps=num_steps,
        ).w
