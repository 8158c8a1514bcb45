// What a page draws, with the look that its style sheets give it, as SVG that needs no page.
import { add, set } from "./dom.js";

const COLOURS = ["fill", "stroke"];
const INHERITED = [
  ...[...COLOURS, "fill-opacity", "fill-rule", "stroke-opacity", "stroke-width"],
  ...["stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "paint-order"],
  ...["font-family", "font-size", "font-style", "font-weight", "text-anchor", "visibility"]
];
const OWN = { opacity: "1", display: "inline", "vector-effect": "none" }; // and what is not written
const OF_THE_PAGE = /^(?:class|style|role|tabindex|aria-.*|data-.*)$/;

/**
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 */
const made = (tag, attributes) =>
  set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);

/**
 * Return a colour as every program reads it, whatever the browser calls it: a mixed one may be an
 * `oklab()`.
 * @param {string} colour
 */
export function plain(colour) {
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
export function copyOf(svg) {
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
export function imageOf(canvas) {
  const rendering = getComputedStyle(canvas).imageRendering;
  return made("image", {
    href: canvas.toDataURL(),
    preserveAspectRatio: "none",
    "image-rendering": rendering
  });
}

/**
 * Return a bar of colours that pass into each other from left to right, evenly.
 * @param {string[]} colours
 * @param {DOMRect} box
 */
function barOf(colours, { x, y, width, height }) {
  const bar = made("svg", { width, height });
  const id = `colours-${x}-${y}`;
  const passage = add(bar, "linearGradient", { id });
  colours.forEach((colour, i) =>
    add(passage, "stop", { offset: i / (colours.length - 1), "stop-color": colour })
  );
  add(bar, "rect", { width, height, fill: `url(#${id})` });
  return bar;
}

/**
 * Return the ground of an element and its borders, each with the place that it takes.
 * @param {CSSStyleDeclaration} look
 * @param {DOMRect} box
 * @returns {[Element, DOMRect][]}
 */
export function groundOf(look, box) {
  const colours = look.backgroundImage.match(/rgb\([^)]*\)/g);
  if (colours) return [[barOf(colours, box), box]];
  const { x, y, width, height, right, bottom } = box;
  const [above, after, below, before] = ["top", "right", "bottom", "left"].map((side) =>
    parseFloat(look.getPropertyValue(`border-${side}-width`))
  );
  /** @type {[string, DOMRect][]} */
  const all = [
    [look.backgroundColor, box],
    [look.borderTopColor, new DOMRect(x, y, width, above)],
    [look.borderRightColor, new DOMRect(right - after, y, after, height)],
    [look.borderBottomColor, new DOMRect(x, bottom - below, width, below)],
    [look.borderLeftColor, new DOMRect(x, y, before, height)]
  ];
  return all.flatMap(([colour, part]) => {
    const { width, height } = part;
    const fill = plain(colour);
    if (!width || !height || fill.endsWith(",0)")) return [];
    return [[made("rect", { width, height, fill }), part]];
  });
}
