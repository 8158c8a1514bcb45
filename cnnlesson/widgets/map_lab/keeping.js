// What was measured on this page, kept by the browser until its reader has it forgotten.

const PLACE = "cnnlesson.map_lab"; // in the browser's storage, for all pages of the book

/** @typedef {{ status: string, accuracy: number | null }} Outcome of a training */

/**
 * A training's name among those that are kept.
 * @type {(pixels: string, lr: number, momentum: number, seed: number) => string}
 */
export const nameOf = (pixels, lr, momentum, seed) => [pixels, lr, momentum, seed].join(" ");

/**
 * Whether it is an outcome: storage may hold anything.
 * @param {any} found
 * @returns {found is Outcome}
 */
function isOutcome(found) {
  const { status, accuracy } = Object(found);
  if (status === "diverged") return accuracy === null;
  const isShare = typeof accuracy === "number" && accuracy >= 0 && accuracy <= 1;
  return isShare && (status === "completed" || status === "dead");
}

/**
 * What was kept, by name; nothing of what is no outcome.
 * @returns {Map<string, Outcome>}
 */
export function recallOutcomes() {
  try {
    const all = Object.entries(Object(JSON.parse(localStorage.getItem(PLACE) ?? "{}")));
    return new Map(all.filter(([, found]) => isOutcome(found)));
  } catch {
    return new Map(); // forbidden, or no JSON
  }
}

/**
 * Keep all of it; returns whether the browser does.
 * @param {Map<string, Outcome>} outcomes
 */
export function keepOutcomes(outcomes) {
  try {
    if (outcomes.size) localStorage.setItem(PLACE, JSON.stringify(Object.fromEntries(outcomes)));
    else localStorage.removeItem(PLACE);
    return true;
  } catch {
    return false; // forbidden, or full
  }
}
