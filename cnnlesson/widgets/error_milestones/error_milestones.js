// The error of momentum by eigenvalue, and the part of it that the gradient's noise makes.
import { optimum, rateOf, TOLERANCE, writeRate } from "../shared/bowl.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { goalLine } from "../shared/goal.js";
import { number } from "../shared/numbers.js";

const COUNT = 20; // components
const FRACTIONS = [0.1, 0.01, 0.001];
const HORIZON = 5000; // no error that ripples can come back after this many steps

/** Return the steps after which |w| stays within each fraction; adds w² to `squares`. */
function follow(curvature, lr, momentum, squares) {
  let [w, v] = [1, 0];
  const last = FRACTIONS.map(() => 0);
  // Too little to swing back to a thousandth.
  const isAtRest = () => Math.abs(w) + Math.abs(v) < 1e-9;
  for (let t = 0; t <= HORIZON && !(t >= squares.length && isAtRest()); t++) {
    if (t < squares.length) squares[t] += w * w;
    for (let i = 2; i >= 0 && !(Math.abs(w) <= FRACTIONS[i]); i--) last[i] = t; // NaN has diverged
    v = momentum * v - lr * (curvature * w);
    w += v;
  }
  return last.map((t) => (t === HORIZON ? Infinity : t + 1));
}

/** Add the variance of w to `variances`: the covariance of (w, v) obeys P ← APAᵀ + (ασ)²11ᵀ. */
function spread(curvature, lr, momentum, noise, variances) {
  const [a, kick] = [lr * curvature, (lr * noise) ** 2];
  let [ww, wv, vv] = [0, 0, 0];
  for (let t = 1; t < variances.length; t++) {
    const cross = momentum * wv - a * ww; // of the old w and the new v
    vv = a ** 2 * ww - 2 * a * momentum * wv + momentum ** 2 * vv + kick;
    [ww, wv] = [ww + 2 * cross + vv, cross + vv]; // the new w is the old one plus the new v
    variances[t] += ww;
  }
}

/** Return each component's rate and milestones, both parts of the mean squared error, optima. */
export function compute({ lr, momentum, condition_number, noise, num_steps }) {
  const curvatures = Array.from(
    { length: COUNT },
    (_, i) => condition_number ** (i / (COUNT - 1) - 1)
  );
  const [squares, variances] = [0, 0].map(() => new Array(num_steps + 1).fill(0));
  const milestones = curvatures.map((curvature) => follow(curvature, lr, momentum, squares));
  if (noise) for (const curvature of curvatures) spread(curvature, lr, momentum, noise, variances);
  const bound = 2 * (1 + momentum);
  const floors = curvatures.map(
    (
      curvature // of each variance, once nothing changes any more
    ) =>
      (lr * noise ** 2 * (1 + momentum)) /
      (curvature * (1 - momentum) * (bound - lr * curvature)) /
      COUNT
  );
  return {
    curvatures,
    milestones,
    bound,
    rates: curvatures.map((curvature) => rateOf(curvature, lr, momentum)),
    deterministic: squares.map((sum) => sum / COUNT),
    stochastic: variances.map((sum) => sum / COUNT),
    floor: noise && lr > bound - TOLERANCE ? Infinity : floors.reduce((sum, floor) => sum + floor),
    plain: { lr: 2 / (1 / condition_number + 1), momentum: 0 },
    optimum: optimum(1 / condition_number, 1)
  };
}

/** What a goal may ask. */
export function measure(state) {
  const { deterministic, stochastic } = compute(state);
  const end = state.num_steps;
  return { "squared error at the end": deterministic[end] + stochastic[end] };
}

