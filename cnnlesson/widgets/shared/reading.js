// Where values are read off a plot: an area over it. What reads them is brought when it is used.
import { add, setStyle } from "./dom.js";

/** @import { Pair, scale } from "./numbers.js" */
/** @import { Box } from "./plot.js" */

/** @typedef {ReturnType<typeof scale>} Scale */
/**
 * @typedef {{ svg: Element, box: Box, x: Scale, y: Scale,
 *   dots: (points: Pair[]) => string }} Chart
 */
/** @typedef {[string, Pair[]][]} Named curves, each with its name */
/** @typedef {(value: number, written: (value: number) => string) => string} Write */
/** @typedef {ReturnType<typeof reading>} Reading */

/** @type {Write} */
const plainly = (value, written) => written(value);

/**
 * Lay an area over a plot.
 * @param {Chart} plot
 * @param {Element} holder of the plot
 * @param {string} label
 */
export function reading(plot, holder, label) {
  const area = add(holder, "div", {
    class: "read-area",
    role: "slider",
    tabindex: 0,
    "aria-label": `Read off: ${label}`,
    "aria-valuenow": 0,
    "aria-valuetext": "arrow keys read values"
  });
  const self = {
    plot,
    area,
    /** @type {Named} */
    curves: [],
    /** @type {(value: number) => string} how a place is called */
    call: String,
    write: plainly,
    draw: () => {}, // nothing is read yet

    /**
     * Take the curves as they are now.
     * @param {(value: number) => string} call
     * @param {Named} curves
     * @param {Write} [write]
     */
    take(call, curves, write = plainly) {
      Object.assign(self, { call, curves, write });
      const { x, y, width, height } = plot.box;
      setStyle(area, `left:${x}px;top:${y}px;width:${width}px;height:${height}px`);
      self.draw();
    }
  };
  let isThere = false;
  const bring = async (/** @type {Event} */ event) => {
    if (isThere) return;
    try {
      const { readOff } = await import("./values.js");
      if (!isThere) readOff(self, event);
      isThere = true;
    } catch {
      // It did not arrive; the next movement asks again.
    }
  };
  for (const event of ["pointermove", "pointerdown", "focus"]) area.addEventListener(event, bring);
  return self;
}
