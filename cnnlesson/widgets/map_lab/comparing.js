// Two maps, cell by cell: which of them say that the network learned, and where they differ.
import { cellWords } from "../shared/map_cells.js";
import { nameOf } from "./keeping.js";

/** @import { Outcome } from "./keeping.js" */
/**
 * A cell: its place, what was committed, and what was measured here of the seeds that are wanted.
 * @typedef {{ i: number, j: number, lr: number, momentum: number, median: number, fates: string,
 *   bits: number[], hasLearned: boolean, outcomes: (Outcome | undefined)[], isChosen: boolean,
 *   isDone: boolean }} Cell
 */

const LEARNED = 0.5; // of the test digits are right

/** @param {number[]} bits */
const inMost = (bits) => 2 * bits.reduce((sum, bit) => sum + bit, 0) > bits.length;

/** @param {Outcome} outcome */
const bitOf = ({ status, accuracy }) =>
  Number(status === "completed" && Number(accuracy) >= LEARNED);

/** @param {(Outcome | undefined)[]} outcomes */
const known = (outcomes) => /** @type {Outcome[]} */ (outcomes.filter(Boolean));

/**
 * Whether the network learned here, with most of the seeds.
 * @param {Cell} cell
 */
export const learnedHere = ({ outcomes }) => inMost(known(outcomes).map(bitOf));

/**
 * The median accuracy of what was measured, a diverged training being worse than any other.
 * @param {(Outcome | undefined)[]} outcomes
 */
export function medianHere(outcomes) {
  const ranks = known(outcomes).map(({ accuracy }) => accuracy ?? -1);
  ranks.sort((a, b) => a - b);
  return Math.max(0, (ranks[(ranks.length - 1) >> 1] + ranks[ranks.length >> 1]) / 2);
}

/**
 * What failed of what was measured.
 * @param {(Outcome | undefined)[]} outcomes
 */
export const fatesHere = (outcomes) =>
  [...new Set(known(outcomes).map(({ status }) => status))]
    .filter((status) => status !== "completed")
    .join(" ");

/**
 * The cells of both maps, row by row from below.
 * @param {any} state
 * @param {Map<string, Outcome>} outcomes
 * @returns {Cell[]}
 */
export function cellsOf({ maps, pixels, left, right, bottom, top, seed, num_seeds }, outcomes) {
  const { lr: columns, momentum: rows, median, fates, learned } = maps[pixels];
  const seeds = Array.from({ length: num_seeds }, (_, k) => seed + k);
  const inside = (
    /** @type {number} */ at,
    /** @type {number[]} */ ends,
    /** @type {number} */ n
  ) => at >= Math.min(...ends, n - 1) && at <= Math.max(...ends);
  return learned.map((/** @type {string} */ text, /** @type {number} */ k) => {
    const [i, j] = [k % columns.length, Math.floor(k / columns.length)];
    const own = seeds.map((one) => outcomes.get(nameOf(pixels, columns[i], rows[j], one)));
    const bits = [...text].map(Number);
    const isChosen =
      inside(i, [left, right], columns.length) && inside(j, [bottom, top], rows.length);
    return {
      ...{ i, j, lr: columns[i], momentum: rows[j], median: median[k], fates: fates[k], bits },
      ...{ hasLearned: inMost(bits), outcomes: own, isChosen },
      isDone: isChosen && own.every(Boolean)
    };
  });
}

/**
 * In how many cells both maps agree; where they do not; and the yardstick: how many of these cells
 * each seed of the committed map, taken alone, would have agreed in.
 * @param {Cell[]} cells
 */
export function compare(cells) {
  const done = cells.filter(({ isDone }) => isDone);
  const differing = done.filter((cell) => learnedHere(cell) !== cell.hasLearned);
  const split = differing.filter(({ bits }) => new Set(bits).size > 1).length;
  const alone = (done[0]?.bits ?? []).map(
    (_, seed) => done.filter(({ bits, hasLearned }) => Boolean(bits[seed]) === hasLearned).length
  );
  return { count: done.length, agreeing: done.length - differing.length, differing, split, alone };
}

/**
 * Say how well both maps agree.
 * @param {ReturnType<typeof compare>} found
 */
export function agreementWords({ count, agreeing, differing, split, alone }) {
  if (!count)
    return "Nothing is measured yet. Yours stands beside the committed map, cell by cell.";
  const [low, high] = [Math.min(...alone), Math.max(...alone)];
  const range = low === high ? `${low}` : `${low} to ${high}`;
  const others = differing.length
    ? ` Where they differ, the map’s own seeds are divided in ${split} of ${differing.length}.`
    : "";
  return (
    `${agreeing} of ${count} cells agree on whether the network learned, which is that at least ` +
    "half of the test digits are right with most of the seeds." +
    `${others} Each of the map’s ${alone.length} seeds, taken alone, agrees with it in ${range}.`
  );
}

/**
 * Say of a cell in what the maps differ.
 * @param {Cell} cell
 */
export function differenceWords(cell) {
  const { lr, momentum, bits, outcomes } = cell;
  const learned = (/** @type {number[]} */ own) =>
    `${own.reduce((sum, bit) => sum + bit, 0)} of ${own.length}`;
  const here = learned(known(outcomes).map(bitOf));
  return cellWords(lr, momentum, `here ${here} learned, in the map ${learned(bits)}`);
}
