// What a hand moves, presses and types: sliders, lists, numbers, buttons.
import { add, set, setText } from "./dom.js";
import { scale } from "./numbers.js";

/** @import { State } from "./state.js" */

/**
 * Return the functions that put a control of a figure into a parent.
 * @param {State} self
 */
export function controls(self) {
  const { limits } = self;

  /**
   * A button that changes settings.
   * @param {Element} parent
   * @param {string} text
   * @param {() => Record<string, unknown>} changes
   */
  function button(parent, text, changes) {
    const element = add(parent, "button", { type: "button" }, text);
    element.addEventListener("click", () => self.set(changes()));
    return element;
  }

  /** @param {Element} parent */
  function resetButton(parent) {
    const element = button(parent, "Reset", () => self.initial);
    element.addEventListener("click", () => self.resets.forEach((step) => step()));
  }

  /**
   * A slider for a setting, or for a number of the view.
   * @param {Element} parent
   * @param {string} name
   * @param {{ label: string, symbol?: string, step: number, isLog?: boolean,
   *   show: (value: number) => string }} look
   */
  function slider(parent, name, { label, symbol = "", step, isLog = false, show }) {
    const [, , isWhole] = limits[name];
    const near = (/** @type {number} */ value) =>
      isWhole ? Math.round(value) : Number(value.toPrecision(3));
    const toValue = (/** @type {number} */ position) => (isLog ? near(10 ** position) : position);
    const toPosition = (/** @type {number} */ value) => (isLog ? Math.log10(value) : value);
    const toFraction = (/** @type {number} */ value) =>
      String(scale(limits[name], [0, 1], isLog)(value));
    const row = add(parent, "div", { class: "slider" });
    const caption = add(row, "label");
    const words = add(caption, "span", {}, `${label} `);
    add(words, "i", {}, symbol);
    const input = add(caption, "input", { type: "range", step });
    set(input, { [self.isOwn(name) ? "data-name" : "name"]: name }); // a name is a setting's
    const output = add(row, "output", { "aria-live": "off" }); // the slider says it itself
    const update = () => {
      const value = self.get(name);
      const [min, max] = limits[name].map(toPosition);
      set(input, { min, max });
      // Written only when another hand moved it: a value between two steps would jump.
      if (toValue(input.valueAsNumber) !== value) input.value = String(toPosition(value));
      input.style.setProperty("--filled", toFraction(value));
      setText(output, show(value));
      set(input, { "aria-valuetext": show(value) });
    };
    const take = () => {
      const [low, high] = limits[name];
      const value = Math.min(Math.max(toValue(input.valueAsNumber), low), high);
      if (self.isOwn(name)) self.setOwn(name, value);
      else self.set({ [name]: value });
    };
    input.addEventListener("input", take);
    self.on(name, update);
    update();
    const markLimit = (/** @type {number} */ value) =>
      input.style.setProperty("--limit", toFraction(value));
    return { row, input, markLimit, take, update };
  }

  /**
   * One of a few words, from a native list.
   * @param {Element} parent
   * @param {string} name
   * @param {{ label: string, names: Record<string, string> }} look
   */
  function choice(parent, name, { label, names }) {
    const row = add(parent, "label", { class: "choice" });
    add(row, "span", {}, label);
    const select = add(row, "select", { name });
    for (const value of limits[name]) add(select, "option", { value }, names[value]);
    const update = () => {
      select.value = self.get(name);
    };
    select.addEventListener("change", () => self.set({ [name]: select.value }));
    self.on(name, update);
    update();
    return row;
  }

  /**
   * One number of a list, to type, or to step with the arrow keys.
   * @param {Element} parent
   * @param {string} name
   * @param {number} i
   * @param {{ label: string }} look
   */
  function entry(parent, name, i, { label }) {
    const [low, high] = limits[name];
    const range = { type: "number", min: low, max: high, step: "any" };
    const input = add(parent, "input", { ...range, name: `${name}-${i}`, "aria-label": label });
    const update = () => {
      // Written only when another hand changed it: a number half typed would be lost.
      if (input.valueAsNumber !== self.get(name)[i]) input.value = self.get(name)[i];
    };
    input.addEventListener("input", () => {
      const value = Math.min(Math.max(input.valueAsNumber, low), high);
      if (Number.isNaN(value)) return;
      const list = /** @type {number[]} */ (self.get(name));
      self.set({ [name]: list.map((other, k) => (k === i ? value : other)) });
    });
    input.addEventListener("change", update);
    self.on(name, update);
    update();
    return input;
  }

  /**
   * Show how a path of this class looks, in front of the words about it.
   * @param {Element} parent
   * @param {string} name
   */
  function sample(parent, name) {
    const svg = add(parent, "svg", {
      class: "sample",
      width: 34,
      height: 12,
      "aria-hidden": "true"
    });
    add(svg, "path", { class: `path ${name}`, d: "M1,6h32" });
    add(svg, "path", { class: `dots ${name}`, d: "M5,6h0M17,6h0M29,6h0" });
  }

  return { button, resetButton, slider, choice, entry, sample };
}
