// The committed map, and beside it one that is being measured.
import { add, set } from "../shared/dom.js";
import {
  cellWords,
  fill,
  frameOf,
  medianWords,
  ROW,
  SIGNS,
  shade,
  tellCells
} from "../shared/map_cells.js";
import { inDigits } from "../shared/numbers.js";
import { fatesHere, learnedHere, medianHere } from "./comparing.js";

/** @import { Figure } from "../shared/figure.js" */
/** @import { Cell } from "./comparing.js" */

/**
 * What became of a cell's runs; in brackets what the signs on it say of some.
 * @param {{ median: number, fates: string } | undefined} cell
 */
function fateOf(cell) {
  if (!cell) return "Not measured";
  const { median, fates } = cell;
  return medianWords(median || null) + (median && fates ? ` (${fates.replace(" ", ", ")})` : "");
}

/**
 * A map in `parent`; returns what draws its cells.
 * @param {Figure} self
 * @param {Element} parent
 * @param {string} label
 */
function oneMap(self, parent, label) {
  let tall = 0;
  const map = self.plot(parent, {
    label,
    isImage: true,
    height: () => tall,
    margin: [28, 8, 38, 56]
  });
  add(map.svg, "text", { x: 56, y: 16, "aria-hidden": "true" }, label);
  const ground = add(map.inside, "rect", { class: "run-ground" });
  const grid = add(map.inside, "g");
  const paths = (/** @type {string[]} */ names) =>
    names.map((name) => add(map.inside, "path", { class: name }));
  const signs = paths(["halo", "edge"]);
  const frame = paths(["halo frame", "edge frame"]);
  const [differs] = paths(["differs"]);
  /** @type {SVGRectElement[]} */
  const tiles = [];
  /** @type {[number[], number[], (Cell & { differs: boolean })[]]} */
  let shown = [[], [], []];
  tellCells(map, () => shown, fateOf);

  /**
   * @param {{ lr: number[], momentum: number[] }} axes
   * @param {(Cell & { differs: boolean })[]} cells
   * @param {Cell[]} chosen
   */
  return (axes, cells, chosen) => {
    const { lr: columns, momentum: rows } = axes;
    shown = [columns, rows, cells];
    tall = ROW * rows.length;
    map.frame(frameOf(columns, rows, map.width));
    set(ground, map.box);
    const wide = map.box.width / columns.length;
    const [x, y] = [(/** @type {number} */ i) => map.x(i), (/** @type {number} */ j) => map.y(j)];
    while (tiles.length < cells.length) tiles.push(add(grid, "rect"));
    for (const tile of tiles.splice(cells.length)) tile.remove();
    cells.forEach((cell, k) =>
      set(tiles[k], {
        x: x(cell.i) - wide / 2 + 0.5,
        y: y(cell.j) - ROW / 2 + 0.5,
        width: wide - 1,
        height: ROW - 1,
        style: fill(shade(cell.median))
      })
    );
    const box = (
      /** @type {number} */ i0,
      /** @type {number} */ i1,
      /** @type {number} */ j0,
      /** @type {number} */ j1
    ) =>
      `M${x(i0) - wide / 2 + 1.5},${y(j1) - ROW / 2 + 1.5}H${x(i1) + wide / 2 - 1.5}` +
      `V${y(j0) + ROW / 2 - 1.5}H${x(i0) - wide / 2 + 1.5}z`;
    const marks = cells.map(({ i, j, fates }) =>
      fates
        .split(" ")
        .map((fate) => SIGNS[fate]?.(x(i), y(j)) ?? "")
        .join("")
    );
    for (const path of signs) set(path, { d: marks.join("") });
    const wrong = cells.filter((cell) => cell.differs);
    set(differs, { d: wrong.map(({ i, j }) => box(i, i, j, j)).join("") });
    const [first, last] = [chosen[0], chosen[chosen.length - 1]];
    for (const path of frame) set(path, { d: box(first.i, last.i, first.j, last.j) });
  };
}

/**
 * Both maps in `parent`; returns what draws them.
 * @param {Figure} self
 * @param {Element} parent
 */
export function twoMaps(self, parent) {
  const [left, right] = [add(parent, "div"), add(parent, "div")];
  const committed = oneMap(self, left, "The committed map");
  const measured = oneMap(self, right, "Yours");
  /**
   * @param {{ lr: number[], momentum: number[] }} axes
   * @param {Cell[]} cells
   */
  return (axes, cells) => {
    const chosen = cells.filter(({ isChosen }) => isChosen);
    const differs = (/** @type {Cell} */ cell) =>
      cell.isDone && learnedHere(cell) !== cell.hasLearned;
    committed(
      axes,
      cells.map((cell) => ({ ...cell, differs: differs(cell) })),
      chosen
    );
    const begun = chosen.filter(({ outcomes }) => outcomes.some(Boolean));
    measured(
      axes,
      begun.map((cell) => ({
        ...cell,
        median: medianHere(cell.outcomes),
        fates: fatesHere(cell.outcomes),
        differs: differs(cell)
      })),
      chosen
    );
  };
}

/**
 * Which cells are chosen; of a single one, what the committed map has there.
 * @param {Cell[]} chosen
 */
export const placesOf = (chosen) => {
  const [first, last] = [chosen[0], chosen[chosen.length - 1]];
  if (first === last) return cellWords(first.lr, first.momentum, fateOf(first));
  return (
    `α from ${inDigits(first.lr)} to ${inDigits(last.lr)}, ` +
    `μ from ${inDigits(first.momentum)} to ${inDigits(last.momentum)}`
  );
};
