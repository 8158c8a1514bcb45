// Numbers as they are read, and as they are placed: in words, on an axis, in pixels.

/** Write a number with a fixed number of decimals and a real minus sign. */
export function number(value, decimals = 2) {
  return value
    .toFixed(decimals)
    .replace(/^-(?=[0.]*$)/, "")
    .replace("-", "−");
}

/** Write a power of ten, 10⁻³. */
export function powerOfTen(exponent) {
  return "10" + String(exponent).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
}

/** Return at most `count` + 1 round values that cover [low, high] evenly. */
export function ticks([low, high], count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) * power;
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-9); i++) values.push(i * step);
  return values;
}

/** Map `domain` to `range` in pixels, linearly or by logarithm. */
export function scale([a, b], [p, q], isLog = false) {
  // A loss may reach exactly 0, which has no logarithm.
  const f = isLog ? (value) => Math.log10(Math.max(value, 1e-300)) : (value) => value;
  const slope = (q - p) / (f(b) - f(a));
  const map = (value) => p + (f(value) - f(a)) * slope;
  map.invert = (pixel) => {
    const value = f(a) + (pixel - p) / slope;
    return isLog ? 10 ** value : value;
  };
  return map;
}
