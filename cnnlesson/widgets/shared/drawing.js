// What a reader draws: the text that holds it, the image with it, and the sheet to draw on.
import { grid } from "./digits.js";
import { add, set, setText } from "./dom.js";
import { levels, pixels, pixelWords } from "./pixels.js";

/** @import { Figure } from "./figure.js" */
/** @import { Place } from "./pixels.js" */
/** @import { Model } from "./state.js" */

// A drawing is short text, because it goes into the page's address: perhaps "_" for a clean sheet,
// then strokes. "." is the pen, "-" the eraser, "*" turns single pixels over. Then come pixels, a
// row and a column each, written to base 28; pen and eraser go through them in straight lines.
/** @type {Record<string, number[][]>} */
const BRUSHES = {
  ".": [
    [0, 0, 1],
    [0, 1, 0.6],
    [1, 0, 0.6],
    [0, -1, 0.6],
    [-1, 0, 0.6]
  ],
  // All of a pen's stroke.
  "-": [...Array(9).keys()].map((k) => [Math.floor(k / 3) - 1, (k % 3) - 1, 1])
};

const FULL = "No more strokes fit on the sheet: undo some, or clear it.";

const encode = (/** @type {Place} */ pixel) => pixel.map((index) => index.toString(28)).join("");
/** @type {(path: string) => Place[]} */
const decode = (path) =>
  (path.match(/../g) ?? []).map((pair) => [...pair].map((c) => parseInt(c, 28)));

/**
 * Return the image, rows of ink from 0 to 1, with the drawing on it.
 * @param {number[][]} image
 * @param {string} drawing
 */
export function drawnOn(image, drawing) {
  const drawn = drawing.startsWith("_") ? grid(28, () => 0) : image.map((row) => [...row]);
  /** @type {(tool: string, at: Place) => void} */
  const touch = (tool, [i, j]) => {
    for (const [y, x, ink] of BRUSHES[tool]) {
      const under = drawn[i + y]?.[j + x];
      if (under === undefined) continue;
      drawn[i + y][j + x] = tool === "." ? Math.max(under, ink) : Math.min(under, 1 - ink);
    }
  };
  for (const [, tool, path] of drawing.matchAll(/([.*-])(\w+)/g)) {
    decode(path).forEach((to, k, points) => {
      if (tool === "*") {
        drawn[to[0]][to[1]] = drawn[to[0]][to[1]] < 0.5 ? 1 : 0;
        return;
      }
      const from = points[k - 1] ?? to;
      const steps = Math.max(...to.map((end, axis) => Math.abs(end - from[axis])), 1);
      for (let step = 1; step <= steps; step++) {
        const part = step / steps;
        touch(
          tool,
          to.map((end, axis) => Math.round(from[axis] + part * (end - from[axis])))
        );
      }
    });
  }
  return drawn;
}

/**
 * Bring the ink where MNIST's makers put it: its box scaled to 20 pixels on the longer side, its
 * centre of mass in the middle of the 28×28.
 * @param {number[][]} image rows of ink from 0 to 1
 */
export function centred(image) {
  let [total, down, across] = [0, 0, 0];
  /** @type {number[][]} */
  const [rows, columns] = [[], []];
  image.forEach((row, i) =>
    row.forEach((ink, j) => {
      if (!ink) return;
      total += ink;
      down += ink * i;
      across += ink * j;
      rows.push(i);
      columns.push(j);
    })
  );
  if (!total) return image;
  const extent = (/** @type {number[]} */ indices) =>
    Math.max(...indices) - Math.min(...indices) + 1;
  const step = Math.max(extent(rows), extent(columns)) / 20;
  const near = (/** @type {number} */ centre, /** @type {number} */ index) => {
    const place = centre + (index - 13.5) * step;
    const before = Math.floor(place);
    return [
      [before, 1 - (place - before)],
      [before + 1, place - before]
    ];
  };
  const steps = image.map((_, index) => [near(down / total, index), near(across / total, index)]);
  return image.map((row, i) =>
    row.map((_, j) => {
      let ink = 0;
      for (const [y, a] of steps[i][0]) {
        for (const [x, b] of steps[j][1]) ink += a * b * (image[y]?.[x] ?? 0);
      }
      return ink;
    })
  );
}

