// Put behind `mount.js`, in the same script: ways for the keyboard past a figure with its many
// controls, and from one figure to the next. They are seen when they have the focus.

let numGoals = 0;

/**
 * Append a link that takes the focus to an element, which gets a name if it has none.
 * @param {Element} parent
 * @param {string} text
 * @param {HTMLElement} goal
 */
function addWay(parent, text, goal) {
  const link = document.createElement("a");
  goal.id ||= `way-${++numGoals}`;
  link.href = `#${goal.id}`;
  link.textContent = text;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goal.tabIndex = -1;
    goal.focus();
  });
  parent.append(" ", link);
}

/**
 * Put ways before a figure that is live, and an end behind it.
 * @param {HTMLElement} figure
 * @param {HTMLElement | undefined} next
 */
// biome-ignore lint/correctness/noUnusedVariables: called in mount.js
function addWays(figure, next) {
  const ways = document.createElement("p");
  ways.className = "ways";
  const end = document.createElement("span");
  addWay(ways, "Past this figure", end);
  if (next) addWay(ways, "To the next figure", next);
  figure.prepend(ways);
  figure.append(end);
}

/**
 * Put a way to the first figure beside the theme's to the text.
 * @param {HTMLElement | undefined} first
 */
// biome-ignore lint/correctness/noUnusedVariables: called in mount.js
function addWayToFirst(first) {
  const ways = document.querySelector("#pst-skip-link");
  if (first && ways) addWay(ways, "Skip to the first figure", first);
}
