"""Measured trainings of the real network: one, many, and what is read off them.

The course's own measurements lie in `measured`; `python -m cnnlesson.experiments` makes them.
No pictures here.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
