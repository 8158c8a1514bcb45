// A record as a table that spreadsheets read, a line for each prediction, answer and goal.
const COLUMNS = ["chapter", "kind", "name", "asked", "given", "truth", "right", "tries"];

/** A spreadsheet takes what begins like this for a formula; what learners type is none. */
const FORMULA = /^[=+\-@\t\r]/;

function cellOf(value) {
  const words = [value].flat().join("; ");
  const isFormula = FORMULA.test(words) && !Number.isFinite(Number(words));
  const text = isFormula ? `'${words}` : words;
  return /[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const inWords = (settings) => Object.entries(settings).map(([name, value]) => `${name} ${value}`);

/**
 * Write what was kept of some chapters, as `reader_record.js` collects it.
 */
export function asTable(kept) {
  const lines = kept.flatMap(({ chapter: { number }, predictions, answers, goals }) => [
    ...predictions.map(({ content: { name, prompt, truth }, given }) => [
      ...[number, "prediction", name, prompt, given, truth, "", ""]
    ]),
    ...answers.map(({ content: { name, prompt }, given, right, tries }) => [
      ...[number, "question", name, prompt, given, "", right ? "yes" : "no", tries]
    ]),
    ...goals.map(({ content: { name, words }, best, given: { settings } }) => [
      ...[number, "goal", name, words, [best, ...inWords(settings)], "", "yes", ""]
    ])
  ]);
  return [COLUMNS, ...lines].map((line) => `${line.map(cellOf).join(",")}\r\n`).join("");
}
