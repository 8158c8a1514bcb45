// Trainings that are still to be done, given out to the processors one by one.

/** @import { Outcome } from "./keeping.js" */
/** @typedef {{ pixels: string, lr: number, momentum: number, seed: number }} Job */

/**
 * Say how much time is left.
 * @param {number} seconds
 */
function timeWords(seconds) {
  const rounded =
    seconds > 90 ? Math.round(seconds / 60) : Math.max(5, 5 * Math.round(seconds / 5));
  return `about ${rounded} ${seconds > 90 ? "minutes" : "s"} left`;
}

/**
 * Train all; returns the workers that do. Each outcome is kept, the progress told, as news now and
 * then, and the end, with how long it took.
 * @param {typeof import("../shared/crew.js")} crew
 * @param {Parameters<typeof import("../shared/crew.js").hire>[0]} goods
 * @param {Job[]} jobs
 * @param {object} budget
 * @param {{ keep: (job: Job, outcome: Outcome) => void, end: (took: string) => void,
 *   tell: (part: number, words: string, isNews: boolean) => void,
 *   fail: (reason: string) => void }} hears
 */
export function measureAll({ hire, numProcessors }, goods, jobs, budget, hears) {
  const started = performance.now();
  const count = Math.min(jobs.length, numProcessors());
  /** @type {Job[]} */
  const current = [];
  let [next, done] = [0, 0];
  const common = {
    ...{ ...budget, num_epochs: 1, order: "shuffled", rule: "pytorch" },
    ...{ activation: "relu", schedule: "constant" }
  };
  const give = (/** @type {number} */ i) => {
    current[i] = jobs[next++];
    if (!current[i]) return;
    const { seed, ...settings } = current[i];
    workers.all[i].postMessage({
      kind: "start",
      settings: { ...common, ...settings },
      seeds: [seed],
      measureEvery: Number.POSITIVE_INFINITY // at the end alone
    });
  };
  const all = jobs.length === 1 ? "1 training" : `${jobs.length} trainings`;
  const workers = hire(goods, count, {
    hear(report, i) {
      if (report.kind !== "report" || report.status === "running") return;
      const accuracy = report.status === "diverged" ? null : report.measurements.at(-1).accuracy;
      hears.keep(current[i], { status: report.status, accuracy });
      give(i);
      tell(++done);
    },
    onFailure: hears.fail
  });
  for (let i = 0; i < count; i++) give(i);
  hears.tell(0, `Begun: ${all}, ${count} at a time.`, true);

  /** @param {number} number of those that are done */
  function tell(number) {
    const seconds = (performance.now() - started) / 1000;
    if (number === jobs.length) {
      hears.end(`${all} in ${seconds.toFixed(0)} s.`);
      return;
    }
    const left = timeWords((seconds / number) * (jobs.length - number));
    // To be heard four times, not a hundred.
    const quarter = (/** @type {number} */ count) => Math.floor((4 * count) / jobs.length);
    const isNews = quarter(number) > quarter(number - 1);
    hears.tell(
      number / jobs.length,
      `Training ${number} of ${jobs.length} is done, ${left}.`,
      isNews
    );
  }
  return workers;
}
