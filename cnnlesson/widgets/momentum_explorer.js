// Momentum beside gradient descent on the bowl ½(x²/κ + y²).
import { add, figure, number, powerOfTen, ticks } from "./figure.js";

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

const LOSSES = [1e-8, 1e4]; // drawn
const TOLERANCE = 1e-9; // of a rate that is 1 but for rounding

function verdict({ rate, rates: [flat, steep], bound }) {
  if (rate > 1 - TOLERANCE) {
    const [word, than] = rate > 1 + TOLERANCE ? ["diverges", "above"] : ["never settles", "exactly"];
    return { word, detail: `Error × ρ = ${number(rate, 3)} per step: α is ${than} ${number(bound)}.`, slow: "" };
  }
  if (rate < TOLERANCE) return { word: "arrives at once", detail: "ρ = 0: one step.", slow: "", isGood: true };
  const steps = Math.ceil(Math.LN10 / -Math.log(rate));
  const slower = flat > steep ? "The flat direction is slower." : "The steep direction is slower.";
  return {
    word: "converges",
    detail: `Error × ρ = ${number(rate, 3)} per step, a tenth every ${steps}.`,
    slow: Math.abs(flat - steep) < 1e-6 ? "Both directions keep pace." : slower,
    isGood: true,
  };
}

function render({ model, el }) {
  const self = figure({ model, el }, "Momentum explorer");
  const [[left, right], [bottom, top]] = self.limits.start;
  const show = (x, y) => `x = ${number(x)}, y = ${number(y)}`;

  const map = self.plot(add(self.root, "div"), {
    label: "Contours of the loss, and the paths of momentum and of gradient descent",
    height: (width) => 0.5 * (width - 54) + 46,
    margin: [8, 14, 38, 40],
  });
  add(map.inside, "rect", { class: "slope", width: 9999, height: 9999 });
  const contours = [];
  for (let exponent = 4; exponent >= -5; exponent--) {
    contours.push([10 ** (exponent / 2), add(map.inside, "ellipse", { class: "contour" })]);
  }
  const minimum = add(map.inside, "path", { class: "minimum", d: "M-5,0h10M0,-5v10" });
  const runs = [
    { name: "plain", title: "Gradient descent", short: "gradient descent" },
    { name: "momentum", title: "Momentum", short: "momentum" },
  ];
  for (const run of runs) {
    run.path = add(map.inside, "path", { class: `path ${run.name}` });
    run.dots = add(map.inside, "path", { class: `dots ${run.name}` });
  }
  const start = self.point(map, "start", { label: "Start", step: 0.1, show });

  const readouts = add(self.root, "div", { class: "columns readouts" });
  for (const run of [...runs].reverse()) {
    const card = add(readouts, "p", { class: run.name });
    const sample = add(card, "svg", { class: "sample", width: 34, height: 12, "aria-hidden": "true" });
    add(sample, "path", { class: `path ${run.name}`, d: "M1,6h32" });
    add(sample, "path", { class: `dots ${run.name}`, d: "M5,6h0M17,6h0M29,6h0" });
    add(card, "b", {}, `${run.title} `);
    run.word = add(card, "b");
    run.detail = add(card, "span");
    run.remark = add(card, "span");
  }

  const lower = add(self.root, "div", { class: "columns" });
  const controls = add(lower, "div");
  const lr = self.slider(controls, "lr", {
    label: "step size", symbol: "α", step: 0.01, show: (value) => number(value),
  });
  const note = add(lr.row, "small", {}, "momentum needs α < 2(1 + μ)/λ");
  add(note, "sub", {}, "max");
  const bound = add(note, "span");
  self.slider(controls, "momentum", {
    label: "momentum", symbol: "μ", step: 0.01, show: (value) => number(value),
  });
  self.slider(controls, "condition_number", {
    label: "condition number", symbol: "κ", step: 0.02, isLog: true,
    show: (value) => number(value, value < 10 ? 1 : 0),
  });
  self.slider(controls, "num_steps", { label: "steps", symbol: "", step: 1, show: String });
  const buttons = add(controls, "div", { class: "buttons" });
  self.button(buttons, "Best α and μ for this κ", () => compute(self.state()).optimum);
  self.resetButton(buttons);

  const chart = self.plot(add(lower, "div"), {
    label: "The loss after each step, on a logarithmic scale",
    isImage: true,
    height: () => 290,
    margin: [8, 14, 38, 52],
  });
  for (const run of runs) {
    run.curve = add(chart.inside, "path", { class: `path ${run.name}` });
    run.label = add(chart.inside, "text", { class: "note" }, run.short);
  }

  self.draw = (state) => {
    const result = compute(state);
    map.frame({
      x: [left, right], y: [bottom, top], xTicks: [-10, -5, 0, 5, 10], yTicks: [-5, 0, 5],
      xLabel: `x, flat: curvature 1/κ = ${result.curvatures[0].toPrecision(2)}`,
      yLabel: "y, steep: curvature 1", yTick: (value) => number(value, 0),
    });
    chart.frame({
      x: [0, state.num_steps], y: LOSSES, isLogY: true,
      xTicks: ticks(0, state.num_steps, 5), yTicks: [1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2, 1e4],
      xLabel: "step", yLabel: "loss", yTick: (value) => powerOfTen(Math.round(Math.log10(value))),
    });
    minimum.setAttribute("transform", `translate(${map.x(0)},${map.y(0)})`);
    for (const [loss, ellipse] of contours) {
      const [rx, ry] = result.curvatures.map((curvature) => Math.sqrt((2 * loss) / curvature));
      ellipse.setAttribute("cx", map.x(0));
      ellipse.setAttribute("cy", map.y(0));
      ellipse.setAttribute("rx", map.x(rx) - map.x(0));
      ellipse.setAttribute("ry", map.y(0) - map.y(ry));
    }
    start.place();
    drawRuns(state, result);
  };

  function drawRuns(state, result) {
    for (const run of runs) {
      const { w, loss } = result[run.name];
      const isInside = ([x, y]) => left <= x && x <= right && bottom <= y && y <= top;
      const lost = w.filter((point) => !isInside(point)).length;
      // Nothing comes back from four widths away: the path ends there, off the picture.
      const far = w.findIndex((point) => Math.max(...point.map(Math.abs)) > 4 * right);
      const visible = far < 0 ? w : w.slice(0, far + 1);
      run.path.setAttribute("d", map.line(visible));
      run.dots.setAttribute("d", map.dots(visible));
      run.points = loss.map((value, step) => [step, value]);
      run.curve.setAttribute("d", chart.line(run.points));
      const { word, detail, slow, isGood } = verdict(result[run.name]);
      run.word.textContent = word;
      run.word.className = isGood ? "" : "bad";
      run.detail.textContent = detail;
      run.remark.textContent = lost ? `${lost} of ${state.num_steps} steps lie outside the picture.` : slow;
    }
    bound.textContent = ` = ${number(result.momentum.bound)}`;
    const [lowest, highest] = self.limits.lr;
    lr.input.style.setProperty("--limit", (result.momentum.bound - lowest) / (highest - lowest));
    const [upper, lower] = [...runs].sort((a, b) => b.points.at(-1)[1] - a.points.at(-1)[1]);
    chart.nameCurve(upper.label, upper.points, lower.points, true);
    chart.nameCurve(lower.label, lower.points, upper.points, false);
    self.say([...runs].reverse().map(({ title, word, detail, remark }) =>
      `${title} ${word.textContent}. ${detail.textContent} ${remark.textContent}`).join(" "));
  }

  return self.start();
}

export default { render };
