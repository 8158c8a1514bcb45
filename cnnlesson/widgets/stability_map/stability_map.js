// How momentum behaves along one eigenvector, for every αλ and μ: a map with five regimes.
import { TOLERANCE, writeRate } from "../shared/bowl.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { inShort, number, scale } from "../shared/numbers.js";
import { player, stepOf } from "../shared/player.js";
import { tell } from "../shared/telling.js";

/** Return eigenvalues, rate and regime of one step's matrix, and what it does from w = 1, v = 0. */
export function compute({ scaled_lr: a, momentum, num_steps }) {
  const trace = 1 + momentum - a; // of the matrix; its determinant is μ
  const critical = (1 - Math.sqrt(a)) ** 2;
  const isCritical = Math.abs(momentum - critical) < TOLERANCE;
  const discriminant = isCritical ? 0 : trace ** 2 - 4 * momentum;
  const half = Math.sqrt(Math.abs(discriminant)) / 2;
  const eigenvalues = [1, -1].map(
    (
      sign // real and imaginary part
    ) => (discriminant < 0 ? [trace / 2, sign * half] : [trace / 2 + sign * half, 0])
  );
  const rate = Math.max(...eigenvalues.map((parts) => Math.hypot(...parts)));
  const [w, v] = [[1], [0]];
  for (let t = 1; t <= num_steps; t++) {
    v.push(momentum * v[t - 1] - a * w[t - 1]);
    w.push(w[t - 1] + v[t]);
  }
  let regime = trace > 0 ? "monotone" : "zigzag";
  if (discriminant <= 0) regime = isCritical ? "critical" : "ripples";
  if (rate > 1 - TOLERANCE) regime = rate > 1 + TOLERANCE ? "divergence" : "boundary";
  return { eigenvalues, rate, regime, critical, bound: 2 * (1 + momentum), w, v };
}

const REGIMES = {
  // name; what the eigenvalues are; what w does
  monotone: [
    "Monotone, over-damped",
    "Two real eigenvalues, 0 or more.",
    "w creeps to 0; more μ is faster."
  ],
  ripples: [
    "Ripples, under-damped",
    "Two complex eigenvalues.",
    "w rolls past 0 and back; less μ is faster."
  ],
  zigzag: [
    "Zigzag",
    "Two real eigenvalues, 0 or less.",
    "w changes sign every step; more μ is faster."
  ],
  critical: ["Critical", "The two eigenvalues coincide.", "No other μ is faster at this αλ."],
  boundary: ["Boundary", "An eigenvalue lies on the unit circle.", "The error never fades."],
  divergence: ["Divergence", "An eigenvalue lies beyond ±1.", "The error grows without bound."]
};

/** Return what the rate means, in numbers. */
function pace(rate) {
  if (rate > 1 + TOLERANCE) return `In the long run, error × ρ = ${writeRate(rate)} a step.`;
  if (rate > 1 - TOLERANCE) return "ρ = 1.000: no number of steps is enough.";
  if (rate < TOLERANCE) return "ρ = 0.000: arrives in one step.";
  const steps = Math.max(1, Math.ceil(Math.log(1000) / -Math.log(rate) - TOLERANCE));
  return `ρ = ${writeRate(rate)}: a thousandth every ${steps} step${steps > 1 ? "s" : ""}.`;
}

/** The largest rates of the bands of one colour: coarse above 1, fine below. */
const LEVELS = Array.from({ length: 58 }, (_, i) => (i < 8 ? 3 - i / 4 : (58 - i) / 50));
/** The fill of a band: evenly spaced in OKLab, between colours of the theme. */
function fill(top) {
  const [rate, low, high] = top > 1 ? [(top - 1) / 2, "bad", "worst"] : [top, "fast", "slow"];
  return `fill: color-mix(in oklab, var(--${high}) ${(100 * rate).toFixed(0)}%, var(--${low}))`;
}
/** The corners of the region where the spectral radius is at most `rate`: a trapezoid. */
const corners = (rate) =>
  [
    [0, -1],
    [0, 1],
    [1, 1],
    [1, -1]
  ].map(([isUpper, sign]) => {
    const momentum = isUpper && Math.min(rate ** 2, 1);
    return [1 + momentum + sign * (rate + momentum / rate), momentum];
  });
