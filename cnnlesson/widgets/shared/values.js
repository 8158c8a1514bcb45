// Values read off a plot: where the pointer is, or a finger, or where the arrow keys lead.
import { add, set, sketch } from "./dom.js";
import { inDigits, powerOfTen } from "./numbers.js";

/** @import { Named, Reading } from "./reading.js" */

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
function written(value) {
  const [digits, power] = value.toExponential(2).split("e");
  const isShort = value === 0 || Math.abs(Number(power)) < 4;
  return (isShort ? inDigits(value) : `${digits}·${powerOfTen(Number(power))}`).replace("-", "−");
}

/**
 * Where curves have a point at x: their names and points.
 * @param {Named} curves
 * @param {number} x
 */
const pointsAt = (curves, x) =>
  curves.flatMap(([name, points]) => {
    const point = points.find(([at]) => at === x);
    return point ? [{ name, point }] : [];
  });

/**
 * Read values off from now on, beginning with what asked for it.
 * @param {Reading} reading
 * @param {Event} first
 */
export function readOff(reading, first) {
  const { plot, area } = reading;
  /** @type {SVGGElement | null} */
  let signs = null; // whoever went on before this came changes nothing
  let isOpen = false;
  let x = 0; // where values are read off

  const places = () =>
    [...new Set(reading.curves.flatMap(([, points]) => points.map(([at]) => at)))].sort(
      (a, b) => a - b
    );

  function draw() {
    if (!isOpen && !signs?.firstChild) return;
    signs ??= add(plot.svg, "g", { class: "read-here", "aria-hidden": "true" });
    const root = signs;
    const put = sketch(root);
    const all = places();
    const nearer = (/** @type {number} */ best, /** @type {number} */ at) =>
      Math.abs(at - x) < Math.abs(best - x) ? at : best;
    x = all.reduce(nearer, all[0]);
    const found = pointsAt(reading.curves, x);
    if (isOpen && found.length) {
      const values = found.map(({ name, point }) => `${name} ${reading.write(point[1], written)}`);
      const words = [reading.call(x), ...values];
      set(area, {
        "aria-valuemin": all[0],
        "aria-valuemax": all[all.length - 1],
        "aria-valuenow": x,
        "aria-valuetext": words.join(", ")
      });
      const { x: left, y: top, width, height } = plot.box;
      const at = plot.x(x);
      const isLeft = at > left + width / 2; // where there is more room
      put(root, "path", { class: "edge", d: `M${at},${top}v${height}` });
      const isSeen = (/** @type {number} */ y) => y >= top && y <= top + height;
      const dots = found.map(({ point }) => point).filter(([, y]) => isSeen(plot.y(y)));
      put(root, "path", { class: "dots", d: plot.dots(dots) });
      words.forEach((line, i) => {
        const place = { x: at + (isLeft ? -8 : 8), y: top + (i + 1) * LINE };
        const anchor = isLeft ? "end" : "start";
        put(root, "text", { class: "note", ...place, "text-anchor": anchor }, line);
      });
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

  const follow = (/** @type {PointerEvent} */ { clientX }) =>
    open(plot.x.invert(clientX - plot.svg.getBoundingClientRect().left));

  reading.draw = draw;
  area.addEventListener("pointermove", follow);
  area.addEventListener("pointerdown", follow);
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
  if (first instanceof PointerEvent) {
    if (first.pointerType !== "mouse" || area.matches(":hover")) follow(first);
  } else if (area === document.activeElement) open(x);
}
