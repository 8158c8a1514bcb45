// Weights on a graph that momentum pulls to 1 from one node: news travels one edge a step at most.
import { optimum, rateOf, TOLERANCE, writeRate } from "../shared/bowl.js";
import { colourBar, diverging } from "../shared/colours.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { number } from "../shared/numbers.js";
import { player } from "../shared/player.js";

const HORIZON = 400; // steps in the chart of the error
/** Return the steps in which a rate shrinks the error to a fraction. */
const stepsTo = (fraction, rate) => Math.ceil(Math.log(fraction) / Math.log(rate) - TOLERANCE);

/** Return κ, the best settings without and with momentum, and for each the steps to ½ and ⅒. */
export function best([smallest, largest]) {
  const fastest = optimum(smallest, largest);
  const rates = [(largest - smallest) / (largest + smallest), Math.sqrt(fastest.momentum)];
  const steps = rates.map((rate) => [0.5, 0.1].map((fraction) => stepsTo(fraction, rate)));
  return {
    kappa: largest / smallest,
    steps,
    fastest,
    plain: { lr: 2 / (smallest + largest), momentum: 0 }
  };
}

/** Return the weights after the steps taken, and the largest error after each step. */
export function compute({ graphs, graph, num_steps, lr, momentum }) {
  const { edges, distances, curvatures } = graphs[graph];
  const w = distances.map((_, i) => (i ? 0 : 1));
  const v = w.map(() => 0);
  let weights = w;
  /** @type {number[]} */
  const errors = [];
  for (let t = 0; t <= HORIZON; t++) {
    errors.push(Math.max(...w.map((weight) => Math.abs(weight - 1))));
    // Beyond all numbers the last ones stay.
    if (t <= num_steps && w.every(Number.isFinite)) weights = [...w];
    const gradient = w.map(() => 0);
    for (const [i, j] of edges) {
      const pull = w[i] - w[j];
      gradient[i] += pull;
      gradient[j] -= pull;
    }
    for (let i = 1; i < w.length; i++) {
      // the first node is held at 1
      v[i] = momentum * v[i] - lr * gradient[i];
      w[i] += v[i];
    }
  }
  return {
    weights,
    errors,
    bound: (2 * (1 + momentum)) / curvatures[1],
    rate: Math.max(...curvatures.map((curvature) => rateOf(curvature, lr, momentum))),
    numReached: distances.filter((distance) => distance <= num_steps).length,
    farthest: Math.max(...distances)
  };
}

const MARKS = [0, 1, 2].map((at) => [at, String(at)]);
const SIDE = 8;
/** Return where a node is drawn: the path is a snake, the expander a ring. */
function place(graph, node) {
  const [row, column] = [Math.floor(node / SIDE), node % SIDE];
  if (graph !== "expander") return [graph === "path" && row % 2 ? SIDE - 1 - column : column, row];
  const turn = 2 * Math.PI * (node / SIDE ** 2 - 0.25);
  return [Math.cos, Math.sin].map((f) => ((SIDE - 1) / 2) * (1 + f(turn)));
}

