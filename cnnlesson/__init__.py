"""One small convolutional network for handwritten digits, and momentum: the package of the course."""
