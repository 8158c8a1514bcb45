// The losses of several trainings in one plot, each with its colour and its number.
import { add, set } from "./dom.js";
import { powerOfTen } from "./numbers.js";

/** @import { Figure } from "./figure.js" */
/** @import { Pair } from "./numbers.js" */

/**
 * A training: the images seen and the loss, of some dots and of one line or several; where the
 * images end; and what a table says of it.
 * @typedef {{ number: number, points: Pair[], lines: Pair[][], end: number, name: string,
 *   cells: string[] }} Curve
 */

const GUESS = Math.log10(Math.log(10)); // of the loss when each of ten digits is as likely
const APART = 13; // pixels between two numbers at the curves' ends
const NUM_COLOURS = 8;

/**
 * The curves with the logarithm of their losses, and the domains that hold them all. Whole powers
 * of ten, at least from 0.1 to 10, and no lower than a loss of 0.0001.
 * @param {Curve[]} given
 */
export function logarithmic(given) {
  const log = (/** @type {Pair} */ [x, y]) => [x, Math.log10(Math.max(y, 1e-4))];
  const curves = given.map(({ points, lines, ...rest }) => ({
    ...rest,
    points: points.map(log),
    lines: lines.map((line) => line.map(log))
  }));
  const heights = curves.flatMap(({ points }) => points.map(([, y]) => y));
  return {
    curves,
    x: [0, curves.length ? Math.max(...curves.map((curve) => curve.end)) : 6000],
    y: [Math.floor(Math.min(-1, ...heights)), Math.ceil(Math.max(1, ...heights))]
  };
}

/**
 * Move heights apart, from the top down, so that no two are nearer than APART; then up again.
 * @param {number[]} heights
 * @param {number} bottom
 */
export function spread(heights, bottom) {
  const order = heights.map((_, i) => i).sort((i, j) => heights[i] - heights[j]);
  const moved = [...heights];
  for (let k = 1; k < order.length; k++) {
    moved[order[k]] = Math.max(moved[order[k]], moved[order[k - 1]] + APART);
  }
  let free = bottom;
  for (const i of [...order].reverse()) {
    moved[i] = Math.min(moved[i], free);
    free = moved[i] - APART;
  }
  return moved;
}

const power = (/** @type {number} */ exponent) =>
  Math.abs(exponent) < 3 ? String(10 ** exponent) : powerOfTen(exponent);

/**
 * The class that gives a training its colour.
 * @param {number} number
 */
export const colourOf = (number) => `training colour${(number - 1) % NUM_COLOURS}`;

/**
 * A plot of losses; `show` draws curves that `logarithmic` returned, in its domains.
 * @param {Figure} self
 * @param {Element} parent
 */
export function lossCurves(self, parent) {
  const plot = self.plot(parent, {
    label: "The loss against the images seen so far, a curve for each training",
    isImage: true,
    height: (width) => Math.min(280, Math.max(200, 0.5 * width)),
    margin: [10, 30, 38, 52]
  });
  const guess = add(plot.inside, "path", { class: "guess" });
  const lines = add(plot.inside, "g");
  const look = { class: "note", "text-anchor": "end" };
  const guessing = add(plot.inside, "text", look, "ln 10: a guess"); // over a curve that lies there
  const ends = add(plot.svg, "g", { "aria-hidden": "true" });
  /** @type {Map<number, Record<"group" | "points" | "line" | "end", Element>>} */
  const drawn = new Map(); // by the number of the training

  const elementsOf = (/** @type {number} */ number) => {
    const known = drawn.get(number);
    if (known) return known;
    const group = add(lines, "g", { class: colourOf(number) });
    const made = {
      group,
      points: add(group, "path", { class: "points" }),
      line: add(group, "path", { class: "line" }),
      end: add(ends, "text", { class: colourOf(number) }, String(number))
    };
    drawn.set(number, made);
    return made;
  };

  return {
    plot,
    /** @param {ReturnType<typeof logarithmic>} domains */
    show({ curves, x, y }) {
      const rows = [];
      const every = Math.ceil((y[1] - y[0]) / 8); // one that diverges passes many powers of ten
      for (let exponent = y[0]; exponent <= y[1]; exponent += every)
        rows.push([exponent, power(exponent)]);
      plot.frame({ x, xLabel: "images seen", y, yLabel: "loss of a batch", rows });
      plot.read(
        (images) => `${images.toLocaleString("en")} images`,
        curves.map(({ number, points }) => [`training ${number}`, points]),
        (height, written) => written(10 ** height)
      );
      const level = x.map((end) => [end, GUESS]);
      set(guess, { d: plot.line(level) });
      set(guessing, { x: plot.x(x[1]) - 6, y: plot.y(GUESS) - 6 });
      for (const [number, { group, end }] of drawn) {
        if (curves.some((curve) => curve.number === number)) continue;
        group.remove();
        end.remove();
        drawn.delete(number);
      }
      const lasts = curves.map((curve) => curve.lines.findLast((line) => line.length)?.at(-1));
      const heights = lasts.map((last) => (last ? plot.y(last[1]) : 0));
      const moved = spread(heights, plot.box.y + plot.box.height);
      curves.forEach((curve, i) => {
        const elements = elementsOf(curve.number);
        const last = lasts[i];
        const drawable = curve.lines.filter((line) => line.length);
        set(elements.points, { d: last ? plot.dots(curve.points) : "" });
        set(elements.line, { d: drawable.map(plot.line).join("") });
        set(elements.end, {
          x: last ? plot.x(last[0]) + 5 : 0,
          y: moved[i] + 4,
          visibility: last ? "visible" : "hidden"
        });
      });
    }
  };
}

/**
 * A line as the curve of a training looks, in front of its name.
 * @param {Element} parent
 * @param {number} number
 */
export function curveSample(parent, number) {
  const look = { width: 22, height: 10, "aria-hidden": "true" };
  const sample = add(parent, "svg", { class: `sample ${colourOf(number)}`, ...look });
  add(sample, "path", { class: "line", d: "M1,5h20" });
}
