"""The cheat sheet: one A4, and nothing on it that is not so."""

import math
import re

import numpy as np
import pytest
import torch
from building import ROOT
from figure_page import check_by_kind, check_within
from torch import nn

from cnnlesson import ConvNet, output_size, receptive_fields
from cnnlesson.momentum import (
    convert_lr,
    critical_momentum,
    max_stable_lr,
    momentum_descent,
    momentum_eigenvalues,
    optimal_lr,
    optimal_momentum,
    spectral_radius,
)

TEXT = (ROOT / "book" / "cheat_sheet.md").read_text("utf-8")
FORMULAS = list(dict.fromkeys(re.findall(r"\$([^$]+)\$", TEXT)))
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ")
]

# LaTeX as Python: each symbol becomes one letter, and what stands side by side is multiplied.
WORDS = {
    r"\\(?:left|right|[Bb]ig[lr]|,)": "",
    r"\\lambda_\{\\min\}": "l",
    r"\\lambda_\{\\max\}": "h",
    r"n_\\text\{in\}": "i",
    r"n_\\text\{out\}": "o",
    r"c_\\text\{in\}": "c",
    r"c_\\text\{out\}": "f",
    r"\\alpha": "α",
    r"\\mu": "μ",
    r"\\lambda": "λ",
    r"\\kappa": "κ",
    r"([bgmvw])_(?:\{t-1\}|t)": r"\1",
    r"\\lfloor": "floor(",
    r"\\rfloor": ")",
    r"\\frac\{([^{}]*)\}\{([^{}]*)\}": r"((\1)/(\2))",
    r"\\sqrt\{([^{}]*)\}": r"sqrt(\1)",
    r"\\sqrt\s*(\w)": r"sqrt(\1)",
    r"\\ln\s*(\w+)": r"log(\1)",
    r"\^": "**",
}
FUNCTIONS = {name: getattr(math, name) for name in ("floor", "sqrt", "log")}
TOKEN = re.compile(r"floor|sqrt|log|\d+(?:\.\d+)?|\*\*|\S")


def evaluate(latex, **values):
    """Return the value of a formula: of the formula itself, as it is printed."""
    for pattern, word in WORDS.items():
        latex = re.sub(pattern, word, latex)
    code = ""
    for token in TOKEN.findall(latex):
        is_product = re.match(r"[\w(]", token) and re.search(
            r"[\w)](?<!floor)(?<!sqrt)(?<!log)$", code
        )
        code += "*" * bool(is_product) + token
    return eval(code, {"__builtins__": {}}, {**FUNCTIONS, **values})


def right_of(start):
    """Return what the one formula that begins so is equal to."""
    [formula] = [formula for formula in FORMULAS if formula.startswith(start)]
    return formula.removeprefix(start)


def cell_of(row, column):
    [found] = [cells for cells in ROWS if cells[0] == row]
    return found[column].strip("$")


CASES = [(0.5, 0.03, 2.0), (0.9, 0.4, 1.7), (0.0, 0.1, 5.0)]  # μ, α, λ
ENDS = [(0.01, 1.0), (0.5, 30.0), (2.0, 2.5)]  # λ_min, λ_max


def test_the_reader_of_formulas_reads_them():
    assert evaluate(r"2p - d(k - 1)", p=3, d=2, k=4) == 0
    assert evaluate(r"\bigl((\sqrt\kappa - 1)/(\sqrt\kappa + 1)\bigr)^2", κ=9) == 0.25
    assert evaluate(r"\ln 10") == math.log(10)
    assert evaluate(r"\left\lfloor \frac{n + 1}{s} \right\rfloor + 1", n=6, s=2) == 4


@pytest.mark.parametrize("case", [(28, 3, 1, 0, 1), (13, 2, 2, 0, 1), (31, 5, 3, 2, 2)])
def test_the_size_of_an_output(case):
    n, k, s, p, d = case
    found = evaluate(right_of(r"n_\text{out} = "), n=n, k=k, s=s, p=p, d=d)
    layer = nn.Conv1d(1, 1, k, stride=s, padding=p, dilation=d)
    assert found == layer(torch.zeros(1, 1, n)).shape[-1] == output_size(n, k, s, p, d)
    assert nn.MaxPool2d(k).stride == k  # with s = k


