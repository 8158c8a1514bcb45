// The workers that train the seeds of one run, and the page's word with them.
/** @import { Digits, Settings } from "./network.js" */
/** @import { Report } from "./worker.js" */

const most = () => Math.max(1, navigator.hardwareConcurrency || 2);

/**
 * Train some seeds, as many at a time as there are processors.
 * @param {{ kernel: WebAssembly.Module, script: string, digits: Digits, settings: Settings,
 *   seeds: number[], onReport: (report: Report) => void,
 *   onFailure: (reason: string) => void }} task
 */
export function crew({ kernel, script, digits, settings, seeds, onReport, onFailure }) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  /** @type {Map<number, (logits: number[]) => void>} */
  const readers = new Map();
  let isOver = false;
  const fail = (/** @type {string} */ reason) => {
    if (!isOver) onFailure(reason);
    self.end();
  };
  /** @type {Map<number, Worker>} */
  const workers = new Map(); // by seed
  const count = Math.min(seeds.length, most());
  const all = Array.from({ length: count }, (_, i) => {
    const worker = new Worker(address);
    const own = seeds.filter((_, k) => k % count === i);
    for (const seed of own) workers.set(seed, worker);
    worker.onmessage = ({ data }) => {
      if (isOver) return;
      if (data.kind === "report") onReport(data);
      else if (data.kind === "failed") fail(data.reason);
      else readers.get(data.id)?.(data.logits);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "a worker ended by itself");
    };
    worker.postMessage({ kind: "start", kernel, digits, settings: { ...settings }, seeds: own });
    return worker;
  });
  URL.revokeObjectURL(address);
  const tell = (/** @type {object} */ message) => all.forEach((one) => one.postMessage(message));
  let lastId = 0;
  const self = {
    /** @type {(lr: number, momentum: number) => void} */
    change: (lr, momentum) => tell({ kind: "change", lr, momentum }),
    pause: () => tell({ kind: "pause" }),
    resume: () => tell({ kind: "resume" }),
    stop: () => tell({ kind: "stop" }),
    /**
     * Have the network of a seed read an image, shades from 0 to 255.
     * @type {(seed: number, image: ArrayLike<number>) => Promise<number[]>}
     */
    read: (seed, image) =>
      new Promise((done) => {
        const id = ++lastId;
        readers.clear(); // of several drawings only the last is waited for
        readers.set(id, done);
        workers.get(seed)?.postMessage({ kind: "read", seed, image, id });
      }),
    /** Send the workers home. */
    end() {
      isOver = true;
      for (const worker of all) worker.terminate();
    }
  };
  return self;
}
