// Momentum on a quadratic bowl: how fast at given α and μ, and the best of both.
import { number } from "./numbers.js";

export const TOLERANCE = 1e-9; // of a rate that is 1 but for rounding

/**
 * Return the factor of the error per step, in the long run, along one eigenvector.
 * @param {number} curvature
 * @param {number} lr
 * @param {number} momentum
 */
export function rateOf(curvature, lr, momentum) {
  const trace = 1 + momentum - lr * curvature; // of the matrix of one step; its determinant is μ
  const discriminant = trace ** 2 - 4 * momentum;
  return discriminant < 0 ? Math.sqrt(momentum) : (Math.abs(trace) + Math.sqrt(discriminant)) / 2;
}

/**
 * Write a rate with three decimals; one close to 1 with as many as tell the two apart.
 * @param {number} rate
 */
export function writeRate(rate) {
  const gap = Math.abs(1 - rate);
  return number(rate, gap < TOLERANCE ? 3 : Math.max(3, Math.ceil(-Math.log10(gap) - TOLERANCE)));
}

/**
 * Return the α and μ that are fastest together between the extreme curvatures.
 * @param {number} smallest
 * @param {number} largest
 */
export function optimum(smallest, largest) {
  const [a, b] = [smallest, largest].map(Math.sqrt);
  return { lr: (2 / (a + b)) ** 2, momentum: ((b - a) / (b + a)) ** 2 };
}
