// A slider over the numbers of a list, however they are spaced: those that were measured, say.
import { add, set, setText } from "./dom.js";
import { inDigits } from "./numbers.js";

/** @import { Figure } from "./figure.js" */

/**
 * Return the number of a list that is nearest to a value.
 * @param {number[]} list
 * @param {number} value
 */
export const nearest = (list, value) =>
  list.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best));

/**
 * Add the slider of a setting; `move` tells it the list and the value.
 * @param {Figure} self
 * @param {Element} parent
 * @param {string} name
 * @param {{ label: string, symbol?: string }} look
 */
export function listSlider(self, parent, name, { label, symbol = "" }) {
  const row = add(parent, "div", { class: "slider" });
  const caption = add(row, "label");
  add(add(caption, "span", {}, `${label} `), "i", {}, symbol);
  const input = add(caption, "input", { type: "range", name, min: 0 });
  const output = add(row, "output", { "aria-live": "off" }); // the slider says it itself
  /** @type {number[]} */
  let values = [];
  input.addEventListener("input", () => self.set({ [name]: values[input.valueAsNumber] }));
  const move = (/** @type {number[]} */ list, /** @type {number} */ value) => {
    values = list;
    set(input, { max: list.length - 1, "aria-valuetext": inDigits(value) });
    const at = list.indexOf(nearest(list, value));
    if (input.valueAsNumber !== at) input.value = String(at);
    input.style.setProperty("--filled", String(at / Math.max(list.length - 1, 1)));
    setText(output, inDigits(value));
  };
  return { row, input, move };
}
