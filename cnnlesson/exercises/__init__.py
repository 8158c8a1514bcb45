"""Answers to the chapters' exercises are looked at: what is off is said, what is right is not.

A module for each chapter, and `check`, which knows them all. No network is trained here, nothing
is drawn, and no answer is written down where a docstring shows it.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
