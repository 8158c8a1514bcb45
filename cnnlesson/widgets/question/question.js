// A question that answers back: what a wrong answer mistakes, and where to look.
import { keep } from "../shared/answers.js";
import { addProse, choices, recallAndWarn, reply } from "../shared/asking.js";
import { add, set } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { judge } from "../shared/judge.js";

/** Judge several answers: the tests ask for all that there are. */
export function compute({ given, ...question }) {
  return given.map((one) => judge(question, one));
}

const HINTS = {
  number: "A number is asked for, such as 0.35, 1,600 or 2/3.",
  print: "Type the line that is printed."
};

/** Buttons, one for each answer or line of code. */
function pick(root, { kind, options }, answer) {
  const isCode = kind === "line";
  const list = choices(root, options, {
    label: isCode ? "Lines" : "Answers",
    isCode,
    onChoose: (i) => {
      list.press(i);
      answer(options[i]);
    }
  });
  return (given) => list.press(options.indexOf(given));
}

/** Buttons to be pressed in the right order: each gets its number. */
function arrange(root, { options, right }, answer) {
  let taken = [];
  add(root, "p", {}, "Press the steps in their order.");
  const list = choices(root, options, {
    label: "Steps",
    onChoose: (i) => {
      if (taken.includes(i)) return;
      const steps = [...taken, i];
      if (right[taken.length] === i) taken = steps;
      show();
      answer(steps.map((step) => options[step]));
    }
  });
  const places = list.buttons.map((button) => {
    const place = add(button, "b", { class: "place" });
    button.prepend(place);
    return place;
  });
  const show = () =>
    list.buttons.forEach((button, i) => {
      const at = taken.indexOf(i);
      places[i].textContent = at < 0 ? "" : `${at + 1}. `;
      set(button, { "aria-pressed": String(at >= 0) });
    });
  const again = add(add(root, "div", { class: "buttons" }), "button", { type: "button" });
  again.textContent = "Start over";
  again.addEventListener("click", () => {
    taken = [];
    show();
    answer(null);
  });
  return (given) => {
    const steps = given.map((step) => options.indexOf(step));
    const wrong = steps.findIndex((step, i) => step !== right[i]);
    taken = wrong < 0 ? steps : steps.slice(0, wrong);
    show();
  };
}

/** A line to type on. */
function type(root, { kind, code, unit = "" }, answer) {
  if (code) add(add(root, "pre"), "code", {}, code);
  const form = add(root, "form", { class: "typed" });
  const label = add(form, "label", {}, "Your answer ");
  const input = add(label, "input", {
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    size: kind === "print" ? 24 : 10,
    ...(kind === "number" ? { inputmode: "decimal" } : { class: "code" })
  });
  if (unit) add(label, "span", {}, unit);
  add(form, "button", { type: "submit" }, "Check");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(input.value);
  });
  return (given) => {
    input.value = given;
  };
}

const MAKERS = { choose: pick, line: pick, order: arrange, number: type, print: type };

function render({ model, el }) {
  const self = figure({ model, el }, "Question");
  const question = model.get("_data");
  const { name, prompt, kind, place } = question;
  self.root.classList.add("asking");
  addProse(add(self.root, "p", { class: "prompt" }), prompt);
  // Only a page of the book has places that a link can lead to.
  const isOnPage = !("send" in model);
  let tries = 0;

  const tell = (verdict) =>
    answering.say((box) => {
      const said = add(box, "p", { class: verdict.isRight ? "right" : "wrong" });
      add(said, "b", {}, verdict.isRight ? "Right. " : "Not yet. ");
      addProse(said, verdict.words);
      if (verdict.isRight) return;
      const where = add(box, "p", {}, "Look again at ");
      if (isOnPage) addProse(add(where, "a", { href: `#${place.id}` }), place.title);
      else addProse(add(where, "q"), place.title);
      where.append(".");
    });

  const answer = (given) => {
    const verdict = judge(question, given);
    if (!verdict) {
      answering.say((box) => given !== null && add(box, "p", {}, HINTS[kind]));
      return;
    }
    if (!verdict.words) {
      answering.say(() => {}); // steps that are right so far are no answer yet
      return;
    }
    tries += 1;
    keep(name, { given, right: verdict.isRight, tries });
    tell(verdict);
    answering.warn();
  };

  const show = MAKERS[kind](self.root, question, answer);
  const answering = reply(self.root);
  const kept = recallAndWarn(name, (given) => judge(question, given) !== null, answering);
  if (kept) {
    tries = kept.tries;
    show(kept.given);
    tell(judge(question, kept.given));
  }
  return self.start();
}

export default { render };
