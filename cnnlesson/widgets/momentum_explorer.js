// Momentum beside gradient descent on the bowl ½(x²/κ + y²).
import { add, figure, number, set } from "./figure.js";

function rateOf(curvature, lr, momentum) {
  const trace = 1 + momentum - lr * curvature; // of the matrix of one step; its determinant is μ
  const discriminant = trace ** 2 - 4 * momentum;
  return discriminant < 0 ? Math.sqrt(momentum) : (Math.abs(trace) + Math.sqrt(discriminant)) / 2;
}

function descend(curvatures, start, lr, momentum, numSteps) {
  const w = [start];
  let v = [0, 0];
  for (let t = 1; t <= numSteps; t++) {
    const before = w[t - 1];
    v = v.map((speed, i) => momentum * speed - lr * (curvatures[i] * before[i]));
    w.push(before.map((position, i) => position + v[i]));
  }
  const rates = curvatures.map((curvature) => rateOf(curvature, lr, momentum));
  return {
    w,
    loss: w.map(([x, y]) => 0.5 * (curvatures[0] * x ** 2 + curvatures[1] * y ** 2)),
    rates, // per step, along the flat direction and the steep one
    rate: Math.max(...rates),
    bound: (2 * (1 + momentum)) / curvatures[1],
  };
}

/** Return both paths, their losses, rates and bounds, and the best α and μ for this κ. */
export function compute({ lr, momentum, condition_number, start, num_steps }) {
  const curvatures = [1 / condition_number, 1];
  const [flat, steep] = curvatures.map(Math.sqrt);
  return {
    curvatures,
    momentum: descend(curvatures, start, lr, momentum, num_steps),
    plain: descend(curvatures, start, lr, 0, num_steps),
    optimum: { lr: (2 / (flat + steep)) ** 2, momentum: ((steep - flat) / (steep + flat)) ** 2 },
  };
}

const TOLERANCE = 1e-9; // of a rate that is 1 but for rounding

/** Return in words how one path fares: a verdict, its numbers, what holds it back. */
function describe({ rate, rates: [flat, steep], bound }) {
  const distance = `Distance × ρ = ${number(rate, 3)} per step`;
  if (rate > 1 + TOLERANCE) return ["diverges", `${distance}: α is above ${number(bound)}.`, ""];
  if (rate > 1 - TOLERANCE) return ["never settles", `${distance}: α is exactly ${number(bound)}.`, ""];
  if (rate < TOLERANCE) return ["arrives at once", "ρ = 0: one step.", ""];
  const steps = Math.ceil(Math.LN10 / -Math.log(rate));
  const slower = `The ${flat > steep ? "flat" : "steep"} direction is slower.`;
  const pace = Math.abs(flat - steep) < 1e-6 ? "Both directions keep pace." : slower;
  return ["converges", `${distance}: a tenth every ${steps} steps.`, pace];
}

