// Put on every page that holds a figure: makes the figures of a static page live.
//
// A page opened from a file may not import a module from another file, so the modules stand in
// classic scripts: what figures share in this one, after what follows here, and those of a figure in
// one of its own, before it. Each is a function, called when its figure is on the page.
const modules = {};
globalThis.cnnlessonModules = modules; // the record judges by what other figures measure
// Where this script lies, what a figure fetches later lies too.
const script = /** @type {HTMLScriptElement} */ (document.currentScript);
globalThis.cnnlessonHome = new URL(".", script.src).href;

/** Keep a module until it is first asked for. One that two scripts bring is there once. */
function define(name, make) {
  if (name in modules) return;
  const get = () => {
    const value = make();
    Object.defineProperty(modules, name, { value });
    return value;
  };
  Object.defineProperty(modules, name, { get, configurable: true });
}

const onTheWay = {};

/**
 * Bring a module that no figure needs before it is asked for, in a script of its own.
 * @param {string} name
 */
function later(name) {
  onTheWay[name] ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.onload = done;
    script.onerror = () => fail(new Error("A part of this page did not arrive"));
    script.src = `${globalThis.cnnlessonHome}${name}.js`;
    document.head.append(script);
  });
  onTheWay[name].catch(() => delete onTheWay[name]);
  return onTheWay[name].then(() => modules[name]);
}

/** The part of anywidget's model that figures use; `onSave` stands where Python would listen. */
class PageModel {
  constructor(state, onSave) {
    this.state = state;
    this.onSave = onSave;
    this.listeners = new Map();
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    this.state[name] = value;
    for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
  }

  on(event, listener) {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event).add(listener);
  }

  off(event, listener) {
    this.listeners.get(event)?.delete(listener);
  }

  save_changes() {
    this.onSave();
  }
}

/** Bring a setting into its limits: [low, high], with any step as third, or one such per part. */
function clamp(value, limits) {
  if (Array.isArray(value)) {
    return value.map((part, i) => clamp(part, Array.isArray(limits[0]) ? limits[i] : limits));
  }
  const [low, high, step] = limits;
  const inside = Math.min(Math.max(value, low), high);
  return step ? Math.round(inside / step) * step : inside;
}

/**
 * Read a setting from the address; what cannot be read there leaves it as it is. Text is one of a
 * few words, or whatever matches a pattern: its numbers the figure brings into their range.
 */
function parse(text, current, limits) {
  if (typeof current === "string") {
    const fits = Array.isArray(limits)
      ? limits.includes(text)
      : new RegExp(`^(?:${limits.pattern})$`).test(text);
    return fits ? text : current;
  }
  const values = text === "" ? [] : text.split("_").map(Number);
  const counts = Array.isArray(current) ? (limits[3] ?? [current.length]) : [1];
  if (!counts.includes(values.length) || !values.every(Number.isFinite)) return current;
  return clamp(Array.isArray(current) ? values : values[0], limits);
}

const format = (value) => (Array.isArray(value) ? value.join("_") : String(value));

/** Write those settings into an address that differ from the page's own. */
function describe(url, prefix, state, initial) {
  for (const [name, value] of Object.entries(initial)) {
    const key = `${prefix}.${name}`;
    if (format(state[name]) === format(value)) url.searchParams.delete(key);
    else url.searchParams.set(key, format(state[name]));
  }
}

/** Keep the settings in the page's address. */
function remember(prefix, state, initial) {
  const url = new URL(location.href);
  describe(url, prefix, state, initial);
  // The query, not the fragment: that one belongs to the headings.
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}

/** Read from the page's address what a figure's settings are there. */
function recall(prefix, initial, limits) {
  const query = new URLSearchParams(location.search);
  return Object.entries(initial).map(([name, value]) => {
    const text = query.get(`${prefix}.${name}`);
    return [name, text === null ? value : parse(text, value, limits[name])];
  });
}

/**
 * Make one figure live.
 * @param {HTMLElement} element
 * @param {string} prefix
 */
async function mount(element, prefix) {
  const { module, state: packed } = /** @type {Record<string, string>} */ (element.dataset);
  const figure = modules[module].default;
  const ofModule = globalThis.cnnlessonData?.[module]; // large, once for all pages
  const { _limits, _data = ofModule, ...initial } = JSON.parse(packed);
  const settings = recall(prefix, initial, _limits);
  const state = { ...initial, ...Object.fromEntries(settings), _limits, _data, _initial: initial };
  let saving = 0; // browsers refuse an address that changes with every movement of a finger
  const save = () => {
    saving = 0;
    remember(prefix, state, initial);
  };
  const page = new PageModel(state, () => {
    clearTimeout(saving);
    saving = setTimeout(save, 250);
  });
  const describeIn = (url) => {
    url.hash = prefix;
    describe(url, prefix, state, initial);
  };
  const model = Object.assign(page, {
    offerLink: (menu, offer) => modules.link.offerLink(menu, offer, describeIn)
  });
  const still = [...element.childNodes];
  element.replaceChildren();
  try {
    figure.render({ model, el: element });
  } catch (error) {
    element.replaceChildren(...still); // the picture and its sentence
    throw error;
  }
  addEventListener("popstate", () => {
    // back to an address: what it says is what is seen
    if (saving) {
      clearTimeout(saving);
      save();
    } else for (const [name, value] of recall(prefix, initial, _limits)) model.set(name, value);
  });
}

