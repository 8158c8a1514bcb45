"""The figure `ErrorMilestones`: its Python, its JavaScript, its style and its data."""

from cnnlesson.widgets.error_milestones.error_milestones import ErrorMilestones

__all__ = ["ErrorMilestones"]
