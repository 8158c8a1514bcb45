// A tilted bowl: the path in the plane is the sum of two paths, one along each eigenvector.
import { optimum, rateOf, TOLERANCE, writeRate } from "../shared/bowl.js";
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { number } from "../shared/numbers.js";
import { player } from "../shared/player.js";

/** @import { Pair } from "../shared/numbers.js" */

/** Return where momentum comes from `start` against `gradient`, after each step. */
function descend(gradient, start, { lr, momentum, num_steps }) {
  const path = [start];
  let v = start.map(() => 0);
  for (let t = 0; t < num_steps; t++) {
    const slope = gradient(path[t]);
    v = v.map((speed, i) => momentum * speed - lr * slope[i]);
    path.push(path[t].map((position, i) => position + v[i]));
  }
  return path;
}

/** Return the path by the gradient in the plane, and each component by a recursion of its own. */
export function compute(state) {
  const [cos, sin] = [Math.cos, Math.sin].map((f) => f((state.angle * Math.PI) / 180));
  // From the eigenvectors to w.
  const turn = (/** @type {Pair} */ [a, b]) => [a * cos - b * sin, a * sin + b * cos];
  const turnBack = (/** @type {Pair} */ [a, b]) => [a * cos + b * sin, b * cos - a * sin];
  const curvatures = [1 / state.condition_number, 1];
  const [f, s] = curvatures;
  const hessian = [f * cos ** 2 + s * sin ** 2, (f - s) * cos * sin, f * sin ** 2 + s * cos ** 2];
  const gradient = ([x, y]) => [hessian[0] * x + hessian[1] * y, hessian[1] * x + hessian[2] * y];
  return {
    turn,
    turnBack,
    axes: [
      [cos, sin],
      [-sin, cos]
    ],
    path: descend(gradient, turn(state.start), state),
    components: curvatures.map((curvature, i) =>
      descend(([x]) => [curvature * x], [state.start[i]], state).map(([x]) => x)
    ),
    rates: curvatures.map((curvature) => rateOf(curvature, state.lr, state.momentum)),
    bound: 2 * (1 + state.momentum),
    optimum: optimum(f, s)
  };
}

const HORIZON = 60; // steps in the charts
const FAR = 7; // the plane is shown from −7 to 7
const BEYOND = 99; // as good as infinitely far, and still a number that every browser draws
const ROWS = [-5, 0, 5].map((at) => [at, number(at, 0)]);
const HUES = ["first", "second"];
const NAMES = ["q₁, flat", "q₂, steep"];
const short = (value) =>
  Math.abs(value) < 1000 ? number(value) : value.toExponential(1).replace("-", "−");

/** Return a component's way in words. */
function describe(rate) {
  const factor = `× ρ = ${writeRate(rate)} a step`;
  if (rate > 1 + TOLERANCE) return `${factor}: it diverges.`;
  return rate > 1 - TOLERANCE ? `${factor}: it never settles.` : `${factor} in the long run.`;
}

