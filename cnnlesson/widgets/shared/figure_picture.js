// A figure as a picture of its own: all that is seen of it, without what only a hand needs.
import { add, set } from "./dom.js";
import { copyOf, groundOf, imageOf, plain } from "./svg_copy.js";

/** @import { Figure } from "./figure.js" */
/** @typedef {{ source: string, width: number, height: number }} Picture an SVG, and its size */
/**
 * A part of the picture, where it is on the page, and how far from there its `x` and `y` are.
 * @typedef {{ element: Element, box: DOMRect, x: number, y: number }} Part
 */

const [MARGIN, GAP, LINE] = [16, 16, 20]; // pixels
const SCALE = 2; // of a raster: sharp on a projector
// What sliders and lists hold is said below the picture.
const FOR_HANDS = `button, summary, progress, .slider, .choice, .hand, .readout, .share-menu,
  .for-screen-readers, input:not([type=number]), label:has([type=checkbox]:not(:checked))`;

/** @param {CSSStyleDeclaration} look */
const fontOf = ({ color, fontFamily, fontSize, fontStyle, fontWeight }) => ({
  fill: plain(color),
  "font-family": fontFamily,
  "font-size": fontSize,
  "font-style": fontStyle,
  "font-weight": fontWeight
});

/**
 * Return what `find` finds while nothing of a figure scrolls, or sticks where it lies over others.
 * @template T
 * @param {Element} root
 * @param {() => T} find
 */
function atRest(root, find) {
  const all = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("*"));
  const loose = [...all].filter((element) => {
    const { position, overflowX, overflowY } = getComputedStyle(element);
    return position === "sticky" || /auto|scroll/.test(overflowX + overflowY);
  });
  const before = loose.map(({ style, scrollLeft, scrollTop }) => ({
    rules: style.cssText,
    at: [scrollLeft, scrollTop]
  }));
  for (const { style } of loose)
    style.cssText += ";position:static;overflow:visible;max-height:none;min-width:min-content";
  const found = find();
  loose.forEach((element, i) => {
    element.style.cssText = before[i].rules;
    [element.scrollLeft, element.scrollTop] = before[i].at;
  });
  return found;
}

/**
 * Draw what is seen of an element; returns its parts, in their order.
 * @param {SVGSVGElement} svg
 * @param {Element} root
 */
function partsOf(svg, root) {
  /** @type {Part[]} */
  const parts = [];
  /** @type {(element: Element, box: DOMRect, x?: number, y?: number) => void} */
  const place = (element, box, x = 0, y = 0) => {
    svg.append(element);
    parts.push({ element, box, x, y });
  };
  /** @type {(words: string, box: DOMRect, look: CSSStyleDeclaration) => void} */
  const write = (words, box, look) => {
    const side = /center/.test(look.textAlign) ? 1 : /right|end/.test(look.textAlign) ? 2 : 0;
    const anchor = { "text-anchor": ["start", "middle", "end"][side] };
    const text = add(svg, "text", { ...fontOf(look), ...anchor }, words);
    place(text, box, (side * box.width) / 2, box.height / 2 + 0.35 * parseFloat(look.fontSize));
  };
  /** @type {(node: Text, look: CSSStyleDeclaration) => void} */
  const writeLines = (node, look) => {
    const range = document.createRange();
    /** @type {[string, DOMRect][]} */
    const lines = [];
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const box = range.getBoundingClientRect();
      const line = lines.at(-1);
      // In code, what stands apart is a column.
      if (line && Math.abs(box.x - line[1].right) < 12 && box.y - line[1].y < 4) {
        line[0] += ` ${word}`;
        line[1].width = box.right - line[1].x;
      } else lines.push([word, box]);
    }
    for (const [words, box] of lines) write(words, box, look);
  };
  const draw = (/** @type {Element} */ element) => {
    const look = getComputedStyle(element);
    // An element may have no box of its own, and what is in it be seen.
    const isSeen =
      look.display === "contents" || element.checkVisibility({ visibilityProperty: true });
    if (!isSeen || element.matches(FOR_HANDS)) return;
    const box = element.getBoundingClientRect();
    for (const [ground, part] of groundOf(look, box)) place(ground, part);
    const { width, height } = box;
    if (element instanceof SVGSVGElement)
      return place(set(copyOf(element), { width, height, overflow: look.overflow }), box);
    if (element instanceof HTMLCanvasElement)
      return place(set(imageOf(element), { width, height }), box);
    if (element instanceof HTMLInputElement) return write(element.value, box, look);
    for (const node of element.childNodes) {
      if (node instanceof Text) writeLines(node, look);
      else if (node instanceof Element) draw(node);
    }
  };
  draw(root);
  return parts;
}

