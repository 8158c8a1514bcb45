"""The figure `EigenBasis`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.eigen_basis.eigen_basis import EigenBasis

__all__ = ["EigenBasis"]
