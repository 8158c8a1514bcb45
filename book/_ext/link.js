// What a page adds to the menu at the foot of a figure: a link to this very setting, and its QR
// code. It comes with the menu, when that is first opened.

/**
 * Return the address of this page, for others: of one opened from disk, or served to this machine
 * alone, the published one's.
 */
function addressForOthers() {
  const own = new URL(location.href);
  const published = document.querySelector("link[rel=canonical]");
  const isPrivate = /^(?:|localhost|127\..*|\[::1\])$/.test(own.hostname);
  const address = isPrivate && published instanceof HTMLLinkElement ? new URL(published.href) : own;
  address.search = "";
  return address;
}

/**
 * Return the dark modules of a QR code as the `d` of a path, a step each for those side by side.
 * @param {{ size: number, get: (x: number, y: number) => boolean }} code
 */
function modulesOf({ size, get }) {
  let d = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = x;
      while (get(x, y)) x++;
      if (x > from) d += `M${from},${y}h${x - from}v1h${from - x}z`;
    }
  }
  return d;
}

/**
 * Put both into a menu.
 * @param {HTMLElement} menu
 * @param {(text: string, does: () => void) => void} offer
 * @param {(address: URL) => void} describe writes the figure and its settings into an address
 */
// biome-ignore lint/correctness/noUnusedVariables: called in mount.js
function offerLink(menu, offer, describe) {
  const { add, set, setText } = modules.dom;
  const link = () => {
    const address = addressForOthers();
    describe(address);
    return address.href;
  };
  const said = add(menu, "p", { role: "status" });
  const field = add(menu, "input", { readonly: "", "aria-label": "Link to this setting" });
  field.hidden = true;

  offer("Copy link to this setting", async () => {
    field.value = link();
    setText(said, "");
    try {
      await navigator.clipboard.writeText(field.value);
      field.hidden = true;
      setText(said, "Copied.");
    } catch {
      field.hidden = false;
      field.select();
      setText(said, "This browser lets the page copy nothing: copy the link by hand.");
    }
  });

  offer("QR code", () => {
    const dialog = add(menu, "dialog", { "aria-label": "QR code of the link to this setting" });
    const address = link();
    try {
      const code = modules.lean_qr.generate(address);
      const side = code.size + 8; // with a quiet zone of four modules
      const svg = add(dialog, "svg", { viewBox: `-4 -4 ${side} ${side}`, "aria-hidden": "true" });
      set(svg, { "shape-rendering": "crispEdges", style: "background: #fff" });
      add(svg, "path", { d: modulesOf(code) });
      add(dialog, "p", {}, address);
    } catch {
      add(dialog, "p", {}, "This link is too long for a QR code. You can copy it.");
    }
    add(dialog, "button", { type: "button" }, "Close").addEventListener("click", () =>
      dialog.close()
    );
    dialog.addEventListener("keydown", (/** @type {Event} */ event) => event.stopPropagation());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  });
}
