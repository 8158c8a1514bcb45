// At the foot of a figure: what its reader may take along, brought when it is first asked for.
import { add, setText } from "./dom.js";

/** @import { Figure } from "./figure.js" */
/** @import { Model } from "./state.js" */

/**
 * Put the menu there, folded.
 * @param {Figure} self
 * @param {Model} model
 */
export function shareMenu(self, model) {
  const menu = add(self.root, "details", { class: "share-menu" });
  const handle = add(menu, "summary", {}, "Share");
  const inside = add(menu, "div");
  let isFilled = false;
  menu.addEventListener("toggle", async () => {
    if (!menu.open || isFilled) return;
    isFilled = true;
    try {
      const { fill } = await import("./offers.js");
      fill(inside, self, model);
    } catch {
      isFilled = false;
      setText(inside, "It did not arrive. To try again, close this menu and open it.");
    }
  });
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    menu.open = false;
    handle.focus();
  });
}