function render({ model, el }) {
  const self = figure({ model, el }, "Change of basis");
  self.root.classList.add("eigen-basis");
  const stage = add(self.root, "div", { class: "stage" });
  const upper = add(stage, "div", { class: "columns" });
  const map = self.plot(upper, {
    label: "The path over the contours of the loss, with both eigenvectors",
    height: (width) => width,
    margin: [8, 14, 38, 40]
  });
  add(map.inside, "rect", { class: "slope", width: 9999, height: 9999 });
  const bowl = add(map.inside, "g");
  /** @type {[number, Element][]} */
  const contours = Array.from({ length: 10 }, (_, i) => [
    10 ** (2 - i / 2),
    add(bowl, "ellipse", { class: "contour" })
  ]);
  const kinds = [
    "path rest",
    ...HUES.flatMap((hue) => [`along axis ${hue}`, `along leg ${hue}`]),
    "mode",
    "path total",
    "dots total"
  ];
  const shapes = kinds.map((kind) => add(map.inside, "path", { class: kind }));
  const notes = NAMES.map((name) => add(map.inside, "text", { class: "note" }, name.slice(0, 2)));
  const start = self.point(map, "start", {
    label: "Start",
    step: 0.1,
    axes: ["w₁", "w₂"],
    toPlot: (at) => compute(self.state()).turn(at),
    fromPlot: (at) => compute(self.state()).turnBack(at)
  });
  const side = add(upper, "div");
  const charts = NAMES.map((name) =>
    self.plot(side, {
      label: `The component along ${name}, after each step`,
      isImage: true,
      height: () => 138,
      margin: [20, 14, 38, 40]
    })
  );
  const parts = charts.map((chart, i) => {
    chart.legend("", [[`along ${HUES[i]}`, `component along ${NAMES[i]}`]]);
    return [
      "rest",
      "path rest",
      `along ${HUES[i]}`,
      `dots along ${HUES[i]}`,
      `along leg ${HUES[i]}`
    ].map((kind) => add(chart.inside, "path", { class: kind }));
  });

  const lower = add(stage, "div", { class: "columns readouts" });
  const cards = add(lower, "div", { class: "stacked" });
  const words = ["one", "two", "sum"].map(() => {
    const card = add(cards, "p");
    return ["b", "span"].map((tag) => add(card, tag));
  });
  const buttons = add(cards, "div", { class: "buttons" });
  self.button(buttons, "Best α and μ", () => compute(self.state()).optimum);
  self.resetButton(buttons);
  const controls = add(lower, "div");
  const slider = (name, label, symbol, step, show, isLog) =>
    self.slider(controls, name, { label, symbol, step, show, isLog });
  slider("angle", "angle of the bowl", "", 1, (value) => `${number(value, 0)}°`);
  const lr = slider("lr", "step size", "α", 0.01, number);
  slider("momentum", "momentum", "μ", 0.01, number);
  slider(
    "condition_number",
    "condition number",
    "κ",
    0.02,
    (value) => number(value, value < 10 ? 1 : 0),
    true
  );
  player(self, controls, "num_steps", { label: "steps", show: String });

  self.draw = (state) => {
    const { turn, path, components, axes: basis, rates, bound } = compute(state);
    const whole = compute({ ...state, num_steps: HORIZON }); // faint: the way still to go
    const isFar = (x) => !(Math.abs(x) < 4 * FAR); // nothing comes back from there
    const cut = (points) =>
      points.slice(0, points.findIndex((at) => [at].flat().some(isFar)) + 1 || undefined);
    const seen = cut(path);
    map.frame({ x: [-FAR, FAR], xLabel: "w₁", y: [-FAR, FAR], yLabel: "w₂", rows: ROWS });
    const [cx, cy] = [map.x(0), map.y(0)];
    for (const [loss, ellipse] of contours) {
      const radius = (curvature) => map.x(Math.sqrt((2 * loss) / curvature)) - cx;
      set(ellipse, { rx: radius(1 / state.condition_number), ry: radius(1) });
    }
    set(bowl, { transform: `translate(${cx},${cy}) rotate(${-state.angle})` });
    const along = (i, x) => basis[i].map((part) => part * x);
    const last = components.map((component) =>
      Math.min(Math.max(component.at(-1), -BEYOND), BEYOND)
    );
    const ends = basis.map((_, i) => along(i, last[i]));
    const straight = ends.flatMap((end, i) => [
      [along(i, -10), along(i, 10)],
      [[0, 0], end]
    ]);
    const lines = [cut(whole.path), ...straight, [ends[0], turn(last), ends[1]], seen].map(
      map.line
    );
    [...lines, map.dots(seen)].forEach((d, i) => set(shapes[i], { d }));
    notes.forEach((note, i) => {
      const [x, y] = along(i, 6.4);
      const { x: left, y: top, width } = map.box;
      set(note, {
        x: Math.min(map.x(x) + 6, left + width - 18),
        y: Math.max(map.y(y) - 6, top + 14)
      });
    });
    start.place();
    lr.markLimit(bound);
    const lost = charts.map((chart, i) => {
      chart.frame({ x: [0, HORIZON], xLabel: "step", y: [-FAR, FAR], yLabel: "", rows: ROWS });
      const [points, future] = [components[i], whole.components[i]].map((xs) =>
        cut(xs).map((x, t) => [t, x])
      );
      const now = [0, last[i]].map((end) => [state.num_steps, end]);
      const lists = [
        [
          [-9, 0],
          [999, 0]
        ],
        future,
        points,
        points,
        now
      ];
      lists.forEach((list, part) =>
        set(parts[i][part], { d: part === 3 ? chart.dots(list) : chart.line(list) })
      );
      chart.read((step) => `step ${step}`, [["component", future]]);
      return chart.cut([whole.components[i].map((x, t) => [t, x])], true);
    });
    const [x, y] = components.map((component) => component.at(-1));
    const texts = [
      ...[x, y].map((end, i) => [
        `Along ${NAMES[i]}: ${short(state.start[i])} → ${short(end)}`,
        describe(rates[i])
      ]),
      [
        `w = ${short(x)} · q₁ + ${short(y)} · q₂`.replace("+ −", "− "),
        `= (${path.at(-1).map(short).join(", ")}) after ${state.num_steps} ` +
          `step${state.num_steps === 1 ? "" : "s"}. Turn the bowl: only this line changes.`
      ]
    ];
    texts.forEach((lines, i) => lines.forEach((line, k) => setText(words[i][k], line)));
    rates.forEach((rate, i) => (words[i][1].className = rate > 1 - TOLERANCE ? "bad" : ""));
    self.say(texts.map((lines) => lines.join(" ")).join(" ") + lost.join(""));
  };
  return self.start();
}

export default { render };
