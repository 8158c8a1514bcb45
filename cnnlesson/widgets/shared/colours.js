// A scale of colours for signed values, and the bar that explains it.
import { add, setText } from "./dom.js";
import { number } from "./numbers.js";

// ColorBrewer's RdBu, which colour-blind eyes tell apart too.
const BLUE_TO_RED = [
  [5, 48, 97],
  [33, 102, 172],
  [67, 147, 195],
  [146, 197, 222],
  [209, 229, 240],
  [247, 247, 247],
  [253, 219, 199],
  [244, 165, 130],
  [214, 96, 77],
  [178, 24, 43],
  [103, 0, 31]
];

/**
 * The [red, green, blue] of a signed value: −1 blue, 0 white, 1 red.
 * @param {number} value
 */
export function diverging(value) {
  const at = Math.min(Math.max(5 * (1 + value), 0), 10);
  const i = Math.min(Math.floor(at), 9);
  return BLUE_TO_RED[i].map((c, k) => Math.round(c + (at - i) * (BLUE_TO_RED[i + 1][k] - c)));
}

/**
 * The scale of `diverging`; returns the function that writes its two ends, ±limit.
 * @param {Element} parent
 */
export function colourBar(parent) {
  const bar = add(parent, "p", { class: "colour-bar" });
  const [low, band, high] = [add(bar, "span"), add(bar, "i"), add(bar, "span")];
  const stops = BLUE_TO_RED.map((colour) => `rgb(${colour})`);
  band.style.background = `linear-gradient(to right, ${stops})`;
  return (/** @type {number} */ limit) => {
    setText(low, number(-limit));
    setText(high, number(limit));
  };
}
