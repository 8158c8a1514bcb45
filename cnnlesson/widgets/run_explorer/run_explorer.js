// Measured trainings of the real network: a map of their accuracy to tap, and every seed's losses.
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { listSlider, nearest } from "../shared/list_slider.js";
import { SIGNS } from "../shared/map_cells.js";
import { inDigits } from "../shared/numbers.js";
import { unpack } from "./packed_runs.js";
import { fateOf, LINES, paths, runMap } from "./run_map.js";

const SLIDERS = {
  lr: ["step size", "α"],
  momentum: ["momentum", "μ"],
  batch_size: ["batch size", ""]
};
/** @type {Record<string, [string, Record<string, string>]>} */
const CHOICES = {
  pixels: ["pixels", { raw: "raw, 0 to 255", unit: "0 to 1", standardized: "standardised" }],
  order: ["images", { shuffled: "shuffled", sorted: "sorted by class" }]
};
const KINDS = { completed: "path momentum", dead: "path plain", diverged: "path run-diverged" };

/** Return what runs have in common. In their median a diverged one is worse than any other. */
function summarise({ lr, momentum, runs }) {
  const count = (word) => runs.filter(({ status }) => status === word).length;
  const ranks = runs.map(({ accuracy }) => accuracy ?? -Infinity).sort((a, b) => a - b);
  const median = (ranks[(ranks.length - 1) >> 1] + ranks[ranks.length >> 1]) / 2;
  const reached = ranks.filter(Number.isFinite);
  return {
    lr,
    momentum,
    runs,
    reached,
    diverged: count("diverged"),
    dead: count("dead"),
    median: median < 0 ? null : median
  };
}

/** Return the axes at this scale of pixels, the map's cells, the chosen one, α along two lines. */
export function compute({ runs: table, lr, momentum, batch_size, pixels, order }) {
  const own = unpack(table).filter((cell) => cell.pixels === pixels);
  const axes = Object.fromEntries(
    [...Object.keys(SLIDERS), "order"].map((name) => [
      name,
      table[name].filter((value) => own.some((cell) => cell[name] === value))
    ])
  );
  const cells = own
    .filter((cell) => cell.batch_size === batch_size && cell.order === order)
    .map(summarise);
  const cell = cells.find((other) => other.lr === lr && other.momentum === momentum) ?? null;
  const along = (sign) =>
    axes.momentum.map((other) => (lr * (1 + sign * other)) / (1 + sign * momentum));
  return { axes, cells, cell, effective: lr / (1 - momentum), lines: [along(-1), along(1)] };
}

/**
 * Return changes that lead to the measured cell nearest to these settings: in places on the axes,
 * and with another order of images only where there is no way round. `kept`, which the reader
 * chose, stays, and so do the pixels.
 */
export function toMeasured(state, kept) {
  const { axes } = compute(state);
  const ranked = Object.keys(SLIDERS);
  const place = (name, value) => axes[name].indexOf(nearest(axes[name], value));
  const far = (cell) =>
    ranked.reduce(
      (sum, name) => sum + Math.abs(place(name, cell[name]) - place(name, state[name])),
      cell.order === state.order ? 0 : 99
    );
  const own = unpack(state.runs).filter(
    (cell) => cell.pixels === state.pixels && (kept === "pixels" || cell[kept] === state[kept])
  );
  const best = own.reduce((one, other) => (far(other) < far(one) ? other : one));
  return Object.fromEntries([...ranked, "order"].map((name) => [name, best[name]]));
}

/** Return a title and three lines. */
function describe({ axes, cells, cell, effective }) {
  const last = `Effective step α/(1−μ) = ${inDigits(effective)}.`;
  const all = axes.lr.length * axes.momentum.length;
  const measured = `${cells.length} of this map’s ${all} cells were measured.`;
  if (!cell) return [fateOf(cell), "No run was made with these settings.", measured, last];
  const { runs, diverged, dead, reached } = cell;
  const seeds = (count) => `${count} ${count === 1 ? "seed" : "seeds"}`;
  const range = [...new Set([reached[0], reached.at(-1)])]
    .map((value) => value?.toFixed(3))
    .join(" to ");
  const fates = [
    [diverged, "diverged"],
    [dead, "dead: one answer to all"]
  ]
    .filter(([count]) => count)
    .map(([count, fate]) => `${count} of ${seeds(runs.length)} ${fate}.`);
  return [
    fateOf(cell),
    range && `${seeds(reached.length)}: test accuracy ${range}.`,
    fates.join(" "),
    last
  ];
}

/** A loss as a table keeps it: in 64 levels, some 15 % apart, and none beyond the outermost. */
function roughly(loss, { low, high }) {
  const written = String(Number(loss.toPrecision(2)));
  if (loss > 0.99 * high) return `≥ ${written}`;
  return loss < 1.01 * low ? `≤ ${written}` : `≈ ${written}`;
}

