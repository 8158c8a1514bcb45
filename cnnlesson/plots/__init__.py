"""Results as pictures. Each function draws on one Matplotlib Axes and returns it.

Nothing is computed here but where things go on the paper, and nothing is shown unasked.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
