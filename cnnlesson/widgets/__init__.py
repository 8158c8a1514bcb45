"""Interactive figures: one folder each, with its Python class and its JavaScript module.

What several of them need stands in `shared`. A figure computes what it shows from the rooms above;
no other room imports this one.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
