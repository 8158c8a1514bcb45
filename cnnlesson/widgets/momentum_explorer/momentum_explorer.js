// Momentum beside gradient descent on the bowl ½(x²/κ + y²).
import { optimum, rateOf, TOLERANCE, writeRate } from "../shared/bowl.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { goalLine } from "../shared/goal.js";
import { inShort, number } from "../shared/numbers.js";
import { player, stepOf } from "../shared/player.js";

function descend(curvatures, start, lr, momentum, numSteps) {
  const [w, v] = [[start], [[0, 0]]];
  for (let t = 1; t <= numSteps; t++) {
    const before = w[t - 1];
    v.push(v[t - 1].map((speed, i) => momentum * speed - lr * (curvatures[i] * before[i])));
    w.push(before.map((position, i) => position + v[t][i]));
  }
  const rates = curvatures.map((curvature) => rateOf(curvature, lr, momentum));
  return {
    w,
    v,
    loss: w.map(([x, y]) => 0.5 * (curvatures[0] * x ** 2 + curvatures[1] * y ** 2)),
    rates, // per step, along the flat direction and the steep one
    rate: Math.max(...rates),
    bound: (2 * (1 + momentum)) / curvatures[1]
  };
}

/** Return both paths, their velocities, losses, rates, bounds, and the best α and μ for this κ. */
export function compute({ lr, momentum, condition_number, start, num_steps }) {
  const curvatures = [1 / condition_number, 1];
  return {
    curvatures,
    momentum: descend(curvatures, start, lr, momentum, num_steps),
    plain: descend(curvatures, start, lr, 0, num_steps),
    optimum: optimum(curvatures[0], curvatures[1])
  };
}

/** What a goal may ask. */
export const measure = (state) => ({ "loss at the end": compute(state).momentum.loss.at(-1) });

const FIRST = 7; // the step that the page opens with: one at which the velocity shows

/** Return in words how one path fares: a verdict, its numbers, what holds it back. */
function describe({ rate, rates: [flat, steep], bound }) {
  const error = `Error × ρ = ${writeRate(rate)} a step`;
  if (rate > 1 + TOLERANCE) return ["diverges", `${error}: α is above ${number(bound)}.`, ""];
  if (rate > 1 - TOLERANCE)
    return ["never settles", `${error}: α is exactly ${number(bound)}.`, ""];
  if (rate < TOLERANCE) return ["arrives at once", "ρ = 0: one step.", ""];
  const steps = Math.ceil(Math.LN10 / -Math.log(rate));
  const slower = `The ${flat > steep ? "flat" : "steep"} direction is slower.`;
  const pace = Math.abs(flat - steep) < 1e-6 ? "Both directions keep pace." : slower;
  const every = steps === 1 ? "step" : `${steps} steps`;
  return ["converges", `${error}: a tenth every ${every}.`, pace];
}

