// What follows the theme's scripts: what they left to the page itself.

// Menus and tips are Bootstrap's. It comes when a hand, a finger or the Tab key is on its way.
const firstTouches = ["pointermove", "pointerdown", "focusin"]; // a mouse that rests is no touch
const here = /** @type {HTMLScriptElement} */ (document.currentScript);

function fetchBootstrap() {
  for (const touch of firstTouches) removeEventListener(touch, fetchBootstrap);
  const script = document.createElement("script");
  script.src = new URL("scripts/bootstrap.js", here.src).href;
  /** @type {Element | null} */
  let pressed = null; // before it was there
  const remember = (/** @type {Event} */ { target }) => {
    pressed = /** @type {Element} */ (target).closest('[data-bs-toggle="dropdown"]');
  };
  addEventListener("click", remember);
  script.addEventListener("load", () => {
    removeEventListener("click", remember);
    if (pressed instanceof HTMLElement) pressed.click();
  });
  document.head.append(script);
}
for (const touch of firstTouches) addEventListener(touch, fetchBootstrap, { passive: true });

addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest("button") : null;
  if (button?.matches(".btn-download-pdf-button")) print();
  else if (button?.matches(".btn-fullscreen-button")) globalThis.toggleFullScreen();
});

// The theme's link that takes the marks of a search away is a script, which a policy forbids.
addEventListener("click", (event) => {
  const { target } = event;
  if (target instanceof Element && target.closest(".highlight-link a")) {
    event.preventDefault();
    // @ts-expect-error: the theme's, further up in the same script
    SphinxHighlight.hideSearchWords();
  }
});

// The keyboard reaches what scrolls by itself. The theme measures all of it at once, when the page
// is there, which takes a phone half a second; here each is looked at when it has a new size.
const scrollable =
  "pre, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";
const sizes = new ResizeObserver((entries) => {
  const seen = entries.map(({ target: t }) => ({
    element: /** @type {HTMLElement} */ (t),
    index: t.scrollWidth > t.clientWidth || t.scrollHeight > t.clientHeight ? 0 : -1
  }));
  for (const { element, index } of seen) if (element.tabIndex !== index) element.tabIndex = index;
});
for (const element of document.querySelectorAll(scrollable)) {
  // What is far is not laid out, so it has no size yet; the Tab key may be the first to go there.
  element.setAttribute("tabindex", "0");
  sizes.observe(element);
}

// On paper all is unfolded, and light.
/** @type {HTMLDetailsElement[]} */
let folded = [];
let theme = "";
addEventListener("beforeprint", () => {
  const { dataset } = document.documentElement;
  theme = String(dataset.theme);
  dataset.theme = "light";
  folded = [...document.querySelectorAll("details")].filter((details) => !details.open);
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = theme;
  for (const details of folded) details.open = false;
});
