"""Answers to the chapters' exercises are looked at: what is off is said, what is right is not.

A module for each chapter, and `check`, which knows them all. Nothing is drawn here, no network is
trained but by a learner's own function, and no docstring shows an answer.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
