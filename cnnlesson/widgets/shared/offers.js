// What the menu of a figure offers: a link, where it is on a page, and files.
import { add } from "./dom.js";
import { pictureOf, rasterOf } from "./figure_picture.js";
import { save } from "./saving.js";

/** @import { Figure } from "./figure.js" */
/** @import { Model } from "./state.js" */

/**
 * Fill the menu of a figure.
 * @param {Element} menu
 * @param {Figure} self
 * @param {Model} model
 */
export function fill(menu, self, model) {
  menu.replaceChildren(); // what was said when it did not arrive
  const buttons = add(menu, "div", { class: "buttons" });
  const offer = (/** @type {string} */ text, /** @type {() => void} */ does) =>
    add(buttons, "button", { type: "button" }, text).addEventListener("click", does);
  const name = self.label.toLowerCase().replaceAll(" ", "-");
  model.offerLink?.(menu, offer);
  offer("Save as SVG", () => save(`${name}.svg`, "image/svg+xml", pictureOf(self).source));
  offer("Save as PNG", async () =>
    save(`${name}.png`, "image/png", await rasterOf(pictureOf(self)))
  );
  for (const { title, name, type, write } of self.files)
    offer(title, async () => save(name, type, await write()));
}