/**
 * A map to draw on, for a figure with the setting `drawing`, and perhaps `digit` for what lies
 * under it. A pointer draws or, once the eraser is chosen, clears; space turns a pixel over; enter
 * draws a line from the last mark.
 * @param {Figure} self
 * @param {Model} model
 * @param {Element} parent
 * @param {{ label: string, margin?: () => number }} look
 */
export function pad(self, model, parent, { label, margin = () => 0 }) {
  let pen = [13, 13];
  let mark = pen;
  let isErasing = false;
  let isBlank = false;
  let isDrawing = false;
  const pattern = new RegExp(`^${self.limits.drawing.pattern}$`);
  const isAllowed = (/** @type {string} */ drawing) => pattern.test(drawing);
  const write = (/** @type {string} */ drawing) => {
    isBlank = false; // until it is drawn: the next mark may come before that
    if (isAllowed(drawing)) self.set({ drawing });
  };
  const clean = "digit" in self.limits ? "_" : "";
  const map = pixels(parent, { label, kind: "drawing grid", keys: ["Enter"], pick });
  map.box.style.touchAction = "none"; // there a finger draws, and does not scroll
  const nib = map.mark("nib", 1);
  /** @type {number[][]} */
  let ink = [];
  const onPaper = (/** @type {Place} */ at) => at.map((index) => index - margin());
  map.tell((at) => pixelWords(onPaper(at), ink[at[0]][at[1]]));

  /** @type {(at: Place, event: PointerEvent | KeyboardEvent) => void} */
  function pick(at, event) {
    const { type } = event;
    const { key } = /** @type {KeyboardEvent} */ (event); // of a pointer there is none
    const { buttons: pressed, pointerId } = /** @type {PointerEvent} */ (event);
    const drawing = model.get("drawing");
    const before = isBlank ? clean : drawing; // of strokes all rubbed out none need be kept
    const tool = isErasing ? "-" : ".";
    const from = pen;
    const place = onPaper(at);
    pen = place.map((index) => Math.min(Math.max(index, 0), 27));
    const isMoved = String(pen) !== String(from);
    const isHeld = pressed & 1 && map.box.hasPointerCapture(pointerId);
    if (key === " ") write(`${before}*${encode(pen)}`);
    else if (key === "Enter") write(before + tool + encode(mark) + encode(pen));
    else if (type === "pointerdown" && pressed & 1) {
      isDrawing = String(place) === String(pen); // what goes down beside the paper leaves no mark
      if (isDrawing) write(before + tool + encode(pen));
      else self.redraw();
    } else if (isDrawing && isMoved && isHeld) write(drawing + encode(pen));
    else return self.redraw(); // the pen moves above the paper
    mark = pen;
  }

  const buttons = add(parent, "div", { class: "buttons" });
  const erase = (/** @type {boolean} */ isChosen) => {
    isErasing = isChosen;
    set(eraser, { "aria-pressed": isChosen });
  };
  const eraser = add(buttons, "button", { type: "button" }, "Eraser");
  eraser.addEventListener("click", () => erase(!isErasing));
  erase(false);
  self.resets.push(() => erase(false));
  self.button(buttons, "Undo", () => ({
    drawing: model.get("drawing").replace(/(_|[.*-]\w+)$/, "")
  }));
  self.button(buttons, "Clear", () => {
    erase(false);
    return { drawing: clean };
  });
  if ("digit" in self.limits) {
    self.button(buttons, "Digit back", () => ({ drawing: "" }));
    self.on("digit", () => model.get("drawing") && self.set({ drawing: "" }));
  }
  const warning = add(parent, "p", { class: "full", "aria-live": "polite" });
  return {
    ...map,
    /**
     * Paint rows of ink from 0 to 1, the image with its margin.
     * @param {number[][]} rows
     */
    show(rows) {
      ink = rows;
      isBlank = !rows.flat().some(Boolean);
      const isFull = !isAllowed(`${isBlank ? clean : model.get("drawing")}.0000`);
      setText(warning, isFull ? FULL : "");
      const at = pen.map((index) => index + margin());
      set(nib, { x: at[1], y: at[0] }); // seen while the map has the keyboard's focus
      const words = pixelWords(pen, rows[at[0]][at[1]]);
      map.paintGrey(levels(rows), rows.length);
      map.point(at, words, [rows.length, rows.length]);
    }
  };
}
