// Values read off a plot: where the pointer is, or a finger, or where the arrow keys lead.
import { add, set, setStyle, sketch } from "./dom.js";
import { inDigits, powerOfTen } from "./numbers.js";

/** @import { Pair } from "./numbers.js" */
/** @import { Box } from "./plot.js" */
/** @import { scale } from "./numbers.js" */

/** @typedef {[string, Pair[]][]} Named curves, each with its name */
/** @typedef {ReturnType<typeof scale>} Scale */
/** @typedef {(value: number) => string} Write */

const LINE = 15; // from one line of words to the next, in pixels

/**
 * By how many places a key goes on.
 * @type {Record<string, number>}
 */
const STRIDES = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity
};

/**
 * Write a value with three digits, a small or a large one with its power of ten.
 * @param {number} value
 */
export function written(value) {
  const [digits, power] = value.toExponential(2).split("e");
  const isShort = value === 0 || Math.abs(Number(power)) < 4;
  return (isShort ? inDigits(value) : `${digits}·${powerOfTen(Number(power))}`).replace("-", "−");
}

/**
 * What is read off where curves have a point at x: a sign there, and words.
 * @param {Named} curves
 * @param {number} x
 * @param {Write} write
 */
export const valuesAt = (curves, x, write) =>
  curves.flatMap(([name, points]) => {
    const found = points.find(([at]) => at === x);
    return found ? [{ at: found, words: `${name} ${write(found[1])}` }] : [];
  });

/**
 * Lay over a plot what values are read off with. Returns what tells it the curves, whenever they
 * are drawn: how a place is called, the curves by name, and how a value is written.
 * @param {{ svg: Element, box: Box, x: Scale, y: Scale, dots: (points: Pair[]) => string }} plot
 * @param {Element} holder of the plot
 * @param {string} label
 * @returns {(call: Write, curves: Named, write?: Write) => void}
 */
export function reader(plot, holder, label) {
  const { svg } = plot;
  const signs = add(svg, "g", { class: "reading", "aria-hidden": "true" });
  const area = add(holder, "div", {
    class: "reader",
    role: "slider",
    tabindex: 0,
    "aria-label": `Read off: ${label}`,
    "aria-valuenow": 0
  });
  /** @type {Named} */
  let curves = [];
  /** @type {Write} */
  let call = String;
  let write = written;
  let isOpen = false;
  let x = 0; // where values are read off

  const places = () =>
    [...new Set(curves.flatMap(([, points]) => points.map(([at]) => at)))].sort((a, b) => a - b);

  function draw() {
    const { box } = plot;
    const put = sketch(signs);
    const all = places();
    const nearer = (/** @type {number} */ best, /** @type {number} */ at) =>
      Math.abs(at - x) < Math.abs(best - x) ? at : best;
    x = all.reduce(nearer, all[0]);
    const found = valuesAt(curves, x, write);
    if (isOpen && found.length) {
      const words = [call(x), ...found.map((value) => value.words)];
      set(area, {
        "aria-valuemin": all[0],
        "aria-valuemax": all[all.length - 1],
        "aria-valuenow": x,
        "aria-valuetext": words.join(", ")
      });
      const isLeft = plot.x(x) > box.x + box.width / 2; // where there is more room
      put(signs, "path", { class: "edge", d: `M${plot.x(x)},${box.y}v${box.height}` });
      const isSeen = (/** @type {number} */ y) => y >= box.y && y <= box.y + box.height;
      const dots = found.map(({ at }) => at).filter(([, y]) => isSeen(plot.y(y)));
      put(signs, "path", { class: "dots", d: plot.dots(dots) });
      words.forEach((line, i) =>
        put(
          signs,
          "text",
          {
            class: "note",
            x: plot.x(x) + (isLeft ? -8 : 8),
            y: box.y + (i + 1) * LINE,
            "text-anchor": isLeft ? "end" : "start"
          },
          line
        )
      );
    }
    put.end();
  }

  /** @param {number} to */
  function open(to) {
    isOpen = true;
    x = to;
    draw();
  }

  function close() {
    isOpen = false;
    draw();
  }

  for (const event of /** @type {const} */ (["pointermove", "pointerdown"]))
    area.addEventListener(event, ({ clientX }) =>
      open(plot.x.invert(clientX - svg.getBoundingClientRect().left))
    );
  area.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && close());
  area.addEventListener("focus", () => open(x));
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    const all = places();
    const stride = STRIDES[event.key] * (event.shiftKey ? 10 : 1);
    if (event.key === "Escape") close();
    if (!stride) return;
    event.preventDefault();
    open(all[Math.min(Math.max(all.indexOf(x) + stride, 0), all.length - 1)]);
  });

  return (calls, drawn, writes = written) => {
    [call, curves, write] = [calls, drawn, writes];
    const { x: left, y: top, width, height } = plot.box;
    setStyle(area, `left:${left}px;top:${top}px;width:${width}px;height:${height}px`);
    if (isOpen) draw();
  };
}
