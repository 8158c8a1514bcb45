"""A tilted bowl: the path in the plane, and its two components along the eigenvectors."""

import numpy as np

from cnnlesson.momentum.descent import Trajectory, momentum_descent
from cnnlesson.momentum.iterates import quadratic_path
from cnnlesson.widgets.shared.cut import cut_marks
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.settings import Number, Point, Whole
from cnnlesson.widgets.shared.svg import svg_image, svg_path, svg_window

__all__ = ["EigenBasis"]

_FAR = 7  # the picture shows -7 to 7
_SCALE = 22  # pixels per unit in it
_HEIGHT = 9  # pixels per unit in the charts beside it
_HORIZON = 60  # steps in the charts: faint, the way still to go
_CONTOURS = [10 ** (exponent / 2) for exponent in range(4, -6, -1)]  # loss, two a decade


class EigenBasis(Figure, module="eigen_basis"):
    r"""Momentum on a bowl that does not lie along the axes.

    The Hessian is :math:`Q \Lambda Q^\top` with curvature 1/κ along the first eigenvector and 1
    along the second. The start is given in the basis of the eigenvectors, so it turns with the
    bowl: another angle is another path in w, of the same two components.

    Attributes
    ----------
    angle : float, default 30
        Direction of the first, flat eigenvector in degrees, -90 to 90, from the axis w₁.
    lr : float, default 0.5
        Step size α, 0.01 to 4.
    momentum : float, default 0.8
        Momentum μ, 0 to 0.99.
    condition_number : float, default 20
        Condition number κ, the ratio of the two curvatures, 1 to 100.
    num_steps : int, default 6
        Number of steps, 1 to 60.
    start : tuple of float, default (-5, 2.5)
        Where the path begins, along the two eigenvectors: -6 to 6 and -3 to 3.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.

    Examples
    --------
    >>> figure = EigenBasis(angle=90, num_steps=1)
    >>> figure.path().w[0]  # the start, in w
    array([-2.5, -5. ])
    """

    angle = Number(30.0, low=-90, high=90)
    lr = Number(0.5, low=0.01, high=4)
    momentum = Number(0.8, low=0, high=0.99)
    condition_number = Number(20.0, low=1, high=100)
    num_steps = Whole(6, low=1, high=60)
    start = Point((-5.0, 2.5), x=(-6, 6), y=(-3, 3))

    @property
    def curvatures(self) -> np.ndarray:
        """Curvature along the first and the second eigenvector, shape (2,)."""
        return np.array([1 / self.condition_number, 1.0])

    @property
    def eigenvectors(self) -> np.ndarray:
        """The matrix Q, an eigenvector each column, shape (2, 2)."""
        turn = np.exp(1j * np.radians(self.angle))
        return np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])

    def path(self) -> Trajectory:
        """Follow the path over the plane, by the gradient there.

        Returns
        -------
        Trajectory
            Points and velocities, shape (num_steps + 1, 2) each.
        """
        basis = self.eigenvectors
        hessian = basis @ np.diag(self.curvatures) @ basis.T
        return momentum_descent(
            lambda w: hessian @ w,
            basis @ self.start,
            lr=self.lr,
            momentum=self.momentum,
            num_steps=self.num_steps,
        )

    def components(self) -> np.ndarray:
        """Return both components after each step, in closed form.

        Returns
        -------
        numpy.ndarray, shape (num_steps + 1, 2)
            The coordinates along the two eigenvectors, signed.
        """
        steps = np.arange(self.num_steps + 1)
        start = np.array(self.start)
        return quadratic_path(
            self.curvatures, start, lr=self.lr, momentum=self.momentum, steps=steps
        ).w

    def picture(self) -> str:
        """Return the path over the bowl, and both components, as an ``<svg>``."""
        middle = _FAR * _SCALE

        def inside(w: np.ndarray) -> np.ndarray:
            far = np.flatnonzero(~(np.abs(w).max(axis=1) < 4 * _FAR))
            return w[: far[0] + 1] if far.size else w

        def on_map(w: np.ndarray) -> np.ndarray:
            return middle + _SCALE * inside(w) * [1, -1]

        whole = EigenBasis(**{**self.settings, "num_steps": _HORIZON})
        path, future = on_map(self.path().w), on_map(whole.path().w)
        x, y = path[0]
        radii = [_SCALE * np.sqrt(2 * loss / self.curvatures) for loss in _CONTOURS]
        contours = "".join(f'<ellipse rx="{rx:.1f}" ry="{ry:.1f}"/>' for rx, ry in radii)

        def curve(component: np.ndarray, base: int) -> str:
            seen = inside(component[:, None])[:, 0]
            steps = 360 + 270 * np.arange(len(seen)) / _HORIZON
            return svg_path(np.column_stack([steps, base - _HEIGHT * seen]))

        charts, lost = "", ""
        components = zip(whole.components().T, self.components().T, (83, 237), strict=True)
        for to_come, component, base in components:
            box = (360, base - _HEIGHT * _FAR, 270, 2 * _HEIGHT * _FAR)
            curves = (
                f'<path d="{curve(to_come, base)}" stroke-opacity="0.3"/>'
                f'<path d="{curve(component, base)}"/>'
                f'<path d="M360,{base}H630" stroke-opacity="0.3"/>'
            )
            course = np.column_stack([np.arange(_HORIZON + 1), to_come])
            marks, sentence = cut_marks([course], box=box, ends=((0, _HORIZON), (-_FAR, _FAR)))
            charts += svg_window(
                f'<g fill="none" stroke="currentColor" stroke-width="2">{curves}</g>{marks}', box
            )
            lost += sentence
        label = (
            "Left a path over a tilted bowl with its two eigenvectors; right the "
            f"path’s two components along them, over the steps.{lost}"
        )
        body = (
            f'<svg role="presentation" width="{2 * middle}" height="{2 * middle}">'
            f'<g transform="translate({middle},{middle}) rotate({-self.angle:.4g})" '
            'fill="currentColor" fill-opacity="0.03" stroke="currentColor" stroke-opacity="0.25">'
            f'{contours}<path d="M-300,0H300M0,-300V300" stroke-opacity="0.7"/></g>'
            '<g fill="none" stroke="currentColor" stroke-width="2">'
            f'<path d="{svg_path(future)}" stroke-opacity="0.3"/>'
            f'<path d="{svg_path(path)}"/></g>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="currentColor"/></svg>'
            f'{charts}<g fill="currentColor" font-size="14">'
            '<text x="360" y="14">along q₁, flat</text>'
            '<text x="360" y="168">along q₂, steep</text></g>'
        )
        return svg_image(body, label=label, size=(640, 310))

    def summary(self) -> str:
        """Return where the path and its components end, in one sentence."""
        # Adding 0 takes the sign from a zero.
        (x_1, x_2), (w_1, w_2) = (
            np.round(end, 3) + 0 for end in (self.components()[-1], self.path().w[-1])
        )
        return (
            f"On a bowl turned by {self.angle:.4g}° with condition number κ = "
            f"{self.condition_number:.4g}, after {self.num_steps} steps of size α = {self.lr:.4g} "
            f"with momentum μ = {self.momentum:.4g}, the components along the eigenvectors are "
            f"{x_1:.3g} and {x_2:.3g} at any angle, and at this one w is ({w_1:.3g}, {w_2:.3g})."
        )
