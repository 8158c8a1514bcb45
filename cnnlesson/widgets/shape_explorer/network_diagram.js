// A network as stacks of feature maps, drawn from its shapes as network_picture.py does.
import { set, sketch } from "../shared/dom.js";
import { describe, special, times } from "./stack.js";

const INK = "currentColor";
const RED = "#d9435a";
const COLOURS = { input: "#767676", map: "#1a80bb", pooled: "#009e73", features: "#d55e00" };
// How far down and across the pixel lies whose window is shown, in turns: lines keep apart.
const LOOKS = [
  [0.75, 0.5],
  [0.25, 0.72]
];
const STEP = 2.5; // pixels from one square of a stack to the next
const TURN = 8; // pixels beside the beginning of a row, for the line that leads there

/**
 * Layers that are drawn as one.
 * @typedef {{ shape: number[] | undefined, kind: string, index: number, isWrong?: boolean,
 *   steps: string[], lines: string[],
 *   window?: { reach: number, s: number, p: number } }} Stage
 */

/** Round as Python does: a half to the even neighbour. */
const round = (value) => Math.round(value) - (value % 2 === 0.5 ? 1 : 0);

/** Group layers as they are drawn: one that changes single numbers joins the one before. */
function toStages({ input, layers, rows }) {
  /** @type {Stage[]} */
  const stages = [{ shape: input, kind: "input", index: 0, steps: ["Input"], lines: [] }];
  layers.forEach((layer, i) => {
    const { kind, k, s, p, d = 1, from } = layer;
    const { shape, before } = rows[i] ?? {};
    const [name, rest] = describe(layer);
    const last = stages[stages.length - 1];
    const isNew = shape ? String(shape) !== String(before) || !last.index : kind === "flatten";
    if (!k && !from && !isNew) {
      last.steps.push(name);
      const [first, ...more] = last.steps.slice(1);
      last.lines[2] =
        more.length > 1 ? `${first}, ${more.length} more` : [first, ...more].join(", ");
      return;
    }
    const lines = [
      name,
      special(layer)
        .map((parts) => parts.slice(1).join(" "))
        .join(", "),
      ""
    ];
    const steps = [k && rest ? `${name}, ${rest}` : name];
    const window = k ? { reach: d * (k - 1) + 1, s, p } : undefined;
    stages.push({
      shape,
      kind,
      index: i + 1,
      isWrong: i === rows.length,
      steps,
      lines,
      window
    });
  });
  return stages;
}

/** Say in words what is drawn. */
const inWords = (stages) =>
  stages
    .map(({ shape, steps, isWrong }) => {
      const what = steps.join(", then ");
      if (!shape) return `${what}: ${isWrong ? "impossible" : "unknown"}.`;
      const [count, ...size] = shape;
      const noun = `${size.length ? "feature map" : "number"}${count === 1 ? "" : "s"}`;
      return `${what}: ${count} ${noun}` + (size.length ? ` of ${times(size)}.` : ".");
    })
    .join(" ");

/** Say what stands above a stage. */
function labelOf(/** @type {Stage} */ { shape, isWrong }) {
  if (!shape) return isWrong ? "impossible" : "?";
  const [channels, ...size] = shape;
  return size.length ? `${channels}@${times(size)}` : String(channels);
}

/**
 * Set stages like words in rows of this width: as few rows as can be, and then the largest maps.
 * Returns the rows, each of [number, left end]; the stages' sizes: front map, how far the last one
 * of its stack lies behind, room on the row; and how tall a row is.
 */
