"""The figure `TrainingLab`: its Python, its JavaScript, its style, and the kernel that trains."""