def test_the_network_layer_by_layer():
    printed = [
        cells for cells in ROWS if re.match(r"`(Conv2d|MaxPool2d|Flatten|Linear)\(", cells[0])
    ]
    layers = [eval(f"nn.{name.strip('`')}") for name, *_ in printed]
    own = [layer for layer in ConvNet().layers if not isinstance(layer, nn.ReLU)]
    assert list(map(repr, layers)) == list(map(repr, own))
    x, sees = torch.zeros(1, 1, 28, 28), []
    for layer, (_, shape, parameters, _) in zip(layers, printed, strict=True):
        x = layer(x)
        assert list(x.shape[1:]) == [int(n) for n in shape.split(" × ")]
        count = sum(parameter.numel() for parameter in layer.parameters())
        assert count == int(parameters.replace(",", ""))
    fields = [(field.size, field.stride) for field in receptive_fields(nn.Sequential(*layers))]
    r = j = 1
    for layer in layers[:4]:
        k, s = (
            size if isinstance(size, int) else size[0] for size in (layer.kernel_size, layer.stride)
        )
        r = evaluate(right_of(r"r \leftarrow "), r=r, d=1, k=k, j=j)
        j = evaluate(right_of(r"j \leftarrow "), s=s, j=j)
        sees.append((r, j))
    assert sees == fields
    assert [field for *_, field in printed] == [*(str(r) for r, _ in sees), "", ""]
    assert "r = j = 1" in FORMULAS


def test_parameters():
    for k, c, f in ((3, 1, 32), (3, 32, 64), (5, 3, 7)):
        found = evaluate(r"(k^2 c_\text{in} + 1)\, c_\text{out}", k=k, c=c, f=f)
        assert found == sum(p.numel() for p in nn.Conv2d(c, f, k).parameters())
    assert evaluate(r"(n_\text{in} + 1)\, n_\text{out}", i=1600, o=10) == 16_010


def test_the_loss_and_its_gradient():
    torch.manual_seed(0)
    z = torch.randn(1, 10, dtype=torch.double, requires_grad=True)
    y = torch.tensor([3])
    p = z.exp() / z.exp().sum()  # as it is printed
    loss = nn.functional.cross_entropy(z, y)
    assert loss.item() == pytest.approx(-p[0, 3].log().item())
    loss.backward()
    assert torch.allclose(z.grad[0], p[0].detach() - nn.functional.one_hot(y, 10)[0])
    nothing = nn.functional.cross_entropy(torch.zeros(1, 10), y).item()
    assert evaluate(r"\ln 10") == pytest.approx(nothing)
    assert f"{nothing:.3f}" == "2.303"
    draws = np.random.default_rng(0).binomial(200, 0.9, size=100_000) / 200
    assert evaluate(r"\sqrt{p(1 - p)/n}", p=0.9, n=200) == pytest.approx(draws.std(), rel=0.01)


def bowl(w):
    return np.array([1.0, 0.2]) * w


@pytest.mark.parametrize(
    ("form", "convention"),
    [("classical", "classical"), ("PyTorch", "pytorch"), ("average", "average")],
)
def test_a_form_of_momentum_is_that_of_the_package_and_the_same_path(form, convention):
    (memory, step, same), μ, α = [cell_of(form, i) for i in (1, 2, 3)], 0.9, 0.3
    rate = evaluate(same, α=α, μ=μ)
    assert rate == pytest.approx(convert_lr(α, μ, source="classical", target=convention))
    w, name, kept = np.array([3.0, -2.0]), memory[0], np.zeros(2)
    expected = momentum_descent(bowl, w, lr=α, momentum=μ, num_steps=8).w
    for t in range(1, 9):
        kept = evaluate(memory.split("=")[1], **{name: kept}, g=bowl(w), α=rate, μ=μ)
        w = evaluate(step.split("=")[1], **{name: kept}, w=w, α=rate)
        assert w == pytest.approx(expected[t])


def test_nesterov_takes_another_path():
    memory, μ, α = cell_of("Nesterov", 1), 0.9, 0.3
    ahead = re.search(r"\\nabla L\((.*)\)", memory)
    plain = memory.replace(ahead[0], "g_t").split("=")[1]
    w, v = np.array([3.0, -2.0]), np.zeros(2)
    path = momentum_descent(bowl, w, lr=α, momentum=μ, num_steps=8, convention="nesterov").w
    for t in range(1, 9):
        v = evaluate(plain, v=v, g=bowl(evaluate(ahead[1], w=w, v=v, μ=μ)), α=α, μ=μ)
        w = evaluate(cell_of("Nesterov", 2).split("=")[1], w=w, v=v)
        assert w == pytest.approx(path[t])
    assert cell_of("Nesterov", 3) == "another path"
    other = momentum_descent(bowl, path[0], lr=α, momentum=μ, num_steps=8).w
    assert not np.allclose(path[-1], other[-1])


