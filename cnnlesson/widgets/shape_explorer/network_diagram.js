// A network as stacks of feature maps, drawn from its shapes as cnnlesson/diagrams/draw.py does.
import { set, sketch } from "../shared/dom.js";
import { describe, special, times } from "./stack.js";

const INK = "currentColor";
const RED = "#d9435a";
const COLOURS = { input: "#767676", map: "#1a80bb", pooled: "#009e73", features: "#d55e00" };
const DARK = "@media (prefers-color-scheme: dark) { svg:root { color: #e6e6e6 } }";
// How far down and across the pixel lies whose window is shown, in turns: lines keep apart.
const LOOKS = [
  [0.75, 0.5],
  [0.25, 0.72]
];

/**
 * Layers that are drawn as one.
 * @typedef {{ shape: number[] | undefined, kind: string, index: number, isWrong?: boolean,
 *   operations: string[], captions: string[],
 *   window?: { reach: number, s: number, p: number } }} Stage
 */

/** Round as Python does: a half to the even neighbour. */
const round = (value) => Math.round(value) - (value % 2 === 0.5 ? 1 : 0);

/** Group layers as they are drawn: one that changes single numbers joins the one before. */
function toStages({ input, layers, rows }) {
  /** @type {Stage[]} */
  const stages = [{ shape: input, kind: "input", index: 0, operations: ["Input"], captions: [] }];
  layers.forEach((layer, i) => {
    const { kind, k, s, p, d = 1, from } = layer;
    const { shape, before } = rows[i] ?? {};
    const [name, rest] = describe(layer);
    const last = stages[stages.length - 1];
    const isNew = shape ? String(shape) !== String(before) || !last.index : kind === "flatten";
    if (!k && !from && !isNew) {
      last.operations.push(name);
      const [first, ...more] = last.operations.slice(1);
      last.captions[2] =
        more.length > 1 ? `${first}, ${more.length} more` : [first, ...more].join(", ");
      return;
    }
    const captions = [
      name,
      special(layer)
        .map((parts) => parts.slice(1).join(" "))
        .join(", "),
      ""
    ];
    const operations = [k && rest ? `${name}, ${rest}` : name];
    const window = k ? { reach: d * (k - 1) + 1, s, p } : undefined;
    stages.push({
      shape,
      kind,
      index: i + 1,
      isWrong: i === rows.length,
      operations,
      captions,
      window
    });
  });
  return stages;
}

/** Say in words what is drawn. */
const inWords = (stages) =>
  stages
    .map(({ shape, operations, isWrong }) => {
      const what = operations.join(", then ");
      if (!shape) return `${what}: ${isWrong ? "impossible" : "unknown"}.`;
      const [count, ...size] = shape;
      const noun = `${size.length ? "feature map" : "number"}${count === 1 ? "" : "s"}`;
      return `${what}: ${count} ${noun}` + (size.length ? ` of ${times(size)}.` : ".");
    })
    .join(" ");

