// A figure: a frame around a model, with controls, plots, points, and a voice for screen readers.
import { controls } from "./controls.js";
import { add, setText } from "./dom.js";
import { plot } from "./plot.js";
import { point } from "./point.js";
import { shareMenu } from "./share.js";
import { stateOf } from "./state.js";

/** @import { Model, State } from "./state.js" */
/** @import { Plot } from "./plot.js" */

/** @typedef {ReturnType<typeof figure>} Figure */

/**
 * Put the frame into `el`.
 * @param {HTMLElement} el
 * @param {string} label
 */
function frameIn(el, label) {
  const root = add(el, "div", {
    class: "cnnlesson-figure is-live",
    role: "group",
    "aria-label": label,
    "data-lm-suppress-shortcuts": "true" // JupyterLab would take the arrow keys
  });
  // An element around a live output cancels arrow keys, and with them every slider's own step.
  root.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) event.stopPropagation();
  });
  return root;
}

/**
 * A finger that turns out to scroll the page has moved nothing. What plays on meanwhile does.
 * @param {HTMLElement} root
 * @param {State} self
 */
function takeBackWhatScrolls(root, self) {
  /** @type {Record<string, unknown>} */
  let before = {};
  /** @type {string | undefined} */
  let name; // of the view's number that is under the finger
  let value = 0;
  const remember = (/** @type {Event} */ { target }) => {
    before = self.settings();
    name = /** @type {HTMLElement} */ (target).dataset?.name;
    if (name) value = self.get(name);
  };
  root.addEventListener("pointerdown", remember, { capture: true });
  root.addEventListener("pointercancel", () => {
    const { [self.playing]: _, ...others } = before;
    self.set(others);
    if (name) self.setOwn(name, value);
  });
}

/**
 * Return what tells screen readers, once the reader's hand rests, and what it said last; what the
 * page opens with is not news.
 * @param {HTMLElement} root
 * @param {State} self
 */
function voice(root, self) {
  const status = add(root, "p", { class: "for-screen-readers", role: "status" });
  /** @type {string | null} */
  let said = null;
  let saying = 0;
  self.undo.push(() => clearTimeout(saying));
  return {
    /** @param {string} text */
    say(text) {
      if (said !== null && text !== said) {
        clearTimeout(saying);
        saying = setTimeout(() => setText(status, text), 600);
      }
      said = text;
    },
    sentence: () => said ?? ""
  };
}

/**
 * Set up a figure in `el`; what is given to it as `draw(state)` runs whenever a setting changed.
 * @param {{ model: Model, el: HTMLElement }} host
 * @param {string} label
 */
export function figure({ model, el }, label) {
  const root = frameIn(el, label);
  const state = stateOf(model);
  takeBackWhatScrolls(root, state);
  const self = Object.assign(state, {
    root,
    label,
    /**
     * @type {{ title: string, name: string, type: string,
     *   write: () => string | Promise<string> }[]}
     */
    files: [], // that a figure has besides its picture
    ...voice(root, state),
    ...controls(state),

    /**
     * @param {Element} parent
     * @param {Parameters<typeof plot>[2]} look
     */
    plot: (parent, look) => plot(state, parent, look),

    /**
     * @param {Plot} on
     * @param {string | [string, string]} name
     * @param {Parameters<typeof point>[3]} look
     */
    point: (on, name, look) => point(state, on, name, look),

    /** Draw for the first time; returns what takes the figure down again. */
    start() {
      // What asks, and what only shows, has no setting to share.
      if (Object.keys(state.initial).length) shareMenu(self, model);
      state.begin();
      return () => {
        for (const step of state.undo) step();
        root.remove();
      };
    }
  });
  return self;
}