def test_the_table_of_momentum():
    momenta = [float(cell) for cell in cell_row(r"momentum $\mu$")]
    assert momenta == [0, 0.5, 0.9, 0.99]
    for start, formula in (("steps along", r"1/(1 - \mu)"), ("largest", r"2(1 + \mu)")):
        [cells] = [cells for cells in ROWS if cells[0].startswith(start)]
        assert formula in cells[0]
        assert [float(cell) for cell in cells[1:]] == pytest.approx(
            [evaluate(formula, μ=μ) for μ in momenta]
        )
    [cells] = [cells for cells in ROWS if cells[0].startswith("steps until")]
    halves = [0, *(evaluate(r"\ln 2/(-\ln \mu)", μ=μ) for μ in momenta[1:])]
    assert cells[1:] == [f"{half:.2g}" for half in halves]
    assert all(
        μ**half == pytest.approx(0.5) for μ, half in zip(momenta[1:], halves[1:], strict=True)
    )
    # A steady slope: the last step beside that of gradient descent.
    for μ in momenta:
        path = momentum_descent(lambda w: np.ones(1), np.zeros(1), lr=1, momentum=μ, num_steps=3000)
        assert -path.v[-1, 0] == pytest.approx(evaluate(r"1/(1 - \mu)", μ=μ))


def cell_row(first):
    return next(cells[1:] for cells in ROWS if cells[0] == first)


@pytest.mark.parametrize(("μ", "α", "λ"), CASES)
def test_what_converges_and_what_swings(μ, α, λ):
    assert cell_of("converges for", 1) == r"0 < \alpha < 2/\lambda_{\max}"
    limits = cell_of("converges for", 2).split("$, $")
    assert limits == [r"0 < \alpha < 2(1 + \mu)/\lambda_{\max}", r"0 \le \mu < 1"]
    most = evaluate(limits[0].split("<")[2], μ=μ, h=λ)
    assert most == pytest.approx(max_stable_lr(λ, μ))
    assert evaluate(r"2/\lambda_{\max}", h=λ) == max_stable_lr(λ, 0)
    assert spectral_radius(λ, 0.999 * most, μ) < 1 < spectral_radius(λ, 1.001 * most, μ)
    [formula] = [f for f in FORMULAS if f.startswith(r"(1 - \sqrt{\alpha\lambda})")]
    low, high = (evaluate(part, α=α, λ=λ) for part in formula.split(r" < \mu < "))
    assert low == pytest.approx(critical_momentum(λ, α))
    for momentum in np.linspace(0.001, 0.999, 60):
        swings = abs(np.imag(momentum_eigenvalues(λ, α, momentum))).max() > 1e-9
        assert swings == (low < momentum < high)
        if swings:
            rate = evaluate(r"\sqrt\mu", μ=momentum)
            assert rate == pytest.approx(spectral_radius(λ, α, momentum))


@pytest.mark.parametrize(("low", "high"), ENDS)
def test_the_best_of_both(low, high):
    plain, heavy = optimal_lr(low, high), optimal_momentum(low, high)
    κ = evaluate(right_of(r"\kappa = "), l=low, h=high)
    assert evaluate(cell_of(r"best $\alpha$", 1), l=low, h=high) == pytest.approx(plain.lr)
    assert evaluate(cell_of(r"best $\alpha$", 2), l=low, h=high) == pytest.approx(heavy.lr)
    assert evaluate(cell_of(r"best $\mu$", 2), κ=κ) == pytest.approx(heavy.momentum)
    assert evaluate(cell_of(r"best rate $\rho$", 1), κ=κ) == pytest.approx(plain.rate)
    assert evaluate(cell_of(r"best rate $\rho$", 2), κ=κ) == pytest.approx(heavy.rate)


def train_on(images=None, labels=None, *, grad=True):
    """Give the network what a learner might give it."""
    images = torch.zeros(64, 1, 28, 28) if images is None else images
    labels = torch.zeros(64, dtype=torch.long) if labels is None else labels
    with torch.set_grad_enabled(grad):
        loss = nn.functional.cross_entropy(ConvNet()(images), labels)
    loss.backward()


