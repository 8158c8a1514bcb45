"""Questions and predictions of every kind, a goal, and chapters of them, for the tests."""

from cnnlesson.widgets import Goal, Prediction, Question, ShapeExplorer
from cnnlesson.widgets.shared.chapters import Chapter

AT = {"at": "After the figures"}

QUESTIONS = {
    "choose": Question.choose(
        "00-choose",
        "What does `max` keep?",
        right="The largest",
        because="It is the maximum.",
        wrong={"The mean": "That is mean-pooling.", "The first": "Order does not count."},
        **AT,
    ),
    "number": Question.number(
        "00-number",
        "How many parameters has `nn.Conv2d(3, 16, 5)`?",
        right=16 * 3 * 5 * 5 + 16,
        because="1200 weights and 16 biases.",
        wrong={1200: "The biases are missing.", 416: "The input has three channels."},
        otherwise="Begin with the weights of one kernel.",
        unit="parameters",
        **AT,
    ),
    "order": Question.order(
        "00-order",
        "One step of training: in which order?",
        first="empty the gradients",
        then={
            "compute the loss": "Old gradients would still be there.",
            "go backward": "There is no loss yet to go back from.",
            "change the weights": "There is no gradient yet.",
        },
        because="Each needs what the one before it left.",
        **AT,
    ),
    "line": Question.wrong_line(
        "00-line",
        "Which line is wrong?",
        code="for x, y in data:\n    loss = criterion(softmax(model(x)), y)\n    loss.backward()",
        right="loss = criterion(softmax(model(x)), y)",
        wrong={
            "for x, y in data:": "It visits every batch.",
            "loss.backward()": "It computes the gradients.",
        },
        because="The criterion contains a softmax of its own.",
        **AT,
    ),
    "print": Question.prints(
        "00-print",
        "print((28 - 3 + 1, (28 - 3 + 1) // 2))",
        wrong={"(28, 14)": "Without padding the border is lost."},
        otherwise="Count the places of the window.",
        because="26 places, and half of them.",
        **AT,
    ),
}
PREDICTIONS = {
    "choose": Prediction.choose("00-word", "Lower or higher?", ["lower", "the same", "higher"]),
    "slider": Prediction.slider(
        "00-share", "What share?", low=0, high=1, step=0.01, label="share of right answers"
    ),
    "curve": Prediction.curve(
        "00-edge",
        "How far does it learn?",
        columns=["0", "0.5", "0.9"],
        low=0.001,
        high=10,
        x_label="momentum μ",
        y_label="largest α",
        is_log=True,
    ),
}
TRUTHS = {"choose": "higher", "slider": 0.87, "curve": [0.5, 0.3, 0.02]}
SMALL = Goal(
    "00-small",
    "See 28×28 pixels with fewer than 2,000 parameters.",
    rules=[
        ("parameters", "<", 2000),
        ("receptive field", ">=", 28),
        ("dilation", "==", 1),
        ("output", "==", "10"),
    ],
    beyond="What it reads, only a training tells.",
)
EXPLORER = ShapeExplorer(goal=SMALL)
CHAPTERS = [Chapter(f"{i:02}", f"Part {i}", f"part_{i}.html", minutes=10 * i) for i in range(1, 13)]
ASKING = Chapter(
    *("00", "What is asked", "part_0.html", 5),
    predictions=[PREDICTIONS[kind].beside(TRUTHS[kind]).data() for kind in PREDICTIONS],
    questions=[question.data() for question in QUESTIONS.values()],
    goals=[
        {
            **SMALL.data(),
            "module": EXPLORER.module,
            "settings": EXPLORER.settings,
            "limits": EXPLORER._limits,
        }
    ],
)
