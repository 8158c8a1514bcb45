"""What stands for the panel where there is no kernel: two trainings that were run once."""

from cnnlesson.widgets.shared.examples import describe_examples, examples_picture

__all__ = ["still_panel"]


def still_panel() -> str:
    """Return the losses of the examples as a picture, a sentence on it, and where to train.

    Returns
    -------
    str
        HTML. Always the same.
    """
    return (
        f'<div class="cnnlesson-panel">\n{examples_picture()}\n<p>{describe_examples()}</p>\n'
        "<p>In a live notebook you set the sliders here, press Train and watch. To do that, "
        "open this chapter in Binder or Colab, with the rocket at the top of the page.</p>\n"
        "</div>"
    )
