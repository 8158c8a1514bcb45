// Momentum beside gradient descent, on the bowl ½(x²/κ + y²) or in Rosenbrock's valley.
import { optimum, rateOf, TOLERANCE, writeRate } from "../shared/bowl.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { goalLine } from "../shared/goal.js";
import { landscape } from "../shared/landscape.js";
import { inShort, number } from "../shared/numbers.js";
import { player, stepOf } from "../shared/player.js";

function descend({ loss, gradient, curvatures }, start, lr, momentum, numSteps) {
  const [w, v] = [[start], [[0, 0]]];
  for (let t = 1; t <= numSteps; t++) {
    const slopes = gradient(w[t - 1]);
    v.push(v[t - 1].map((speed, i) => momentum * speed - lr * slopes[i]));
    w.push(w[t - 1].map((position, i) => position + v[t][i]));
  }
  const rates = curvatures.map((curvature) => rateOf(curvature, lr, momentum));
  return {
    w,
    v,
    loss: w.map(loss),
    rates, // per step, along the flat direction and the steep one, of the valley at its minimum
    rate: Math.max(...rates),
    bound: (2 * (1 + momentum)) / curvatures[1]
  };
}

/** Return both paths, their velocities, losses, rates, bounds, and the best α and μ for this κ. */
export function compute({ landscape: kind, lr, momentum, condition_number, start, num_steps }) {
  const ground = landscape(kind, condition_number);
  const [flat, steep] = ground.curvatures;
  return {
    ...ground,
    momentum: descend(ground, start, lr, momentum, num_steps),
    plain: descend(ground, start, lr, 0, num_steps),
    optimum: optimum(flat, steep)
  };
}

/** What a goal may ask. */
export const measure = (state) => ({ "loss at the end": compute(state).momentum.loss.at(-1) });

const FIRST = 7; // the step that the page opens with: one at which the velocity shows

/** Return in words how one path fares: a verdict, its numbers, what holds it back. */
function describe({ rate, rates: [flat, steep], bound }, isValley) {
  const error = `${isValley ? "Near the minimum" : "Error ×"} ρ = ${writeRate(rate)} a step`;
  if (rate > 1 + TOLERANCE) return ["diverges", `${error}: α is above ${number(bound)}.`, ""];
  if (rate > 1 - TOLERANCE)
    return ["never settles", `${error}: α is exactly ${number(bound)}.`, ""];
  if (rate < TOLERANCE) return ["arrives at once", "ρ = 0: one step.", ""];
  const steps = Math.ceil(Math.LN10 / -Math.log(rate));
  const slower = `The ${flat > steep ? "flat" : "steep"} direction is slower.`;
  const pace = Math.abs(flat - steep) < 1e-6 ? "Both directions keep pace." : slower;
  const every = steps === 1 ? "step" : `${steps} steps`;
  return ["converges", `${error}: a tenth every ${every}.`, isValley ? "" : pace];
}

