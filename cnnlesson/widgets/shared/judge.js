// What an answer is worth, and what is said to it.

/** @typedef {{ isRight: boolean, words: string }} Verdict */

/**
 * Read a number as people type it: 1,216 or −0.5, 1/3 or 2e-3. Of anything else, null.
 * @param {unknown} text
 */
export function readNumber(text) {
  const plain = String(text)
    .replace(/[−–]/g, "-")
    .replace(/\s+/g, "")
    .replace(
      /^([-+]?\d{1,3})((?:,\d{3})+)(?![\d,])/,
      (_, head, tail) => head + tail.replace(/,/g, "")
    );
  const one = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
  const found = new RegExp(`^(${one})(?:/(${one}))?$`, "i").exec(plain);
  if (!found) return null;
  const value = Number(found[1]) / Number(found[2] ?? 1);
  return Number.isFinite(value) ? value : null;
}

const bare = (/** @type {string} */ line) => line.replace(/\s+/g, "");

/**
 * Judge what was given: the text of an option, a typed line, or the texts of the steps taken so
 * far. Null for what is no answer to this question; no words for steps that are right so far.
 * @param {any} question
 * @param {any} given
 * @returns {Verdict | null}
 */
export function judge(question, given) {
  const { kind, options, right, words, because } = question;
  if (kind === "order") return judgeSteps(question, given);
  if (typeof given !== "string" || given.trim() === "") return null;
  if (kind === "choose" || kind === "line") {
    const i = options.indexOf(given);
    if (i < 0) return null;
    return i === right ? { isRight: true, words: because } : { isRight: false, words: words[i] };
  }
  const isNumber = kind === "number";
  if (isNumber && readNumber(given) === null) return null;
  const isSame = (/** @type {any} */ answer) =>
    isNumber
      ? Math.abs(Number(readNumber(given)) - answer) <=
        question.tolerance + 1e-9 * Math.max(1, Math.abs(answer))
      : bare(given) === bare(answer);
  if (isSame(right)) return { isRight: true, words: because };
  const mistake = question.wrong.find((/** @type {[any, string]} */ [answer]) => isSame(answer));
  return { isRight: false, words: mistake?.[1] ?? question.otherwise };
}

/**
 * @param {any} question
 * @param {any} given
 * @returns {Verdict | null}
 */
function judgeSteps({ options, right, words, because }, given) {
  const steps = Array.isArray(given) ? given.map((step) => options.indexOf(step)) : [];
  const isWhole = steps.length <= options.length && new Set(steps).size === steps.length;
  if (!steps.length || !isWhole || steps.includes(-1)) return null;
  const early = steps.find((step, i) => step !== right[i]);
  if (early !== undefined) return { isRight: false, words: words[early] };
  const isDone = steps.length === options.length;
  return { isRight: isDone, words: isDone ? because : "" };
}
