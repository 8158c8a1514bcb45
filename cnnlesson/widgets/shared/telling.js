// What a picture of cells tells a mouse that goes over it. What writes it comes when it is used.

/** @import { Box } from "./plot.js" */

/**
 * An element; how many rows and columns of cells it has; the words for one of them, by its row and
 * column, or by the parts down and across; and the plot that holds them, if not all of the element.
 * @typedef {[element: Element, cells: () => number[],
 *   words: (at: number[], part: number[]) => string | null, plot?: { box: Box }]} Told
 */

/**
 * Have the mouse read cells, and choose none.
 * @param {Told} told
 */
export const tell = (...told) =>
  told[0].addEventListener("pointermove", (event) =>
    import("./readout.js").then(
      ({ readOut }) => readOut(told, /** @type {PointerEvent} */ (event)),
      () => {} // it did not arrive; the next movement asks again
    )
  );