const CRITICAL = Array.from({ length: 61 }, (_, i) => [(i / 30) ** 2, (1 - i / 30) ** 2]);
/** @type {[string, number, number, number][]} where they stand, and turned by how much */
const NAMES = [
  ["ripples", 1.25, 0.6, 0],
  ["monotone", 0.19, 0.12, -90],
  ["zigzag", 1.7, 0.035, 0],
  ["divergence", 3.3, 0.3, 0],
  ["critical", 2.45, 0.36, -53]
];

function render({ model, el }) {
  const self = figure({ model, el }, "Stability map");
  add(self.root, "p", { class: "hand" }, "Tap anywhere on the map, or drag the point.");
  const stage = add(self.root, "div", { class: "stage words-first" });
  const upper = add(stage, "div", { class: "columns" });
  const height = (width) => Math.min(width * 0.95, 340);
  const map = self.plot(upper, {
    label: "Map of the spectral radius over αλ and μ",
    height,
    margin: [60, 14, 38, 40]
  });
  const bands = LEVELS.map((level) => add(map.inside, "path", { style: fill(level) }));
  const lines = ["halo", "edge"].map((name) => add(map.inside, "path", { class: name }));
  const notes = NAMES.map(([name]) =>
    add(map.inside, "text", { class: "note", "text-anchor": "middle" }, name)
  );
  const bar = add(map.svg, "g", { "aria-hidden": "true" });
  const marker = add(map.svg, "path", {
    class: "marker",
    d: "M0,0l-5,-8h10z",
    "aria-hidden": "true"
  });
  const point = self.point(map, ["scaled_lr", "momentum"], {
    label: "Place on the map",
    step: [0.02, 0.01],
    axes: ["αλ", "μ"],
    isTarget: true
  });
  tell(
    map.svg,
    () => [100, 400],
    ([row, column]) => {
      const [scaled_lr, momentum] = [column / 100, 1 - row / 100];
      const { rate } = compute({ scaled_lr, momentum, num_steps: 0 });
      return `αλ = ${number(scaled_lr)}, μ = ${number(momentum)}: ρ = ${writeRate(rate)}`;
    },
    map
  );
  const side = add(upper, "div");
  const charts = ["The weight w after each step", "Phase portrait: velocity v over weight w"].map(
    (label) => self.plot(side, { label, isImage: true, height: () => 140, margin: [8, 14, 38, 44] })
  );
  const kinds = ["rest", "mode", "path momentum", "dots momentum"];
  const parts = charts.map(({ inside }) =>
    kinds.map((kind) => add(inside, "path", { class: kind }))
  );
  const balls = charts.map(({ inside }) => add(inside, "circle", { class: "now momentum", r: 6 }));
  stepOf(self, "position", "num_steps", 0);
  player(self, side, "position", {
    label: "step t",
    show: (t) => `${t} of ${self.limits.position[1]}`
  });
  const moment = add(side, "p", { class: "moment" });

  const lower = add(stage, "div", { class: "columns readouts" });
  const [left, controls] = [0, 1].map(() => add(lower, "div"));
  const card = add(left, "p");
  const words = ["b", "span", "span", "span"].map((tag) => add(card, tag));
  const buttons = add(left, "div", { class: "buttons" });
  self.button(buttons, "Critical μ for this αλ", () => ({
    momentum: compute(self.state()).critical
  }));
  self.resetButton(buttons);
  const slider = (name, label, symbol, step, show) =>
    self.slider(controls, name, { label, symbol, step, show });
  const lr = slider("scaled_lr", "step size × curvature", "αλ", 0.01, number);
  slider("momentum", "momentum", "μ", 0.01, number);
  slider("num_steps", "steps", "", 1, String);

  function drawMap() {
    map.drawn = map.width;
    map.frame({ x: [0, 4], xLabel: "step size × curvature αλ", y: [0, 1], yLabel: "momentum μ" });
    bar.replaceChildren();
    const title = add(
      bar,
      "text",
      { x: map.box.x, y: 11 },
      "spectral radius ρ, the error’s factor per step"
    );
    if (title.getComputedTextLength() > map.width - map.box.x) setText(title, "spectral radius ρ");
    map.rate = scale([0, 3], [map.box.x, map.box.x + map.box.width]);
    LEVELS.forEach((level, i) => {
      set(bands[i], { d: `${map.line(corners(level))}Z` });
      add(bar, "path", {
        d: `M${map.box.x},26H${map.rate(level)}v9H${map.box.x}z`,
        style: fill(level)
      });
    });
    const write = (rate) =>
      add(bar, "text", { x: map.rate(rate), y: 49, "text-anchor": "middle" }, String(rate));
    [0, 0.5, 1, 2, 3].forEach(write);
    for (const line of lines)
      set(line, {
        d:
          map.line(CRITICAL) +
          map.line([
            [2, 0],
            [4, 1]
          ])
      });
    NAMES.forEach(([, a, momentum, turn], i) =>
      set(notes[i], {
        transform: `translate(${map.x(a)},${map.y(momentum)}) rotate(${turn})`
      })
    );
  }

  function drawPaths({ w, v, eigenvalues }, numSteps) {
    const [far, fast] = [w, v].map(
      (values) =>
        [0.5, 1, 2].find((size) => values.every((value) => Math.abs(value) <= 1.1 * size)) ?? 5
    );
    const rows = (size) => [-size, 0, size].map((at) => [at, number(at, at % 1 ? 1 : 0)]);
    const axis = (size, yLabel) => ({ y: [-1.15 * size, 1.15 * size], yLabel, rows: rows(size) });
    const weight = axis(far, "weight w");
    charts[0].frame({ x: [0, numSteps], xLabel: "step t", ...weight });
    charts[1].frame({ x: weight.y, xLabel: weight.yLabel, ...axis(fast, "velocity v") });
    // Along an eigenvector w is multiplied by σ every step, so that v = w − w/σ.
    const real = eigenvalues.filter(([sigma, imaginary]) => !imaginary && Math.abs(sigma) > 0.01);
    const modes = real.map(([sigma]) => [-9, 9].map((at) => [at, at - at / sigma]));
    const lost = w.findIndex((at) => Math.abs(at) > 1e6); // nothing comes back from there
    const seen = w.slice(0, lost < 0 ? w.length : lost + 1);
    const paths = [seen.map((at, t) => [t, at]), seen.map((at, t) => [at, v[t]])];
    const t = self.get("position");
    [
      [t, w[t]],
      [w[t], v[t]]
    ].forEach((at, i) => set(balls[i], charts[i].at(at)));
    setText(moment, `Step ${t}: w = ${inShort(w[t])}, v = ${inShort(v[t])}.`);
    charts.forEach((chart, i) =>
      [
        chart.line([
          [-9, 0],
          [999, 0]
        ]) +
          (i
            ? chart.line([
                [0, -9],
                [0, 9]
              ])
            : ""),
        i ? modes.map(chart.line).join("") : "",
        chart.line(paths[i]),
        chart.dots(paths[i])
      ].forEach((d, part) => set(parts[i][part], { d }))
    );
    charts[0].read((step) => `step ${step}`, [["w", paths[0]]]);
    return charts[0].cut([w.map((at, t) => [t, at])], true);
  }

  self.draw = (state) => {
    const result = compute(state);
    if (map.drawn !== map.width) drawMap();
    point.place();
    set(marker, { transform: `translate(${map.rate(result.rate)},25)` });
    lr.markLimit(result.bound);
    const lost = drawPaths(result, state.num_steps);
    const [name, kind, course] = REGIMES[result.regime];
    const texts = [name, kind, pace(result.rate), course];
    texts.forEach((text, i) => setText(words[i], text));
    words[0].className = result.rate > 1 - TOLERANCE ? "bad" : "";
    self.say(`${name}: ${texts.slice(1).join(" ")} ${moment.textContent}${lost}`);
  };
  return self.start();
}

export default { render };
