// A polynomial fitted to noisy points: what is learned when, and how Tikhonov's penalty compares.
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { number, powerOfTen, scale } from "../shared/numbers.js";
import { player } from "../shared/player.js";
import { tell } from "../shared/telling.js";

/** @import { Pair } from "../shared/numbers.js" */

const PLACES = Array.from({ length: 81 }, (_, i) => i / 40 - 1);
const truth = (x) => Math.sin(Math.PI * x);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const rms = (values) => Math.sqrt(sum(values.map((value) => value ** 2)) / values.length);
/** @type {(one: number[], other: number[]) => number[]} */
const times = ([a, b, c, d], [e, f, g, h]) => [
  a * e + b * g,
  a * f + b * h,
  c * e + d * g,
  c * f + d * h
];

/** Return what part of its way a component has gone after k steps: 1 less a corner of Mᵏ. */
function learned(step, momentum, k) {
  let [power, square] = [
    [1, 0, 0, 1],
    [1 - step, momentum, -step, momentum]
  ];
  for (; k; k = Math.floor(k / 2)) {
    if (k % 2) power = times(power, square);
    square = times(square, square);
  }
  return 1 - power[0];
}

/** Return both filters, and the fit, its curve and its errors for each. */
export function compute({ points, eigen, degree, num_steps, lr, momentum }) {
  const { curvatures, coefficients, eigenvectors } = eigen[degree];
  const penalty = (1 - momentum) / (lr * num_steps);
  const evaluate = (weights, x) => weights.reduceRight((value, weight) => value * x + weight, 0);
  const fit = (kept) => {
    const weights = curvatures.map((_, power) =>
      sum(eigenvectors.map((vector, i) => vector[power] * kept[i] * coefficients[i]))
    );
    const curve = PLACES.map((x) => evaluate(weights, x));
    const misses = points.map(([x, y]) => evaluate(weights, x) - y);
    return {
      kept,
      weights,
      curve,
      errors: [rms(misses), rms(curve.map((y, i) => y - truth(PLACES[i])))]
    };
  };
  return {
    curvatures,
    penalty,
    features: eigenvectors.map((vector) => PLACES.map((x) => evaluate(vector, x))),
    early: fit(curvatures.map((curvature) => learned(lr * curvature, momentum, num_steps))),
    tikhonov: fit(curvatures.map((curvature) => curvature / (curvature + penalty)))
  };
}

/** Return the number of steps, of 20 a decade, after which the fit is nearest to the truth. */
export function bestStop(state, most) {
  const error = (num_steps) => compute({ ...state, num_steps }).early.errors[1];
  const steps = Array.from({ length: 101 }, (_, i) => Math.round(10 ** (i / 20))).filter(
    (k) => k <= most
  );
  const errors = steps.map(error);
  return steps[errors.indexOf(Math.min(...errors))];
}

/** Write a number with two digits, a small one as 3·10⁻⁵. */
function short(value) {
  if (value >= 0.001) return String(Number(value.toPrecision(2)));
  const [digits, power] = value.toExponential(0).split("e");
  return `${digits}·${powerOfTen(Number(power))}`;
}
const SHOWN = {
  both: "early stopping and Tikhonov",
  "early stopping": "early stopping",
  Tikhonov: "Tikhonov"
};
const KINDS = [
  ["early", "early stopping", "momentum"],
  ["tikhonov", "Tikhonov", "plain"]
];

