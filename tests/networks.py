"""Networks as people write them: functions between the layers, branches, bare parameters."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class FunctionalLeNet(nn.Module):
    """The network of PyTorch's own MNIST example."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = self.dropout1(F.max_pool2d(x, 2))
        x = torch.flatten(x, 1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


class ResidualBlock(nn.Module):
    """As in torchvision: two convolutions, and a shortcut of its own where the size changes."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or before != after:
            conv = nn.Conv2d(before, after, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """A stem and two residual blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.block1, self.block2 = ResidualBlock(8, 8), ResidualBlock(8, 16, 2)
        self.fc = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2, 1)
        x = self.block2(self.block1(x))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Inception(nn.Module):
    """A cell of four branches, joined by their channels."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, 2, 1)
        self.three = nn.Sequential(
            nn.Conv2d(channels, 2, 1), nn.ReLU(), nn.Conv2d(2, 3, 3, padding=1)
        )
        self.five = nn.Sequential(
            nn.Conv2d(channels, 2, 1), nn.ReLU(), nn.Conv2d(2, 3, 5, padding=2)
        )
        self.pooled = nn.Conv2d(channels, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pooled(F.max_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([self.one(x), self.three(x), self.five(x), pooled], dim=1)


class UNet(nn.Module):
    """Down twice, up twice, with a bridge at each level."""

    def __init__(self) -> None:
        super().__init__()
        self.down1 = nn.Conv2d(1, 4, 3, padding=1)
        self.down2 = nn.Conv2d(4, 8, 3, padding=1)
        self.bottom = nn.Conv2d(8, 16, 3, padding=1)
        self.up2 = nn.ConvTranspose2d(16, 8, 2, 2)
        self.join2 = nn.Conv2d(16, 8, 3, padding=1)
        self.up1 = nn.ConvTranspose2d(8, 4, 2, 2)
        self.join1 = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first = F.relu(self.down1(x))
        second = F.relu(self.down2(F.max_pool2d(first, 2)))
        x = F.relu(self.bottom(F.max_pool2d(second, 2)))
        x = F.relu(self.join2(torch.cat([second, self.up2(x)], dim=1)))
        return self.join1(torch.cat([first, self.up1(x)], dim=1))


def transformer() -> nn.Module:
    """Return two layers as PyTorch has them."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2)


class Bare(nn.Module):
    """A parameter that no layer holds."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(72))
        self.layer = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * self.scale.mean()


class AllFunctions(nn.Module):
    """No layer at all."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(2, 1, 3, 3))
        self.weight = nn.Parameter(torch.ones(10, 18))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(F.conv2d(x, self.kernel, stride=2, padding=1))
        x = F.avg_pool2d(x, (2, 2))
        return F.linear(x.reshape(len(x), -1), self.weight)


class Shared(nn.Module):
    """One layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        return self.last(self.layer(self.layer(x)))


class TwoInputs(nn.Module):
    """Two inputs, one by name; a dict of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.join = nn.Bilinear(4, 3, 5)

    def forward(self, a, *, b):
        return {"joined": self.join(a, b), "pair": (a, [b])}


def noisy() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3)
    )
