// Where the name of a curve stands: beside its middle, and never on the other curve.
import { set } from "./dom.js";

/** @import { Pair } from "./numbers.js" */
/** @import { Box } from "./plot.js" */

/**
 * Place the name of a curve beside another curve: above the upper, below the lower one. Where it
 * would hide the other curve it is not shown.
 * @param {SVGTextElement} text
 * @param {Pair[]} curve in pixels
 * @param {Pair[]} other in pixels
 * @param {Box} box of the plot
 * @param {boolean} isAbove
 */
export function placeName(text, curve, other, box, isAbove) {
  const { x: left, y: top, width, height } = box;
  const isSeen = (/** @type {Pair} */ [, y]) => top <= y && y <= top + height;
  const last = Math.max(0, curve.findLastIndex(isSeen));
  const leaves = last + 1 < curve.length && curve[last + 1][1] < top;
  const middle = curve[leaves ? last + 1 : last >> 1][0];
  const size = text.getComputedTextLength();
  const beside = isAbove ? middle + 5 : middle - 5 - size;
  const from = Math.min(Math.max(beside, left + 4), left + width - size - 4);
  const heightAt = (/** @type {number} */ x) => {
    // on the straight line between two points
    const next = Math.max(
      1,
      curve.findIndex(([other]) => other >= x)
    );
    const [[x0, y0], [x1, y1]] = [curve[next - 1], curve[next] ?? curve[next - 1]];
    return x1 > x0 ? y0 + ((x - x0) / (x1 - x0)) * (y1 - y0) : y0;
  };
  const between = curve.filter(([x]) => from <= x && x <= from + size).map(([, y]) => y);
  const heights = [heightAt(from), ...between, heightAt(from + size)];
  const free = isAbove ? Math.min(...heights) - 8 : Math.max(...heights) + 16;
  const base = Math.min(Math.max(free, top + 16), top + height - 8);
  const hides = other.some(([x, y], i) => {
    const [x0, y0] = other[Math.max(0, i - 1)];
    const overlaps = Math.max(x, x0) >= from && Math.min(x, x0) <= from + size;
    return overlaps && Math.max(y, y0) >= base - 12 && Math.min(y, y0) <= base + 4;
  });
  const coincides = other.every(([, y], i) => Math.abs(y - curve[i]?.[1]) < 1);
  // One is enough for both where they coincide.
  const isHidden = hides || !curve.some(isSeen) || (coincides && !isAbove);
  set(text, { x: from, y: base, visibility: isHidden ? "hidden" : "visible" });
}