function render({ model, el }) {
  const self = figure({ model, el }, "Descent on a graph");
  self.root.classList.add("graph-descent");
  const { graphs } = self.state();
  const stage = add(self.root, "div", { class: "stage" });
  const upper = add(stage, "div", { class: "columns" });
  const left = add(upper, "div");
  const map = add(left, "svg", { class: "graph", viewBox: "-0.6 -0.6 8.2 8.2", role: "img" });
  const ties = add(map, "path", { class: "tie" });
  const nodes = graphs.path.distances.map(() => add(map, "circle"));
  colourBar(left)(2);
  const side = add(upper, "div");
  const [wave, chart] = [
    "The weight of each node, by its distance from the first",
    "The largest error after each step, and a bound for every method"
  ].map((label) =>
    self.plot(side, { label, isImage: true, height: () => 142, margin: [26, 14, 38, 52] })
  );
  const paths = (plot, ...names) => names.map((name) => add(plot.inside, "path", { class: name }));
  const [dark, one, dots] = paths(wave, "shade", "mode", "dots momentum");
  const [now, bound, curve] = paths(chart, "rest", "edge", "path momentum");
  wave.legend("", [
    ["dots momentum sample-dot", "a node"],
    ["shade", "no news yet"]
  ]);
  chart.legend("", [
    ["path momentum", "largest error"],
    ["edge", "no method is lower"]
  ]);

  const lower = add(stage, "div", { class: "columns readouts" });
  const right = add(lower, "div", { class: "stacked" });
  const card = add(right, "p");
  const words = ["b", "span", "span"].map((tag) => add(card, tag));
  const table = add(right, "table", { class: "costs" });
  add(
    table,
    "caption",
    {},
    "At the best α and μ, in the long run: steps to halve the error again, and to divide it by ten"
  );
  const row = (cells, tag) => {
    const line = add(table, "tr");
    cells.forEach((text, i) => add(line, i ? tag : "th", {}, text));
    return line;
  };
  row(["graph", "κ", "gradient descent", "momentum"], "th");
  /** @type {[string, Element][]} */
  const rows = Object.entries(graphs).map(([name, { curvatures }]) => {
    const { kappa, steps } = best(curvatures);
    return [name, row([name, number(kappa, 0), ...steps.map((pair) => pair.join(", "))], "td")];
  });
  const controls = add(lower, "div");
  self.choice(controls, "graph", {
    label: "graph",
    names: { path: "path", grid: "grid, 8 × 8", expander: "expander: two random rings" }
  });
  player(self, controls, "num_steps", { label: "steps", show: String });
  const exact = { step: 0.001, show: (value) => number(value, 3) };
  const lr = self.slider(controls, "lr", { label: "step size", symbol: "α", ...exact });
  self.slider(controls, "momentum", { label: "momentum", symbol: "μ", ...exact });
  const buttons = add(controls, "div", { class: "buttons" });
  const ofGraph = () => best(graphs[self.state().graph].curvatures);
  self.button(buttons, "One step", () => ({
    num_steps: Math.min(self.state().num_steps + 1, HORIZON)
  }));
  self.button(buttons, "Best α and μ", () => ofGraph().fastest);
  self.button(buttons, "Best α, μ = 0", () => ofGraph().plain);
  self.resetButton(buttons);

  let drawn = "";
  function drawGraph(graph) {
    drawn = graph;
    const places = nodes.map((_, node) => place(graph, node));
    set(ties, { d: graphs[graph].edges.map(([i, j]) => `M${places[i]}L${places[j]}`).join("") });
    const r = graph === "expander" ? 0.16 : 0.24;
    nodes.forEach((node, i) =>
      set(node, { cx: places[i][0], cy: places[i][1], r: i ? r : r + 0.06 })
    );
  }

  self.draw = (state) => {
    const { weights, errors, rate, bound: stable, numReached, farthest } = compute(state);
    const { distances } = graphs[state.graph];
    if (drawn !== state.graph) drawGraph(state.graph);
    nodes.forEach((node, i) => {
      const isSilent = distances[i] > state.num_steps;
      const fill = isSilent ? "var(--paper)" : `rgb(${diverging(weights[i] / 2)})`;
      set(node, { style: `fill: ${fill}`, class: isSilent ? "silent" : i ? "" : "pinned" });
    });
    wave.frame({
      x: [-0.5, farthest + 0.5],
      xLabel: "edges from the first node",
      y: [-0.6, 2.2],
      yLabel: "weight",
      rows: MARKS
    });
    chart.frame({ x: [0, HORIZON], xLabel: "step", y: [1e-3, 10], yLabel: "error", isLogY: true });
    const front = state.num_steps + 0.5;
    set(dark, {
      d: `${wave.line([
        [front, -9],
        [99, -9],
        [99, 9],
        [front, 9]
      ])}Z`
    });
    set(one, {
      d: wave.line([
        [-9, 1],
        [99, 1]
      ])
    });
    const isSeen = (/** @type {number[]} */ [, value]) => Math.abs(value) < 99;
    set(dots, { d: wave.dots(weights.map((weight, i) => [distances[i], weight]).filter(isSeen)) });
    const course = errors.map((error, t) => [t, error]);
    set(curve, { d: chart.line(course.filter(isSeen)) });
    chart.read((step) => `step ${step}`, [["largest error", course]]);
    const lost = chart.cut([course]);
    set(bound, {
      d: chart.line([
        [0, 1],
        [farthest, 1],
        [farthest, 1e-9]
      ])
    });
    set(now, {
      d: chart.line([
        [state.num_steps, 1e-9],
        [state.num_steps, 99]
      ])
    });
    lr.markLimit(stable);
    for (const [name, line] of rows) set(line, { class: name === state.graph ? "chosen" : "" });
    const error = errors[state.num_steps];
    const pace =
      rate > 1 - TOLERANCE ? "it does not shrink" : `a tenth every ${stepsTo(0.1, rate)}`;
    const texts = [
      `After ${state.num_steps} step${state.num_steps === 1 ? "" : "s"}: ` +
        `news in ${numReached} of ${SIDE ** 2} nodes`,
      `Largest error ${error < 1e4 ? number(error, 3) : "beyond 10⁴"}. ` +
        `No method gets below 1 before step ${farthest}.`,
      `In the long run error × ρ = ${writeRate(rate)} a step: ${pace}.`
    ];
    texts.forEach((text, i) => setText(words[i], text));
    words[2].className = rate > 1 - TOLERANCE ? "bad" : "";
    set(map, { "aria-label": `The ${state.graph} of 64 nodes, coloured by weight.` });
    self.say(`${texts[0]}. ${texts.slice(1).join(" ")}${lost}`);
  };
  return self.start();
}

export default { render };
