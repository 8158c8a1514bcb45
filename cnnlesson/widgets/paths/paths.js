// Where to begin: two questions, three ways through the book, and back to where the reader was.
import { hear, keep } from "../shared/answers.js";
import { choices, recallAndWarn, reply } from "../shared/asking.js";
import { add, sketch } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { addressOf, lastRead, readingOf } from "../shared/progress.js";

const NAME = "path"; // of the two answers, in the reader's browser

/** Whether every answer is one of the options, those not given yet aside. */
const fitsTo = (asked) => (given) =>
  typeof given === "object" &&
  asked.every(
    ({ name, options }) => given?.[name] === undefined || Object.hasOwn(options, given[name])
  );

/** Draw the link of a way: to the first chapter that was not read to its end. */
function drawNext(draw, item, chapters) {
  const i = chapters.findIndex(({ number }) => !readingOf(number)?.isRead);
  if (i < 0) {
    draw(item, "p", {}, "You have read all of it.");
    return;
  }
  const reading = readingOf(chapters[i].number);
  const verb = reading ? "Go on with" : i ? "Next:" : "Begin with";
  const href = addressOf(chapters[i].address, reading);
  draw(draw(item, "p"), "a", { href }, `${verb} ${chapters[i].name}`);
}

function render({ model, el }) {
  const { asked, advice, ways, chapters } = model.get("_data");
  const self = figure({ model, el }, "Where to begin");
  self.root.classList.add("asking");
  self.root.classList.add("paths");
  const before = add(self.root, "div");
  let given = {};
  const lists = asked.map(({ name, prompt, options }) => {
    add(self.root, "p", { class: "prompt" }, prompt);
    const keys = Object.keys(options);
    const list = choices(self.root, Object.values(options), {
      label: prompt,
      onChoose: (i) => {
        given = { ...given, [name]: keys[i] };
        keep(NAME, { given });
      }
    });
    return () => list.press(keys.indexOf(given[name]));
  });
  const items = add(self.root, "ul");
  const answering = reply(self.root);
  given = recallAndWarn(NAME, fitsTo(asked), answering)?.given ?? {};

  function drawWays() {
    const draw = sketch(items);
    const [yours, reason] = advice[`${given.trained} ${given.wish}`] ?? [];
    for (const {
      key,
      name,
      words,
      chapters: [start, end]
    } of ways) {
      const item = draw(items, "li", key === yours ? { class: "is-yours" } : {});
      draw(item, "b", {}, name);
      draw(item, "p", {}, words);
      if (key === yours) draw(draw(item, "p"), "b", {}, `For you. ${reason}`);
      drawNext(draw, item, chapters.slice(start - 1, end));
    }
    draw.end();
  }

  function drawBefore() {
    const draw = sketch(before);
    const last = lastRead(chapters.map(({ number }) => number));
    const chapter = chapters.find(({ number }) => number === last?.chapter);
    if (chapter) {
      const href = addressOf(chapter.address, last);
      draw(draw(before, "p"), "a", { href }, `Continue where you were: ${chapter.name}`);
    }
    draw.end();
  }

  self.draw = () => {
    for (const press of lists) press();
    drawWays();
    drawBefore();
    answering.warn();
  };
  self.undo.push(hear(() => self.redraw()));
  return self.start();
}

export default { render };
