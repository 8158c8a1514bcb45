// What is seen inside the network while it learns: its first kernels, and its answers by class.
import { diverging } from "../shared/colours.js";
import { add, set, setText } from "../shared/dom.js";
import { picture, pixelWords } from "../shared/pixels.js";

/** @import { Measurement } from "./network.js" */

const [ACROSS, DOWN] = [8, 4]; // kernels beside and below each other
const GAP = [128, 128, 128];
const MOST_COLUMNS = 160;

/**
 * The 32 kernels of the first layer, blue negative, red positive.
 * @param {Element} parent
 */
export function kernelPicture(parent) {
  const map = picture(parent, { role: "img", "aria-label": "The 32 kernels of the first layer" });
  /** @type {Float32Array} */
  let shown;
  const isGap = (/** @type {number} */ y, /** @type {number} */ x) => y % 4 === 3 || x % 4 === 3;
  const kernelAt = (/** @type {number} */ y, /** @type {number} */ x) =>
    ACROSS * Math.floor(y / 4) + Math.floor(x / 4);
  const weightAt = (/** @type {number} */ y, /** @type {number} */ x) =>
    shown[9 * kernelAt(y, x) + 3 * (y % 4) + (x % 4)];
  map.tell(([y, x]) =>
    isGap(y, x) ? "" : `kernel ${kernelAt(y, x)}, ${pixelWords([y % 4, x % 4], weightAt(y, x))}`
  );
  /** @param {Float32Array} weights */
  return (weights) => {
    shown = weights;
    const most = weights.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-6);
    const rows = Array.from({ length: 4 * DOWN - 1 }, (_, y) =>
      Array.from({ length: 4 * ACROSS - 1 }, (_, x) => {
        return isGap(y, x) ? GAP : diverging(weightAt(y, x) / most || 0);
      })
    );
    map.paint(rows);
  };
}

/**
 * A strip that grows to the right: a row for each class, white where all of its digits are right.
 * Beside it what each class is mostly taken for now.
 * @param {Element} parent
 */
export function answerStrip(parent) {
  const frame = add(parent, "div", { class: "answers" });
  const map = picture(frame, { role: "img", "aria-label": "Answers by class" });
  const list = add(frame, "ol");
  const rows = Array.from({ length: 10 }, () => add(list, "li"));
  /** @type {Measurement[]} */
  let shown = [];
  const shares = (/** @type {Measurement} */ { answers }, /** @type {number} */ label) => {
    const own = answers.slice(10 * label, 10 * label + 10);
    const total = own.reduce((a, b) => a + b, 0) || 1;
    return own.map((count) => count / total);
  };
  map.tell(([label, k]) => {
    if (!shown[k]) return "";
    const right = Math.round(100 * shares(shown[k], label)[label]);
    return `step ${shown[k].step.toLocaleString("en")}: ${right}% of the ${label}s are right`;
  });
  /** @param {Measurement[]} measurements */
  return (measurements) => {
    const every = Math.ceil(measurements.length / MOST_COLUMNS);
    shown = measurements.filter((_, i) => (measurements.length - 1 - i) % every === 0);
    const last = shown.at(-1);
    map.paintGrey(
      Array.from({ length: 10 * Math.max(1, shown.length) }, (_, k) => {
        const label = Math.floor(k / Math.max(1, shown.length));
        const at = shown[k % shown.length];
        return at ? Math.round(255 * shares(at, label)[label]) : 0;
      }),
      Math.max(1, shown.length)
    );
    const words = rows.map((row, label) => {
      const own = last ? shares(last, label) : [];
      const answer = own.indexOf(Math.max(...own));
      const text = last ? `${label} → ${answer}, ${Math.round(100 * own[answer])}%` : `${label}`;
      setText(row, text);
      row.className = last && answer !== label ? "bad" : "";
      return text;
    });
    set(map.box, {
      "aria-label": `Each class, and what it is mostly taken for: ${words.join("; ")}`
    });
  };
}

/**
 * Say how much of the network is dead.
 * @param {Measurement | undefined} measured
 */
export function deadWords(measured) {
  if (!measured) return "";
  const [first, second] = measured.dead;
  return (
    `Dead channels: ${Math.round(32 * first)} of 32 after the first convolution, ` +
    `${Math.round(64 * second)} of 64 after the second.`
  );
}
