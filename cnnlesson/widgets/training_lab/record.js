// What is known of a run: its curve, its name among others, and what came of it, in words.

/** @import { Pair } from "../shared/numbers.js" */
/** @import { Measurement, Settings } from "./network.js" */
/** @import { Report } from "./worker.js" */

/**
 * What is known of one seed of a run.
 * @typedef {{ seed: number, step: number, numSteps: number, status: string, losses: number[],
 *   measurements: Measurement[], kernels: Float32Array | null,
 *   changes: { step: number, lr: number, momentum: number }[] }} SeedRecord
 */
/** @typedef {{ number: number, settings: Settings, seeds: SeedRecord[], seconds: number,
 *   isHidden: boolean }} RunRecord */

const MOST_POINTS = 200;
const REACH = 4; // points on each side of the nine whose median is drawn as a line

/**
 * A run that begins.
 * @param {number} number
 * @param {any} settings
 * @returns {RunRecord}
 */
export function newRun(number, settings) {
  const seeds = Array.from({ length: settings.num_seeds }, (_, i) => ({
    ...{ seed: settings.seed + i, step: 0, numSteps: 1, status: "running" },
    ...{ losses: [], measurements: [], kernels: null, changes: [] }
  }));
  return { number, settings, seeds, seconds: 0, isHidden: false };
}

/**
 * Add what a worker reports of one of its seeds.
 * @param {RunRecord} run
 * @param {Report} report
 */
export function addReport(run, report) {
  const seed = /** @type {SeedRecord} */ (run.seeds.find(({ seed }) => seed === report.seed));
  for (const loss of report.losses) seed.losses.push(loss);
  seed.measurements.push(...report.measurements);
  seed.changes.push(...report.changes);
  Object.assign(seed, {
    step: report.step,
    numSteps: report.numSteps,
    status: report.status,
    kernels: report.kernels
  });
  run.seconds = Math.max(run.seconds, report.seconds);
}

/**
 * Images seen after a step.
 * @param {Settings} settings
 * @param {number} step
 */
export function imagesSeen({ num_images, batch_size }, step) {
  const perEpoch = Math.ceil(num_images / batch_size);
  return Math.floor(step / perEpoch) * num_images + (step % perEpoch) * batch_size;
}

/**
 * Means of as many losses as leave at most 200 points, always a power of two, and their running
 * median: as the panel's `Curve` has them.
 * @param {Settings} settings
 * @param {number[]} losses
 */
export function curveOf(settings, losses) {
  let size = 1;
  while (losses.length > size * MOST_POINTS) size *= 2;
  /** @type {Pair[]} */
  const points = [];
  for (let start = 0; start < losses.length; start += size) {
    const end = Math.min(start + size, losses.length);
    let sum = 0;
    for (let i = start; i < end; i++) sum += losses[i];
    points.push([imagesSeen(settings, end), sum / (end - start)]);
  }
  const line = points.map(([x], i) => {
    const near = points.slice(Math.max(0, i - REACH), i + REACH + 1).map(([, y]) => y);
    near.sort((a, b) => a - b);
    const middle = near.length >> 1;
    return [x, near.length % 2 ? near[middle] : (near[middle - 1] + near[middle]) / 2];
  });
  return { points, line };
}

/** How a run's name gives the value of each setting. @type {Record<string, (v: any) => string>} */
const NAMES = {
  lr: (v) => `α = ${Number(v.toPrecision(3))}`,
  momentum: (v) => `μ = ${Number(v.toPrecision(3))}`,
  batch_size: (v) => `batches of ${v}`,
  pixels: (v) => `${v} pixels`,
  order: (v) => v,
  rule: (v) =>
    ({ pytorch: "PyTorch’s form", classical: "classical form", nesterov: "Nesterov" })[v],
  activation: (v) => (v === "relu" ? "ReLU" : "leaky ReLU"),
  schedule: (v) => `${v} α`,
  num_epochs: (v) => `passes: ${v}`,
  num_images: (v) => `${v} images`,
  seed: (v) => `seed ${v}`,
  num_seeds: (v) => `seeds: ${v}`
};

/**
 * Name each run by the settings in which the runs differ; those that do not, by α and μ.
 * @param {RunRecord[]} runs
 */
