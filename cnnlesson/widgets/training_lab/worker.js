// What trains in a worker, beside the page: several seeds in turn, and what is told of them.
// Part of the worker's script, which is these modules one after the other: see `worker_script`.
import { networkOf, trainingOf } from "./network.js";

/** @import { Digits, Measurement, Settings } from "./network.js" */

/**
 * What a worker tells of one of its seeds: the losses and measurements since it last did, and where
 * α and μ were changed.
 * @typedef {{ kind: "report", seed: number, step: number, numSteps: number, status: string,
 *   losses: number[], measurements: Measurement[], kernels: Float32Array, seconds: number,
 *   changes: { step: number, lr: number, momentum: number }[] }} Report
 */

const [NUM_TRAIN, NUM_PIXELS] = [6000, 8000 * 784];
const TOLD_EVERY = 100; // milliseconds for each seed: a page draws as often, however many there are

/**
 * Open the digits; gzip knows whether they are whole.
 * @param {Blob} packed
 * @returns {Promise<Digits>}
 */
async function unpack(packed) {
  const stream = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  const content = await new Response(stream).arrayBuffer().catch(() => {
    throw new Error("The digits arrived damaged");
  });
  return {
    pixels: new Uint8Array(content, 0, NUM_PIXELS),
    labels: new Uint8Array(content, NUM_PIXELS),
    numTrain: NUM_TRAIN
  };
}

/**
 * Answer the page's messages; this is all that a worker does.
 * @param {any} scope
 */
export function listen(scope) {
  /** @type {{ kernel: WebAssembly.Module, digits: Digits }} */
  let goods;
  /** @type {Settings} */
  let settings;
  /** @type {{ seed: number, training: any, network: any, told: number, toldMeasured: number,
   *   changes: { step: number, lr: number, momentum: number }[], news: boolean }[]} */
  let seeds = [];
  let isPaused = false;
  let isTicking = false;
  let [seconds, reported] = [0, 0];
  const tick = new MessageChannel();

  const report = () => {
    reported = performance.now();
    for (const one of seeds) {
      const { training, told, toldMeasured } = one;
      if (!one.news) continue;
      one.news = false;
      scope.postMessage({
        kind: "report",
        seed: one.seed,
        step: training.step,
        numSteps: training.numSteps,
        status: training.status,
        losses: training.losses.slice(told),
        measurements: training.measurements.slice(toldMeasured),
        kernels: one.network.parameters.slice(0, 288),
        seconds,
        changes: one.changes.splice(0)
      });
      one.told = training.losses.length;
      one.toldMeasured = training.measurements.length;
    }
  };

  /** Train for a moment, tell, and let messages in. */
  const work = () => {
    isTicking = false;
    if (isPaused) return;
    const started = performance.now();
    let running = seeds.filter(({ training }) => training.status === "running");
    while (running.length && performance.now() < started + 20) {
      for (const one of running) {
        one.training.advance();
        one.news = true;
      }
      running = running.filter(({ training }) => training.status === "running");
    }
    seconds += (performance.now() - started) / 1000;
    if (!running.length || performance.now() > reported + TOLD_EVERY * seeds.length) report();
    isTicking = running.length > 0;
    if (isTicking) tick.port2.postMessage(null);
  };
  tick.port1.onmessage = work;

  /** @type {Record<string, (message: any) => unknown>} */
  const answers = {
    async load({ kernel, packed }) {
      goods = { kernel, digits: await unpack(packed) };
    },
    /** Begin with some seeds, and leave those of before. */
    start(message) {
      settings = message.settings;
      seconds = 0;
      seeds = message.seeds.map((/** @type {number} */ seed) => {
        const network = networkOf(new WebAssembly.Instance(goods.kernel, {}));
        const training = trainingOf(network, goods.digits, settings, seed, message.measureEvery);
        return { seed, network, training, told: 0, toldMeasured: 0, changes: [], news: true };
      });
      work();
    },
    change({ lr, momentum }) {
      Object.assign(settings, { lr, momentum });
      for (const { training, changes } of seeds)
        if (training.status === "running") changes.push({ step: training.step, lr, momentum });
    },
    pause() {
      isPaused = true;
      report();
    },
    resume() {
      isPaused = false;
      if (!isTicking) work();
    },
    stop() {
      for (const one of seeds) {
        if (one.training.status !== "running") continue;
        one.training.status = "interrupted";
        one.news = true;
      }
      report();
    },
    read({ seed, image, id }) {
      const one = seeds.find((other) => other.seed === seed) ?? seeds[0];
      scope.postMessage({ kind: "read", id, logits: one.training.read(image) });
    }
  };

  // One after the other: what is said while the digits are opened waits.
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  scope.onmessage = (/** @type {MessageEvent} */ { data }) => {
    last = last
      .then(() => answers[data.kind](data))
      .catch((error) => scope.postMessage({ kind: "failed", reason: error.message }));
  };
}
