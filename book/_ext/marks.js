// Marks what was read, in the contents and below a chapter, and keeps the reader's place. A script
// of its own, which is handed the modules of `mount.js`.

const REST = 400; // milliseconds after which a reader who scrolled reads

/** Mark in the contents which chapters were begun, and which were read. */
function markContents() {
  for (const link of document.querySelectorAll(".bd-sidenav a")) {
    const [, chapter] = /\/(\d\d)_\w+\.html$/.exec(/** @type {any} */ (link).pathname) ?? [];
    if (!chapter) continue;
    const reading = modules.progress.readingOf(chapter);
    const mark = link.querySelector(".mark") ?? link.appendChild(document.createElement("span"));
    mark.className = reading ? `mark ${reading.isRead ? "is-read" : "is-begun"}` : "mark";
    mark.textContent = reading ? ` (${reading.isRead ? "read" : "begun"})` : "";
  }
}

/**
 * Say below a chapter how much of what it asks was answered.
 * @param {HTMLElement} line
 */
function markChapter(line) {
  const { recall } = modules.answers;
  const entriesOf = (/** @type {string | undefined} */ names) =>
    (names ? names.split(" ") : []).map((name) => recall(name, () => true));
  const predictions = entriesOf(line.dataset.predictions);
  const questions = entriesOf(line.dataset.questions);
  const goals = entriesOf(line.dataset.goals);
  const words =
    `: ${predictions.filter(Boolean).length} of ${predictions.length} predicted, ` +
    `${questions.filter((entry) => entry?.right).length} of ${questions.length} right` +
    (goals.length ? `, ${goals.filter(Boolean).length} of ${goals.length} reached` : "");
  const isBegun = [...predictions, ...questions, ...goals].some(Boolean);
  /** @type {Element} */ (line.lastElementChild).textContent = isBegun ? words : "";
}

/**
 * Keep the heading that the reader scrolled to, and whether the chapter's last line was seen.
 * @param {HTMLElement} line
 */
function keepPlaces(line) {
  const sections = [...document.querySelectorAll("article section[id]")];
  let resting = 0;
  const look = () => {
    const isAbove = (/** @type {Element} */ e) => e.getBoundingClientRect().top < innerHeight / 3;
    const isAtEnd = line.getBoundingClientRect().top < innerHeight;
    const place = sections.findLast(isAbove)?.id ?? "";
    modules.progress.keepPlace(String(line.dataset.chapter), place, isAtEnd);
  };
  addEventListener(
    "scroll",
    () => {
      clearTimeout(resting);
      resting = setTimeout(look, REST);
    },
    { passive: true }
  );
}

// biome-ignore lint/correctness/noUnusedVariables: called at the end
function markAll() {
  const line = /** @type {HTMLElement | null} */ (document.querySelector(".so-far"));
  const mark = () => {
    markContents();
    if (line) markChapter(line);
  };
  mark();
  modules.answers.hear(mark);
  addEventListener("storage", mark);
  if (line) keepPlaces(line);
}
