"""How momentum behaves along one eigenvector: a map over step size and momentum."""

from collections.abc import Iterable

import numpy as np

from cnnlesson.momentum.descent import Trajectory
from cnnlesson.momentum.step_matrix import quarter_discriminant, step_matrix, step_rate
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.settings import Number, Whole
from cnnlesson.widgets.shared.svg import svg_image, svg_path

__all__ = ["StabilityMap"]

_TOLERANCE = 1e-9  # of a number that lies on a boundary but for rounding
_WORDS = {
    "divergence": "diverges",
    "boundary": "lies exactly on the boundary of stability",
    "critical": "is critically damped, two eigenvalues coincide",
    "ripples": "ripples, its eigenvalues are complex",
    "monotone": "creeps to 0 without crossing it, its eigenvalues are real and not negative",
    "zigzag": "changes sign every step, its eigenvalues are real and not positive",
}


class StabilityMap(Figure, module="stability_map"):
    r"""The regimes of classical momentum on the loss :math:`\tfrac12 \lambda w^2`.

    Only the product αλ of step size and curvature matters, and the momentum μ. The map over both
    is coloured by the spectral radius of one step; beside it are the weights and the phase
    portrait of the chosen place, from :math:`w_0 = 1, v_0 = 0`.

    Attributes
    ----------
    scaled_lr : float, default 0.5
        Step size times curvature αλ, 0 to 4.
    momentum : float, default 0.8
        Momentum μ, 0 to 1. With 1 nothing brakes, and the error never fades.
    num_steps : int, default 40
        Number of steps, 1 to 200.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.

    Examples
    --------
    >>> StabilityMap(scaled_lr=0.25, momentum=0.25).regime
    'critical'
    """

    scaled_lr = Number(0.5, low=0, high=4)
    momentum = Number(0.8, low=0, high=1)
    num_steps = Whole(40, low=1, high=200)

    @property
    def matrix(self) -> np.ndarray:
        """One step as a matrix applied to (w, v), shape (2, 2)."""
        return step_matrix(self.scaled_lr, self.momentum)

    @property
    def rate(self) -> float:
        """Spectral radius ρ of the matrix: in the long run the error's factor per step."""
        if self._is_critical:  # here rounding would decide whether they are real or complex
            return float(np.sqrt(self.momentum))
        return float(step_rate(self.scaled_lr, self.momentum))

    @property
    def regime(self) -> str:
        """One of divergence, boundary, critical, ripples, monotone and zigzag."""
        if self.rate > 1 + _TOLERANCE:
            return "divergence"
        if self.rate > 1 - _TOLERANCE:
            return "boundary"
        if self._is_critical:
            return "critical"
        if quarter_discriminant(self.scaled_lr, self.momentum) < 0:
            return "ripples"
        return "monotone" if np.trace(self.matrix) > 0 else "zigzag"

    @property
    def _is_critical(self) -> bool:
        return abs(self.momentum - (1 - np.sqrt(self.scaled_lr)) ** 2) < _TOLERANCE

    def path(self) -> Trajectory:
        """Follow the path the figure draws.

        Returns
        -------
        Trajectory
            Weights and velocities, shape (num_steps + 1, 1) each.
        """
        states = np.zeros((self.num_steps + 1, 2))
        states[0] = 1, 0
        for t in range(self.num_steps):
            states[t + 1] = self.matrix @ states[t]
        return Trajectory(w=states[:, :1], v=states[:, 1:])

    def picture(self) -> str:
        """Return the map with its regimes and the place on it, as an ``<svg>``."""
        bands = "".join(
            f'<path d="{svg_path(_pixels(corners))}Z"/>'
            for r in np.arange(10, 0, -1) / 10
            for corners in [
                [(1 - r, 0), (1 + r, 0), ((1 + r) ** 2, r**2), ((1 - r) ** 2, r**2)]
            ]  # where the spectral radius is at most r
        )
        roots = np.linspace(0, 2, 61)
        critical = svg_path(_pixels(zip(roots**2, (1 - roots) ** 2, strict=True)))
        bound = svg_path(_pixels([(2, 0), (4, 1)]))
        names = "".join(
            f'<text transform="translate({x:.1f},{y:.1f}) rotate({turn})">{name}</text>'
            for name, place, turn in (
                ("ripples", (1.25, 0.6), 0),
                ("monotone", (0.19, 0.12), -90),
                ("zigzag", (1.7, 0.035), 0),
                ("divergence", (3.3, 0.3), 0),
                ("critical", (2.45, 0.36), -53),
            )
            for x, y in _pixels([place])
        )
        [(x, y)] = _pixels([(self.scaled_lr, self.momentum)])
        label = (
            "A map of momentum’s regimes, αλ from 0 to 4 to the right, μ from 0 to 1 "
            "upward; the darker, the faster the error shrinks, and right of it nothing converges."
        )
        body = (
            f'<g fill="currentColor" fill-opacity="0.06">{bands}</g>'
            f'<path d="{critical}{bound}" fill="none" stroke="currentColor"/>'
            '<path d="M0,0H640V320H0Z" fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
            f'<g fill="currentColor" font-size="14" text-anchor="middle">{names}</g>'
            '<g fill="currentColor" font-size="14"><text x="8" y="20">μ = 1</text>'
            '<text x="632" y="312" text-anchor="end">αλ = 4</text></g>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="currentColor"/>'
        )
        return svg_image(body, label=label)

    def summary(self) -> str:
        """Return the regime and the rate, in one sentence."""
        return (
            f"With αλ = {self.scaled_lr:.4g} and μ = {self.momentum:.4g} the weight "
            f"{_WORDS[self.regime]}: in the long run each step multiplies the error by "
            f"ρ = {self.rate:.3f}."
        )


def _pixels(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(160 * a, 320 * (1 - momentum)) for a, momentum in points]
