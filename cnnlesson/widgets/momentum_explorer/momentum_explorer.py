"""Momentum beside gradient descent, on a bowl or in a valley that bends, with a start to drag."""

from dataclasses import replace
from typing import Any

import numpy as np

from cnnlesson.momentum.descent import Trajectory, momentum_descent
from cnnlesson.momentum.valley import RosenbrockValley
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.goal import Goal
from cnnlesson.widgets.shared.settings import Choice, Number, Point, Whole
from cnnlesson.widgets.shared.svg import svg_image, svg_path

__all__ = ["MomentumExplorer"]

_SCALE = 32  # pixels per unit in the picture
_RIGHT, _TOP = 10, 5
_SHOWN = 7  # the step whose velocity is drawn
_CONTOURS = [10 ** (exponent / 2) for exponent in range(4, -6, -1)]  # loss, two a decade


class MomentumExplorer(Figure, module="momentum_explorer"):
    r"""Classical momentum on the bowl :math:`\tfrac12 (x^2/\kappa + y^2)`.

    The steep direction y has curvature 1 whatever the condition number, so that the bound on the
    step size is simply :math:`\alpha < 2(1 + \mu)`, and a worse conditioning flattens the other
    direction. (Only αλ matters: a bowl with the largest curvature λ behaves alike at α/λ.) Plain
    gradient descent with the same step size is drawn beside it.

    The other landscape is `RosenbrockValley`, whose steepness κ then is. It is no bowl: what the
    figure says there of rates and of the largest step size is about a path near the minimum.

    Both paths can be played, or gone through step by step; an arrow shows the velocity that
    momentum has at the step shown. Which step that is belongs to the view and is no attribute.

    Parameters
    ----------
    goal : Goal, optional
        What a reader is to reach; `measures` says what it may ask. It is about the landscape that
        the figure opens with.
    **settings
        The attributes below, by name.

    Attributes
    ----------
    lr : float, default 1.8
        Step size α, 0.01 to 4.
    momentum : float, default 0.8
        Momentum μ, 0 to 0.99.
    condition_number : float, default 100
        Condition number κ, the ratio of the two curvatures, 1 to 1000; the valley's steepness.
    start : tuple of float, default (-8, 2.5)
        Where both paths begin: x from -10 to 10, y from -5 to 5.
    num_steps : int, default 100
        Number of steps, 1 to 300.
    landscape : str, default "bowl"
        What the paths go down: ``"bowl"`` or ``"valley"``.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    Examples
    --------
    >>> explorer = MomentumExplorer(lr=1)
    >>> explorer.condition_number = 30  # the slider moves
    >>> explorer.settings["condition_number"]
    30.0
    """

    lr = Number(1.8, low=0.01, high=4)
    momentum = Number(0.8, low=0, high=0.99)
    condition_number = Number(100.0, low=1, high=1000)
    start = Point((-8.0, 2.5), x=(-_RIGHT, _RIGHT), y=(-_TOP, _TOP))
    num_steps = Whole(100, low=1, high=300)
    landscape = Choice("bowl", "valley")

    def __init__(self, *, goal: Goal | None = None, **settings: Any) -> None:
        if goal:
            goal = replace(goal, fixed=[*goal.fixed, "landscape"])
        super().__init__(goal=goal, **settings)

    @property
    def _valley(self) -> RosenbrockValley | None:
        return RosenbrockValley(self.condition_number) if self.landscape == "valley" else None

    @property
    def curvatures(self) -> np.ndarray:
        """Curvature along x and along y; of the valley both at its minimum. Shape (2,)."""
        if valley := self._valley:
            return valley.curvatures
        return np.array([1 / self.condition_number, 1.0])

    def path(self, momentum: float | None = None) -> Trajectory:
        """Follow the path the figure draws.

        Parameters
        ----------
        momentum : float, optional
            Momentum μ, by default the figure's own; 0 gives its gradient descent.

        Returns
        -------
        Trajectory
            Points and velocities, shape (num_steps + 1, 2) each.
        """
        valley, curvatures = self._valley, self.curvatures
        return momentum_descent(
            valley.gradient if valley else lambda w: curvatures * w,
            np.array(self.start),
            lr=self.lr,
            momentum=self.momentum if momentum is None else momentum,
            num_steps=self.num_steps,
        )

    def loss(self, w: np.ndarray) -> np.ndarray:
        """Return the loss of points: on the bowl, ½(x²/κ + y²).

        Parameters
        ----------
        w : numpy.ndarray, shape (..., 2)
            Points, x and y.

        Returns
        -------
        numpy.ndarray, shape (...)
            Loss of each, 0 or more; infinite where a path is farther out than numbers go.
        """
        if not (valley := self._valley):
            return 0.5 * (w**2 @ self.curvatures)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = valley.loss(w)
        return np.where(np.isnan(loss), np.inf, loss)

    def measures(self) -> dict[str, float | str]:
        """Return momentum's loss after the last step.

        Returns
        -------
        dict
            What a goal may ask: ``"loss at the end"``.
        """
        return {"loss at the end": float(self.loss(self.path().w[-1]))}

    def picture(self) -> str:
        """Return both paths over the bowl's contours and an early velocity, as an ``<svg>``."""
        paths = "".join(
            f'<path d="{svg_path(self._pixels(trajectory.w))}" fill="none" stroke="currentColor" '
            f'stroke-linejoin="round" {look}/>'
            for trajectory, look in (
                (self.path(0), 'stroke-width="1.5" stroke-dasharray="5 4" stroke-opacity="0.7"'),
                (self.path(), 'stroke-width="2"'),
            )
        )
        [(x, y)] = self._pixels(np.array([self.start]))
        landscape = "a valley that bends" if self._valley else "an elongated bowl"
        label = (
            f"Two paths down {landscape}, drawn over its contours: "
            "momentum, solid, with its velocity as an arrow, and gradient descent, dashed."
        )
        body = (
            '<g fill="currentColor" fill-opacity="0.03" stroke="currentColor" '
            f'stroke-opacity="0.25">{self._contours()}</g>{paths}'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="currentColor"/>{self._arrow()}'
        )
        return svg_image(body, label=label)

    def summary(self) -> str:
        """Return where both paths end, in one sentence."""
        before, own, plain = (
            f"{loss:.3g}" if np.isfinite(loss) else "beyond 10³⁰⁸"
            for loss in self.loss(np.array([self.start, self.path().w[-1], self.path(0).w[-1]]))
        )
        landscape = (
            "In Rosenbrock’s valley ((x − 8)²/κ + (y + 4 − x²/8)²)/10 with steepness"
            if self._valley
            else "On the bowl ½(x²/κ + y²) with condition number"
        )
        return (
            f"{landscape} κ = {self.condition_number:.4g}, "
            f"{self.num_steps} steps of size α = {self.lr:.4g} take momentum μ = "
            f"{self.momentum:.4g} (solid) from a loss of {before} to {own}, "
            f"and gradient descent (dashed) to {plain}."
        )

    def _contours(self) -> str:
        if not (valley := self._valley):
            return "".join(
                f'<ellipse cx="320" cy="160" rx="{rx:.1f}" ry="{ry:.1f}"/>'
                for loss in _CONTOURS
                for rx, ry in [_SCALE * np.sqrt(2 * loss / self.curvatures)]
            )
        # A little wider than the picture: no line is drawn along its edge.
        ends = np.array([-_RIGHT - 1, _RIGHT + 1])
        lines = (valley.contour(loss, ends) for loss in _CONTOURS)
        return "".join(f'<path d="{svg_path(self._places(line))}Z"/>' for line in lines)

    def _arrow(self) -> str:
        path = self.path()
        t = min(_SHOWN, self.num_steps)
        (x, y), (dx, dy) = path.w[t], _SCALE * path.v[t] * (1, -1)
        length = float(np.hypot(dx, dy))
        if not (length >= 3 and abs(x) <= _RIGHT and abs(y) <= _TOP):  # NaN too
            return ""
        [(left, top)] = self._pixels(path.w[t : t + 1])
        angle = np.degrees(np.arctan2(dy, dx))
        head = min(9, length / 2)
        tip, barb, half = f"{length:.1f}", f"{length - head:.1f}", f"{head / 2:.1f}"
        return (
            f'<g transform="translate({left:.1f},{top:.1f}) rotate({angle:.1f})" '
            'fill="currentColor" stroke="currentColor" stroke-width="3">'
            f'<circle r="3"/><line x2="{tip}"/>'
            f'<polyline points="{barb},-{half} {tip},0 {barb},{half}" fill="none"/>'
            f'</g><text x="{min(max(left + dx + 8, 4), 560):.1f}" '
            f'y="{min(max(top + dy, 16), 312):.1f}" fill="currentColor" '
            'font-size="15" font-style="italic">velocity v</text>'
        )

    def _pixels(self, w: np.ndarray) -> list[tuple[float, float]]:
        """Return the points of shape (n, 2) in pixels, up to the first one far outside."""
        end = (40 if self._valley else 4) * _RIGHT
        far = np.flatnonzero(~(np.abs(w).max(axis=1) <= end))  # NaN too
        visible = w[: far[0] + 1] if far.size else w
        return self._places(visible)

    def _places(self, w: np.ndarray) -> list[tuple[float, float]]:
        """Return all the points of shape (n, 2) in pixels."""
        return [((_RIGHT + x) * _SCALE, (_TOP - y) * _SCALE) for x, y in w]
