// What figures of pixels share: colours, digits, maps of pixels to look into, a pad to draw on.
import { diverging } from "./colours.js";
import { add, set, setText } from "./dom.js";
import { number } from "./numbers.js";
import { DIRECTIONS } from "./point.js";

/** The [red, green, blue] of ink: 0 black, 1 white. */
export const grey = (value) => Array(3).fill(Math.round(255 * value));

/** Levels of grey for rows of ink from 0 to 1, row after row. */
export const levels = (rows) => Uint8ClampedArray.from(rows.flat(), (ink) => 255 * ink);

/** Colour an element's ground, and its text black or white, whichever stands out more. */
export function tint(element, colour) {
  const [r, g, b] = colour.map((c) => ((c / 255 + 0.055) / 1.055) ** 2.4);
  const ink = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
  set(element, { style: `background: rgb(${colour}); color: ${ink};` });
}

/** Return a square of values, as rows. */
export function grid(size, value) {
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => value(i, j)),
  );
}

// One handwritten digit of each class, from scikit-learn's: 8×8 pixels from 0 to 16, as 0 to g.
const DIGITS = [
  "005d910000dfaf5003f20b8004c008800580098004b01c7002e5ac00006da000",
  "0000c5000002gc00001cgb0002cgga0006b5f6000001g9000002gb000003g800",
  "0005ec20007f8e4000623d100001d400001b900008gd000005egb2000006cd30",
  "009gd6000065gg000008f5000005e30000009f2000000bc00048bfc000bec800",
  "0009f100004gc00000fe2b3004g94ga009gbdg20009gge000008g6000009g200",
  "02dgggb005ga541006g7300009ggg6000384bf000001cf00004dg60002gf8000",
  "0005e200001db000005g2000006f500001fgfb1002de1c90004g7d900005gf30",
  "0008ee200006afb000000ea0028bcg8008gggg700000bf100009g700000cd100",
  "0077dg4000dd6c7000a4ab10008ga00003eg0000088b500004a9800001bg6000",
  "002d8000006gg600005fdb000007gf0000000e30000007b0000344g2002fded2",
];

const enlarged = []; // made once, when first asked for

/** Return a digit enlarged to 20×20 inside 28×28, as rows of whole hundredths from 0 to 1. */
export function digit(label) {
  const near = (i) => {
    const tenths = Math.min(Math.max(4 * (i - 4) - 3, 0), 70); // of a small pixel
    const [first, rest] = [Math.floor(tenths / 10), tenths % 10];
    return i < 4 || i > 23
      ? []
      : [
          [first, 10 - rest],
          [Math.min(first + 1, 7), rest],
        ];
  };
  enlarged[label] ??= grid(28, (i, j) => {
    let ink = 0;
    for (const [row, a] of near(i)) {
      for (const [column, b] of near(j))
        ink += a * b * parseInt(DIGITS[label][8 * row + column], 17);
    }
    return Math.round(ink / 16) / 100;
  });
  return enlarged[label];
}

/** A small picture of a square kernel. */
export function swatch(parent, weights) {
  const size = Math.sqrt(weights.length);
  const most = Math.max(...weights.map(Math.abs));
  const svg = add(parent, "svg", {
    viewBox: `0 0 ${size} ${size}`,
    width: 20,
    height: 20,
    "aria-hidden": "true",
  });
  weights.forEach((weight, k) => {
    const [x, y] = [k % size, Math.floor(k / size)];
    add(svg, "rect", { x, y, width: 1, height: 1, fill: `rgb(${diverging(weight / most)})` });
  });
}

/** A picture of square pixels, and above it an SVG that has the pixel as its unit. */
export function picture(parent, attributes) {
  const box = add(parent, "div", { class: "pixels", ...attributes });
  const canvas = add(box, "canvas");
  const above = add(box, "svg", { "aria-hidden": "true" });
  const context = canvas.getContext("2d");
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
    mark: (name, size) => add(above, "rect", { class: name, width: size, height: size }),
    /** Paint rows of [red, green, blue]. */
    paint(rows) {
      const colours = rows.flat();
      show(
        rows[0].length,
        colours.length,
        (k) => colours[k][0] | (colours[k][1] << 8) | (colours[k][2] << 16),
      );
    },
    /** Paint levels of grey, 0 to 255, row after row. */
    paintGrey: (levels, width) => show(width, levels.length, (k) => 0x010101 * levels[k]),
  };
}

/**
 * Pixels to point at. `pick([row, column], event)` hears pointers, arrow keys, space and the other
 * `keys`.
 */
export function pixels(parent, { label, kind, pick, keys = [] }) {
  const map = picture(parent, {
    tabindex: 0,
    role: "slider",
    "aria-label": label,
    "aria-roledescription": kind,
    "aria-valuemin": 0,
  });
  const { box } = map;
  let cells = [1, 1];
  let cursor = [0, 0];
  const inside = (at) =>
    at.map((value, i) => Math.min(Math.max(Math.floor(value), 0), cells[i] - 1));
  for (const type of ["pointerdown", "pointermove"]) {
    box.addEventListener(type, (event) => {
      if (!event.isPrimary) return; // a second finger, or the palm
      const { left, top, width, height } = box.getBoundingClientRect();
      const at = [(event.clientY - top) / height, (event.clientX - left) / width];
      pick(inside(at.map((part, i) => part * cells[i])), event);
    });
  }
  box.addEventListener(
    "pointerdown",
    (event) => event.isPrimary && box.setPointerCapture(event.pointerId),
  );
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
    /** Say in words where the cursor is, among so many places down and across. */
    point(at, words, places) {
      [cursor, cells] = [at, places];
      set(box, {
        "aria-valuemax": cells[0] * cells[1] - 1,
        "aria-valuenow": at[0] * cells[1] + at[1],
        "aria-valuetext": words,
      });
    },
  };
}