function render({ model, el }) {
  const self = figure({ model, el }, "Run explorer");
  self.root.classList.add("run-explorer");
  const { runs: table } = self.state();
  const stage = add(self.root, "div", { class: "stage" });
  const [upper, lower] = ["", " readouts"].map((name) =>
    add(stage, "div", { class: `columns${name}` })
  );
  const [left, story, controls] = [upper, lower, lower].map((parent) =>
    add(parent, "div", { class: "run-part" })
  );
  const map = runMap(self, left);
  add(left, "p", { class: "run-hint" }, "× diverged · ○ dead · blank: not measured");
  const chart = self.plot(upper, {
    label: "The loss of every seed over its training",
    isImage: true,
    height: () => map.height() + 32,
    margin: [28, 10, 38, 44]
  });
  const [guess] = paths(chart.inside, "rest");
  /** @type {[string, Element][]} */
  const curves = Object.entries(KINDS).map(([status, name]) => [
    status,
    paths(chart.inside, name)[0]
  ]);
  const note = add(chart.inside, "text", { class: "note", "text-anchor": "end" }, "ln 10: a guess");
  const ends = paths(chart.svg, "halo", "edge");
  chart.legend(
    "",
    Object.entries(KINDS).map(([status, name]) => [name, status])
  );

  const card = add(story, "p");
  const words = ["b", "span", "span", "span"].map((tag) => add(card, tag));
  const boxes = ["α/(1−μ), the effective step", "α/(1+μ), as in quadratic theory"].map(
    (text, i) => {
      const label = add(story, "label", { class: "run-check" });
      const box = add(label, "input", { type: "checkbox", name: `line-${i}` });
      const sample = add(label, "svg", { width: 28, height: 10, "aria-hidden": "true" });
      add(sample, "path", { class: `edge${i ? " run-dashed" : ""}`, d: "M0,5h28" });
      add(label, "span", {}, text);
      box.addEventListener("change", () =>
        self.set({ lines: LINES[LINES.indexOf(model.get("lines")) ^ (1 << i)] })
      );
      return box;
    }
  );
  self.resetButton(add(story, "div", { class: "buttons" }));
  const sliders = Object.entries(SLIDERS).map(([name, [label, symbol]]) => ({
    name,
    ...listSlider(self, controls, name, { label, symbol })
  }));
  const choices = Object.entries(CHOICES).map(([name, [label, names]]) => {
    return self.choice(controls, name, { label, names });
  });
  const hint = "Where nobody measured, the other settings go to the nearest that was measured.";
  const following = add(controls, "p", { class: "run-hint" }, hint);
  // The list or the slider has set its own first.
  const follow = (control, event, name) =>
    control.addEventListener(event, () => self.set(toMeasured(self.state(), name)));
  for (const { name, input } of sliders) follow(input, "input", name);
  Object.keys(CHOICES).forEach((name, i) => follow(choices[i], "change", name));

  /** Of all seeds that came so far, the highest loss, the one in the middle and the lowest. */
  function readCurves(runs) {
    /** @type {Map<number, number[]>} */
    const losses = new Map();
    for (const [step, loss] of runs.flatMap(({ curve }) => curve))
      losses.set(
        step,
        [...(losses.get(step) ?? []), Math.log10(loss)].sort((a, b) => b - a)
      );
    const parts = runs.length > 1 ? { highest: 0, median: 0.5, lowest: 1 } : { loss: 0 };
    chart.read(
      (step) => `step ${step.toLocaleString("en")}`,
      Object.entries(parts).map(([name, part]) => [
        name,
        [...losses].map(([step, all]) => {
          const at = part * (all.length - 1);
          return [step, (all[Math.floor(at)] + all[Math.ceil(at)]) / 2];
        })
      ]),
      (height) => roughly(10 ** height, table)
    );
  }

  function drawCurves(runs, steps) {
    const { low, high } = table;
    const height = (loss) => Math.log10(Math.min(Math.max(loss, low), high));
    const rows = [0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300].filter(
      (loss) => low <= loss && loss <= high
    );
    chart.frame({
      x: [0, steps],
      xLabel: "step",
      y: [height(low), height(high)],
      yLabel: "loss",
      rows: rows.map((loss) => [height(loss), String(loss)])
    });
    const line = (points) =>
      points.length ? chart.line(points.map(([step, loss]) => [step, height(loss)])) : "";
    set(guess, {
      d: line([
        [0, Math.log(10)],
        [steps, Math.log(10)]
      ])
    });
    set(note, { x: chart.x(steps) - 12, y: chart.y(height(Math.log(10))) - 5 });
    for (const [status, path] of curves) {
      set(path, {
        d: runs
          .filter((run) => run.status === status)
          .map(({ curve }) => line(curve))
          .join("")
      });
    }
    const d = runs
      .map(({ status, curve }) => {
        const [step, loss] = curve.at(-1) ?? [0, high]; // diverged before its first part ended
        return SIGNS[status](chart.x(step), chart.y(height(loss)));
      })
      .join("");
    for (const path of ends) set(path, { d });
    readCurves(runs);
  }

  let drawn = "";
  self.draw = (state) => {
    const result = compute(state);
    const key = [map.plot.width, state.batch_size, state.pixels, state.order].join();
    if (key !== drawn) map.drawCells(result.axes, result.cells);
    drawn = key;
    const texts = describe(result);
    texts.forEach((text, i) => setText(words[i], text));
    words[0].className = ["Diverged", "Dead"].includes(texts[0]) ? "bad" : "";
    map.drawChoice(result.cell, result.lines, state, texts[0]);
    drawCurves(
      result.cell?.runs ?? [],
      table.steps[table.batch_size.indexOf(nearest(table.batch_size, state.batch_size))]
    );
    boxes.forEach((box, i) => (box.checked = Boolean(LINES.indexOf(state.lines) & (1 << i))));
    for (const { name, row, move } of sliders) {
      row.hidden = result.axes[name].length < 2;
      move(result.axes[name], state[name]);
    }
    [table.pixels, result.axes.order].forEach((list, i) => (choices[i].hidden = list.length < 2));
    following.hidden = ![...sliders.map(({ row }) => row), ...choices].some((row) => !row.hidden);
    self.say(texts.join(" "));
  };
  return self.start();
}

export default { render };
