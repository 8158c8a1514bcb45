// What a reader predicted and answered, kept by the reader's own browser and nowhere else.
//
// Storage may be forbidden, full, of another version, or written by anyone. Whatever it is, a page
// works on without it, and says so once.

const PLACE = "cnnlesson.answers"; // in the browser's storage, for all pages of the book
const ASIDE = `${PLACE}.aside`; // what could not be read
const VERSION = 1;

/** @typedef {{ given: any, right?: boolean, tries?: number }} Entry what a reader gave */

const FORGOTTEN = "Your answers are kept until you leave this page, and then forgotten: ";
const TROUBLES = {
  forbidden: `${FORGOTTEN}this browser lets the page keep nothing.`,
  full: `${FORGOTTEN}the browser’s storage is full.`,
  damaged:
    "What this browser had kept of your answers is damaged, or of another version. " +
    "It was set aside, and this page begins afresh.",
  other: "An answer that this browser had kept fits no question here any more. It is left out."
};

/** @type {Map<string, Entry>} */
const ofThisVisit = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {Set<string>} */
const noted = new Set(); // troubles, in the order in which they came
let isSaid = false;

/**
 * Whether it is an object of names: not a list, not null.
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
const isRecord = (value) => Object.prototype.toString.call(value) === "[object Object]";

/**
 * All that was kept, by name. What cannot be read is put beside, so that nobody writes over it.
 * @returns {Record<string, any>}
 */
function readAll() {
  let text;
  try {
    text = localStorage.getItem(PLACE);
  } catch {
    noted.add(TROUBLES.forbidden);
    return {};
  }
  if (text === null) return {};
  try {
    const found = JSON.parse(text);
    if (found.version === VERSION && isRecord(found.answers)) return found.answers;
  } catch {
    // no JSON, or null
  }
  noted.add(TROUBLES.damaged);
  try {
    localStorage.removeItem(PLACE); // first: both might not fit
    localStorage.setItem(ASIDE, text);
  } catch {
    noted.add(TROUBLES.full);
  }
  return {};
}

/**
 * Return what was kept under a name, if it fits what asks for it.
 * @param {string} name
 * @param {(given: any) => boolean} fits
 */
export function recall(name, fits) {
  const all = readAll();
  const kept = Object.hasOwn(all, name) ? all[name] : null;
  const entry = ofThisVisit.get(name) ?? kept;
  if (entry === null) return null;
  if (isRecord(entry) && fits(entry.given))
    return { given: entry.given, right: entry.right === true, tries: Number(entry.tries) || 0 };
  noted.add(TROUBLES.other);
  return null;
}

/** Forget everything, and tell who listens. */
export function forget() {
  ofThisVisit.clear();
  try {
    for (const place of [PLACE, ASIDE]) localStorage.removeItem(place);
  } catch {
    noted.add(TROUBLES.forbidden);
  }
  for (const listener of listeners) listener();
}

/**
 * Keep an entry, beside whatever other pages keep, and tell who listens.
 * @param {string} name
 * @param {Entry} entry
 */
export function keep(name, entry) {
  ofThisVisit.set(name, entry);
  const answers = { ...readAll(), [name]: entry };
  try {
    localStorage.setItem(PLACE, JSON.stringify({ version: VERSION, answers }));
  } catch {
    if (!noted.has(TROUBLES.forbidden)) noted.add(TROUBLES.full);
  }
  for (const listener of listeners) listener();
}

/**
 * Hear that this page kept or forgot something; returns what ends that.
 * @param {() => void} listener
 */
export function hear(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Return what is wrong with the storage, to the first that asks after something went wrong. */
export function troubleToSay() {
  if (isSaid || !noted.size) return "";
  isSaid = true;
  return [...noted].join(" ");
}