// A drawing is short text, because it goes into the page's address: perhaps "_" for a clean sheet,
// then strokes. "." is the pen, "-" the eraser, "*" turns single pixels over. Then come pixels, a
// row and a column each, written to base 28; pen and eraser go through them in straight lines.
const BRUSHES = {
  ".": [
    [0, 0, 1],
    [0, 1, 0.6],
    [1, 0, 0.6],
    [0, -1, 0.6],
    [-1, 0, 0.6],
  ],
  "-": [...Array(9).keys()].map((k) => [Math.floor(k / 3) - 1, (k % 3) - 1, 1]), // all of a pen's stroke
};

const encode = (pixel) => pixel.map((index) => index.toString(28)).join("");
const decode = (path) => path.match(/../g).map((pair) => [...pair].map((c) => parseInt(c, 28)));

/** Return the image, rows of ink from 0 to 1, with the drawing on it. */
export function drawnOn(image, drawing) {
  const drawn = drawing.startsWith("_") ? grid(28, () => 0) : image.map((row) => [...row]);
  const touch = (tool, i, j) => {
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
        touch(
          tool,
          ...to.map((end, axis) => Math.round(from[axis] + (step / steps) * (end - from[axis]))),
        );
      }
    });
  }
  return drawn;
}

/**
 * A map to draw on, for a figure with the setting `drawing`, and perhaps `digit` for what lies under
 * it. A pointer draws or, once the eraser is chosen, clears; space turns a pixel over; enter draws a
 * line from the last mark.
 */
export function pad(self, model, parent, { label, margin = () => 0 }) {
  let pen = [13, 13];
  let mark = pen;
  let isErasing = false;
  let isBlank = false;
  let isDrawing = false;
  const pattern = new RegExp(`^${self.limits.drawing.pattern}$`);
  const isAllowed = (drawing) => pattern.test(drawing);
  const write = (drawing) => {
    isBlank = false; // until it is drawn: the next mark may come before that
    if (isAllowed(drawing)) self.set({ drawing });
  };
  const clean = "digit" in self.limits ? "_" : "";
  const map = pixels(parent, { label, kind: "drawing grid", keys: ["Enter"], pick });
  map.box.style.touchAction = "none"; // there a finger draws, and does not scroll
  const nib = map.mark("nib", 1);

  function pick(at, { type, buttons: pressed, key, pointerId }) {
    const drawing = model.get("drawing");
    const before = isBlank ? clean : drawing; // of strokes all rubbed out none need be kept
    const tool = isErasing ? "-" : ".";
    const from = pen;
    const place = at.map((index) => index - margin());
    pen = place.map((index) => Math.min(Math.max(index, 0), 27));
    const isMoved = String(pen) !== String(from);
    if (key === " ") write(`${before}*${encode(pen)}`);
    else if (key === "Enter") write(before + tool + encode(mark) + encode(pen));
    else if (type === "pointerdown" && pressed & 1) {
      isDrawing = String(place) === String(pen); // what goes down beside the paper leaves no mark
      if (isDrawing) write(before + tool + encode(pen));
      else self.redraw();
    } else if (isDrawing && pressed & 1 && isMoved && map.box.hasPointerCapture(pointerId))
      write(drawing + encode(pen));
    else return self.redraw(); // the pen moves above the paper
    mark = pen;
  }

  const buttons = add(parent, "div", { class: "buttons" });
  const erase = (isChosen) => {
    isErasing = isChosen;
    set(eraser, { "aria-pressed": isChosen });
  };
  const eraser = add(buttons, "button", { type: "button" }, "Eraser");
  eraser.addEventListener("click", () => erase(!isErasing));
  erase(false);
  self.resets.push(() => erase(false));
  self.button(buttons, "Undo", () => ({
    drawing: model.get("drawing").replace(/(_|[.*-]\w+)$/, ""),
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
    /** Paint rows of ink from 0 to 1, the image with its margin. */
    show(rows) {
      isBlank = !rows.flat().some(Boolean);
      const isFull = !isAllowed(`${isBlank ? clean : model.get("drawing")}.0000`);
      setText(warning, isFull ? "No more strokes fit on the sheet: undo some, or clear it." : "");
      const at = pen.map((index) => index + margin());
      set(nib, { x: at[1], y: at[0] }); // seen while the map has the keyboard's focus
      const words = `row ${pen[0]}, column ${pen[1]}: ${number(rows[at[0]][at[1]])}`;
      map.paintGrey(levels(rows), rows.length);
      map.point(at, words, [rows.length, rows.length]);
    },
  };
}
