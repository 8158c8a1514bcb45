// Shows what a term means where it is first used: under a mouse that rests, under the keyboard's
// focus, and at a tap, which leads on only when it is repeated. `meanings` stands before this.

const tip = document.createElement("div");
tip.id = "meaning";
tip.className = "meaning";
tip.setAttribute("role", "tooltip");
tip.hidden = true;

/** @type {HTMLAnchorElement | null} */
let shown = null; // the term whose meaning is on the page
let waiting = 0;

/**
 * Put the meaning below the first line of its term, within the page.
 * @param {HTMLAnchorElement} term
 */
function place(term) {
  const [line] = term.getClientRects();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = `${Math.max(8, Math.min(line.left, room)) + scrollX}px`;
  tip.style.top = `${line.bottom + scrollY + 2}px`;
}

/** @param {HTMLAnchorElement | null} term */
function show(term) {
  clearTimeout(waiting);
  if (term === shown) return;
  shown?.removeAttribute("aria-describedby");
  shown = term;
  // @ts-expect-error: written when the book is built
  const meaning = term && meanings[term.hash.slice(1)];
  tip.hidden = !meaning;
  if (!term || !meaning) return;
  tip.innerHTML = meaning; // the glossary's own
  term.setAttribute("aria-describedby", tip.id);
  place(term);
}

/** @param {HTMLAnchorElement | null} term */
function showSoon(term) {
  clearTimeout(waiting);
  waiting = setTimeout(() => show(term), 150);
}

for (const term of document.querySelectorAll("a.term")) {
  const own = /** @type {HTMLAnchorElement} */ (term);
  let wasShown = false; // when the finger came down
  own.addEventListener("pointerenter", ({ pointerType }) => {
    if (pointerType === "mouse") showSoon(own);
  });
  own.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse") showSoon(null);
  });
  own.addEventListener("focus", () => show(own));
  own.addEventListener("blur", () => showSoon(null));
  own.addEventListener("pointerdown", () => {
    wasShown = shown === own;
  });
  own.addEventListener("click", (event) => {
    const isTap = /** @type {PointerEvent} */ (event).pointerType === "touch";
    if (!isTap || wasShown) return;
    event.preventDefault();
    show(own);
  });
}
// A mouse may rest on the meaning too.
tip.addEventListener("pointerenter", () => clearTimeout(waiting));
tip.addEventListener("pointerleave", () => showSoon(null));
addEventListener("keydown", ({ key }) => {
  if (key === "Escape") show(null);
});
addEventListener("pointerdown", ({ target }) => {
  if (target instanceof Element && !target.closest("a.term, .meaning")) show(null);
});
addEventListener("resize", () => show(null));
document.querySelector("main")?.append(tip);