/**
 * Put parts one below the other as they are on the page, without the room of what is left out;
 * returns the bottom.
 * @param {Part[]} parts
 * @param {number} left of all, on the page
 * @param {number} top in the picture
 */
function arrange(parts, left, top) {
  let [end, shift] = [-Infinity, 0]; // of what is above, on the page
  for (const { element, box, x, y } of parts.toSorted((a, b) => a.box.top - b.box.top)) {
    if (end === -Infinity) shift = top - box.top;
    else shift -= Math.max(box.top - end - GAP, 0);
    end = Math.max(end, box.bottom);
    set(element, { x: MARGIN + box.left - left + x, y: box.top + shift + y });
  }
  return end + shift;
}

/**
 * What its sliders and lists hold, also those that are folded.
 * @param {Element} root
 */
const settingsOf = (root) =>
  [...root.querySelectorAll(".slider, .choice")]
    .filter((control) => !control.closest("[hidden]"))
    .map((control) => {
      const value =
        control.querySelector("output")?.textContent ??
        control.querySelector("select")?.selectedOptions[0].text;
      return `${control.querySelector("span")?.textContent?.trim()}: ${value}`;
    });

const wordsOf = (/** @type {string | null} */ text) =>
  text?.toLowerCase().match(/[^\s.,:;]+/g) ?? [];

/**
 * Return the words of those sentences that say more than is written in a picture.
 * @param {Element} svg
 * @param {string} text
 */
function unsaid(svg, text) {
  const written = [...svg.querySelectorAll("text")].flatMap((e) => wordsOf(e.textContent));
  const seen = new Set(written);
  return text
    .split(/(?<=\.) /)
    .filter((sentence) => wordsOf(sentence).some((word) => !seen.has(word)))
    .flatMap((sentence) => sentence.split(" "));
}

/**
 * Put words side by side, in lines of a width.
 * @param {string[]} words
 * @param {string} between
 * @param {number} width
 * @param {CSSStyleDeclaration} look
 */
function linesOf(words, between, width, { fontFamily, fontSize, fontWeight }) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(1, 1).getContext("2d")
  );
  context.font = `${fontWeight} ${fontSize} ${fontFamily}`;
  /** @type {string[]} */
  const lines = [];
  for (const word of words) {
    const longer = `${lines.at(-1)}${between}${word}`;
    if (lines.length && context.measureText(longer).width <= width) lines.splice(-1, 1, longer);
    else lines.push(word);
  }
  return lines;
}

/**
 * Return the picture of a figure as it is seen now, on the page's ground.
 * @param {Figure} self
 * @returns {Picture}
 */
export function pictureOf({ root, label, sentence }) {
  const svg = add(document.createElement("div"), "svg");
  const look = getComputedStyle(root);
  const font = fontOf(look);
  add(svg, "title", {}, label);
  add(svg, "desc", {}, sentence());
  const ground = add(svg, "rect", { fill: plain(look.getPropertyValue("--paper")) });
  const name = add(svg, "text", { x: MARGIN, y: MARGIN + LINE / 2, ...font }, label);
  set(name, { "font-size": "17px", "font-weight": 600 });

  const { end, wide } = atRest(root, () => {
    const parts = partsOf(svg, root);
    const { left, right } = root.getBoundingClientRect();
    const rights = parts.map(({ box }) => box.right); // code may be wider than a phone
    return {
      end: arrange(parts, left, MARGIN + LINE / 2 + GAP),
      wide: Math.max(right, ...rights) - left
    };
  });

  const lines = [
    ...linesOf(unsaid(svg, sentence()), " ", wide, look),
    ...linesOf(settingsOf(root), " · ", wide, look)
  ];
  lines.forEach((line, i) =>
    add(svg, "text", { x: MARGIN, y: end + GAP + LINE * (i + 0.75), ...font }, line)
  );
  const width = Math.ceil(wide) + 2 * MARGIN;
  const height = Math.ceil(end + GAP + LINE * lines.length) + MARGIN;
  set(ground, { width, height });
  set(svg, { width, height, viewBox: `0 0 ${width} ${height}` });
  return { source: new XMLSerializer().serializeToString(svg), width, height };
}

/**
 * Return a picture in pixels.
 * @type {(picture: Picture) => Promise<Blob>}
 */
export const rasterOf = async ({ source, width, height }) => {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = new OffscreenCanvas(SCALE * width, SCALE * height);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/png" });
};
