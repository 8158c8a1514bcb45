// A goal that a figure judges: whether it is reached, by how much it is missed, the best so far.
import { hear, keep, recall, troubleToSay } from "./answers.js";
import { add, setText } from "./dom.js";
import { inDigits } from "./numbers.js";

/** @import { Figure } from "./figure.js" */

/** @typedef {[string, "<" | "<=" | "==" | ">=" | ">", any]} Rule a measure, and its limit */
/**
 * @typedef {{ name: string, words: string, rules: Rule[], fixed: string[], beyond: string }} Goal
 */
/** @typedef {Record<string, any>} Settings */

/**
 * What a figure's goals are about, by name, at these settings; where only a training can tell, with
 * what it found.
 * @typedef {(settings: any, found?: any) => Record<string, any>} Measure
 */

/**
 * Whether a comparison holds.
 * @param {any} a
 * @param {string} comparison
 * @param {any} b
 */
const holds = (a, comparison, b) =>
  (comparison.includes("=") && a === b) ||
  (comparison.includes("<") && a < b) ||
  (comparison.includes(">") && a > b);

const inWords = (/** @type {number} */ value) =>
  Number.isInteger(value) ? value.toLocaleString("en") : inDigits(value);

/**
 * What a rule misses, in words; nothing where it holds.
 * @param {Rule} rule
 * @param {any} value
 */
function missOf([name, comparison, limit], value) {
  if (holds(value, comparison, limit)) return [];
  if (typeof limit === "string") return [`${name} ${value} (not ${limit})`];
  if (!Number.isFinite(value)) return [`${name} unknown`];
  if (value === limit) return [`${name} exactly ${inWords(value)}`];
  const gap = inWords(Math.abs(value - limit));
  return [`${name} ${inWords(value)} (${gap} ${value > limit ? "over" : "short"})`];
}

/**
 * What is missed, in words; empty where the goal is reached.
 * @param {Goal} goal
 * @param {Record<string, any>} measures
 * @param {Settings} settings
 * @param {Settings} initial
 */
function misses({ rules, fixed }, measures, settings, initial) {
  const moved = fixed.filter((name) => String(settings[name]) !== String(initial[name]));
  return [
    ...rules.flatMap((rule) => missOf(rule, measures[rule[0]])),
    ...moved.map((name) => `${name.replace("num_", "").replaceAll("_", " ")} changed`)
  ].join(", ");
}

/**
 * Whether a setting may have this value: storage may hold anything.
 * @param {any} value
 * @param {any} limits
 * @returns {boolean}
 */
function isInside(value, limits) {
  if (limits.pattern) return new RegExp(`^(?:${limits.pattern})$`).test(value);
  if (typeof value !== "number") {
    if (!Array.isArray(value)) return limits.includes(value);
    return value.length === limits.length && value.every((part, i) => isInside(part, limits[i]));
  }
  const [low, high, step] = limits;
  return value >= low && value <= high && !(step && value % step);
}

/**
 * Return what judges kept settings anew: it gives what they measure, or null.
 * @param {Goal} goal
 * @param {Measure} measure
 * @param {Settings} initial
 * @param {Settings} limits
 */
export const judgeOf = (goal, measure, initial, limits) => (/** @type {any} */ given) => {
  const { value } = given ?? {};
  if (typeof value !== "number") return null;
  const settings = { ...initial, ...given.settings }; // one that is newer than what was kept
  if (!Object.keys(initial).every((name) => isInside(settings[name], limits[name]))) return null;
  const measures = measure(settings, value);
  return misses(goal, measures, settings, initial) ? null : measures[goal.rules[0][0]];
};

/**
 * The best in words.
 * @param {Goal} goal
 * @param {number} value
 */
export const bestOf = ({ rules: [[name]] }, value) => `${name} ${inWords(value)}`;

/**
 * Put a line about the figure's goal, if it has one; returns what judges settings and shows it.
 * @param {Figure} self
 * @param {Element} parent
 * @param {Measure} measure
 */
export function goalLine(self, parent, measure) {
  /** @type {Goal} */
  const goal = self.state().goal;
  if (!goal) return () => {};
  const [[aim, comparison]] = goal.rules;
  const judge = judgeOf(goal, measure, self.initial, self.limits);
  let opened = ""; // settings: an address may open a figure with anything
  const place = add(parent, "div", { class: "goal" });
  const line = add(place, "p");
  add(line, "b", {}, "Goal: ");
  line.append(`${goal.words} `);
  const verdict = add(line, "b", { role: "status" });
  const details = add(line, "span");
  const record = add(place, "div", { class: "buttons" });
  const best = add(record, "span");
  /** @type {any} */
  let kept = null;
  self.button(record, "Show my best", () => ({ ...self.initial, ...kept.settings }));

  const look = () => {
    const entry = recall(goal.name, (given) => judge(given) !== null);
    kept = entry?.given;
    record.hidden = !kept;
    if (kept) setText(best, `Best: ${bestOf(goal, Number(judge(kept)))}.`);
    const trouble = troubleToSay();
    if (trouble) add(place, "p", { class: "warning" }, trouble);
  };
  look();
  self.undo.push(hear(look));

  /** @param {number} [found] by a training */
  return (settings = self.settings(), found) => {
    opened ||= JSON.stringify(settings);
    const measures = measure(settings, found);
    const missing = misses(goal, measures, settings, self.initial);
    const isGiven = found === undefined && JSON.stringify(settings) === opened;
    const isReached = !missing && !(isGiven && !kept);
    place.classList.toggle("reached", isReached);
    setText(verdict, isReached ? "Reached. " : "Not yet: ");
    setText(
      details,
      missing ? `${missing}.` : isReached ? goal.beyond : "what it opens with does not count."
    );
    if (missing || isGiven) return;
    const value = measures[aim];
    const before = kept ? judge(kept) : null;
    const isBetter = comparison.startsWith("<") ? value < before : value > before;
    if (before === null || isBetter) keep(goal.name, { given: { settings, value }, right: true });
  };
}
