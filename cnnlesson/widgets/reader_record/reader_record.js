// What a reader predicted, answered and reached: to see, to print, to save, to clear.
import { forget, hear, recall } from "../shared/answers.js";
import { addProse, reply } from "../shared/asking.js";
import { add } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { bestOf, judgeOf } from "../shared/goal.js";
import { judge } from "../shared/judge.js";
import { readingOf } from "../shared/progress.js";
import { save } from "../shared/saving.js";
import { isPossible, tell } from "../shared/told.js";
import { asTable } from "./answer_table.js";

/** The same question without what is said to an answer: only whether it is right is asked here. */
const bare = (question) => ({ words: [], wrong: [], ...question });

/** What a goal's figure measures at kept settings, judged anew; null where that is not reached. */
function reached(goal, given) {
  const { measure } = globalThis.cnnlessonModules[goal.module];
  return judgeOf(goal, measure, goal.settings, goal.limits)(given);
}

/** All that was kept of a chapter and fits it. */
function keptOf(chapter) {
  const kept = (asked, fits) =>
    asked.flatMap((content) => {
      const entry = recall(content.name, (given) => fits(content, given));
      return entry ? [{ content, ...entry }] : [];
    });
  const answers = kept(chapter.questions, (question, given) => judge(bare(question), given));
  return {
    chapter,
    reading: readingOf(chapter.number),
    predictions: kept(chapter.predictions, isPossible),
    answers: answers.map((answer) => ({
      ...answer, // judged anew: the storage may say anything
      right: judge(bare(answer.content), answer.given)?.isRight === true
    })),
    goals: kept(chapter.goals, (goal, given) => reached(goal, given) !== null).map((goal) => ({
      ...goal,
      best: bestOf(goal.content, reached(goal.content, goal.given))
    }))
  };
}

const count = (list, isOne) => list.filter(isOne).length;
const sum = (list, numberOf) => list.reduce((total, part) => total + numberOf(part), 0);

function total(kept) {
  const read = count(kept, ({ reading }) => reading?.isRead);
  const predicted = sum(kept, ({ predictions }) => predictions.length);
  const predictions = sum(kept, ({ chapter }) => chapter.predictions.length);
  const right = sum(kept, ({ answers }) => count(answers, (answer) => answer.right));
  const questions = sum(kept, ({ chapter }) => chapter.questions.length);
  const reached = sum(kept, ({ goals }) => goals.length);
  const goals = sum(kept, ({ chapter }) => chapter.goals.length);
  return (
    `${read} of ${kept.length} chapters read, ${predicted} of ${predictions} predictions made, ` +
    `${right} of ${questions} questions answered right, ${reached} of ${goals} goals reached.`
  );
}

/** The link to what was asked, in words of its own. */
function addAsked(parent, chapter, { name, prompt, words, code }, kind) {
  const line = add(parent, "p");
  addProse(add(line, "a", { href: `${chapter.address}#${kind}-${name}` }), prompt ?? words);
  if (code) add(add(parent, "pre"), "code", {}, code);
}

function addAnswer(parent, { content, given, right, tries }) {
  const line = add(parent, "p", { class: right ? "right" : "wrong" });
  add(line, "b", {}, right ? "Right. " : "Not yet. ");
  line.append("You said ");
  const { kind, unit } = content;
  const text = [given].flat().join("; ").trim();
  if (kind === "line" || kind === "print") add(line, "code", {}, text);
  else addProse(line, unit ? `${text} ${unit}` : text);
  line.append(tries > 1 ? `, at try ${tries}.` : ".");
}

function addBest(parent, { content, best }) {
  const line = add(parent, "p", { class: "right" });
  add(line, "b", {}, "Reached. ");
  line.append(`Best: ${best}. ${content.beyond}`);
}

function addChapter(self, parent, { chapter, reading, predictions, answers, goals }) {
  const part = add(parent, "section");
  add(add(part, "h2"), "a", { href: chapter.address }, chapter.name);
  if (reading) add(part, "p", {}, reading.isRead ? "Read." : "Begun.");
  const draws = predictions.map(({ content }) => {
    const item = add(part, "div", { class: "item" });
    addAsked(item, chapter, content, "prediction");
    return tell(self, item, content);
  });
  for (const answer of answers) {
    const item = add(part, "div", { class: "item" });
    addAsked(item, chapter, answer.content, "question");
    addAnswer(item, answer);
  }
  for (const goal of goals) {
    const item = add(part, "div", { class: "item" });
    addAsked(item, chapter, goal.content, "goal");
    addBest(item, goal);
  }
  return draws;
}

const NOTHING = "Nothing is kept here yet. Predict and answer in a chapter, and come back.";
// Chromium and Firefox let all pages that are files share one storage; nobody promises it.
const FROM_FILES =
  "You opened this book from your disk. Chromium and Firefox keep one record for all its pages. " +
  "Another browser may keep one for each page: then this one stays empty, and your answers stand " +
  "in the chapters alone. Served by `python -m http.server`, the book has one record for all.";

function addButtons(self, kept) {
  const row = add(self.root, "div", { class: "buttons" });
  const button = (text, onPress) => {
    add(row, "button", { type: "button" }, text).addEventListener("click", onPress);
  };
  button("Print", () => print());
  button("Save as CSV", () => save("record.csv", "text/csv", asTable(kept())));
  button("Clear", () => {
    if (confirm("Forget all that you predicted, answered and reached? There is no way back."))
      forget();
  });
}

function render({ model, el }) {
  const { chapters } = model.get("_data");
  const self = figure({ model, el }, "Your record");
  self.root.classList.add("asking");
  self.root.classList.add("reader-record");
  const kept = () => chapters.map(keptOf);
  const paper = add(self.root, "p", { class: "on-paper" });
  const words = add(self.root, "p", { class: "total" });
  addButtons(self, kept);
  const answering = reply(self.root);
  const list = add(self.root, "div");

  /** @type {(() => void)[]} */
  let draws = [];
  const fill = () => {
    const all = kept();
    const known = all.filter(
      ({ reading, predictions, answers, goals }) =>
        reading || [...predictions, ...answers, ...goals].length
    );
    words.textContent = total(all);
    list.replaceChildren();
    if (!known.length) add(list, "p", {}, NOTHING);
    if (!known.length && location.protocol === "file:") addProse(add(list, "p"), FROM_FILES);
    draws = known.flatMap((one) => addChapter(self, list, one));
    const today = new Date().toLocaleDateString("en-GB", { dateStyle: "long" });
    paper.textContent = `Name: ____________________ Printed on ${today}`;
    answering.warn();
  };
  self.draw = () => {
    for (const draw of draws) draw();
  };
  fill();
  const refill = () => {
    fill();
    self.redraw();
  };
  addEventListener("storage", refill); // by another page of the book, in another tab
  self.undo.push(hear(refill), () => removeEventListener("storage", refill));
  return self.start();
}

export default { render };