/** Draw a traced network as wide as `width`; a click on a stage calls choose(its layer). */
export function drawNetwork(svg, network, { width, chosen, choose }) {
  const stages = toStages(network);
  // As many in a row as there is room for; the last of a row also begins the next one.
  const most = Math.max(2, Math.floor(width / (width > 560 ? 100 : 71)));
  const links = Math.max(stages.length - 1, 1);
  const rows = stages.length <= most ? 1 : Math.ceil(links / (most - 1));
  const each = Math.ceil(links / rows);
  const slot = Math.min(width / (each + 1), 160);
  const [largest, offset] = [Math.min(0.52 * slot, 76), 0.027 * slot];
  const tall = largest + 15 * offset;
  const pitch = tall + 76; // room for a label above, and for three captions below

  const sizes = stages.flatMap(({ shape }) => shape?.slice(1) ?? []);
  const biggest = Math.max(...sizes, 1);
  const [needed, spread] = [Math.log(16 / 92), Math.log(Math.min(...sizes, biggest) / biggest)];
  const power = spread < needed ? needed / spread : 1; // the smallest map must be seen
  const side = (pixels) => largest * (pixels / biggest) ** power;

  const height = Math.ceil(pitch * Math.ceil(links / each));
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

  /** Return where a stage lies: the front map of its stack, how many squares it has, the top. */
  function place({ shape }, column, row) {
    const isFlat = shape?.length === 1;
    const count =
      shape && !isFlat ? Math.min(shape[0], 16, 1 + round(1.5 * Math.log2(shape[0]))) : 1;
    const w = isFlat ? 9 : side(shape?.[2] ?? biggest / 2);
    const h = isFlat
      ? (largest / 92) * (16 + 8.5 * Math.log2(shape[0]))
      : side(shape?.[1] ?? biggest / 2);
    const [middle, back] = [slot * (column + 0.5), (count - 1) * offset];
    const top = row * pitch + 20 + (tall - h - back) / 2;
    return { isFlat, count, w, h, x: middle - (w - back) / 2, y: top + back, top, middle };
  }

  function drawStage(/** @type {any} */ { shape, kind, index, isWrong }, at, isRepeated) {
    const { x, y, w, h, top, middle, isFlat, count } = at;
    const group = put(svg, "g", { class: isRepeated ? "repeated" : "stage", "data-layer": index });
    if (!shape) {
      const stroke = isWrong ? RED : "#808080";
      rect(group, x, y, w, h, { fill: "transparent", stroke, "stroke-dasharray": "3 3" });
      if (isWrong) path(group, `M${x},${y}l${w},${h}m0,${-h}l${-w},${h}`, { stroke });
      write(group, isWrong ? "impossible" : "?", middle, top - 7, 12);
      return;
    }
    const colour =
      COLOURS[
        kind === "input" ? kind : isFlat ? "features" : kind.endsWith("pool") ? "pooled" : "map"
      ];
    const ground = isRepeated
      ? { "fill-opacity": 0, "stroke-opacity": 0.6 }
      : { "fill-opacity": 0.26 };
    const look = { fill: colour, stroke: colour, "stroke-width": 0.9, ...ground };
    // Of all squares but the front one a strip on the left and one on the top is seen.
    let strips = "";
    for (let k = count - 1; k > 0; k--) {
      const corner = `${x - k * offset},${y - k * offset + h}`;
      strips += `M${corner}v${-h}h${w}v${offset}h${offset - w}v${h - offset}z`;
    }
    if (strips) path(group, strips, look);
    rect(group, x, y, w, h, look);
    const [channels, ...size] = shape;
    write(group, size.length ? `${channels}@${size.join("×")}` : channels, middle, top - 7, 12);
  }

  /** Join two stages by the window of one pixel, or else all of one and the other. */
  function join(left, right, before, /** @type {any} */ { shape, window }, i) {
    const line = (x, y, u, v) => path(svg, `M${x},${y}L${u},${v}`, { "stroke-width": 0.6 });
    if (!window) {
      for (const v of [0, 1]) {
        const end = right.isFlat
          ? [right.x, right.y + v * right.h]
          : [right.x + right.w / 2, right.y + right.h / 2];
        line(left.x + left.w, left.y + v * left.h, ...end);
      }
      return;
    }
    const { reach, s, p } = window;
    const look = (axis) => {
      // as parts of a side: first pixel and width of the window, of the pixel
      const pixel = Math.round(LOOKS[i % 2][axis - 1] * (shape[axis] - 1));
      const first = Math.max(pixel * s - p, 0);
      const last = Math.min(pixel * s - p + reach, before[axis]);
      return [
        first / before[axis],
        (last - first) / before[axis],
        pixel / shape[axis],
        1 / shape[axis]
      ];
    };
    const [[y, high, v, tiny], [x, wide, u, thin]] = [look(1), look(2)];
    const seen = [left.x + x * left.w, left.y + y * left.h, wide * left.w, high * left.h];
    const pixel = [right.x + u * right.w, right.y + v * right.h, thin * right.w, tiny * right.h];
    rect(svg, ...seen, { class: "seen", fill: "none", stroke: INK });
    rect(svg, ...pixel, { class: "pixel", fill: INK });
    const centre = [pixel[0] + pixel[2] / 2, pixel[1] + pixel[3] / 2];
    for (const part of [0, 1]) line(seen[0] + seen[2], seen[1] + part * seen[3], ...centre);
  }

  /** @type {any} */
  let last = null; // place of the stage before
  stages.forEach((stage, i) => {
    const row = i && Math.floor((i - 1) / each);
    const column = i - row * each;
    if (column === 1 && row) {
      last = place(stages[i - 1], 0, row);
      drawStage(stages[i - 1], last, true);
    }
    const at = place(stage, column, row);
    drawStage(stage, at, false);
    if (i && stage.shape) join(last, at, stages[i - 1].shape, stage, i);
    const end = stages[i + 1]?.index ?? Infinity;
    if (stage.index <= chosen && chosen < end) {
      const [x, y] = [at.middle - (at.w + (at.count - 1) * offset) / 2 - 3, at.top - 3];
      rect(svg, x, y, at.x + at.w + 3 - x, at.y + at.h + 3 - y, { class: "chosen", rx: 3 });
    }
    stage.captions.filter(Boolean).forEach((words, k) => {
      write(svg, words, slot * column, row * pitch + tall + 38 + 13 * k, 11);
    });
    last = at;
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
  style.textContent = DARK;
  copy.prepend(style);
  return new XMLSerializer().serializeToString(copy);
}
