// The panel with the sum behind a pixel: nine products, what is added, and what comes of it.
import { diverging } from "../shared/colours.js";
import { add, setText, sketch } from "../shared/dom.js";
import { number } from "../shared/numbers.js";
import { grey, tint } from "../shared/pixels.js";
import { sum } from "./behind.js";

const SPELLED = 3; // parts that stand by themselves; the others are put together

/** The colours of signed values, the largest of them red or blue. */
const signed = (values) => {
  const most = Math.max(...values.map(Math.abs)) || 1;
  return (value) => diverging(value / most);
};

/** Round to two decimals so that what is read adds up, each by less than 0.01. */
const addingUp = (values) => {
  let total = 0;
  return values.map((value) => {
    const before = Math.round(100 * total);
    total += value;
    return (Math.round(100 * total) - before) / 100;
  });
};

/** Put the panel into `parent`; returns what shows the result of `behind` in it. */
export function sumPanel(parent) {
  const holder = add(parent, "div");
  const words = add(holder, "p");
  const panel = add(holder, "div", { class: "sum" });

  return ({ at, values, value, parts, bias, white }) => {
    const put = sketch(panel);
    const cell = (row, tag, value, colour, name = "") =>
      tint(put(row, tag, { class: name }, number(value)), colour);
    const square = (title, values, colour = signed(values), marked = -1) => {
      const box = put(panel, "div");
      put(box, "span", {}, title);
      values.forEach((value, k) =>
        cell(box, "b", value, colour(value), k === marked ? "marked" : "")
      );
    };
    const isOne = parts.length === 1;
    const spelled = parts.toSorted((a, b) => Math.abs(b.part) - Math.abs(a.part));
    const others = spelled.splice(SPELLED);
    const [{ map, patch, kernel, products }] = spelled;
    const name = (of) => (isOne ? "pixels" : `map ${of}`);
    const addends = [
      ...spelled.map((one) => [name(one.map), one.part]),
      ...(isOne ? [] : [[`${others.length} others`, sum(others.map(({ part }) => part))]]),
      ["bias", bias]
    ];
    const shown = addingUp(addends.map(([, part]) => part));
    const rows = [
      ...addends.map(([text], i) => [text, shown[i]]),
      ["sum", sum(shown)],
      ["after ReLU", value]
    ];
    const colour = signed(rows.map(([, part]) => part));

    square(name(map), patch, (pixel) => grey(Math.sqrt(Math.max(pixel, 0) / (white || 1))));
    square("× kernel", kernel);
    square("= products", addingUp(products));
    const table = put(panel, "table", { "aria-label": "What is added up" });
    for (const [text, part] of rows) {
      const row = put(table, "tr");
      put(row, "th", { scope: "row" }, text);
      cell(row, "td", part, colour(part));
    }
    const isPooled = values.length > 1;
    if (isPooled) square("largest of", values, signed(values), values.indexOf(value));
    put.end();
    setText(
      words,
      (isPooled ? `The largest of four, row ${at[0]}, column ${at[1]} before pooling. ` : "") +
        "The sum behind it, rounded to add up: nine products" +
        `${isOne ? "" : ` of each of ${parts.length} maps`}, and the bias.`
    );
  };
}
