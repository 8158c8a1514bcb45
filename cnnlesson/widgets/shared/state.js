// What a figure knows: its settings, the numbers of its view, and when it is drawn again.

/**
 * What anywidget gives a figure, or a page in its place. Besides the settings it holds `_limits`
 * (the range of each setting), `_initial` (what "reset" returns to) and, where a figure has any,
 * `_data` (what a state contains besides the settings). A page has an address, to which it offers a
 * link; a notebook has none.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event: string, listener: () => void) => void} off
 * @property {() => void} save_changes
 * @property {(menu: Element, offer: (text: string, does: () => void) => void) => void} [offerLink]
 */

/** @typedef {ReturnType<typeof stateOf>} State */

/**
 * Keep the settings and the view's own numbers, and have `draw` called when one of them changed.
 * @param {Model} model
 */
export function stateOf(model) {
  /** @type {Record<string, any>} */
  const initial = model.get("_initial");
  /** @type {Record<string, any>} */
  const limits = { ...model.get("_limits") };
  const names = Object.keys(initial);
  /** @type {Map<string, any>} */
  const own = new Map(); // values of the view alone
  /** @type {Map<string, (() => void)[]>} */
  const listeners = new Map(); // to them
  let frame = 0;
  let isStale = false;

  const drawStale = () => {
    if (!isStale) return;
    isStale = false;
    self.draw(self.state());
  };

  const self = {
    initial,
    limits,
    /** @type {(() => void)[]} */
    undo: [], // what takes the figure down again
    /** @type {(() => void)[]} */
    resets: [], // what the reset button does to the view, after the settings
    playing: "", // what moves by itself
    /** @type {(state: any) => void} */
    draw: () => {},

    /** @param {string} name */
    isOwn: (name) => own.has(name),

    /**
     * @param {string} name
     * @returns {any}
     */
    get: (name) => (own.has(name) ? own.get(name) : model.get(name)),

    settings: () => Object.fromEntries(names.map((name) => [name, model.get(name)])),

    /** @returns {any} */
    state: () => ({ ...model.get("_data"), ...self.settings() }),

    /** @param {Record<string, unknown>} changes */
    set(changes) {
      for (const [name, value] of Object.entries(changes)) model.set(name, value);
      model.save_changes();
    },

    /**
     * Give the view a number of its own, which neither Python nor the page's address knows.
     * @param {string} name
     * @param {any} value
     */
    setOwn(name, value, range = limits[name]) {
      own.set(name, value);
      limits[name] = range;
      listeners.get(name)?.forEach((listener) => listener());
      self.redraw();
    },

    /** Draw once whoever called is done; what changes after that waits for the next frame. */
    redraw() {
      if (!frame) queueMicrotask(drawStale);
      self.redrawLater();
    },

    /** Draw in the next frame. */
    redrawLater() {
      isStale = true;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        drawStale();
      });
    },

    /**
     * Hear of changes of a setting, or of a number of the view.
     * @param {string} name
     * @param {() => void} listener
     */
    on(name, listener) {
      if (own.has(name)) {
        listeners.set(name, [...(listeners.get(name) ?? []), listener]);
        return;
      }
      model.on(`change:${name}`, listener);
      self.undo.push(() => model.off(`change:${name}`, listener));
    },

    /** Draw for the first time, and from then on whenever a setting changed. */
    begin() {
      for (const name of names) self.on(name, self.redraw);
      self.draw(self.state());
      self.undo.push(() => {
        cancelAnimationFrame(frame);
        isStale = false;
      });
    }
  };
  return self;
}
