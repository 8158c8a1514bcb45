// Weights on a graph that momentum pulls to 1 from one node: news travels one edge a step at most.
import { TOLERANCE, optimum, rateOf } from "./bowl.js";
import { add, diverging, figure, number, set } from "./figure.js";

const HORIZON = 400; // steps in the chart of the error
/** Return the steps in which a rate shrinks the error to a fraction. */
const stepsTo = (fraction, rate) => Math.ceil(Math.log(fraction) / Math.log(rate) - TOLERANCE);

/** Return κ, the best settings without and with momentum, and for each the steps to ½ and ⅒. */
export function best([smallest, largest]) {
  const fastest = optimum(smallest, largest);
  const rates = [(largest - smallest) / (largest + smallest), Math.sqrt(fastest.momentum)];
  const steps = rates.map((rate) => [0.5, 0.1].map((fraction) => stepsTo(fraction, rate)));
  return { kappa: largest / smallest, steps, fastest, plain: { lr: 2 / (smallest + largest), momentum: 0 } };
}

/** Return the weights after the steps taken, and the largest error after each step. */
export function compute({ graphs, graph, num_steps, lr, momentum }) {
  const { edges, distances, curvatures } = graphs[graph];
  const w = distances.map((distance) => (distance ? 0 : 1));
  const v = w.map(() => 0);
  let weights;
  const errors = [];
  for (let t = 0; t <= HORIZON; t++) {
    errors.push(w.reduce((most, weight) => Math.max(most, Math.abs(weight - 1)), 0));
    if (t === num_steps) weights = [...w];
    const gradient = w.map(() => 0);
    for (const [i, j] of edges) {
      gradient[i] += w[i] - w[j];
      gradient[j] += w[j] - w[i];
    }
    distances.forEach((distance, i) => {
      if (!distance) return; // the node that is held at 1
      v[i] = momentum * v[i] - lr * gradient[i];
      w[i] += v[i];
    });
  }
  return {
    weights, errors,
    rate: Math.max(...curvatures.map((curvature) => rateOf(curvature, lr, momentum))),
    bound: (2 * (1 + momentum)) / curvatures[1],
    numReached: distances.filter((distance) => distance <= num_steps).length,
    farthest: Math.max(...distances),
  };
}

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
  const { graphs } = self.state();
  const upper = add(self.root, "div", { class: "columns" });
  const left = add(upper, "div");
  const map = add(left, "svg", { class: "graph", viewBox: "-0.6 -0.6 8.2 8.2", role: "img" });
  const ties = add(map, "path", { class: "tie" });
  const nodes = graphs.path.distances.map(() => add(map, "circle"));
  self.colourBar(left)(2);
  const side = add(upper, "div");
  const [wave, chart] = [
    "The weight of each node, by its distance from the first node",
    "The largest error after each step, and the bound below which no method can be",
  ].map((label) => self.plot(side, { label, isImage: true, height: () => 142, margin: [26, 14, 38, 52] }));
  const path = (plot, name) => add(plot.inside, "path", { class: name });
  const [dark, one, dots] = ["shade", "mode", "dots momentum"].map((name) => path(wave, name));
  const [now, bound, curve] = ["rest", "edge", "path momentum"].map((name) => path(chart, name));
  wave.legend("", [["dots momentum sample-dot", "a node"], ["shade", "no news yet"]]);
  chart.legend("", [["path momentum", "largest error"], ["edge", "no method is lower"]]);

  const lower = add(self.root, "div", { class: "columns readouts" });
  const right = add(lower, "div", { class: "stacked" });
  const card = add(right, "p");
  const words = ["b", "span", "span"].map((tag) => add(card, tag));
  const table = add(right, "table");
  add(table, "caption", {}, "Steps to halve the error, and to a tenth, at the best α and μ");
  const row = (cells, tag) => {
    const line = add(table, "tr");
    return cells.map((text, i) => add(line, i ? tag : "th", { scope: i ? "col" : "row" }, text))[0];
  };
  row(["graph", "κ", "gradient descent", "momentum"], "th");
  const names = Object.entries(graphs).map(([name, { curvatures }]) => {
    const { kappa, steps } = best(curvatures);
    return [name, row([name, number(kappa, 0), ...steps.map((pair) => pair.join(", "))], "td")];
  });
  const controls = add(lower, "div");
  self.choice(controls, "graph", { label: "graph", names: { path: "path", grid: "grid, 8 × 8", expander: "expander: two random rings" } });
  self.slider(controls, "num_steps", { label: "steps", step: 1, show: String });
  const lr = self.slider(controls, "lr", { label: "step size", symbol: "α", step: 0.001, show: (value) => number(value, 3) });
  self.slider(controls, "momentum", { label: "momentum", symbol: "μ", step: 0.001, show: (value) => number(value, 3) });
  const buttons = add(controls, "div", { class: "buttons" });
  const ofGraph = () => best(graphs[self.state().graph].curvatures);
  self.button(buttons, "One step", () => ({ num_steps: Math.min(self.state().num_steps + 1, HORIZON) }));
  self.button(buttons, "Best α and μ", () => ofGraph().fastest);
  self.button(buttons, "Best α, μ = 0", () => ofGraph().plain);
  self.resetButton(buttons);

  self.draw = (state) => {
    const { weights, errors, rate, bound: stable, numReached, farthest } = compute(state);
    const { edges, distances } = graphs[state.graph];
    const places = weights.map((_, node) => place(state.graph, node));
    set(ties, { d: edges.map(([i, j]) => `M${places[i]}L${places[j]}`).join("") });
    nodes.forEach((node, i) => {
      const isSilent = distances[i] > state.num_steps;
      const fill = isSilent ? "var(--paper)" : `rgb(${diverging(weights[i] / 2 || 0)})`;
      const kind = i ? (isSilent ? "silent" : "") : "pinned";
      const r = (state.graph === "expander" ? 0.16 : 0.24) + (i ? 0 : 0.06);
      set(node, { cx: places[i][0], cy: places[i][1], r, style: `fill: ${fill}`, class: kind });
    });
    wave.frame({ x: [-0.5, farthest + 0.5], xLabel: "edges from the first node", y: [-0.6, 2.2], yLabel: "weight", rows: [0, 1, 2].map((at) => [at, String(at)]) });
    chart.frame({ x: [0, HORIZON], xLabel: "step", y: [1e-3, 10], yLabel: "error", isLogY: true });
    const front = state.num_steps + 0.5;
    set(dark, { d: `${wave.line([[front, -9], [99, -9], [99, 9], [front, 9]])}Z` });
    set(one, { d: wave.line([[-9, 1], [99, 1]]) });
    const isSeen = ([, value]) => Math.abs(value) < 99;
    set(dots, { d: wave.dots(weights.map((weight, i) => [distances[i], weight]).filter(isSeen)) });
    const points = errors.map((error, t) => [t, error]).filter(isSeen);
    set(curve, { d: chart.line(points) });
    set(bound, { d: chart.line([[0, 1], [farthest, 1], [farthest, 1e-9]]) });
    set(now, { d: chart.line([[state.num_steps, 1e-9], [state.num_steps, 99]]) });
    lr.markLimit(stable);
    for (const [name, cell] of names) set(cell.parentNode, { class: name === state.graph ? "chosen" : "" });
    const error = errors[state.num_steps];
    const factor = `In the long run error × ρ = ${number(rate, 3)} a step`;
    const pace = rate > 1 - TOLERANCE ? ": it does not shrink." : `: a tenth every ${stepsTo(0.1, rate)}.`;
    const texts = [
      `After ${state.num_steps} steps: news in ${numReached} of ${SIDE ** 2} nodes`,
      `Largest error ${error < 1e4 ? number(error, 3) : "beyond 10⁴"}. No method gets below 1 before step ${farthest}.`,
      factor + pace,
    ];
    texts.forEach((text, i) => (words[i].textContent = text));
    words[2].className = rate > 1 - TOLERANCE ? "bad" : "";
    set(map, { "aria-label": `The ${state.graph} of 64 nodes, coloured by weight: ${numReached} have news.` });
    self.say(`${texts[0]}. ${texts.slice(1).join(" ")}`);
  };
  return self.start();
}

export default { render };
