"""The loop that ``train_model`` grew from: what it is tested against, and timed beside."""

from torch import Tensor, nn
from torch.optim import Optimizer


def original_loop(
    model: nn.Module,
    optimizer: Optimizer,
    criterion: nn.Module,
    x_train: Tensor,
    y_train: Tensor,
    bs: int,
    num_epochs: int,
) -> list[float]:
    """Train as the notebook did that the course grew from, in order; return what it printed."""
    n = len(x_train)
    means = []
    model.train()
    for _ in range(num_epochs):
        running_loss = 0.0
        for i in range((n - 1) // bs + 1):
            start_i = i * bs
            end_i = start_i + bs
            images = x_train[start_i:end_i]
            labels = y_train[start_i:end_i]

            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()

            running_loss += loss.item()
        means.append(running_loss / (i + 1))
    return means