export function namesOf(runs) {
  const all = runs.map(({ settings }) => /** @type {Record<string, any>} */ (settings));
  const differing = Object.keys(NAMES).filter(
    (name) => new Set(all.map((settings) => settings[name])).size > 1
  );
  const names = differing.length ? differing : ["lr", "momentum"];
  return runs.map(({ seeds }, i) => {
    const words = names.map((name) => NAMES[name](all[i][name]));
    const change = seeds[0].changes.at(-1);
    if (change) words.push(`then α = ${Number(change.lr.toPrecision(3))}, μ = ${change.momentum}`);
    return words.join(", ");
  });
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {SeedRecord} seed */
const accuracyOf = ({ measurements }) => measurements.at(-1)?.accuracy ?? Number.NaN;

/**
 * The test accuracy of a run that went to its end with its settings, of several seeds the median;
 * NaN of any other.
 * @param {RunRecord} run
 */
export function accuracyOfRun({ seeds }) {
  const isWhole = seeds.every(({ status, changes }) => status === "completed" && !changes.length);
  return isWhole ? median(seeds.map(accuracyOf)) : Number.NaN;
}

/**
 * The mean loss of the last pass, whole or not.
 * @param {Settings} settings
 * @param {SeedRecord} seed
 */
function lastLoss({ num_images, batch_size }, { losses }) {
  const perEpoch = Math.ceil(num_images / batch_size);
  const last = losses.slice(Math.max(0, Math.ceil(losses.length / perEpoch) - 1) * perEpoch);
  return last.reduce((sum, loss) => sum + loss, 0) / last.length;
}

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)}%`;

/**
 * The entries of the table: test accuracy, mean loss of the last pass, seconds; of several seeds
 * the medians.
 * @param {RunRecord} run
 */
export function cellsOf(run) {
  const bad = run.seeds.filter(({ status }) => status === "diverged" || status === "dead");
  const accuracies = run.seeds.map(accuracyOf).filter((share) => !Number.isNaN(share));
  const losses = run.seeds.map((seed) => lastLoss(run.settings, seed)).filter(Number.isFinite);
  const ends = bad.length
    ? `${bad[0].status}${run.seeds.length > 1 ? ` ${bad.length} of ${run.seeds.length}` : ""}, `
    : "";
  return [
    ends + (accuracies.length ? percent(median(accuracies)) : "…"),
    losses.length ? median(losses).toPrecision(6) : "…",
    run.seconds.toFixed(1)
  ];
}

/**
 * How far a run has come, in words.
 * @param {RunRecord} run
 */
export function progressOf({ number, settings, seeds, seconds }) {
  const [{ step, numSteps, losses }] = seeds;
  const pace = (imagesSeen(settings, step) * seeds.length) / seconds;
  const now = `step ${step.toLocaleString("en")} of ${numSteps.toLocaleString("en")}`;
  const loss = losses.length ? `, loss ${losses[losses.length - 1].toPrecision(3)}` : "";
  const speed = seconds ? `, ${Math.round(pace).toLocaleString("en")} images a second` : "";
  return `Training ${number}: ${now}${loss}${speed}.`;
}

/**
 * What came of a run, in words, and whether it went wrong.
 * @param {RunRecord} run
 * @returns {{ words: string, isBad: boolean }}
 */
export function verdictOf({ number, seeds, settings }) {
  const bad = seeds.filter(({ status }) => status === "diverged" || status === "dead");
  const [one] = seeds;
  const step = one.step.toLocaleString("en");
  if (bad.length && seeds.length > 1) {
    const words = `Training ${number}: ${bad.length} of ${seeds.length} seeds ${bad[0].status}.`;
    return { words: words.replace("seeds dead", "seeds ended dead"), isBad: true };
  }
  if (one.status === "diverged") {
    const why = "its numbers grew beyond all bounds. A smaller α or μ takes smaller steps.";
    return { words: `Training ${number} diverged after ${step} steps: ${why}`, isBad: true };
  }
  const share = median(seeds.map(accuracyOf).filter((value) => !Number.isNaN(value)));
  const count = one.measurements.at(-1)?.count ?? 0;
  const right = `${percent(share)} of ${count.toLocaleString("en")} test digits are right`;
  if (one.status === "dead") {
    const why = "it gives every digit the same answer, because no ReLU lets anything through";
    return { words: `Training ${number} ended dead: ${why}. ${right}.`, isBad: true };
  }
  const ofSeeds = seeds.length > 1 ? `, the median of ${seeds.length} seeds` : "";
  const tested = Number.isNaN(share) ? "" : ` ${right}${ofSeeds}.`;
  if (one.status === "interrupted")
    return { words: `Training ${number} was stopped at step ${step}.${tested}`, isBad: false };
  const learned =
    share >= 0.9 ? "learned" : share > 0.2 ? "learned a part" : "learned nothing that lasts";
  const seen = imagesSeen(settings, one.step).toLocaleString("en");
  return { words: `Training ${number} ${learned}:${tested} It saw ${seen} images.`, isBad: false };
}

/**
 * Everything that was measured, a line a step: to be opened in a spreadsheet.
 * @param {RunRecord[]} runs
 */
export function tableOf(runs) {
  const settings = [...Object.keys(NAMES).filter((name) => name !== "seed")];
  const lines = [["training", "seed", "step", "images", "loss", "test_accuracy", ...settings]];
  for (const run of runs) {
    const set = /** @type {Record<string, any>} */ (run.settings);
    for (const { seed, losses, measurements } of run.seeds) {
      const accuracies = new Map(measurements.map(({ step, accuracy }) => [step, accuracy]));
      losses.forEach((loss, i) => {
        const seen = imagesSeen(run.settings, i + 1);
        const accuracy = accuracies.get(i + 1) ?? "";
        const row = [run.number, seed, i + 1, seen, loss, accuracy];
        lines.push([...row, ...settings.map((name) => set[name])].map(String));
      });
    }
  }
  return lines.map((line) => `${line.join(",")}\n`).join("");
}
