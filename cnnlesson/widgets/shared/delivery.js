// The kernel, the worker and the digits, brought when they are first asked for: 1.3 MB, in parts.

/** @import { Model } from "./state.js" */
/**
 * The digits stay packed: only workers open them.
 * @typedef {{ kernel: WebAssembly.Module, script: string, packed: Blob }} Goods
 */

const LENGTH = 8000 * 785; // bytes of the digits, unpacked
const CHECKSUM = 0x5aabdba3; // their CRC-32, as sample.py has it
const PATIENCE = 20000; // milliseconds for a part

/** @type {Promise<Goods> | null} */
let goods = null; // for all figures of a page

/**
 * Fetch a part: the page's are scripts, which a page opened from a file may load too.
 * @param {number} part
 */
function fromPage(part) {
  const page = /** @type {any} */ (globalThis);
  const script = document.createElement("script");
  return new Promise((done, fail) => {
    script.onload = done;
    script.onerror = () => fail(new Error("The digits did not arrive"));
    setTimeout(() => fail(new Error("The digits are too long on their way")), PATIENCE);
    script.src = `${page.cnnlessonHome}training_lab_${part}.js`;
    document.head.append(script);
  }).then(() => {
    script.remove();
    const letters = atob(page.cnnlessonParts?.[part] ?? "");
    page.cnnlessonParts?.splice(part); // a page keeps them once
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
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

/**
 * What gzip says at its end of what is in it.
 * @param {Blob} packed
 */
async function isWhole(packed) {
  const end = new DataView(await packed.slice(-8).arrayBuffer());
  return (
    end.byteLength === 8 && end.getUint32(0, true) === CHECKSUM && end.getUint32(4, true) === LENGTH
  );
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
  const packed = new Blob(rest);
  if (!(await isWhole(packed))) throw new Error("The digits arrived damaged");
  return { kernel, script: new TextDecoder().decode(script), packed };
}

/**
 * Return what is needed to train, fetched once for all figures of a page.
 * @param {Model} model
 * @param {number} numParts
 * @param {(part: number) => void} onProgress
 */
export function deliver(model, numParts, onProgress) {
  goods ??= fetchAll(model, numParts, onProgress);
  goods.catch(forgetGoods);
  return goods;
}

/** What failed is fetched anew at the next press of the button. */
export function forgetGoods() {
  goods = null;
}
