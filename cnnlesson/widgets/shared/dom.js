// Elements of a page: put there, changed, and drawn again with no more change than there is.
const XHTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";

/** Append a new element to `parent`, inside an `svg` an SVG element. */
export function add(parent, tag, attributes = {}, text = "") {
  const isSvg = tag === "svg" || parent.namespaceURI === SVG;
  const element = document.createElementNS(isSvg ? SVG : XHTML, tag);
  element.textContent = text;
  parent.append(element);
  return set(element, attributes);
}

/** Set attributes of an element: those that change, because each has the browser look again. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
  return element;
}

/** Write an element's text into the text node it has: a new one would be laid out afresh. */
export function setText(element, text) {
  const node = element.firstChild ?? element.appendChild(document.createTextNode(""));
  if (node.data !== String(text)) node.data = text;
}

/**
 * Return a function that appends like `add`, but takes again what the last drawing put at the same
 * place, and changes no more than differs. Its `end()` removes what was not drawn this time.
 */
export function sketch(root) {
  const counts = new Map([[root, 0]]); // how many children were drawn
  const put = (parent, tag, attributes = {}, text = "") => {
    const place = counts.get(parent);
    counts.set(parent, place + 1);
    const old = parent.children[place];
    const element = old?.localName === tag ? old : add(parent, tag);
    if (old && element !== old) old.replaceWith(element);
    for (const name of element.getAttributeNames())
      name in attributes || element.removeAttribute(name);
    set(element, attributes);
    if (text !== "" || element.firstChild?.nodeType === Node.TEXT_NODE) setText(element, text);
    counts.set(element, 0);
    return element;
  };
  put.end = () =>
    counts.forEach((count, parent) => {
      while (parent.children.length > count) parent.lastElementChild.remove();
    });
  return put;
}
