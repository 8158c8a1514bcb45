// Pictures of square pixels, and maps of them to look into.
import { diverging } from "./colours.js";
import { add, set } from "./dom.js";
import { number } from "./numbers.js";
import { DIRECTIONS } from "./point.js";
import { tell } from "./telling.js";

/** @import { Attributes } from "./dom.js" */

/** @typedef {number[]} Colour red, green and blue, 0 to 255 */
/** @typedef {number[]} Place a row and a column */

/**
 * The colour of ink: 0 black, 1 white.
 * @param {number} value
 * @returns {Colour}
 */
export const grey = (value) => Array(3).fill(Math.round(255 * value));

/**
 * The value of a pixel in words.
 * @param {Place} at
 * @param {number} value
 */
export const pixelWords = ([row, column], value) =>
  `row ${number(row, 0)}, column ${number(column, 0)}: ${number(value)}`;

/**
 * Levels of grey for rows of ink from 0 to 1, row after row.
 * @param {number[][]} rows
 */
export const levels = (rows) => Uint8ClampedArray.from(rows.flat(), (ink) => 255 * ink);

/**
 * Colour an element's ground, and its text black or white, whichever stands out more.
 * @param {Element} element
 * @param {Colour} colour
 */
export function tint(element, colour) {
  const [r, g, b] = colour.map((c) => ((c / 255 + 0.055) / 1.055) ** 2.4);
  const ink = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
  set(element, { style: `background: rgb(${colour}); color: ${ink};` });
}

/**
 * A small picture of a square kernel.
 * @param {Element} parent
 * @param {number[]} weights
 */
export function swatch(parent, weights) {
  const size = Math.sqrt(weights.length);
  const most = Math.max(...weights.map(Math.abs));
  const svg = add(parent, "svg", {
    viewBox: `0 0 ${size} ${size}`,
    width: 20,
    height: 20,
    "aria-hidden": "true"
  });
  weights.forEach((weight, k) => {
    const [x, y] = [k % size, Math.floor(k / size)];
    add(svg, "rect", { x, y, width: 1, height: 1, fill: `rgb(${diverging(weight / most)})` });
  });
}

/**
 * A picture of square pixels, and above it an SVG that has the pixel as its unit.
 * @param {Element} parent
 * @param {Attributes} attributes
 */
export function picture(parent, attributes) {
  const box = add(parent, "div", { class: "pixels", ...attributes });
  const canvas = add(box, "canvas");
  const above = add(box, "svg", { "aria-hidden": "true" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  /** @type {(width: number, count: number, colour: (k: number) => number) => void} */
  const show = (width, count, colour) => {
    const height = count / width;
    if (height !== canvas.height || width !== canvas.width) {
      set(canvas, { width, height });
      set(above, { viewBox: `0 0 ${width} ${height}` });
    }
    const image = new ImageData(width, height);
    const words = new Uint32Array(image.data.buffer); // opaque, blue, green, red
    for (let k = 0; k < count; k++) words[k] = 0xff000000 | colour(k);
    context.putImageData(image, 0, 0);
  };
  return {
    box,
    above,
    /**
     * Have the mouse read pixels by these words.
     * @param {(at: Place) => string} words
     */
    tell: (words) => tell(box, () => [canvas.height, canvas.width], words),
    /**
     * @param {string} name
     * @param {number} size
     */
    mark: (name, size) => add(above, "rect", { class: name, width: size, height: size }),
    /** @param {Colour[][]} rows */
    paint(rows) {
      const colours = rows.flat();
      show(
        rows[0].length,
        colours.length,
        (k) => colours[k][0] | (colours[k][1] << 8) | (colours[k][2] << 16)
      );
    },
    /**
     * Paint levels of grey, 0 to 255, row after row.
     * @param {ArrayLike<number>} levels
     * @param {number} width
     */
    paintGrey: (levels, width) => show(width, levels.length, (k) => 0x010101 * levels[k])
  };
}

/**
 * Pixels to point at. `pick([row, column], event)` hears pointers, arrow keys, space and the other
 * `keys`.
 * @param {Element} parent
 * @param {{ label: string, kind: string, keys?: string[],
 *   pick: (at: Place, event: PointerEvent | KeyboardEvent) => void }} look
 */
export function pixels(parent, { label, kind, pick, keys = [] }) {
  const map = picture(parent, {
    tabindex: 0,
    role: "slider",
    "aria-label": label,
    "aria-roledescription": kind,
    "aria-valuemin": 0,
    "aria-valuemax": 0, // one place, until somebody points
    "aria-valuenow": 0
  });
  const { box } = map;
  let cells = [1, 1];
  let cursor = [0, 0];
  const inside = (/** @type {Place} */ at) =>
    at.map((value, i) => Math.min(Math.max(Math.floor(value), 0), cells[i] - 1));
  const hear = (/** @type {PointerEvent} */ event) => {
    if (!event.isPrimary) return; // a second finger, or the palm
    const { left, top, width, height } = box.getBoundingClientRect();
    const at = [(event.clientY - top) / height, (event.clientX - left) / width];
    pick(inside(at.map((part, i) => part * cells[i])), event);
  };
  box.addEventListener("pointerdown", hear);
  box.addEventListener("pointermove", hear);
  box.addEventListener("pointerdown", (event) => {
    if (event.isPrimary) box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("keydown", (event) => {
    const still = [" ", ...keys].includes(event.key) && [0, 0];
    const direction = DIRECTIONS[event.key] ?? still;
    if (!direction) return;
    const [x, y] = direction.map((steps) => (event.shiftKey ? 5 : 1) * steps);
    cursor = inside([cursor[0] - y, cursor[1] + x]); // now: the next key may come before a frame
    pick(cursor, event);
    event.preventDefault();
  });
  return {
    ...map,
    /**
     * Say in words where the cursor is, among so many places down and across.
     * @param {Place} at
     * @param {string} words
     * @param {number[]} places
     */
    point(at, words, places) {
      [cursor, cells] = [at, places];
      set(box, {
        "aria-valuemax": cells[0] * cells[1] - 1,
        "aria-valuenow": at[0] * cells[1] + at[1],
        "aria-valuetext": words
      });
    }
  };
}
