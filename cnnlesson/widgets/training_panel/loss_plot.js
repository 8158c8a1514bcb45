// The losses of several trainings, the newest while it trains, and a table that names them.

import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { curveSample, logarithmic, lossCurves } from "../shared/loss_curves.js";

const HEADINGS = ["training", "test accuracy", "mean loss", "seconds"];

/** The curves, and the domains that hold them all. */
export function compute({ finished, current }) {
  const given = current.number ? [...finished, current] : finished;
  return logarithmic(given.map(({ line, ...rest }) => ({ ...rest, lines: [line] })));
}

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
  const losses = lossCurves(self, self.root);
  const table = add(add(self.root, "div", { class: "scroll" }), "table");
  const head = add(add(table, "thead"), "tr");
  for (const text of HEADINGS) add(head, "th", { scope: "col" }, text);
  const body = add(table, "tbody");
  const drawn = new Map(); // by the number of the training

  function rowOf({ number }) {
    if (!drawn.has(number)) {
      const row = add(body, "tr");
      const title = add(row, "th", { scope: "row" });
      curveSample(title, number);
      const name = add(title, "span");
      drawn.set(number, { row, name, cells: HEADINGS.slice(1).map(() => add(row, "td")) });
    }
    return drawn.get(number);
  }

  self.draw = (state) => {
    const domains = compute(state);
    const { curves } = domains;
    losses.show(domains);
    for (const [number, { row }] of drawn) {
      if (curves.some((curve) => curve.number === number)) continue;
      row.remove();
      drawn.delete(number);
    }
    for (const curve of curves) {
      const { name, cells } = rowOf(curve);
      setText(name, `${curve.number}: ${curve.name}`);
      curve.cells.forEach((text, k) => setText(cells[k], text));
    }
    table.hidden = !curves.length;
    setText(words, state.words);
    words.className = state.is_bad ? "result bad" : "result";
    if (state.is_news) self.say(state.words);
    nameSliders(self.root.closest(".cnnlesson-panel"));
  };
  return self.start();
}

export default { render };
