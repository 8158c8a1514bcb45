// Workers that train: those of one run, a seed or several each, and what a page may tell them.
import { forgetGoods } from "./delivery.js";

/** @import { Settings } from "../training_lab/network.js" */
/** @import { Report } from "../training_lab/worker.js" */
/** @import { Goods } from "./delivery.js" */

/** How many can work at once. */
export const numProcessors = () => Math.max(1, navigator.hardwareConcurrency || 2);

/**
 * Hire some workers and hand them the kernel and the digits. What they say is heard until `end`;
 * if one of them fails, all go home, and what they had is not trusted again.
 * @param {Goods} goods
 * @param {number} count
 * @param {{ hear: (data: any, i: number) => void, onFailure: (reason: string) => void }} ears
 */
export function hire({ kernel, script, packed }, count, { hear, onFailure }) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  let isOver = false;
  /** @type {Worker[]} */
  const all = [];
  /** Send the workers home. */
  const end = () => {
    isOver = true;
    for (const worker of all) worker.terminate();
  };
  const fail = (/** @type {string} */ reason) => {
    if (!isOver) onFailure(reason);
    forgetGoods();
    end();
  };
  for (let i = 0; i < count; i++) {
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => {
      if (isOver) return;
      if (data.kind === "failed") fail(data.reason);
      else hear(data, i);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "a worker ended by itself");
    };
    worker.postMessage({ kind: "load", kernel, packed });
    all.push(worker);
  }
  URL.revokeObjectURL(address);
  return { all, end };
}

/**
 * Train some seeds, as many at a time as there are processors.
 * @param {{ goods: Goods, settings: Settings, seeds: number[],
 *   onReport: (report: Report) => void, onFailure: (reason: string) => void }} task
 */
export function crew({ goods, settings, seeds, onReport, onFailure }) {
  /** @type {Map<number, (logits: number[]) => void>} */
  const readers = new Map();
  const count = Math.min(seeds.length, numProcessors());
  const { all, end } = hire(goods, count, {
    hear(data) {
      if (data.kind === "report") onReport(data);
      else readers.get(data.id)?.(data.logits);
    },
    onFailure
  });
  all.forEach((worker, i) => {
    const own = seeds.filter((_, k) => k % count === i);
    worker.postMessage({ kind: "start", settings: { ...settings }, seeds: own });
  });
  const tell = (/** @type {object} */ message) => all.forEach((one) => one.postMessage(message));
  let lastId = 0;
  return {
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
        all[seeds.indexOf(seed) % count]?.postMessage({ kind: "read", seed, image, id });
      }),
    end
  };
}