function render({ model, el }) {
  const self = figure({ model, el }, "Momentum explorer");
  self.root.classList.add("momentum-explorer", "abreast");
  const [[left, right], [bottom, top]] = self.limits.start;
  const runs = [
    { name: "plain", title: "Gradient descent" },
    { name: "momentum", title: "Momentum" }
  ];

  const map = self.plot(add(self.root, "div", { class: "sight" }), {
    label: "Contours of the loss, and the paths of momentum and of gradient descent",
    height: (width) => width / 2,
    margin: [8, 14, 38, 40]
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
  const velocity = ["halo velocity", "velocity"].map((name) =>
    add(map.inside, "path", { class: name })
  );
  for (const run of runs) run.now = add(map.inside, "circle", { class: `now ${run.name}`, r: 5 });
  const vector = add(map.inside, "text", { class: "note vector" }, "velocity v");
  const start = self.point(map, "start", { label: "Start", step: 0.1 });
  stepOf(self, "position", "num_steps", FIRST);
  player(self, self.root, "position", {
    label: "step",
    show: (t) => `${t} of ${self.limits.position[1]}`
  });
  const moment = add(self.root, "p", { class: "moment" });
  const showGoal = goalLine(self, self.root, measure);

  const readouts = add(self.root, "div", { class: "columns readouts" });
  for (const run of [...runs].reverse()) {
    const card = add(readouts, "p", { class: run.name });
    self.sample(card, run.name);
    add(card, "b", {}, `${run.title} `);
    run.words = ["b", "span", "span"].map((tag) => add(card, tag));
  }

  const lower = add(self.root, "div", { class: "columns" });
  const controls = add(lower, "div");
  const lr = self.slider(controls, "lr", {
    label: "step size",
    symbol: "α",
    step: 0.01,
    show: number
  });
  const bound = add(lr.row, "small");
  self.slider(controls, "momentum", { label: "momentum", symbol: "μ", step: 0.01, show: number });
  const rounded = (value) => number(value, value < 10 ? 1 : 0);
  self.slider(controls, "condition_number", {
    label: "condition number",
    symbol: "κ",
    step: 0.02,
    isLog: true,
    show: rounded
  });
  self.slider(controls, "num_steps", { label: "number of steps", step: 1, show: String });
  const buttons = add(controls, "div", { class: "buttons" });
  self.button(buttons, "Best α and μ for this κ", () => compute(self.state()).optimum);
  self.resetButton(buttons);

  const chart = self.plot(lower, {
    label: "The loss after each step, on a logarithmic scale",
    isImage: true,
    height: () => 244,
    margin: [8, 14, 38, 52]
  });
  for (const run of runs) {
    run.curve = add(chart.inside, "path", { class: `path ${run.name}` });
    run.mark = add(chart.inside, "circle", { class: `now ${run.name}`, r: 4 });
    run.label = add(chart.inside, "text", { class: "note" }, run.title.toLowerCase());
  }

  self.draw = (state) => {
    const result = compute(state);
    map.frame({
      x: [left, right],
      xLabel: `x, flat: curvature 1/κ = ${result.curvatures[0].toPrecision(2)}`,
      y: [bottom, top],
      yLabel: "y, steep: curvature 1"
    });
    chart.frame({
      x: [0, state.num_steps],
      xLabel: "step",
      y: [1e-8, 1e4],
      yLabel: "loss",
      isLogY: true
    });
    const [cx, cy] = [map.x(0), map.y(0)];
    for (const [loss, ellipse] of contours) {
      const [rx, ry] = result.curvatures.map((curvature) => Math.sqrt((2 * loss) / curvature));
      set(ellipse, { cx, cy, rx: map.x(rx) - cx, ry: cy - map.y(ry) });
    }
    set(minimum, { transform: `translate(${cx},${cy})` });
    start.place();
    for (const run of runs) drawRun(run, result[run.name], state.num_steps);
    drawMoment(result.momentum);
    setText(bound, `momentum converges for α < 2(1 + μ) = ${number(result.momentum.bound)}`);
    lr.markLimit(result.momentum.bound);
    chart.read(
      (step) => `step ${step}`,
      runs.map(({ title, points }) => [title.toLowerCase(), points])
    );
    const lost = chart.cut(runs.map(({ points }) => points));
    const [upper, lower] = [...runs].sort((a, b) => b.points.at(-1)[1] - a.points.at(-1)[1]);
    chart.nameCurve(upper.label, upper.points, lower.points, true);
    chart.nameCurve(lower.label, lower.points, upper.points, false);
    showGoal();
    self.say(
      [...runs]
        .reverse()
        .map(
          ({ title, words: [word, ...details] }) =>
            `${title} ${word.textContent}. ${details.map((line) => line.textContent).join(" ")}`
        )
        .join(" ") + ` ${moment.textContent}${lost}`
    );
  };

  function drawRun(run, result, numSteps) {
    const isOutside = ([x, y]) => x < left || x > right || y < bottom || y > top;
    const numLost = result.w.filter(isOutside).length;
    // Nothing comes back from four widths away: the path ends there, off the picture.
    const far = result.w.findIndex((point) => Math.max(...point.map(Math.abs)) > 4 * right);
    const visible = far < 0 ? result.w : result.w.slice(0, far + 1);
    const t = self.get("position");
    set(run.path, { d: map.line(visible) });
    // Thousands of dashes cover what is below, and take longer to paint than a frame lasts.
    const length = visible.reduce(
      (sum, [x, y], i) =>
        sum + Math.hypot(x - visible[Math.max(0, i - 1)][0], y - visible[Math.max(0, i - 1)][1]),
      0
    );
    run.path.classList.toggle("dense", length > 10 * right);
    set(run.dots, { d: map.dots(visible.slice(0, t + 1)) });
    set(run.now, map.at(result.w[t]));
    run.points = result.loss.map((loss, step) => [step, loss]);
    set(run.curve, { d: chart.line(run.points) });
    set(run.mark, chart.at(run.points[t]));
    const [word, numbers, slower] = describe(result);
    const lost = `${numLost} of ${numSteps} steps lie outside the picture.`;
    const end = `Loss at the end: ${result.loss.at(-1).toPrecision(2).replace("-", "−")}.`;
    [word, `${numbers} ${end}`, numLost ? lost : slower].forEach((text, i) =>
      setText(run.words[i], text)
    );
    run.words[0].className = result.rate > 1 - TOLERANCE ? "bad" : "";
  }

  function drawMoment({ w, v, loss }) {
    const t = self.get("position");
    const [x, y] = [map.x(w[t][0]), map.y(w[t][1])];
    const [dx, dy] = [map.x(v[t][0]) - map.x(0), map.y(v[t][1]) - map.y(0)];
    const length = Math.hypot(dx, dy);
    const { x: left, y: top, width, height } = map.box;
    const isSeen = length > 3 && x > left && x < left + width && y > top && y < top + height;
    const head = Math.min(9, length / 2);
    const d = isSeen
      ? `M0,0H${length}m${-head},${-head / 2}l${head},${head / 2}l${-head},${head / 2}`
      : "";
    const transform = `translate(${x},${y}) rotate(${(Math.atan2(dy, dx) * 180) / Math.PI})`;
    // Far away no transform holds.
    for (const path of velocity) set(path, isSeen ? { d, transform } : { d });
    const beyond = (
      start,
      part,
      from,
      size // the tip, where it lies inside
    ) =>
      Math.min(
        Math.max(start + part * (1 + 12 / Math.max(length, 1)), from + 10),
        from + size - 10
      );
    const at = { x: beyond(x, dx, left, width), y: beyond(y, dy, top, height) + 4 };
    const toLeft = at.x > left + width - 80 || (dx < 0 && at.x > left + 80);
    set(vector, {
      ...at,
      "text-anchor": toLeft ? "end" : "start",
      visibility: isSeen ? "visible" : "hidden"
    });
    const pair = (parts) => `(${parts.map(inShort).join(", ")})`;
    setText(
      moment,
      `Step ${t}: momentum is at w = ${pair(w[t])} with velocity v = ${pair(v[t])}. ` +
        `Loss ${loss[t].toPrecision(2).replace("-", "−")}.`
    );
  }

  return self.start();
}

export default { render };
