// Numbers as they are read, and as they are placed: in words, on an axis, in pixels.

/** @typedef {number[]} Pair two numbers: both ends of a range, or x and y */

/**
 * Write a number with a fixed number of decimals and a real minus sign.
 * @param {number} value
 */
export function number(value, decimals = 2) {
  return value
    .toFixed(decimals)
    .replace(/^-(?=[0.]*$)/, "")
    .replace("-", "−");
}

/**
 * Write a number with two decimals, a large one with its power of ten.
 * @param {number} value
 */
export const inShort = (value) =>
  Math.abs(value) < 1e4 ? number(value) : value.toExponential(1).replace("-", "−");

/**
 * Write a number with three digits, and no more of them than needed.
 * @param {number} value
 */
export const inDigits = (value) => String(Number(value.toPrecision(3)));

/**
 * Write a power of ten, 10⁻³.
 * @param {number} exponent
 */
export function powerOfTen(exponent) {
  const raised = (/** @type {string} */ c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]);
  return "10" + String(exponent).replace(/./g, raised);
}

/**
 * Return at most `count` + 1 round values that cover [low, high] evenly.
 * @param {Pair} range
 * @param {number} count
 */
export function ticks([low, high], count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factors = [1, 2, 5];
  const step = (factors.find((factor) => factor * power >= raw * (1 - 1e-9)) ?? 10) * power;
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-9); i++) values.push(i * step);
  return values;
}

/**
 * Map a domain to a range in pixels, linearly or by logarithm.
 * @param {Pair} domain
 * @param {Pair} range
 */
export function scale([a, b], [p, q], isLog = false) {
  // A loss may reach exactly 0, which has no logarithm.
  const f = (/** @type {number} */ value) => (isLog ? Math.log10(Math.max(value, 1e-300)) : value);
  const slope = (q - p) / (f(b) - f(a));
  const map = (/** @type {number} */ value) => p + (f(value) - f(a)) * slope;
  map.invert = (/** @type {number} */ pixel) => {
    const value = f(a) + (pixel - p) / slope;
    return isLog ? 10 ** value : value;
  };
  return map;
}
