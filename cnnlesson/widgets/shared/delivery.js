// The kernel, the worker and the digits, brought when they are first asked for: 1.3 MB, in parts.

/** @import { Model } from "./state.js" */
/** @import { Digits } from "../training_lab/network.js" */

/** @typedef {{ kernel: WebAssembly.Module, script: string, digits: Digits }} Goods */

const [NUM_TRAIN, NUM_TEST] = [6000, 2000];
const CHECKSUM = 0x5aabdba3; // CRC-32 of the digits, as sample.py has it
const PATIENCE = 20000; // milliseconds for a part

/** @type {Promise<Goods> | null} */
let goods = null; // for all figures of a page

/**
 * Fetch a part: the page's are scripts, which a page opened from a file may load too.
 * @param {number} part
 */
function fromPage(part) {
  const { cnnlessonHome: home, cnnlessonParts: parts = [] } = /** @type {any} */ (globalThis);
  const script = document.createElement("script");
  return new Promise((done, fail) => {
    script.onload = () => done(/** @type {any} */ (globalThis).cnnlessonParts?.[part] ?? "");
    script.onerror = () => fail(new Error("The digits did not arrive"));
    setTimeout(() => fail(new Error("The digits are too long on their way")), PATIENCE);
    if (parts[part]) done(parts[part]);
    else {
      script.src = `${home}training_lab_${part}.js`;
      document.head.append(script);
    }
  }).then((base64) => {
    script.remove();
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  });
}

/**
 * Ask the kernel of a notebook for a part.
 * @param {any} model
 * @param {number} part
 */
function fromNotebook(model, part) {
  return new Promise((done, fail) => {
    const hear = (/** @type {any} */ message, /** @type {DataView[]} */ [content]) => {
      if (message.part !== part) return;
      model.off("msg:custom", hear);
      done(new Uint8Array(content.buffer, content.byteOffset, content.byteLength).slice());
    };
    setTimeout(() => {
      model.off("msg:custom", hear);
      fail(new Error("The digits did not arrive: is the notebook's kernel running?"));
    }, PATIENCE);
    model.on("msg:custom", hear);
    model.send({ part });
  });
}

/** @param {Uint8Array<ArrayBuffer>} packed */
async function unpack(packed) {
  const length = packed.byteLength;
  const end = new DataView(packed.buffer, packed.byteOffset, length);
  const expected = (NUM_TRAIN + NUM_TEST) * 785;
  const isWhole = length > 8 && end.getUint32(length - 4, true) === expected;
  if (!isWhole || end.getUint32(length - 8, true) !== CHECKSUM)
    throw new Error("The digits arrived damaged");
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const content = await new Response(stream).arrayBuffer().catch(() => {
    throw new Error("The digits arrived damaged"); // by the checksum that gzip keeps
  });
  const numPixels = (NUM_TRAIN + NUM_TEST) * 784;
  return {
    pixels: new Uint8Array(content, 0, numPixels),
    labels: new Uint8Array(content, numPixels),
    numTrain: NUM_TRAIN
  };
}

/**
 * @param {Model} model
 * @param {number} numParts
 * @param {(part: number) => void} onProgress
 * @returns {Promise<Goods>}
 */
async function fetchAll(model, numParts, onProgress) {
  if (typeof WebAssembly === "undefined" || typeof DecompressionStream === "undefined")
    throw new Error("This browser has no WebAssembly, or an old one");
  const isLive = "send" in model;
  const pieces = [];
  for (let part = 0; part < numParts; part++) {
    pieces.push(await (isLive ? fromNotebook(model, part) : fromPage(part)));
    onProgress((part + 1) / numParts);
  }
  const [code, script, ...rest] = pieces;
  const kernel = await WebAssembly.compile(code).catch(() => {
    throw new Error("This browser's WebAssembly has no SIMD, which the network needs");
  });
  const digits = await unpack(new Uint8Array(await new Blob(rest).arrayBuffer()));
  return { kernel, script: new TextDecoder().decode(script), digits };
}

/**
 * Return what is needed to train, fetched once for all figures of a page.
 * @param {Model} model
 * @param {number} numParts
 * @param {(part: number) => void} onProgress
 */
export function deliver(model, numParts, onProgress) {
  goods ??= fetchAll(model, numParts, onProgress);
  goods.catch(() => {
    goods = null; // another press of the button tries again
  });
  return goods;
}