COLOURED, ROWS_OF_PIXELS = torch.zeros(64, 3, 28, 28), torch.zeros(64, 784)
MISTAKES = {
    "mat1 and mat2": lambda: nn.Linear(1600, 10)(torch.zeros(64, 2304)),
    "expected input": lambda: train_on(COLOURED),
    "Expected 3D": lambda: train_on(ROWS_OF_PIXELS),
    "Kernel size": lambda: train_on(torch.zeros(64, 1, 6, 6)),
    "expected target": lambda: train_on(labels=torch.zeros(64)),
    "element 0": lambda: train_on(grad=False),
}


def test_each_message_is_what_is_seen_and_its_way_out_leads_out():
    start = [cells[0] for cells in ROWS].index("what you see")
    seen = [cells[0] for cells in ROWS[start + 1 :]]
    messages = [text.strip("`") for text in seen if text.startswith("`")]
    assert len(messages) == len(MISTAKES)
    for message, (start, make) in zip(messages, MISTAKES.items(), strict=True):
        assert message.startswith(start)
        with pytest.raises(RuntimeError) as error:
            make()
        assert message in str(error.value)
    nn.Linear(2304, 10)(torch.zeros(64, 2304))
    train_on(eval("images.mean(1, keepdim=True)", {"images": COLOURED}))
    train_on(eval("images.reshape(-1, 1, 28, 28)", {"images": ROWS_OF_PIXELS}))
    train_on(labels=torch.zeros(64).long())
    ways = [cell_of(f"`{message}`", 2) for message in messages]
    assert [way for way in ways if way.startswith("`")] == [
        *("`Linear(2304, 10)`", "`images.mean(1, keepdim=True)`"),
        *("`images.reshape(-1, 1, 28, 28)`", "`labels.long()`"),
    ]


def test_what_says_nothing_shows_in_the_loss():
    torch.manual_seed(0)
    model, x, y = ConvNet(), torch.rand(100, 1, 28, 28), torch.arange(100) % 10
    with torch.no_grad():
        assert nn.functional.cross_entropy(model(x), y).item() == pytest.approx(2.303, abs=0.02)
        model.layers[3].bias.fill_(-100)  # every ReLU of the second layer is dead
        assert nn.functional.cross_entropy(model(x), y).item() == pytest.approx(2.303, abs=0.02)
    weights = momentum_descent(lambda w: w, np.ones(1), lr=3, momentum=0, num_steps=3000).w
    with np.errstate(over="ignore"):
        assert not np.isfinite((weights**2).sum())


def test_every_formula_was_computed():
    """A formula that is new here has no test yet."""
    symbols = re.compile(r"\\?\w+(?:\\lambda)?|r = j = 1|s = k|\\alpha\\lambda")
    in_tables = {cell for cells in ROWS for cell in cells}
    rest = [f for f in FORMULAS if not symbols.fullmatch(f) and f"${f}$" not in in_tables]
    known = [
        *(r"n_\text{out} = ", r"r \leftarrow ", r"j \leftarrow ", r"(k^2 c", r"(n_\text{in}"),
        *(
            r"p_k = e^{z_k} / \sum_j e^{z_j}",
            r"-\ln p_y",
            r"\partial L / \partial z_k = p_k - [k = y]",
        ),
        *(r"\ln 10 = 2.303", r"\sqrt{p(1 - p)/n}", r"1/(1 - \mu)", r"\ln 2/(-\ln \mu)"),
        *(r"2(1 + \mu)", r"\kappa = ", r"(1 - \sqrt{\alpha\lambda})", r"\sqrt\mu"),
        *(r"0 < \alpha < 2(1 + \mu)/", r"0 \le \mu < 1"),
    ]
    assert [f for f in rest if not f.startswith(tuple(known))] == []
    assert len(rest) == len(known)


@pytest.fixture
def sheet(book, open_page):
    return open_page((book / "book" / "cheat_sheet.html").as_uri(), 390, "dark")


def test_it_prints_on_one_a4(sheet):
    page = sheet.page
    pdf = page.pdf(format="A4")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    [[width, height]] = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert (float(width), float(height)) == pytest.approx((595.3, 841.9), abs=1)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1032})  # A4 inside its margins
    check_within(page)
    small = page.evaluate(
        """() => [...document.querySelectorAll("#cheat-sheet :is(p, td, th, code)")].filter((e) =>
            e.checkVisibility() && parseFloat(getComputedStyle(e).fontSize) < 9).length"""
    )
    assert small == 0  # 9 pixels are 6.75 points


def test_it_is_read_on_a_screen(sheet):
    check_within(sheet.page)
    check_by_kind(sheet.page)
    assert sheet.errors == []
