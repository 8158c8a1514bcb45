// The cells of a map of runs, a step size a column and a momentum a row: colours, signs, labels.
import { inDigits } from "./numbers.js";
import { tell } from "./telling.js";

/** @import { Plot } from "./plot.js" */

export const ROW = 28; // height of a cell, in pixels

/**
 * Signs of what became of a run, as the `d` of a path.
 * @type {Record<string, (x: number, y: number) => string>}
 */
export const SIGNS = {
  completed: () => "",
  diverged: (x, y) => `M${x - 4},${y - 4}l8,8m0,-8l-8,8`,
  dead: (x, y) => `M${x - 4},${y}a4,4 0 1 0 8,0a4,4 0 1 0 -8,0`
};

/**
 * Errors as a place from 0, nothing else, to 1, one in a hundred: equal factors, equal steps.
 * @param {number} accuracy
 */
export const shade = (accuracy) => Math.min(-Math.log10(Math.max(1 - accuracy, 0.01)) / 2, 1);

/**
 * The style of a cell of such a shade.
 * @param {number} part
 */
export const fill = (part) =>
  `fill: color-mix(in oklab, var(--fast) ${(100 * part).toFixed(1)}%, var(--low))`;

/**
 * As many of the step sizes under the columns as there is room for.
 * @param {number[]} columns
 * @param {number} width in pixels
 */
function columnMarks(columns, width) {
  const labels = [...columns.map(inDigits).entries()];
  const longest = Math.max(...labels.map(([, text]) => text.length));
  const every = Math.ceil(((7 * longest + 8) * columns.length) / width);
  return labels.filter(([i]) => i % every === 0);
}

/**
 * The median of a cell's runs in words; a diverged one has none.
 * @param {number | null} median
 */
export const medianWords = (median) =>
  median === null ? "Diverged" : `Median test accuracy ${median.toFixed(3)}`;

/** @type {(lr: number, momentum: number, words: string) => string} */
export const cellWords = (lr, momentum, words) =>
  `α = ${inDigits(lr)}, μ = ${inDigits(momentum)}: ${words}`;

/**
 * Have the mouse read the cells of a map; `fateOf` says what became of one, or of none.
 * @template {{ lr: number, momentum: number }} C
 * @param {Plot} map
 * @param {() => [number[], number[], C[]]} shown step sizes, momenta and cells
 * @param {(cell: C | undefined) => string} fateOf
 */
export const tellCells = (map, shown, fateOf) =>
  tell(
    map.svg,
    () => [shown()[1].length, shown()[0].length],
    ([row, column]) => {
      const [columns, rows, cells] = shown();
      const [lr, momentum] = [columns[column], rows[rows.length - 1 - row]];
      const cell = cells.find((one) => one.lr === lr && one.momentum === momentum);
      return cellWords(lr, momentum, fateOf(cell));
    },
    map
  );

/**
 * The frame of a map, for a plot of such a width in pixels.
 * @param {number[]} columns step sizes
 * @param {number[]} rows momenta
 * @param {number} width
 */
export const frameOf = (columns, rows, width) => ({
  x: [-0.5, columns.length - 0.5],
  xLabel: "step size α",
  columns: columnMarks(columns, width - 64),
  y: [-0.5, rows.length - 0.5],
  yLabel: "momentum μ",
  rows: [...rows.map(inDigits).entries()]
});
