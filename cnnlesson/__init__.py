"""One small convolutional network for handwritten digits, and momentum: the course's package."""
