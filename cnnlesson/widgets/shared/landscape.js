// What a path goes down: a bowl, or the same bowl around a floor that is bent, Rosenbrock's valley.

/** @import { Pair } from "./numbers.js" */

/**
 * The s, c, b and d of the loss ((x − c)²/κ + (y + d − bx²)²)/2s.
 * @type {Record<string, number[]>}
 */
const KINDS = { bowl: [1, 0, 0, 0], valley: [5, 8, 1 / 8, 4] };
const LAST = 129; // of the points of a contour, half of them above the floor

/**
 * Return a landscape's minimum, the curvatures there, loss, gradient and contours. Python has the
 * same operations in the same order: a path that bounces wildly would tell other roundings apart.
 * @param {string} kind
 * @param {number} kappa
 */
export function landscape(kind, kappa) {
  const [s, c, b, d] = KINDS[kind];
  const above = (/** @type {Pair} */ [x, y]) => y + d - b * x * x; // the floor
  const slope = 2 * b * c; // of the floor, at the minimum
  const along = 1 / kappa + slope ** 2;
  const steep = (along + 1 + Math.hypot(along - 1, 2 * slope)) / 2 / s;
  return {
    /** @type {[number, number]} */
    minimum: [c, b * c * c - d],
    curvatures: [1 / kappa / s / s / steep, steep], // their product is the determinant

    /** @param {Pair} at */
    loss(at) {
      const loss = ((at[0] - c) ** 2 / kappa + above(at) ** 2) / 2 / s;
      return loss >= 0 ? loss : Infinity; // of a path that no number holds
    },

    /** @param {Pair} at */
    gradient: (at) => [((at[0] - c) / kappa - 2 * b * at[0] * above(at)) / s, above(at) / s],

    /**
     * Where the loss has this value: an ellipse, bent as the floor is, as far as x is in the range.
     * @param {number} loss
     * @param {Pair} range
     */
    contour(loss, range) {
      const high = Math.sqrt(2 * s * loss);
      const wide = high * Math.sqrt(kappa);
      const [to, from] = range.map((x) => Math.acos(Math.min(Math.max((x - c) / wide, -1), 1)));
      return Array.from({ length: LAST + 1 }, (_, i) => {
        const part = Math.min(i, LAST - i) / 64; // there, and back below the floor
        const angle = from + part * (to - from);
        const x = c + wide * Math.cos(angle);
        return [x, b * x * x - d + (i > 64 ? -high : high) * Math.sin(angle)];
      });
    }
  };
}