/**
 * Say under the picture of a figure that it stays one; a plain Error has words for the reader.
 * @param {HTMLElement} element
 * @param {unknown} error
 */
function apologise(element, error) {
  const note = document.createElement("p");
  const hasWords = error instanceof Error && error.constructor === Error;
  const reason = hasWords ? `: ${error.message}` : "";
  note.textContent = `The interactive figure could not start${reason}. This is a picture of it.`;
  element.append(note);
  element.classList.add("is-still");
  reportError(error);
}

/** Wait until the browser has nothing more urgent to do. */
const idle = () =>
  new Promise((done) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(done, { timeout: 500 });
    else setTimeout(done, 50); // Safari
  });

/**
 * Return a function that sets figures up one by one, each when nothing else is to be done: until
 * then its picture stands.
 */
function inTurn() {
  let last = Promise.resolve();
  return (/** @type {() => Promise<void>} */ setUp) => {
    last = last.then(idle).then(setUp);
    return last;
  };
}

/**
 * Call a function for each figure once, when it is on the screen or one screen away.
 * @param {Iterable<HTMLElement>} figures
 * @param {(figure: HTMLElement) => void} meet
 */
function whenNear(figures, meet) {
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        meet(/** @type {HTMLElement} */ (target));
      }
    },
    { rootMargin: "100% 0px" }
  );
  for (const figure of figures) watch.observe(figure);
}

// biome-ignore lint/correctness/noUnusedVariables: called at the end
function mountAll() {
  const meet = (add) => add(define, modules, later);
  (globalThis.cnnlessonFigures ?? []).forEach(meet);
  globalThis.cnnlessonFigures = { push: meet }; // what comes later
  const counts = {};
  /** @type {Map<HTMLElement, string>} */
  const prefixes = new Map();
  for (const element of document.querySelectorAll(".cnnlesson-figure[data-module]")) {
    const name = String(/** @type {HTMLElement} */ (element).dataset.module);
    counts[name] = (counts[name] ?? 0) + 1;
    const prefix = counts[name] > 1 ? `${name}-${counts[name]}` : name;
    prefixes.set(/** @type {HTMLElement} */ (element), prefix);
    element.id ||= prefix; // where a link to it leads
  }
  const next = inTurn();
  // What asks has no more stops for the keyboard than it has answers: no way past it is needed.
  const moved = [...prefixes.keys()].filter(
    ({ dataset }) => !/"_limits": {}/.test(String(dataset.state))
  );
  addWayToFirst(moved[0]);
  const setUp = async (/** @type {HTMLElement} */ element) => {
    try {
      await mount(element, String(prefixes.get(element)));
      if (moved.includes(element)) addWays(element, moved[moved.indexOf(element) + 1]);
    } catch (error) {
      apologise(element, error);
    }
  };
  // The one that the address names or describes comes first, to be shown.
  const keys = [...new URLSearchParams(location.search).keys()];
  const isNamed = (/** @type {string} */ prefix) => location.hash === `#${prefix}`;
  const isShared = (/** @type {string} */ prefix) => keys.some((k) => k.startsWith(`${prefix}.`));
  const find = (is) => [...prefixes].find(([, prefix]) => is(prefix));
  const [shown] = find(isNamed) ?? find(isShared) ?? [];
  if (shown) setUp(shown).then(() => bringIntoSight(shown));
  const others = [...prefixes.keys()].filter((element) => element !== shown);
  whenNear(others, (element) => next(() => setUp(element)));
}

/**
 * Go to the figure that the address describes, unless it points to a heading, or the reader comes
 * back to where they were.
 * @param {HTMLElement} figure
 */
function bringIntoSight(figure) {
  const [visit] = performance.getEntriesByType("navigation");
  const isFresh = visit instanceof PerformanceNavigationTiming && visit.type === "navigate";
  if (!isFresh) return;
  const heading = document.querySelector(":target:not(.cnnlesson-figure)");
  (heading ?? figure.querySelector(".is-live"))?.scrollIntoView();
}
