// A figure as a picture of its own: its plots where they are seen, and below them what they say.
import { add, set } from "./dom.js";

/** @import { Figure } from "./figure.js" */
/** @typedef {{ source: string, width: number, height: number }} Picture an SVG, and its size */

const [MARGIN, GAP, LINE] = [16, 16, 20]; // pixels
const SMALLEST = 32; // what is smaller is a sign among words
const SCALE = 2; // of a raster: sharp on a projector
const COLOURS = ["fill", "stroke"];
const INHERITED = [
  ...[...COLOURS, "fill-opacity", "fill-rule", "stroke-opacity", "stroke-width"],
  ...["stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "paint-order"],
  ...["font-family", "font-size", "font-style", "font-weight", "text-anchor", "visibility"]
];
const OWN = { opacity: "1", display: "inline", "vector-effect": "none" }; // and what is not written
const OF_THE_PAGE = /^(?:class|style|role|tabindex|aria-.*|data-.*)$/;

/**
 * Return a colour as every program reads it, whatever the browser calls it: a mixed one may be an
 * `oklab()`.
 * @param {string} colour
 */
function plain(colour) {
  if (/^(?:none|url|#|rgb\()/.test(colour)) return colour;
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  if (!context) return colour;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return alpha === 255
    ? `rgb(${red},${green},${blue})`
    : `rgba(${red},${green},${blue},${alpha / 255})`;
}

/**
 * Return an SVG of the page with the look that style sheets give it, as attributes.
 * @param {SVGSVGElement} svg
 */
function copyOf(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const look = getComputedStyle(originals[i]);
    const above = i ? getComputedStyle(/** @type {Element} */ (originals[i].parentElement)) : null;
    for (const name of element.getAttributeNames())
      if (OF_THE_PAGE.test(name)) element.removeAttribute(name);
    for (const name of INHERITED) {
      const value = look.getPropertyValue(name);
      if (value === above?.getPropertyValue(name)) element.removeAttribute(name);
      else element.setAttribute(name, COLOURS.includes(name) ? plain(value) : value);
    }
    for (const [name, usual] of Object.entries(OWN)) {
      const value = look.getPropertyValue(name);
      if (value !== usual && (i || name !== "display")) element.setAttribute(name, value);
    }
  });
  return copy;
}

/**
 * Return a canvas as an element of an SVG.
 * @param {HTMLCanvasElement} canvas
 */
function imageOf(canvas) {
  const image = document.createElementNS("http://www.w3.org/2000/svg", "image");
  const rendering = getComputedStyle(canvas).imageRendering;
  return set(image, {
    href: canvas.toDataURL(),
    preserveAspectRatio: "none",
    "image-rendering": rendering
  });
}

/**
 * Return the parts of a figure that are drawn, in their order, and where they are. Rows between
 * which there are only controls move together.
 * @param {HTMLElement} root
 */
function partsOf(root) {
  const all = /** @type {NodeListOf<SVGSVGElement | HTMLCanvasElement>} */ (
    root.querySelectorAll("svg, canvas")
  );
  const parts = [...all]
    .filter((part) => part.checkVisibility() && !part.parentElement?.closest("svg, button"))
    .map((part) => ({ part, box: part.getBoundingClientRect(), y: 0 }))
    .filter(({ box }) => Math.min(box.width, box.height) >= SMALLEST);
  let [end, bottom] = [-Infinity, MARGIN - GAP]; // of the row, on the page and in the picture
  let shift = 0;
  for (const one of parts.toSorted((a, b) => a.box.top - b.box.top)) {
    if (one.box.top > end) shift = bottom + GAP - one.box.top;
    one.y = one.box.top + shift;
    end = Math.max(end, one.box.bottom);
    bottom = Math.max(bottom, one.box.bottom + shift);
  }
  return { parts, bottom };
}

/**
 * Break words into lines.
 * @param {string} words
 * @param {number} width
 * @param {string} font
 */
function linesOf(words, width, font) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(1, 1).getContext("2d")
  );
  context.font = font;
  const lines = [""];
  for (const word of words.split(/\s+/)) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
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
  const look = getComputedStyle(root);
  const { left, width: wide } = root.getBoundingClientRect();
  const { parts, bottom } = partsOf(root);
  const width = Math.ceil(wide) + 2 * MARGIN;
  const words = `${label}. ${sentence()}`;
  const { fontFamily, fontSize, fontWeight } = look;
  const lines = linesOf(words, wide, `${fontWeight} ${fontSize} ${fontFamily}`);
  const height = Math.ceil(bottom + GAP + LINE * lines.length + MARGIN);

  const holder = document.createElement("div");
  const svg = add(holder, "svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  add(svg, "rect", { width, height, fill: plain(look.getPropertyValue("--paper")) });
  for (const { part, box, y } of parts) {
    const copy = part instanceof SVGSVGElement ? copyOf(part) : imageOf(part);
    svg.append(set(copy, { x: MARGIN + box.left - left, y, width: box.width, height: box.height }));
  }
  const caption = add(svg, "text", {
    fill: plain(look.color),
    "font-family": fontFamily,
    "font-size": fontSize
  });
  lines.forEach((line, i) =>
    add(caption, "tspan", { x: MARGIN, y: bottom + GAP + LINE * (i + 0.75) }, line)
  );
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