function setInRows(/** @type {Stage[]} */ stages, width) {
  const sizes = stages.flatMap(({ shape }) => shape?.slice(1) ?? []);
  const biggest = Math.max(...sizes, 1);
  const spread = Math.log(Math.min(...sizes, biggest) / biggest);
  const power = Math.min(1, Math.log(16 / 92) / (spread || -1)); // the smallest map must be seen
  const longest = stages.map(({ lines }) => Math.max(0, ...lines.map((line) => line.length)));

  const rowsWith = (/** @type {number} */ largest) => {
    const parts = stages.map((stage, i) => {
      const [channels, ...size] = stage.shape ?? [1, biggest / 2, biggest / 2];
      const bits = Math.log2(channels);
      const [h, w, back] = size.length
        ? [
            ...size.map((pixels) => largest * (pixels / biggest) ** power),
            STEP * Math.min(channels - 1, 15, round(1.5 * bits))
          ]
        : [(largest / 92) * (16 + 8.5 * bits), 9, 0];
      // It has room for its label, and for half of the captions on both sides.
      const text = Math.max(7 * labelOf(stage).length, 3 * (longest[i] + (longest[i + 1] ?? 0)));
      return { w, h, back, room: Math.max(w + back, text) + largest / 4 + 6 };
    });
    /** @type {number[][][]} */
    const rows = [[]];
    let x = 0;
    parts.forEach(({ room }, i) => {
      if (x + room > width && rows[0].length > 1) {
        rows.unshift([[i - 1, TURN]]); // the last of a row also begins the next one
        x = TURN + parts[i - 1].room;
      }
      rows[0].push([i, x]);
      x += room;
    });
    return /** @type {const} */ ([rows.reverse(), parts]);
  };

  const most = width > 560 ? 76 : 51;
  const fewest = rowsWith(36)[0].length;
  let largest = most;
  while (rowsWith(largest)[0].length > fewest) largest--;
  const [rows, parts] = rowsWith(largest);
  // The same whatever the numbers are: what is below stays under the finger.
  const tall = Math.max(most + 15 * STEP, ...parts.map(({ h }) => h));
  return /** @type {const} */ ([rows, parts, tall]);
}

