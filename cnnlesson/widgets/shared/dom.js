// Elements of a page: put there, changed, and drawn again with no more change than there is.
const XHTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Record<string, unknown>} Attributes */

/**
 * The element that a tag makes.
 * @template {string} T
 * @typedef {T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T]
 *   : T extends keyof SVGElementTagNameMap ? SVGElementTagNameMap[T] : Element} Made
 */

/**
 * Append a new element to `parent`, inside an `svg` an SVG element.
 * @template {string} T
 * @param {Element} parent
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {unknown} [text]
 */
export function add(parent, tag, attributes = {}, text = "") {
  const isSvg = tag === "svg" || parent.namespaceURI === SVG;
  const made = document.createElementNS(isSvg ? SVG : XHTML, tag);
  const element = /** @type {Made<T>} */ (made);
  element.textContent = String(text);
  parent.append(element);
  return set(element, attributes);
}

/** @type {WeakMap<Element, string>} */
const styles = new WeakMap(); // as asked for; the attribute has the browser's own spelling

/**
 * Set attributes of an element: those that change, because each has the browser look again.
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") setStyle(element, String(value));
    else if (element.getAttribute(name) !== String(value))
      element.setAttribute(name, String(value));
  }
  return element;
}

/**
 * A page's policy forbids styles that are attributes, and allows the same rules as properties.
 * @param {Element} element
 * @param {string} rules
 */
export function setStyle(element, rules) {
  if (styles.get(element) === rules && element.hasAttribute("style")) return;
  /** @type {SVGElement | HTMLElement} */ (element).style.cssText = rules;
  styles.set(element, rules);
}

/**
 * Write an element's text into the text node it has: a new one would be laid out afresh.
 * @param {Element} element
 * @param {unknown} text
 */
export function setText(element, text) {
  const first = element.firstChild ?? element.appendChild(document.createTextNode(""));
  const node = /** @type {Text} */ (first);
  if (node.data !== String(text)) node.data = String(text);
}

/**
 * Return a function that appends like `add`, but takes again what the last drawing put at the same
 * place, and changes no more than differs. Its `end()` removes what was not drawn this time.
 * @param {Element} root
 */
export function sketch(root) {
  const counts = new Map([[root, 0]]); // how many children were drawn
  /** @type {typeof add} */
  const again = (parent, tag, attributes = {}, text = "") => {
    const place = counts.get(parent) ?? 0;
    counts.set(parent, place + 1);
    const old = parent.children[place];
    const same = /** @type {Made<typeof tag>} */ (old);
    const element = old?.localName === tag ? same : add(parent, tag);
    if (old && element !== old) old.replaceWith(element);
    for (const name of element.getAttributeNames()) {
      if (!(name in attributes)) element.removeAttribute(name);
    }
    set(element, attributes);
    if (text !== "" || element.firstChild?.nodeType === Node.TEXT_NODE) setText(element, text);
    counts.set(element, 0);
    return element;
  };
  const end = () =>
    counts.forEach((count, parent) => {
      while (parent.children.length > count) parent.lastElementChild?.remove();
    });
  return Object.assign(again, { end });
}