const short = (value) => String(Number(value.toPrecision(2)));
const index = (i) => String(i + 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

/** Return a title and two lines about the slowest components: one or both ends, or all of them. */
function describeSlowest({ curvatures, rates, milestones }, slowest) {
  const [rate, isAll] = [Math.max(...rates), slowest.length === COUNT];
  const names = slowest.map((i) => `λ${index(i)} = ${short(curvatures[i])}`);
  const title = isAll ? "all components" : names.join(" and ");
  const error = `Error × ρ = ${writeRate(rate)} a step.`;
  if (rate > 1 + TOLERANCE) return [`Divergence: ${title}`, error, "α is too large."];
  if (rate > 1 - TOLERANCE) return [`Never settles: ${title}`, error, ""];
  const steps = Math.max(...slowest.map((i) => milestones[i][2]));
  const when = steps < Infinity ? `a thousandth after ${steps}.` : `no thousandth in ${HORIZON}.`;
  const ends = slowest.map((i) => (i ? "steepest" : "flattest")).join(" and ");
  return [`Slowest: ${title}`, error, `${isAll ? "All keep pace" : `The ${ends}`}: ${when}`];
}

/** Return a title and two lines about the noise. */
function describeNoise({ deterministic, stochastic, floor }, noise, numSteps) {
  if (noise === 0) return ["No noise", "All of the error is deterministic.", ""];
  const last = deterministic.findLastIndex((part, t) => !(part < stochastic[t]));
  const larger =
    last < numSteps
      ? `the larger part from step ${last + 1} on.`
      : `the smaller part up to step ${last}.`;
  if (floor === Infinity)
    return ["No noise floor", "Its part of the error grows without bound.", `It is ${larger}`];
  return [
    `Noise floor ${floor.toPrecision(2)}`,
    "Its part of the squared error rises to this.",
    `It is ${larger}`
  ];
}

function render({ model, el }) {
  const self = figure({ model, el }, "Error milestones");
  const stage = add(self.root, "div", { class: "stage" });
  const columns = (kind) => add(stage, "div", { class: `columns ${kind}` });
  const [upper, readouts, lower] = ["", "readouts", ""].map(columns);
  const [bars, chart] = [
    "For each eigenvalue the steps until its error stays below 0.1, 0.01 and 0.001",
    "The expected squared error after each step: deterministic part, noise and their sum"
  ].map((label) =>
    self.plot(upper, { label, isImage: true, height: () => 300, margin: [30, 14, 38, 60] })
  );
  const path = (plot, name) => add(plot.inside, "path", { class: name });
  /** @type {[number, Element, Element][]} */
  const parts = [2, 1, 0].map((i) => [i, path(bars, `bar part${i}`), path(bars, "edge")]);
  const note = add(bars.inside, "text", { class: "note" }, "slowest");
  const curves = ["path sum", "path momentum", "path plain", "mode"].map((name) =>
    path(chart, name)
  );
  bars.legend(
    "error stays below",
    FRACTIONS.map((fraction, i) => [`bar part${i}`, String(fraction)])
  );
  chart.legend("", [
    ["path momentum", "deterministic"],
    ["path plain", "noise"],
    ["path sum", "sum"]
  ]);

  const showGoal = goalLine(self, self.root, measure);
  const cards = [0, 1]
    .map(() => add(readouts, "p"))
    .map((card) => ["b", "span", "span"].map((tag) => add(card, tag)));
  const [left, right] = [0, 1].map(() => add(lower, "div"));
  const lr = self.slider(left, "lr", { label: "step size", symbol: "α", step: 0.01, show: number });
  self.slider(left, "momentum", { label: "momentum", symbol: "μ", step: 0.01, show: number });
  const show = (value) => number(value, value < 10 ? 1 : 0);
  self.slider(left, "condition_number", {
    label: "condition number",
    symbol: "κ",
    step: 0.02,
    isLog: true,
    show
  });
  const exact = (value) => number(value, 3);
  self.slider(right, "noise", {
    label: "noise of the gradient",
    symbol: "σ",
    step: 0.001,
    show: exact
  });
  self.slider(right, "num_steps", { label: "steps shown", step: 10, show: String });
  const buttons = add(right, "div", { class: "buttons" });
  self.button(buttons, "Best α and μ", () => compute(self.state()).optimum);
  self.button(buttons, "Best α, μ = 0", () => compute(self.state()).plain);
  self.resetButton(buttons);

  self.draw = (state) => {
    const result = compute(state);
    const { curvatures, rates, milestones, deterministic, stochastic } = result;
    const x = { x: [0, state.num_steps], xLabel: "step" };
    const rows = [0, 5, 10, 15, 19].map((i) => [i, short(curvatures[i])]);
    bars.frame({ ...x, y: [-0.8, COUNT - 0.2], rows, yLabel: "eigenvalue λ" });
    chart.frame({ ...x, y: [1e-8, 1e2], yLabel: "expected squared error", isLogY: true });
    const end = (i, part) => Math.min(milestones[i][part], 2 * state.num_steps);
    const all = curvatures.map((_, i) => i);
    for (const [part, bar, tick] of parts) {
      set(bar, {
        d: all
          .map((i) =>
            bars.line([
              [0, i],
              [end(i, part), i]
            ])
          )
          .join("")
      });
      set(tick, {
        d: all.map((i) => bars.line([-0.36, 0.36].map((up) => [end(i, part), i + up]))).join("")
      });
    }
    lr.markLimit(result.bound);
    showGoal();
    const slowest = all.filter((i) => rates[i] > Math.max(...rates) - 1e-6);
    set(note, {
      x: Math.min(bars.x(end(slowest[0], 2)) + 6, bars.box.x + bars.box.width - 50),
      y: bars.y(slowest[0]) + 4,
      visibility: slowest.length > 1 ? "hidden" : "visible"
    });
    const sum = deterministic.map((part, t) => part + stochastic[t]);
    [sum, deterministic, stochastic, sum.map(() => result.floor)].forEach((values, i) => {
      const points = values
        .map((value, t) => [t, value])
        .filter(([, value]) => value > 0 && value < 1e9);
      set(curves[i], { d: points.length ? chart.line(points) : "" });
    });
    const along = (values) => values.map((value, t) => [t, value]);
    chart.read(
      (step) => `step ${step}`,
      [
        ["sum", along(sum)],
        ["deterministic", along(deterministic)],
        ["noise", along(stochastic)]
      ]
    );
    const lost = chart.cut([along(sum)]);
    const texts = [
      describeSlowest(result, slowest),
      describeNoise(result, state.noise, state.num_steps)
    ];
    texts.forEach((lines, card) => lines.forEach((line, i) => setText(cards[card][i], line)));
    cards[0][0].className = Math.max(...rates) > 1 - TOLERANCE ? "bad" : "";
    self.say(texts.map(([title, ...lines]) => `${title}. ${lines.join(" ")}`).join(" ") + lost);
  };
  return self.start();
}

export default { render };
