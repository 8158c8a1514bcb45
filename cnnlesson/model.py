"""The two networks of the course."""

from torch import Tensor, nn

__all__ = ["AlexNet", "ConvNet"]


class ConvNet(nn.Module):
    """The small convolutional network this course is about.

    Two convolutions, each followed by ReLU and max-pooling, then one fully connected layer.
    The shapes beside the layers are for one 28×28 image, batch dimension left out.

    Parameters
    ----------
    num_classes : int, default 10
        Number of classes, at least 1. With 10 the network has 34,826 parameters.

    Attributes
    ----------
    layers : torch.nn.Sequential
        The eight layers, in order of execution.

    Notes
    -----
    The output is *logits*: one real number per class, not yet probabilities.
    ``torch.nn.CrossEntropyLoss`` expects logits, since it applies the softmax itself.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.layers = nn.Sequential(  #         1×28×28
            nn.Conv2d(1, 32, kernel_size=3),  # 32×26×26
            nn.ReLU(),
            nn.MaxPool2d(2),  #                 32×13×13
            nn.Conv2d(32, 64, kernel_size=3),  # 64×11×11
            nn.ReLU(),
            nn.MaxPool2d(2),  #                 64×5×5
            nn.Flatten(),  #                    1600
            nn.Linear(64 * 5 * 5, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of a batch of images.

        Parameters
        ----------
        x : torch.Tensor, shape (n, 1, 28, 28)
            Float images.

        Returns
        -------
        torch.Tensor, shape (n, num_classes)
            Logits.
        """
        return self.layers(x)


class AlexNet(nn.Module):
    """AlexNet, the network that made convolutions famous, for the chapter on shapes.

    The single-column form of [1]_, whose 61,100,840 parameters (for 1000 classes) are also those
    of PyTorch's own model zoo. The original of 2012 [2]_ split the same idea over two GPUs.

    Parameters
    ----------
    num_classes : int, default 1000
        Number of classes, at least 1.

    Attributes
    ----------
    layers : torch.nn.Sequential
        The layers, in order of execution. Build it under ``torch.device("meta")`` to trace its
        shapes without allocating its 233 MiB of weights.

    References
    ----------
    .. [1] A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks",
       arXiv:1404.5997, 2014.
    .. [2] A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep
       convolutional neural networks", NeurIPS 2012.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.layers = nn.Sequential(  #                                3×224×224
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),  #  64×55×55
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  #                              64×27×27
            nn.Conv2d(64, 192, kernel_size=5, padding=2),  #           192×27×27
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  #                              192×13×13
            nn.Conv2d(192, 384, kernel_size=3, padding=1),  #          384×13×13
            nn.ReLU(),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),  #          256×13×13
            nn.ReLU(),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),  #          256×13×13
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  #                              256×6×6
            nn.AdaptiveAvgPool2d(6),  #                                256×6×6
            nn.Flatten(),  #                                           9216
            nn.Dropout(),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of a batch of colour images.

        Parameters
        ----------
        x : torch.Tensor, shape (n, 3, height, width)
            Float images, at least 63 pixels high and wide; 224 is usual.

        Returns
        -------
        torch.Tensor, shape (n, num_classes)
            Logits.
        """
        return self.layers(x)
