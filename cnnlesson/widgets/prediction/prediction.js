// What a reader says before the chapter answers; and later, what they said beside the truth.
import { hear, keep } from "../shared/answers.js";
import { addProse, choices, recallAndWarn, reply } from "../shared/asking.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { inDigits, number } from "../shared/numbers.js";
import { besides, curvePlot, isPossible, tell } from "../shared/told.js";

/** What is said beside the truth. */
export function compute(told) {
  return besides(told);
}

function chooser(self, { options }, keepIt) {
  const list = choices(self.root, options, {
    label: "Predictions",
    onChoose: (i) => {
      list.press(i);
      keepIt(options[i]);
    }
  });
  return (given) => list.press(options.indexOf(given));
}

function keepButton(self, onPress) {
  const button = add(add(self.root, "div", { class: "buttons" }), "button", { type: "button" });
  setText(button, "Keep this prediction");
  button.addEventListener("click", onPress);
}

function setter(self, { low, high, step, label, unit, decimals }, keepIt) {
  const middle = low + Math.round((high - low) / 2 / step) * step;
  self.setOwn("guess", middle, [low, high]);
  const show = (value) => number(value, decimals) + unit;
  self.slider(self.root, "guess", { label, step, show });
  keepButton(self, () => keepIt(Number(self.get("guess").toFixed(decimals))));
  return (given) => self.setOwn("guess", given);
}

function drawer(self, content, keepIt) {
  const { columns, low, high, isLog } = content;
  const middle = isLog ? Math.sqrt(low * high) : (low + high) / 2;
  const names = columns.map((_, i) => `height${i}`);
  for (const name of names) self.setOwn(name, middle, [low, high]);
  add(self.root, "p", {}, "Draw on the plot, or tap where the curve goes.");
  const { chart, draw } = curvePlot(self, self.root, content, "The curve that you draw", [
    ["path momentum", "your prediction"]
  ]);
  const handles = add(chart.inside, "path", { class: "dots momentum" });
  const put = (event) => {
    const { left, top } = chart.svg.getBoundingClientRect();
    const i = Math.round(chart.x.invert(event.clientX - left));
    const height = chart.y.invert(event.clientY - top);
    if (!names[i]) return;
    self.setOwn(names[i], Number(Math.min(Math.max(height, low), high).toPrecision(3)));
  };
  let isDrawing = false;
  chart.svg.classList.add("drawn-on");
  chart.svg.addEventListener("pointerdown", (event) => {
    isDrawing = event.pointerType !== "touch"; // a finger may mean to scroll
    if (isDrawing) {
      chart.svg.setPointerCapture(event.pointerId);
      put(event);
    }
  });
  chart.svg.addEventListener("pointermove", (event) => {
    if (isDrawing || (event.pointerType === "touch" && event.buttons)) put(event);
  });
  chart.svg.addEventListener("lostpointercapture", () => {
    isDrawing = false;
  });
  chart.svg.addEventListener("click", put);
  const fold = add(self.root, "details");
  add(fold, "summary", {}, "Set it point by point");
  columns.forEach((column, i) => {
    const step = isLog ? 0.05 : (high - low) / 100;
    self.slider(fold, names[i], { label: column, step, isLog, show: inDigits });
  });
  keepButton(self, () => keepIt(names.map((name) => Number(self.get(name).toPrecision(3)))));
  self.draw = () => {
    const heights = names.map(self.get);
    draw([heights]);
    set(handles, { d: chart.dots(heights.map((y, x) => [x, y])) });
  };
  return (given) => given.forEach((height, i) => self.setOwn(names[i], height));
}

const MAKERS = { choose: chooser, slider: setter, curve: drawer };

function ask(self, content) {
  addProse(add(self.root, "p", { class: "prompt" }), content.prompt);
  const told = () =>
    answering.say((box) =>
      add(
        box,
        "p",
        {},
        "Kept. You may change it until you know; further on it stands beside the truth."
      )
    );
  const keepIt = (given) => {
    keep(content.name, { given });
    told();
    answering.warn();
  };
  const show = MAKERS[content.kind](self, content, keepIt);
  const answering = reply(self.root);
  const kept = recallAndWarn(content.name, (given) => isPossible(content, given), answering);
  if (kept) {
    show(kept.given);
    told();
  }
}

function render({ model, el }) {
  const content = model.get("_data");
  const isTold = "truth" in content;
  const self = figure({ model, el }, isTold ? "Your prediction and the truth" : "Prediction");
  self.root.classList.add("asking");
  if (isTold) {
    self.draw = tell(self, self.root, content);
    self.undo.push(hear(self.redraw));
  } else ask(self, content);
  return self.start();
}

export default { render };
