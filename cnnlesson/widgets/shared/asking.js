// What figures share that ask something: sentences with code in them, and words that answer back.
import { recall, troubleToSay } from "./answers.js";
import { add, set } from "./dom.js";

/** @import { Figure } from "./figure.js" */

/**
 * Append a sentence, in which backticks set code.
 * @template {Element} E
 * @param {E} parent
 * @param {string} text
 */
export function addProse(parent, text) {
  text.split("`").forEach((part, i) => {
    if (i % 2) add(parent, "code", {}, part);
    else parent.append(part);
  });
  return parent;
}

/**
 * A list of buttons, one of which may be pressed at a time.
 * @param {Element} parent
 * @param {string[]} options
 * @param {{ label: string, isCode?: boolean, onChoose: (i: number) => void }} look
 */
export function choices(parent, options, { label, isCode = false, onChoose }) {
  const list = add(parent, "div", { class: "choices", role: "group", "aria-label": label });
  const buttons = options.map((option, i) => {
    const button = add(list, "button", { type: "button", "aria-pressed": "false" });
    if (isCode) add(button, "code", {}, option);
    else addProse(button, option);
    button.addEventListener("click", () => onChoose(i));
    return button;
  });
  return {
    buttons,
    /** @param {number} chosen */
    press: (chosen) =>
      buttons.forEach((button, i) => set(button, { "aria-pressed": String(i === chosen) }))
  };
}

/**
 * Words below what is asked, which a screen reader reads when they change.
 * @param {Element} parent
 */
export function reply(parent) {
  const place = add(parent, "div", { class: "reply", role: "status" });
  return {
    /** @param {(place: Element) => void} write */
    say(write) {
      place.replaceChildren();
      write(place);
    },

    /** Say what is wrong with the browser's storage, if nobody on this page did. */
    warn() {
      const trouble = troubleToSay();
      if (trouble) add(parent, "p", { class: "warning" }, trouble);
    }
  };
}

/**
 * Return what is kept under a name, and say what is wrong with the storage, if anything is.
 * @param {string} name
 * @param {(given: any) => boolean} fits
 * @param {ReturnType<typeof reply>} answering
 */
export function recallAndWarn(name, fits, answering) {
  const entry = recall(name, fits);
  answering.warn();
  return entry;
}
