// Files that a reader takes along: what was measured, and the picture of it.
import { setStyle } from "./dom.js";

/** @type {(name: string, type: string, content: string) => void} */
export function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const LOOKS = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"],
  ...["stroke-linecap", "stroke-linejoin", "font-size", "font-family", "font-weight"],
  ...["visibility", "paint-order"]
];

/**
 * Save an SVG of the page as a file of its own, with the look that style sheets give it here.
 * @type {(name: string, svg: SVGSVGElement) => void}
 */
export function savePicture(name, svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const look = getComputedStyle(originals[i]);
    const rules = LOOKS.map((property) => `${property}:${look.getPropertyValue(property)}`);
    setStyle(element, rules.join(";"));
  });
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  save(name, "image/svg+xml", new XMLSerializer().serializeToString(copy));
}
