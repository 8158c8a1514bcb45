// Where curves leave the axes: a mark at the edge, and how far they go.
import { set, setText } from "./dom.js";
import { inDigits, powerOfTen } from "./numbers.js";

/** @import { Pair } from "./numbers.js" */
/** @import { Box } from "./plot.js" */

/** @param {number} value */
function written(value) {
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === Infinity) return `beyond ${sign}${powerOfTen(308)}`;
  return sign + (size < 1e4 ? inDigits(size) : powerOfTen(Math.round(Math.log10(size))));
}

/**
 * Mark where each curve first leaves, write the farthest value beside the first mark, and return
 * that as a sentence.
 * @param {[Element, SVGTextElement]} elements a path, and a text
 * @param {Pair[][]} curves
 * @param {{ box: Box, x: (value: number) => number, y: (value: number) => number }} scales
 * @param {boolean} isBelow whether the lower edge counts
 */
export function markCut([path, text], curves, { box, x, y }, isBelow) {
  const [left, right, top, bottom] = [box.x, box.x + box.width, box.y, box.y + box.height];
  let farthest = 0;
  /** @type {Pair[]} */
  const places = [];
  for (const points of curves) {
    const seen = points.filter(([at]) => x(at) >= left - 1 && x(at) <= right + 1);
    const isLost = (/** @type {Pair} */ [, value]) => {
      const height = y(value);
      return height < top - 1 || (isBelow && height > bottom + 1);
    };
    const first = seen.findIndex(isLost);
    if (first < 0) continue;
    for (const [, value] of seen.filter(isLost))
      if (Math.abs(value) > Math.abs(farthest)) farthest = value;
    const edge = y(seen[first][1]) < top ? top : bottom;
    const [[x0, y0], [x1, y1]] = [seen[Math.max(first - 1, 0)], seen[first]].map(([at, value]) => [
      x(at),
      y(value)
    ]);
    const part = Math.abs(y1) < 1e9 && y1 !== y0 ? (edge - y0) / (y1 - y0) : 0;
    places.push([x0 + part * (x1 - x0), edge]);
  }
  const signs = places.map(
    ([at, edge]) => `M${at.toFixed(1)},${edge}l-5,${edge > top ? -8 : 8}h10z`
  );
  set(path, { d: signs.join("") });
  const words = places.length ? `off the scale: ${written(farthest)}` : "";
  setText(text, words);
  if (!words) {
    set(text, { x: 0, y: 0, "text-anchor": "start" });
    return "";
  }
  // Beside all the marks, where there is room: no curve passes there. In any case as a whole.
  places.sort(([one], [other]) => one - other);
  const [first, last] = [places[0], places[places.length - 1]];
  const size = text.getComputedTextLength() + 9;
  const isLeft = first[0] - left > size;
  const [at, edge] = isLeft ? first : last[0] + size < right ? last : first;
  set(text, {
    x: isLeft ? at - 9 : Math.min(at + 9, right + 9 - size),
    y: edge > top ? edge - 4 : edge + 12,
    "text-anchor": isLeft ? "end" : "start"
  });
  return ` ${words.replace("o", "O")}.`;
}