function render({ model, el }) {
  const self = figure({ model, el }, "Polynomial fit");
  self.root.classList.add("polynomial-fit");
  const stage = add(self.root, "div", { class: "stage" });
  const upper = add(stage, "div", { class: "columns" });
  const chart = self.plot(upper, {
    label: "The noisy points, the curve they come from, and the fitted polynomials",
    isImage: true,
    height: () => 330,
    margin: [30, 14, 38, 40]
  });
  const table = self.plot(upper, {
    label:
      "For each eigenfeature what part of it is learned, and what part Tikhonov’s penalty keeps",
    isImage: true,
    height: () => 330,
    margin: [30, 14, 38, 128]
  });
  const kinds = [
    "path sum truth",
    "dots point-cloud",
    ...KINDS.map(([, , kind]) => `path fit ${kind}`)
  ];
  const lines = kinds.map((kind) => add(chart.inside, "path", { class: kind }));
  const [full, bars, marks] = ["mode", "bar", "edge"].map((kind) =>
    add(table.inside, "path", { class: kind })
  );
  const shapes = add(table.svg, "path", { class: "path feature", "aria-hidden": "true" });
  const bases = add(table.svg, "path", { class: "path rest", "aria-hidden": "true" });
  chart.legend("", [
    ["path sum truth", "truth"],
    ...KINDS.map(([, title, kind]) => [`path fit ${kind}`, title])
  ]);
  add(table.svg, "text", { x: 0, y: 14, "aria-hidden": "true" }, "eigenfeature, λ");
  table.legend("", [
    ["bar", "learned"],
    ["edge", "Tikhonov"]
  ]);

  const isShown = (/** @type {string[]} */ [, title]) =>
    ["both", title].includes(self.get("shown"));
  /** @type {ReturnType<typeof compute>} */
  let result; // that is drawn
  tell(
    table.svg,
    () => [result.curvatures.length, 1],
    ([row]) => {
      const kept = KINDS.filter(isShown).map(
        ([kind, title]) => `${title} ${number(result[kind].kept[row])}`
      );
      return `λ = ${short(result.curvatures[row])}: ${kept.join(", ")}`;
    },
    table
  );

  const lower = add(stage, "div", { class: "columns readouts" });
  const left = add(lower, "div", { class: "stacked" });
  const words = [0, 1].map(() => {
    const card = add(left, "p");
    return ["b", "span", "span"].map((tag) => add(card, tag));
  });
  self.choice(left, "shown", { label: "show", names: SHOWN });
  const buttons = add(left, "div", { class: "buttons" });
  const stop = self.button(buttons, "Stop when nearest to the truth", () => ({
    num_steps: bestStop(self.state(), self.limits.num_steps[1])
  }));
  self.resetButton(buttons);
  const right = add(lower, "div");
  const show = (value) => value.toLocaleString("en");
  const pause = player(self, right, "num_steps", { label: "steps", step: 0.02, isLog: true, show });
  stop.addEventListener("click", pause);
  self.slider(right, "degree", { label: "degree", step: 1, show: String });
  self.slider(right, "lr", { label: "step size", symbol: "α", step: 0.01, show: number });
  self.slider(right, "momentum", { label: "momentum", symbol: "μ", step: 0.01, show: number });

  self.draw = (state) => {
    result = compute(state);
    const { curvatures, features, early, tikhonov } = result;
    chart.frame({ x: [-1, 1], xLabel: "x", y: [-2, 2], yLabel: "y" });
    const isSwinging = Math.max(...early.kept) > 1.2;
    const rows = curvatures.map((curvature, i) => [-i, short(curvature)]);
    table.frame({
      x: [0, isSwinging ? 2 : 1.2],
      xLabel: "part of it in the fit",
      y: [0.5 - rows.length, 0.5],
      yLabel: "",
      rows
    });
    const along = (curve) => curve.map((y, i) => [PLACES[i], y]);
    const all = KINDS.map(([kind]) => along(result[kind].curve));
    const fits = KINDS.map((kind, i) => (isShown(kind) ? chart.line(all[i]) : ""));
    const honest = along(PLACES.map(truth));
    [chart.line(honest), chart.dots(state.points), ...fits].forEach((d, i) => set(lines[i], { d }));

    /** @type {[string, Pair[]][]} */
    const seen = KINDS.flatMap((kind, i) => (isShown(kind) ? [[kind[1], all[i]]] : []));
    chart.read((x) => `x = ${number(x)}`, [["truth", honest], ...seen]);
    const lost = chart.cut(
      seen.map(([, curve]) => curve),
      true
    );

    const room = table.box.height / rows.length;
    const x = scale([-1, 1], [2, 70]);
    const draw = (curve, i) => {
      const y = scale(
        [-1, 1].map((end) => end * Math.max(...curve.map(Math.abs))),
        [0.4, -0.4].map((end) => table.y(-i) + end * room)
      );
      return (
        "M" + curve.map((value, j) => `${x(PLACES[j]).toFixed(1)},${y(value).toFixed(1)}`).join("L")
      );
    };
    set(shapes, { d: features.map(draw).join("") });
    set(bases, { d: rows.map(([at]) => `M2,${table.y(at)}h68`).join("") });
    set(full, {
      d: table.line([
        [1, -99],
        [1, 99]
      ])
    });
    const [own, other] = KINDS.map(isShown);
    set(bars, {
      d: own
        ? early.kept
            .map((part, i) =>
              table.line([
                [0, -i],
                [part, -i]
              ])
            )
            .join("")
        : ""
    });
    set(marks, {
      d: other
        ? tikhonov.kept
            .map((part, i) => table.line([-0.4, 0.4].map((up) => [part, up - i])))
            .join("")
        : ""
    });

    const numLearned = early.kept.filter((part) => part > 0.5).length;
    const away = (/** @type {number[]} */ [points, from]) =>
      `${number(points, 3)} from the points, ${number(from, 3)} from the truth.`;
    const texts = [
      [
        `Early stopping after ${show(state.num_steps)} ${state.num_steps === 1 ? "step" : "steps"}`,
        away(early.errors),
        `More than half learned: ${numLearned} of ${rows.length} eigenfeatures.`
      ],
      [
        `Tikhonov with δ = (1 − μ)/(αt) = ${short(result.penalty)}`,
        away(tikhonov.errors),
        "It keeps λ/(λ + δ) of each eigenfeature."
      ]
    ];
    texts.forEach((card, i) => card.forEach((line, k) => setText(words[i][k], line)));
    self.say(texts.map(([title, ...rest]) => `${title}: ${rest.join(" ")}`).join(" ") + lost);
  };
  return self.start();
}

export default { render };
