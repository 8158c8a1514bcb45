// The losses of several trainings, the newest while it trains, and a table that names them.

import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { powerOfTen } from "../shared/numbers.js";

const GUESS = Math.log10(Math.log(10)); // of the loss when each of ten digits is as likely
const APART = 13; // pixels between two numbers at the curves' ends
const HEADINGS = ["training", "test accuracy", "mean loss", "seconds"];

/**
 * The curves with the logarithm of their losses, and the domains that hold them all. Whole powers
 * of ten, at least from 0.1 to 10, and no lower than a loss of 0.0001.
 */
export function compute({ finished, current }) {
  const log = ([x, y]) => [x, Math.log10(Math.max(y, 1e-4))];
  const given = current.number ? [...finished, current] : finished;
  const curves = given.map(({ points, line, ...rest }) => ({
    ...rest,
    points: points.map(log),
    line: line.map(log)
  }));
  const heights = curves.flatMap(({ points }) => points.map(([, y]) => y));
  return {
    curves,
    x: [0, curves.length ? Math.max(...curves.map((curve) => curve.end)) : 6000],
    y: [Math.floor(Math.min(-1, ...heights)), Math.ceil(Math.max(1, ...heights))]
  };
}

/** Move heights apart, from the top down, so that no two are nearer than APART; then up again. */
export function spread(heights, bottom) {
  const order = heights.map((_, i) => i).sort((i, j) => heights[i] - heights[j]);
  const moved = [...heights];
  for (let k = 1; k < order.length; k++) {
    moved[order[k]] = Math.max(moved[order[k]], moved[order[k - 1]] + APART);
  }
  let free = bottom;
  for (const i of [...order].reverse()) {
    moved[i] = Math.min(moved[i], free);
    free = moved[i] - APART;
  }
  return moved;
}

const power = (exponent) =>
  Math.abs(exponent) < 3 ? String(10 ** exponent) : powerOfTen(exponent);

let numNamed = 0;

/** Name the sliders of ipywidgets, which have none, by their label and the value it shows. */
function nameSliders(panel) {
  for (const handle of panel?.querySelectorAll(".noUi-handle:not([aria-labelledby])") ?? []) {
    const row = handle.closest(".widget-inline-hbox");
    const parts = [...row.querySelectorAll(".widget-label, .widget-readout")];
    for (const part of parts) part.id ||= `cnnlesson-name-${++numNamed}`;
    set(handle, { "aria-labelledby": parts.map((part) => part.id).join(" ") });
  }
}

function render({ model, el }) {
  const self = figure({ model, el }, "The losses of the trainings");
  self.root.classList.add("loss-plot");
  const words = add(self.root, "p", { class: "result" });
  const plot = self.plot(self.root, {
    label: "The loss against the images seen so far, a curve for each training",
    isImage: true,
    height: (width) => Math.min(280, Math.max(200, 0.5 * width)),
    margin: [10, 30, 38, 52]
  });
  const guess = add(plot.inside, "path", { class: "guess" });
  const guessing = add(
    plot.inside,
    "text",
    { class: "note", "text-anchor": "end" },
    "ln 10: a guess"
  );
  const lines = add(plot.inside, "g");
  const ends = add(plot.svg, "g", { "aria-hidden": "true" });
  const table = add(add(self.root, "div", { class: "scroll" }), "table");
  const head = add(add(table, "thead"), "tr");
  for (const text of HEADINGS) add(head, "th", { scope: "col" }, text);
  const body = add(table, "tbody");

  const drawn = new Map(); // by the number of the training
  const colour = (number) => `training colour${(number - 1) % 8}`;

  function elementsOf({ number }) {
    if (!drawn.has(number)) {
      const group = add(lines, "g", { class: colour(number) });
      const row = add(body, "tr");
      const title = add(row, "th", { scope: "row" });
      const sample = add(title, "svg", {
        class: `sample ${colour(number)}`,
        width: 22,
        height: 10,
        "aria-hidden": "true"
      });
      add(sample, "path", { class: "line", d: "M1,5h20" });
      drawn.set(number, {
        points: add(group, "path", { class: "points" }),
        line: add(group, "path", { class: "line" }),
        end: add(ends, "text", { class: colour(number) }, String(number)),
        name: add(title, "span"),
        cells: HEADINGS.slice(1).map(() => add(row, "td")),
        all: [group, row]
      });
    }
    return drawn.get(number);
  }

  self.draw = (state) => {
    const { curves, x, y } = compute(state);
    const rows = [];
    const every = Math.ceil((y[1] - y[0]) / 8); // a network that diverges passes many powers of ten
    for (let exponent = y[0]; exponent <= y[1]; exponent += every)
      rows.push([exponent, power(exponent)]);
    plot.frame({ x, xLabel: "images seen", y, yLabel: "loss of a batch", rows });
    set(guess, {
      d: plot.line([
        [x[0], GUESS],
        [x[1], GUESS]
      ])
    });
    set(guessing, { x: plot.x(x[1]) - 6, y: plot.y(GUESS) - 6 });

    for (const [number, elements] of drawn) {
      if (curves.some((curve) => curve.number === number)) continue;
      [...elements.all, elements.end].forEach((element) => element.remove());
      drawn.delete(number);
    }
    const heights = curves.map(({ line }) => (line.length ? plot.y(line.at(-1)[1]) : 0));
    const moved = spread(heights, plot.box.y + plot.box.height);
    curves.forEach((curve, i) => {
      const elements = elementsOf(curve);
      const last = curve.line.at(-1);
      set(elements.points, { d: last ? plot.dots(curve.points) : "" });
      set(elements.line, { d: last ? plot.line(curve.line) : "" });
      set(elements.end, {
        x: last ? plot.x(last[0]) + 5 : 0,
        y: moved[i] + 4,
        visibility: last ? "visible" : "hidden"
      });
      setText(elements.name, `${curve.number}: ${curve.name}`);
      curve.cells.forEach((text, k) => setText(elements.cells[k], text));
    });
    table.hidden = !curves.length;
    setText(words, state.words);
    words.className = state.is_bad ? "result bad" : "result";
    if (state.is_news) self.say(state.words);
    nameSliders(self.root.closest(".cnnlesson-panel"));
  };
  return self.start();
}

export default { render };
