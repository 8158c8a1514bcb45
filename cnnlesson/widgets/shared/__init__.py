"""What several figures need: settings, the frame of a figure, its controls and its plots.

Nothing here knows a particular figure.
"""
