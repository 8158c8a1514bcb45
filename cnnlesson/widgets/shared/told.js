// A prediction beside the truth: in words, and a curve drawn over a curve.
import { recall } from "./answers.js";
import { add, set, setText } from "./dom.js";
import { number } from "./numbers.js";

/** @import { Figure } from "./figure.js" */

const isNumber = (/** @type {unknown} */ value) =>
  typeof value === "number" && Number.isFinite(value);

/**
 * Whether it could have been predicted: storage may hold anything.
 * @param {any} prediction
 * @param {any} given
 */
export function isPossible({ kind, options, low, high, columns }, given) {
  const isInside = (/** @type {any} */ value) => isNumber(value) && value >= low && value <= high;
  if (kind === "choose") return options.includes(given);
  if (kind === "slider") return isInside(given);
  return Array.isArray(given) && given.length === columns.length && given.every(isInside);
}

/**
 * What was said, and what is.
 * @param {any} prediction with the truth and, where there is one, what was given
 */
export function besides({ kind, truth, decimals, unit, given }) {
  if (kind === "curve") {
    return given === null ? "You drew no curve." : "Dashed is what you drew, solid what is.";
  }
  const show = (/** @type {any} */ value) =>
    kind === "slider" ? number(value, decimals) + unit : value;
  const is = kind === "slider" ? show(truth) : `“${truth}”`;
  if (given === null) return `You made no prediction. It is ${is}.`;
  const said = kind === "slider" ? show(given) : `“${given}”`;
  return `You said ${said}; it is ${is}.`;
}

/**
 * The points of a curve, one for each column.
 * @param {number[] | null} heights
 */
const pointsOf = (heights) => (heights ?? []).map((y, x) => [x, y]);

/**
 * A plot with room for curves, one for each item of its legend.
 * @param {Figure} self
 * @param {Element} parent
 * @param {any} prediction
 * @param {string} label
 * @param {[string, string][]} items
 */
export function curvePlot(self, parent, prediction, label, items) {
  const { columns, low, high, xLabel, yLabel, isLog } = prediction;
  const chart = self.plot(parent, {
    label,
    isImage: true,
    height: (/** @type {number} */ width) => Math.min(width * 0.5, 300),
    margin: [24, 24, 36, 56]
  });
  chart.legend("", items);
  const curves = items.map(([kind]) => add(chart.inside, "path", { class: kind }));
  const marks = columns.map((/** @type {string} */ text, /** @type {number} */ i) => [i, text]);
  const frame = () =>
    chart.frame({
      x: [-0.3, columns.length - 0.7],
      y: [low, high],
      isLogY: isLog,
      columns: marks,
      xLabel,
      yLabel
    });
  const draw = (/** @type {(number[] | null)[]} */ lists) => {
    frame();
    lists.forEach((heights, i) =>
      set(curves[i], { d: heights ? chart.line(pointsOf(heights)) : "" })
    );
  };
  return { chart, draw };
}

/**
 * Put a prediction beside the truth; returns what draws it again.
 * @param {Figure} self
 * @param {Element} parent
 * @param {any} prediction with its name and the truth
 */
export function tell(self, parent, prediction) {
  const { kind, name, truth, yLabel } = prediction;
  const words = add(parent, "p", { class: "beside" });
  const curves =
    kind === "curve" &&
    curvePlot(self, parent, prediction, `${yLabel}: what you drew, and what was measured`, [
      ["path plain", "your prediction"],
      ["path momentum", "measured"]
    ]);
  return () => {
    const given = recall(name, (value) => isPossible(prediction, value))?.given ?? null;
    setText(words, besides({ ...prediction, given }));
    if (!curves) return;
    curves.draw([given, truth]);
    curves.chart.read(
      (i) => prediction.columns[i],
      [
        ["your prediction", pointsOf(given)],
        ["measured", pointsOf(truth)]
      ]
    );
  };
}
