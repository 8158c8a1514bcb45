// A plot: an SVG with a box, its axes and a legend, that grows and shrinks with the page.
import { placeName } from "./curve_name.js";
import { markCut } from "./cut.js";
import { add, set, sketch } from "./dom.js";
import { powerOfTen, scale, ticks } from "./numbers.js";
import { reading } from "./reading.js";

/** @import { Reading } from "./reading.js" */
/** @import { State } from "./state.js" */

/** @import { Pair } from "./numbers.js" */
/** @typedef {(number | string)[][]} Marks values, and how they are written */
/** @typedef {{ x: number, y: number, width: number, height: number }} Box */

/** @typedef {ReturnType<typeof plot>} Plot */

/**
 * Round values that cover a range.
 * @param {Pair} range
 * @param {number} count
 * @returns {Marks}
 */
const roundMarks = (range, count) =>
  ticks(range, count).map((at) => [at, String(Number(at.toPrecision(6))).replace("-", "−")]);

/**
 * An SVG as wide as there is room, in CSS pixels; `height` of the part inside its margin.
 * @param {State} self
 * @param {Element} parent
 * @param {{ label: string, isImage?: boolean, height: (width: number) => number,
 *   margin: [number, number, number, number] }} look margin above, right, below, left
 */
export function plot(self, parent, { label, isImage = false, height, margin }) {
  const [above, right, below, left] = margin;
  const holder = add(parent, "div", { class: "plot-holder" });
  const svg = add(holder, "svg", {
    class: "plot",
    role: isImage ? "img" : "group",
    "aria-label": label
  });
  const axes = add(svg, "g", { class: "axes", "aria-hidden": "true" });
  const inside = add(svg, "svg", { class: "inside", "aria-hidden": "true" }); // clips
  let drawn = "";
  /** @type {{ row: SVGGElement, width: number } | null} */
  let explained = null; // the row of the legend, and how wide it is
  /** @type {[Element, SVGTextElement] | null} */
  let cut = null; // the marks where curves leave, and words
  let said = ""; // of that
  /** @type {Reading | null} */
  let reads = null;
  const chart = {
    svg,
    inside,
    width: Math.round(holder.clientWidth) || 640,
    /** @type {Box} */
    box: { x: 0, y: 0, width: 0, height: 0 }, // of what is inside; this and the scales by `frame`
    x: scale([0, 1], [0, 1]),
    y: scale([0, 1], [0, 1]),

    /**
     * Fit scales and axes to the size and the domains; cheap when neither changed. `rows`, a
     * list of [y, text], marks the y axis in place of round numbers, `columns` the x axis.
     * @param {{ x: Pair, y: Pair, xLabel: string, yLabel: string, isLogY?: boolean,
     *   rows?: Marks | null, columns?: Marks | null }} axes
     */
    frame({ x, y, xLabel, yLabel, isLogY = false, rows = null, columns = null }) {
      const key = JSON.stringify([chart.width, x, y, xLabel, yLabel, rows, columns]);
      if (key === drawn) return;
      drawn = key;
      const width = chart.width - left - right;
      const tall = Math.round(height(width));
      const total = above + tall + below;
      chart.box = { x: left, y: above, width, height: tall };
      chart.x = scale(x, [left, left + width]);
      chart.y = scale(y, [above + tall, above], isLogY);
      set(svg, { viewBox: `0 0 ${chart.width} ${total}`, height: total });
      set(inside, { ...chart.box, viewBox: `${left} ${above} ${width} ${tall}` });
      if (explained)
        set(explained.row, { transform: `scale(${Math.min(1, chart.width / explained.width)})` });

      const powers = isLogY ? ticks(y.map(Math.log10), 6) : [];
      const logarithmic = powers.map((power) => [10 ** power, powerOfTen(power)]);
      const lines = /** @type {[number, string][]} */ (
        isLogY ? logarithmic : (rows ?? roundMarks(y, 2))
      );
      const places = /** @type {[number, string][]} */ (columns ?? roundMarks(x, 5));
      const put = sketch(axes);
      /** @type {(text: string, x: number, y: number, anchor: string) => void} */
      const label = (text, x, y, anchor) =>
        put(axes, "text", { x, y, "text-anchor": anchor }, text);
      put(axes, "rect", chart.box);
      put(axes, "path", {
        d: lines.map(([value]) => `M${left},${chart.y(value)}h${width}`).join("")
      });
      for (const [value, text] of places) {
        label(text, chart.x(value), above + tall + 16, "middle");
      }
      for (const [value, text] of lines) label(text, left - 6, chart.y(value) + 4, "end");
      label(xLabel, left + width / 2, total - 4, "middle");
      const turned = `translate(12,${above + tall / 2}) rotate(-90)`;
      put(axes, "text", { transform: turned, "text-anchor": "middle" }, yLabel);
      put.end();
    },

    /**
     * The `d` of a path through the points, given in data units.
     * @param {Pair[]} points
     */
    line: (points) =>
      "M" + points.map(([x, y]) => `${chart.x(x).toFixed(2)},${chart.y(y).toFixed(2)}`).join("L"),

    /**
     * The `d` of one dot per point, drawn by a round stroke: one element for all.
     * @param {Pair[]} points
     */
    dots: (points) =>
      points.map(([x, y]) => `M${chart.x(x).toFixed(2)},${chart.y(y).toFixed(2)}h0`).join(""),

    /**
     * Where a circle at a point is. One far outside need not be told apart from one farther.
     * @param {number[]} point
     */
    at([x, y]) {
      const [cx, cy] = [chart.x(x), chart.y(y)].map((at) => Math.min(Math.max(at, -99), 9999));
      return { cx, cy };
    },

    /**
     * Explain above the plot how lines of these classes look: a list of [class, text].
     * @param {string} title
     * @param {string[][]} items
     */
    legend(title, items) {
      const row = add(svg, "g", { "aria-hidden": "true" });
      /** @type {(text: string, x: number) => number} */
      const label = (text, x) => x + add(row, "text", { x, y: 14 }, text).getComputedTextLength();
      let end = title ? label(title, left) + 10 : left;
      for (const [name, text] of items) {
        add(row, "path", { class: name, d: `M${end},10h18` });
        end = label(text, end + 23) + 14;
      }
      explained = { row, width: end - 14 };
    },

    /**
     * Mark at the edge where curves leave the axes; returns it as a sentence, "" where none does.
     * Called before `nameCurve`. With `isBelow` at the lower edge as well.
     * @param {Pair[][]} curves
     */
    cut(curves, isBelow = false) {
      cut ??= [add(inside, "path", { class: "cut" }), add(inside, "text", { class: "cut" })];
      said = markCut(cut, curves, chart, isBelow);
      return said;
    },

    /**
     * Have values read off: how a place along x is called, curves by name, how a value is written.
     * @param {Parameters<Reading["take"]>} of
     */
    read(...of) {
      reads ??= reading(chart, holder, label);
      reads.take(...of);
    },

    /**
     * Write a curve's name beside its middle; not at all where it would hide the other one.
     * @param {SVGTextElement} text
     * @param {Pair[]} points
     * @param {Pair[]} others
     * @param {boolean} isAbove
     */
    nameCurve(text, points, others, isAbove) {
      const pixels = (/** @type {Pair[]} */ list) => list.map(([x, y]) => [chart.x(x), chart.y(y)]);
      const { y, height } = chart.box;
      const free = said ? 18 : 0; // what leaves is said at the top
      const box = { ...chart.box, y: y + free, height: height - free };
      placeName(text, pixels(points), pixels(others), box, isAbove);
    }
  };
  const sized = new ResizeObserver(([{ contentRect }]) => {
    if (Math.round(contentRect.width) === chart.width || contentRect.width < 1) return;
    chart.width = Math.round(contentRect.width);
    self.redrawLater(); // now, what is observed would change again
  });
  sized.observe(holder);
  self.undo.push(() => sized.disconnect());
  return chart;
}
