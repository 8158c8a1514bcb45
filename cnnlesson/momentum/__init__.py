"""The mathematics of momentum: the three lines, and what a bowl or a bent valley does to them.

NumPy alone: no network, no picture, and no PyTorch but in the optimiser of `classical_sgd`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