function render({ model, el }) {
  const self = figure({ model, el }, "Momentum explorer");
  const [[left, right], [bottom, top]] = self.limits.start;
  const runs = [{ name: "plain", title: "Gradient descent" }, { name: "momentum", title: "Momentum" }];

  const map = self.plot(self.root, {
    label: "Contours of the loss, and the paths of momentum and of gradient descent",
    height: (width) => width / 2, margin: [8, 14, 38, 40],
  });
  add(map.inside, "rect", { class: "slope", width: 9999, height: 9999 });
  const contours = [];
  for (let exponent = 4; exponent >= -5; exponent--) {
    contours.push([10 ** (exponent / 2), add(map.inside, "ellipse", { class: "contour" })]);
  }
  const minimum = add(map.inside, "path", { class: "minimum", d: "M-5,0h10M0,-5v10" });
  for (const run of runs) {
    run.path = add(map.inside, "path", { class: `path ${run.name}` });
    run.dots = add(map.inside, "path", { class: `dots ${run.name}` });
  }
  const start = self.point(map, "start", { label: "Start", step: 0.1 });

  const readouts = add(self.root, "div", { class: "columns readouts" });
  for (const run of [...runs].reverse()) {
    const card = add(readouts, "p", { class: run.name });
    self.sample(card, run.name);
    add(card, "b", {}, `${run.title} `);
    run.words = ["b", "span", "span"].map((tag) => add(card, tag));
  }

  const lower = add(self.root, "div", { class: "columns" });
  const controls = add(lower, "div");
  const lr = self.slider(controls, "lr", { label: "step size", symbol: "α", step: 0.01, show: number });
  const bound = add(lr.row, "small");
  self.slider(controls, "momentum", { label: "momentum", symbol: "μ", step: 0.01, show: number });
  const short = (value) => number(value, value < 10 ? 1 : 0);
  self.slider(controls, "condition_number", {
    label: "condition number", symbol: "κ", step: 0.02, isLog: true, show: short,
  });
  self.slider(controls, "num_steps", { label: "steps", step: 1, show: String });
  const buttons = add(controls, "div", { class: "buttons" });
  self.button(buttons, "Best α and μ for this κ", () => compute(self.state()).optimum);
  self.resetButton(buttons);

  const chart = self.plot(lower, {
    label: "The loss after each step, on a logarithmic scale",
    isImage: true, height: () => 244, margin: [8, 14, 38, 52],
  });
  for (const run of runs) {
    run.curve = add(chart.inside, "path", { class: `path ${run.name}` });
    run.label = add(chart.inside, "text", { class: "note" }, run.title.toLowerCase());
  }

  self.draw = (state) => {
    const result = compute(state);
    map.frame({
      x: [left, right], xLabel: `x, flat: curvature 1/κ = ${result.curvatures[0].toPrecision(2)}`,
      y: [bottom, top], yLabel: "y, steep: curvature 1",
    });
    chart.frame({ x: [0, state.num_steps], xLabel: "step", y: [1e-8, 1e4], yLabel: "loss", isLogY: true });
    const [cx, cy] = [map.x(0), map.y(0)];
    for (const [loss, ellipse] of contours) {
      const [rx, ry] = result.curvatures.map((curvature) => Math.sqrt((2 * loss) / curvature));
      set(ellipse, { cx, cy, rx: map.x(rx) - cx, ry: cy - map.y(ry) });
    }
    set(minimum, { transform: `translate(${cx},${cy})` });
    start.place();
    for (const run of runs) drawRun(run, result[run.name], state.num_steps);
    bound.textContent = `momentum converges for α < 2(1 + μ) = ${number(result.momentum.bound)}`;
    lr.markLimit(result.momentum.bound);
    const [upper, lower] = [...runs].sort((a, b) => b.points.at(-1)[1] - a.points.at(-1)[1]);
    chart.nameCurve(upper.label, upper.points, lower.points, true);
    chart.nameCurve(lower.label, lower.points, upper.points, false);
    self.say([...runs].reverse().map(({ title, words: [word, ...details] }) =>
      `${title} ${word.textContent}. ${details.map((line) => line.textContent).join(" ")}`).join(" "));
  };

  function drawRun(run, result, numSteps) {
    const isOutside = ([x, y]) => x < left || x > right || y < bottom || y > top;
    const numLost = result.w.filter(isOutside).length;
    // Nothing comes back from four widths away: the path ends there, off the picture.
    const far = result.w.findIndex((point) => Math.max(...point.map(Math.abs)) > 4 * right);
    const visible = far < 0 ? result.w : result.w.slice(0, far + 1);
    set(run.path, { d: map.line(visible) });
    set(run.dots, { d: map.dots(visible) });
    run.points = result.loss.map((loss, step) => [step, loss]);
    set(run.curve, { d: chart.line(run.points) });
    const [word, numbers, slower] = describe(result);
    const lost = `${numLost} of ${numSteps} steps lie outside the picture.`;
    const end = `Loss at the end: ${result.loss.at(-1).toPrecision(2).replace("-", "−")}.`;
    [word, `${numbers} ${end}`, numLost ? lost : slower].forEach((text, i) => (run.words[i].textContent = text));
    run.words[0].className = result.rate > 1 - TOLERANCE ? "bad" : "";
  }

  return self.start();
}

export default { render };
