// Words beside a mouse that goes over a picture: the value of what is under it.
import { set, setText } from "./dom.js";

/** @import { Told } from "./telling.js" */

const GAP = 8; // between a cell and the words on it, in pixels
const BAR = 60; // of a page's window, at the top: there the book has its own
// Here, because who never points need not fetch it.
const LOOK =
  "background: var(--paper); border: 1px solid var(--line); border-radius: 4px; font-size: 12px; " +
  "max-width: 100%; padding: 1px 6px; pointer-events: none; position: absolute; " +
  "width: max-content; z-index: 2;";

// One for all figures, as there is one mouse. Screen readers have the words already.
const readout = set(document.createElement("div"), { class: "readout", "aria-hidden": "true" });
/** @type {Told} */
let told;
let mouse = { clientX: 0, clientY: 0 };
let frame = 0;

/** Return what is told where the mouse is, and where the cell begins and ends from above. */
function find() {
  const [element, cells, words, plot] = told;
  const { left, top, width, height } = element.getBoundingClientRect();
  const box = plot?.box ?? { x: 0, y: 0, width, height };
  const part = [
    (mouse.clientY - top - box.y) / box.height,
    (mouse.clientX - left - box.x) / box.width
  ];
  const counts = cells();
  const at = part.map((one, i) => Math.floor(one * counts[i]));
  const isInside = part.every((one) => one >= 0 && one < 1);
  const [first, last] = [at[0], at[0] + 1].map(
    (row) => top + box.y + (box.height * row) / counts[0]
  );
  return { text: isInside ? words(at, part) : "", first, last };
}

/** Tell it anew in each frame: what is under a mouse that rests may move or change. */
function follow() {
  const [element] = told;
  frame = element.matches(":hover") ? requestAnimationFrame(follow) : 0;
  // Whoever presses draws, drags or chooses.
  const { text, first, last } = find();
  if (!frame || element.matches(":active") || !text) return readout.remove();
  const root = /** @type {Element} */ (element.closest(".is-live"));
  if (readout.parentElement !== root) root.append(readout);
  setText(readout, text);
  set(readout, { style: LOOK });
  const { left, top, width } = root.getBoundingClientRect();
  const { width: wide, height: tall } = readout.getBoundingClientRect();
  const above = first - GAP - tall;
  const y = above < Math.max(top, BAR) ? last + GAP : above;
  const x = Math.min(Math.max(mouse.clientX - left - wide / 2, 0), width - wide);
  set(readout, { style: `${LOOK} left: ${x}px; top: ${y - top}px;` });
}

/**
 * Tell what is under the mouse, until it leaves; a finger chooses, and is told so.
 * @param {Told} one
 * @param {PointerEvent} event
 */
export function readOut(one, event) {
  if (event.pointerType === "touch") return;
  [told, mouse] = [one, event];
  if (!frame) follow();
}