/** Draw a traced network as wide as `width`; a click on a stage calls choose(its layer). */
export function drawNetwork(svg, network, { width, chosen, choose }) {
  const stages = toStages(network);
  const [rows, parts, tall] = setInRows(stages, width);
  const pitch = tall + 80; // room for a label above, for three captions below, and to turn
  const height = Math.ceil(pitch * rows.length);
  const put = sketch(svg);
  set(svg, {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": inWords(stages)
  });
  const write = (parent, words, x, y, size) =>
    put(
      parent,
      "text",
      {
        x,
        y,
        "text-anchor": "middle",
        "font-size": size,
        "font-family": "sans-serif",
        fill: INK
      },
      words
    );
  const path = (parent, d, look) => put(parent, "path", { d, fill: "none", stroke: INK, ...look });
  const rect = (parent, x, y, width, height, look) =>
    put(parent, "rect", { x, y, width, height, ...look });

  function drawStage(stage, at, isRepeated) {
    const { shape, kind, index, isWrong } = stage;
    const { x, y, w, h, back } = at;
    const group = put(svg, "g", { class: isRepeated ? "repeated" : "stage", "data-layer": index });
    write(group, labelOf(stage), x + (w - back) / 2, y - back - 7, 12);
    if (!shape) {
      const stroke = isWrong ? RED : "#808080";
      rect(group, x, y, w, h, { fill: "transparent", stroke, "stroke-dasharray": "3 3" });
      if (isWrong) path(group, `M${x},${y}l${w},${h}m0,${-h}l${-w},${h}`, { stroke });
      return;
    }
    const ofMaps = kind.endsWith("pool") ? "pooled" : "map";
    const colour = COLOURS[kind === "input" ? kind : shape[1] ? ofMaps : "features"];
    const look = {
      fill: colour,
      "fill-opacity": isRepeated ? 0 : 0.26,
      stroke: colour,
      "stroke-width": 0.9
    };
    // Of all squares but the front one a strip on the left and one on the top is seen.
    let strips = "";
    for (let k = back; k > 0; k -= STEP) {
      strips += `M${x - k},${y - k + h}v${-h}h${w}v${STEP}h${STEP - w}v${h - STEP}z`;
    }
    if (strips) path(group, strips, look);
    rect(group, x, y, w, h, look);
  }

  /** Join the right side of a rectangle to what lies between two heights. */
  const join = (x, y, w, h, u, v, high) =>
    path(svg, `M${x + w},${y}L${u},${v}M${x + w},${y + h}L${u},${v + high}`, {
      "stroke-width": 0.6
    });

  /** Join two stages by the window of one pixel, or all of one and the other; else by nothing. */
  function link(left, right, before, /** @type {any} */ { shape, window }, i) {
    if (!window) {
      if (!shape[1]) join(left.x, left.y, left.w, left.h, right.x, right.y, right.h);
      return;
    }
    const { reach, s, p } = window;
    /** Along an axis: where the window begins, its length; where its pixel begins, its length. */
    const look = (axis, start, side, startOfNext, sideOfNext) => {
      const pixel = round(LOOKS[i % 2][axis - 1] * (shape[axis] - 1));
      const first = Math.max(pixel * s - p, 0);
      const last = Math.min(pixel * s - p + reach, before[axis]);
      const [each, other] = [side / before[axis], sideOfNext / shape[axis]];
      return [start + first * each, (last - first) * each, startOfNext + pixel * other, other];
    };
    const [y, high, v, tiny] = look(1, left.y, left.h, right.y, right.h);
    const [x, wide, u, thin] = look(2, left.x, left.w, right.x, right.w);
    rect(svg, x, y, wide, high, { class: "seen", fill: "none", stroke: INK });
    rect(svg, u, v, thin, tiny, { class: "pixel", fill: INK });
    join(x, y, wide, high, u + thin / 2, v + tiny / 2, 0);
  }

  /** @type {any} */
  let last = null; // place of the stage before
  rows.forEach((row, r) => {
    row.forEach(([i, left], column) => {
      const stage = stages[i];
      const { w, h, back, room } = parts[i];
      const x = left + (room - w + back) / 2;
      const y = r * pitch + 20 + (tall - h + back) / 2;
      const at = { ...parts[i], x, y };
      const isRepeated = r > 0 && !column;
      drawStage(stage, at, isRepeated);
      if (isRepeated) {
        // The eye follows a line from the end of a row to the beginning of the next.
        const start = `M${last.x + last.w + 3},${last.y + last.h / 2}h5`;
        const end = `V${y + h / 2}H${x - Math.min(back, h / 2) - 3}l-4,-3m4,3l-4,3`;
        path(svg, `${start}V${r * pitch - 6}H3${end}`, { class: "turn" });
      } else {
        if (i && stage.shape) link(last, at, stages[i - 1].shape, stage, i);
        if (stage.index <= chosen && chosen < (stages[i + 1]?.index ?? Infinity)) {
          const look = { class: "chosen", rx: 3 };
          rect(svg, x - back - 3, y - back - 3, w + back + 6, h + back + 6, look);
        }
        stage.lines.filter(Boolean).forEach((words, k) => {
          write(svg, words, left, r * pitch + tall + 38 + 13 * k, 11);
        });
      }
      last = at;
    });
  });
  put.end();
  svg.onclick = ({ target }) => {
    const stage = target.closest("[data-layer]");
    if (stage) choose(Number(stage.dataset.layer));
  };
}

/** Return the diagram as a file of its own, which follows its reader's colour scheme. */
export function toFile(svg) {
  const copy = svg.cloneNode(true);
  copy.querySelectorAll(".chosen").forEach((mark) => mark.remove());
  set(copy, { xmlns: svg.namespaceURI });
  const style = document.createElementNS(svg.namespaceURI, "style");
  style.textContent = "@media (prefers-color-scheme: dark) { svg:root { color: #e6e6e6 } }";
  copy.prepend(style);
  return new XMLSerializer().serializeToString(copy);
}
