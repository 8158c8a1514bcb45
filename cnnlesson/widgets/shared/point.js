// A point on a plot that pointer, finger and arrow keys move.
import { add, set } from "./dom.js";
import { number } from "./numbers.js";

/** @import { Pair } from "./numbers.js" */
/** @import { Plot } from "./plot.js" */
/** @import { State } from "./state.js" */

/**
 * Steps to the right and up, by the key that makes them.
 * @type {Record<string, Pair>}
 */
export const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1]
};

const same = (/** @type {Pair} */ at) => at;

/**
 * Put a point on a plot. It is one setting, or two settings of one number each; with `isTarget` a
 * tap anywhere on the plot brings it there. `toPlot` and `fromPlot` are for a setting in other
 * coordinates than the plot's.
 * @param {State} self
 * @param {Plot} plot
 * @param {string | [string, string]} name
 * @param {{ label: string, step: number | Pair, axes?: [string, string], isTarget?: boolean,
 *   toPlot?: (at: Pair) => Pair, fromPlot?: (at: Pair) => Pair }} look
 */
export function point(self, plot, name, look) {
  const { label, step, axes = ["x", "y"], isTarget = false, toPlot = same, fromPlot = same } = look;
  const { limits } = self;
  const names = typeof name === "string" ? null : name;
  const read = () => toPlot(names?.map(self.get) ?? self.get(String(name)));
  const [stepX, stepY] = typeof step === "number" ? [step, step] : step;
  const show = (/** @type {number} */ x, /** @type {number} */ y) =>
    `${axes[0]} = ${number(x)}, ${axes[1]} = ${number(y)}`;
  const [[left, right], [bottom, top]] = names?.map((part) => limits[part]) ?? limits[String(name)];
  const handle = add(plot.svg, "g", {
    class: "point",
    tabindex: 0,
    role: "slider",
    "aria-roledescription": "point to drag",
    "aria-valuemin": left,
    "aria-valuemax": right
  });
  add(handle, "circle", { class: "hit", r: 22 });
  add(handle, "circle", { class: "ring", r: 13 });
  add(handle, "circle", { class: "knob", r: 7 });
  const move = (/** @type {number[]} */ ...to) => {
    const [x, y] = fromPlot(to);
    const inside = [Math.min(Math.max(x, left), right), Math.min(Math.max(y, bottom), top)];
    const value = inside.map((part) => Number(part.toFixed(2)));
    self.set(names ? { [names[0]]: value[0], [names[1]]: value[1] } : { [String(name)]: value });
  };
  /** @type {Pair | null} */
  let grip = null; // from the pointer to the point: where it is grabbed, it stays grabbed
  handle.addEventListener("pointerdown", (event) => {
    const [x, y] = read();
    grip = [plot.x(x) - event.clientX, plot.y(y) - event.clientY];
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    event.preventDefault();
  });
  // Or the page scrolls away: inside an SVG, Chrome does not heed `touch-action: none`.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  handle.addEventListener("pointermove", (event) => {
    if (!grip) return;
    move(plot.x.invert(event.clientX + grip[0]), plot.y.invert(event.clientY + grip[1]));
  });
  handle.addEventListener("lostpointercapture", () => (grip = null));
  handle.addEventListener("keydown", (event) => {
    const direction = DIRECTIONS[event.key];
    if (!direction) return;
    const [x, y] = read();
    const stride = event.shiftKey ? 10 : 1;
    move(x + stride * stepX * direction[0], y + stride * stepY * direction[1]);
    event.preventDefault();
  });
  // A click, not a pointer that goes down: a finger that scrolls the page moves nothing.
  if (isTarget) plot.svg.classList.add("target");
  if (isTarget)
    plot.svg.addEventListener("click", (event) => {
      if (handle.contains(/** @type {Node} */ (event.target))) return;
      const { left, top } = plot.svg.getBoundingClientRect();
      const [x, y] = [event.clientX - left, event.clientY - top];
      const { box } = plot;
      if (x < box.x || x > box.x + box.width || y < box.y || y > box.y + box.height) return;
      move(plot.x.invert(x), plot.y.invert(y));
      handle.focus({ preventScroll: true });
    });
  return {
    place() {
      const [x, y] = read();
      set(handle, {
        transform: `translate(${plot.x(x)},${plot.y(y)})`,
        "aria-label": `${label} at ${show(x, y)}`,
        "aria-valuenow": x,
        "aria-valuetext": show(x, y)
      });
    }
  };
}
