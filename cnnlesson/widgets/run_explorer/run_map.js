// The map of measured runs: a cell for every step size and momentum, coloured by median accuracy.
import { add, set } from "../shared/dom.js";
import { nearest } from "../shared/list_slider.js";
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
import { DIRECTIONS } from "../shared/point.js";

/** As places: 1 and 2, a line each, and their sum. */
export const LINES = ["none", "effective", "quadratic", "both"];

/** Where a step size lies among the columns: between two of them by its logarithm. */
function across(columns, lr) {
  const k = Math.min(
    Math.max(columns.filter((other) => other <= lr).length, 1),
    columns.length - 1
  );
  return k - 1 + Math.log(lr / columns[k - 1]) / Math.log(columns[k] / columns[k - 1]);
}

/** What became of a cell's runs, in a word or a few. */
export function fateOf(cell) {
  if (!cell) return "Not measured";
  const isDead = cell.median !== null && 2 * cell.dead > cell.runs.length;
  return isDead ? "Dead" : medianWords(cell.median);
}

/** Append one path of each class. */
export const paths = (parent, ...names) =>
  names.map((name) => add(parent, "path", { class: name, "aria-hidden": "true" }));

/** Append the map to `parent`. */
export function runMap(self, parent) {
  /** @type {Record<string, number[]>} */
  let axes = {};
  let shown = []; // cells
  // Height, width of a cell, and of the scale when drawn, in pixels.
  let [tall, cell, scaled] = [0, 0, 0];
  const map = self.plot(parent, {
    label: "Map of the median test accuracy over step size and momentum",
    height: () => tall,
    margin: [60, 8, 38, 56]
  });
  const ground = add(map.inside, "rect", { class: "run-ground" });
  const grid = add(map.inside, "g");
  const tiles = []; // kept, because making an element costs more than moving it
  const lines = ["edge", "edge run-dashed"].map((name) => paths(map.inside, "halo", name));
  const signs = paths(map.inside, "halo", "edge");
  const bar = add(map.svg, "g", { "aria-hidden": "true" });
  const marks = paths(map.svg, "halo", "edge", "marker");
  const cursor = add(map.svg, "g", {
    class: "run-cursor",
    tabindex: 0,
    role: "slider",
    "aria-label": "Cell of the map",
    "aria-roledescription": "cell to choose",
    "aria-valuemin": 1
  });
  const [hit, ...frame] = ["hit", "halo", "edge"].map((name) =>
    add(cursor, "rect", { class: name })
  );
  tellCells(map, () => [axes.lr, axes.momentum, shown], fateOf);
  const tone = (accuracy) => map.box.x + shade(accuracy) * map.box.width;

  /** Choose the cell at these places, or the last one on the way there. */
  const choose = (...places) =>
    self.set(
      Object.fromEntries(
        ["lr", "momentum"].map((name, i) => [
          name,
          axes[name][Math.min(Math.max(places[i], 0), axes[name].length - 1)]
        ])
      )
    );
  hit.addEventListener("click", ({ clientX, clientY }) => {
    const { left, top } = map.svg.getBoundingClientRect();
    choose(Math.round(map.x.invert(clientX - left)), Math.round(map.y.invert(clientY - top)));
    cursor.focus({ preventScroll: true });
  });
  cursor.addEventListener("keydown", (event) => {
    const step = DIRECTIONS[event.key];
    if (!step) return;
    const state = self.state();
    const at = (name) => axes[name].indexOf(nearest(axes[name], state[name]));
    choose(at("lr") + step[0], at("momentum") + step[1]);
    event.preventDefault();
  });

  function drawScale() {
    const { x, width } = map.box;
    scaled = map.width;
    bar.replaceChildren();
    add(bar, "text", { x, y: 11 }, "median test accuracy");
    for (let i = 50; i > 0; i--)
      add(bar, "path", { d: `M${x},26h${(width * i) / 50}v9H${x}z`, style: fill((i - 1) / 49) });
    for (const accuracy of [0, 0.5, 0.8, 0.9, 0.95, 0.98]) {
      add(bar, "text", { x: tone(accuracy), y: 49, "text-anchor": "middle" }, String(accuracy));
    }
  }

  return {
    plot: map,
    height: () => tall,

    drawCells(measured, cells) {
      [axes, shown] = [measured, cells];
      const { lr: columns, momentum: rows } = axes;
      tall = ROW * rows.length;
      map.frame(frameOf(columns, rows, map.width));
      set(hit, map.box);
      set(ground, map.box);
      cell = map.box.width / columns.length;
      if (scaled !== map.width) drawScale();
      let sign = "";
      tiles.splice(cells.length).forEach((tile) => tile.remove());
      cells.forEach(({ lr, momentum, median, diverged, dead }, k) => {
        const [left, top] = [map.x(columns.indexOf(lr)), map.y(rows.indexOf(momentum))];
        const box = {
          x: left - cell / 2 + 0.5,
          y: top - ROW / 2 + 0.5,
          width: cell - 1,
          height: ROW - 1
        };
        tiles[k] ??= add(grid, "rect");
        set(tiles[k], {
          ...box,
          style: median === null ? "fill: var(--bad)" : fill(shade(median))
        });
        const shift = diverged && dead ? 5 : 0;
        sign +=
          (diverged ? SIGNS.diverged(left - shift, top) : "") +
          (dead ? SIGNS.dead(left + shift, top) : "");
      });
      for (const path of signs) set(path, { d: sign });
    },

    /** Show which cell is chosen, its seeds on the scale, and the wanted lines, α at each μ. */
    drawChoice(chosen, along, { lr, momentum, lines: wanted }, words) {
      const { lr: columns, momentum: rows } = axes;
      const [i, j] = [columns.indexOf(lr), rows.indexOf(momentum)];
      const box = { x: map.x(i) - cell / 2, y: map.y(j) - ROW / 2, width: cell, height: ROW };
      for (const part of frame)
        set(part, { ...box, visibility: i < 0 || j < 0 ? "hidden" : "visible" });
      set(cursor, {
        "aria-valuemax": columns.length * rows.length,
        "aria-valuenow": j * columns.length + i + 1,
        "aria-valuetext": cellWords(lr, momentum, words)
      });
      along.forEach((values, k) => {
        const isDrawn = LINES.indexOf(wanted) & (1 << k) && columns.length > 1;
        const d = isDrawn
          ? map.line(values.map((value, row) => [across(columns, value), row]))
          : "";
        for (const path of lines[k]) set(path, { d });
      });
      const { reached, median } = chosen ?? { reached: [], median: null };
      const seeds = reached.map((accuracy) => `M${tone(accuracy).toFixed(2)},24v13`).join("");
      const middle = median === null ? "" : `M${tone(median).toFixed(2)},24l-5,-8h10z`;
      [seeds, seeds, middle].forEach((d, k) => set(marks[k], { d }));
    }
  };
}
