"""What the lesson stands on and no learner needs to read: checks of arguments, files, seeds.

Nothing here imports another room, and nothing here teaches.
"""
