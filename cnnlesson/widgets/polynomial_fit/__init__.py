"""The figure `PolynomialFit`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.polynomial_fit.polynomial_fit import PolynomialFit

__all__ = ["PolynomialFit"]