const inWords = (loss) =>
  loss < Infinity ? loss.toPrecision(2).replace("-", "−") : "beyond 10³⁰⁸";

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
  const line = (name, on = map) => add(on.inside, "path", { class: name });
  const contours = [];
  for (let exponent = 4; exponent >= -5; exponent--) {
    contours.push([10 ** (exponent / 2), line("contour")]);
  }
  const minimum = add(map.inside, "path", { class: "minimum", d: "M-5,0h10M0,-5v10" });
  for (const run of runs) {
    run.path = line(`path ${run.name}`);
    run.dots = line(`dots ${run.name}`);
  }
  const velocity = [line("halo velocity"), line("velocity")];
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
  const kappa = self.slider(controls, "condition_number", {
    label: "condition number",
    symbol: "κ",
    step: 0.02,
    isLog: true,
    show: (value) => number(value, value < 10 ? 1 : 0)
  });
  const kappaName = /** @type {Element} */ (kappa.row.querySelector("span"));
  const formula = add(kappa.row, "small");
  self.slider(controls, "num_steps", { label: "number of steps", step: 1, show: String });
  const buttons = add(controls, "div", { class: "buttons" });
  self.choice(buttons, "landscape", {
    label: "landscape",
    names: { bowl: "bowl", valley: "Rosenbrock’s valley" }
  });
  const best = self.button(buttons, "", () => compute(self.state()).optimum);
  self.resetButton(buttons);

  const chart = self.plot(lower, {
    label: "The loss after each step, on a logarithmic scale",
    isImage: true,
    height: () => 244,
    margin: [8, 14, 38, 52]
  });
  for (const run of runs) {
    run.curve = line(`path ${run.name}`, chart);
    run.mark = add(chart.inside, "circle", { class: `now ${run.name}`, r: 4 });
    run.label = add(chart.inside, "text", { class: "note" }, run.title.toLowerCase());
  }

  self.draw = (state) => {
    const result = compute(state);
    const isValley = state.landscape === "valley";
    const [flat, steep] = result.curvatures.map((curvature) => curvature.toPrecision(2));
    map.frame({
      x: [left, right],
      xLabel: isValley
        ? `x; curvatures at the minimum: ${flat} and ${steep}`
        : `x, flat: curvature 1/κ = ${flat}`,
      y: [bottom, top],
      yLabel: isValley ? "y" : "y, steep: curvature 1"
    });
    chart.frame({
      x: [0, state.num_steps],
      xLabel: "step",
      y: [1e-8, 1e4],
      yLabel: "loss",
      isLogY: true
    });
    for (const [loss, path] of contours)
      set(path, { d: `${map.line(result.contour(loss, [left - 1, right + 1]))}Z` });
    const [x, y] = result.minimum;
    set(minimum, { transform: `translate(${map.x(x)},${map.y(y)})` });
    start.place();
    for (const run of runs) drawRun(run, result[run.name], result.minimum, isValley);
    drawMoment(result.momentum);
    const [where, law] = isValley ? ["near the minimum ", ""] : ["", "2(1 + μ) = "];
    setText(bound, `${where}momentum converges for α < ${law}${number(result.momentum.bound)}`);
    setText(kappaName, isValley ? "steepness " : "condition number ");
    setText(
      formula,
      isValley
        ? "loss ((x − 8)²/κ + (y + 4 − x²/8)²)/10: H. H. Rosenbrock’s of 1960 at κ = 100, rescaled"
        : "loss (x²/κ + y²)/2"
    );
    setText(best, `Best α and μ ${where || "for this κ"}`);
    lr.markLimit(result.momentum.bound);
    chart.read(
      (step) => `step ${step}`,
      runs.map(({ title, points }) => [title.toLowerCase(), points])
    );
    const lost = chart.cut(runs.map(({ losses }) => losses));
    const [upper, lower] = [...runs].sort((a, b) => b.points.at(-1)[1] - a.points.at(-1)[1]);
    chart.nameCurve(upper.label, upper.points, lower.points, true);
    chart.nameCurve(lower.label, lower.points, upper.points, false);
    showGoal();
    self.say(`${runs[1].said} ${runs[0].said} ${moment.textContent}${lost}`);
  };

  function drawRun(run, result, [x, y], isValley) {
    const { w, loss, rate } = result;
    const isOutside = ([x, y]) => !(x >= left && x <= right && y >= bottom && y <= top); // or NaN
    const numLost = w.filter(isOutside).length;
    // Nothing comes back from four widths away, in the valley from forty: the path ends there, off
    // the picture.
    const end = (isValley ? 40 : 4) * right;
    const far = w.findIndex((point) => !(Math.max(...point.map(Math.abs)) <= end));
    const visible = far < 0 ? w : w.slice(0, far + 1);
    const t = self.get("position");
    set(run.path, { d: map.line(visible) });
    // Thousands of dashes cover what is below, and take longer to paint than a frame lasts.
    const length = visible
      .slice(1)
      .reduce((sum, [x, y], i) => sum + Math.hypot(x - visible[i][0], y - visible[i][1]), 0);
    run.path.classList.toggle("dense", length > 10 * right);
    set(run.dots, { d: map.dots(visible.slice(0, t + 1)) });
    run.at = Math.min(t, visible.length - 1);
    set(run.now, map.at(w[run.at]));
    run.losses = loss.map((value, step) => [step, value]);
    run.points = run.losses.filter(([, value]) => value < Infinity);
    set(run.curve, { d: chart.line(run.points) });
    set(run.mark, chart.at(run.losses[t]));
    const [word, numbers, slower] = describe(result, isValley);
    const [endX, endY] = w.at(-1);
    const away = number(Math.hypot(endX - x, endY - y));
    const lost = `${numLost} of ${w.length - 1} steps lie outside the picture.`;
    const texts = [
      isValley ? (far < 0 ? `ends ${away} away` : "diverges") : word,
      `${numbers} Loss at the end: ${inWords(loss.at(-1))}.`,
      numLost ? lost : slower
    ];
    texts.forEach((text, i) => setText(run.words[i], text));
    run.said = `${run.title} ${texts[0]}. ${texts[1]} ${texts[2]}`;
    run.words[0].className = (isValley ? far >= 0 : rate > 1 - TOLERANCE) ? "bad" : "";
  }

  function drawMoment({ w, v, loss }) {
    const t = self.get("position");
    const { at: drawn } = runs[1]; // this step, or the last one on the path
    const [[atX, atY], [speedX, speedY]] = [w[drawn], v[drawn]];
    const [x, y] = [map.x(atX), map.y(atY)];
    const [dx, dy] = [map.x(atX + speedX) - x, map.y(atY + speedY) - y];
    const length = Math.hypot(dx, dy);
    const { x: left, y: top, width, height } = map.box;
    const isSeen = length > 3 && x > left && x < left + width && y > top && y < top + height;
    const head = Math.min(9, length / 2);
    const d = `M0,0H${length}m${-head},${-head / 2}l${head},${head / 2}l${-head},${head / 2}`;
    const transform = `translate(${x},${y}) rotate(${(Math.atan2(dy, dx) * 180) / Math.PI})`;
    // Far away no transform holds.
    for (const path of velocity) set(path, isSeen ? { d, transform } : { d: "" });
    const beyond = (start, part, from, size) =>
      Math.min(Math.max(start + part * (1 + 12 / length), from + 10), from + size - 10);
    const at = { x: beyond(x, dx, left, width), y: beyond(y, dy, top, height) + 4 }; // of the tip
    const toLeft = at.x > left + width - 80 || (dx < 0 && at.x > left + 80);
    set(
      vector,
      isSeen
        ? { ...at, "text-anchor": toLeft ? "end" : "start", visibility: "visible" }
        : { visibility: "hidden" }
    );
    const pair = (parts) => `(${parts.map(inShort).join(", ")})`;
    setText(
      moment,
      `Step ${t}: momentum is ` +
        (loss[t] < Infinity
          ? `at w = ${pair(w[t])} with velocity v = ${pair(v[t])}. Loss ${inWords(loss[t])}.`
          : "farther out than numbers go.")
    );
  }

  return self.start();
}

export default { render };
