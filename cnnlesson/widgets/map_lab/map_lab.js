// A committed map of trainings, measured again where it is read: cell by cell, on all processors.
import { add, set, setText, sketch } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { inDigits } from "../shared/numbers.js";
import { agreementWords, cellsOf, compare, differenceWords } from "./comparing.js";
import { keepOutcomes, nameOf, recallOutcomes } from "./keeping.js";
import { placesOf, twoMaps } from "./two_maps.js";

const WORDS = { raw: "0 to 255", unit: "0 to 1", standardized: "standardised" };

/** The cells and how they compare, with outcomes in the form that the browser keeps. */
export function compute(state, outcomes = new Map()) {
  const cells = cellsOf(state, outcomes);
  return { cells, ...compare(cells) };
}

function render({ model, el }) {
  const self = figure({ model, el }, "The map, measured again");
  self.root.classList.add("map-lab");
  self.root.classList.add("trains");
  const { budget, maps, num_parts: numParts } = self.state();
  let outcomes = recallOutcomes();
  let isKept = true;
  /** @type {"idle" | "fetching" | "training"} */
  let phase = "idle";
  let pressed = 0; // which press of the button the workers serve
  let share = 0; // of what is fetched, or measured
  let words = "Choose the cells, and press Measure.";
  let isBad = false;
  /** @type {ReturnType<typeof import("../shared/crew.js").hire> | null} */
  let workers = null;

  const axes = () => maps[self.get("pixels")];
  const controls = add(self.root, "div", { class: "columns" });
  const corner = (name, label, axis) =>
    self.slider(controls, name, {
      label,
      symbol: axis === "lr" ? "α" : "μ",
      step: 1,
      show: (place) => inDigits(axes()[axis][Math.min(place, axes()[axis].length - 1)])
    });
  const corners = [
    corner("left", "from", "lr"),
    corner("bottom", "from", "momentum"),
    corner("right", "to", "lr"),
    corner("top", "to", "momentum")
  ];
  const seeds = [
    self.slider(controls, "num_seeds", { label: "seeds of each cell", step: 1, show: String }),
    self.slider(controls, "seed", { label: "first seed", step: 1, show: String })
  ];
  const names = Object.keys(maps);
  const scales = self.choice(controls, "pixels", {
    label: "pixels",
    names: Object.fromEntries(names.map((name) => [name, WORDS[name]]))
  });
  scales.hidden = names.length < 2;

  const buttons = add(self.root, "div", { class: "buttons" });
  const press = (text, does) => {
    const button = add(buttons, "button", { type: "button" }, text);
    button.addEventListener("click", does);
    return button;
  };
  const go = press("Measure", measure);
  go.classList.add("main");
  const halt = press("Stop", () => stop("Stopped. Press Measure to go on where it was."));
  const forget = press("Forget what I measured", () => {
    outcomes = new Map();
    isKept = keepOutcomes(outcomes);
    say("Forgotten. Choose the cells, and press Measure.");
  });
  self.resetButton(buttons);
  self.resets.push(() => {
    if (phase !== "idle") stop("Stopped. What is measured stays.");
  });
  const bar = add(self.root, "progress", { max: 1, value: 0, "aria-label": "Progress" });
  const result = add(self.root, "p", { class: "result" });
  const draw = twoMaps(self, add(self.root, "div", { class: "columns" }));
  add(
    self.root,
    "p",
    { class: "hint" },
    "The stronger the colour, the fewer errors. ○ dead · × diverged · red frame: the maps differ"
  );
  const agreement = add(self.root, "p", { class: "agreement" });
  const more = add(self.root, "details");
  add(more, "summary", {}, "Where they differ");
  const list = add(more, "ul");

  /** Show words, and have screen readers say them if they are news of the whole. */
  function say(text, isWrong = false) {
    [words, isBad] = [text, isWrong];
    self.say(text);
    self.redraw();
  }

  function stop(text, isWrong = false) {
    pressed++;
    workers?.end();
    workers = null;
    phase = "idle";
    say(text, isWrong);
  }

  async function measure() {
    if (phase !== "idle") return;
    const own = ++pressed;
    const { cells } = compute(self.state(), outcomes);
    const { seed, num_seeds: numSeeds, pixels } = self.state();
    const jobs = Array.from({ length: numSeeds }, (_, k) => seed + k).flatMap((one) =>
      cells
        .filter(({ isChosen }) => isChosen)
        .map(({ lr, momentum }) => ({ pixels, lr, momentum, seed: one }))
        .filter((job) => !outcomes.has(nameOf(job.pixels, job.lr, job.momentum, job.seed)))
    );
    if (!jobs.length) {
      say("All of these cells are measured. Choose others, another seed, or forget them.");
      return;
    }
    phase = "fetching";
    share = 0;
    say("The digits are on their way: 1.3 MB.");
    try {
      const [{ deliver }, crew, { measureAll }] = await Promise.all([
        import("../shared/delivery.js"),
        import("../shared/crew.js"),
        import("./measuring.js")
      ]);
      const goods = await deliver(model, numParts, (part) => {
        share = part;
        self.redraw();
      });
      if (own === pressed) begin(measureAll, crew, goods, jobs);
    } catch (error) {
      if (own !== pressed) return;
      const reason = error instanceof Error ? error.message : String(error);
      stop(`${reason}. Press Measure to try again. Nothing is lost.`, true);
    }
  }

  /** @param {typeof import("./measuring.js").measureAll} measureAll */
  function begin(measureAll, crew, goods, jobs) {
    phase = "training";
    share = 0;
    workers = measureAll(crew, goods, jobs, budget, {
      keep({ pixels, lr, momentum, seed }, outcome) {
        outcomes.set(nameOf(pixels, lr, momentum, seed), outcome);
        isKept = keepOutcomes(outcomes);
      },
      tell(part, text, isNews) {
        [share, words] = [part, text];
        if (isNews) self.say(text);
        self.redraw();
      },
      end(took) {
        const { count, agreeing } = compute(self.state(), outcomes);
        const kept = isKept ? "" : " Your browser does not keep them: they go when you leave.";
        stop(`${took} ${agreeing} of ${count} cells agree with the committed map.${kept}`);
      },
      fail: (reason) =>
        stop(`It was cut short: ${reason}. Press Measure to go on where it was.`, true)
    });
  }

  self.draw = (state) => {
    const isBusy = phase !== "idle";
    go.disabled = forget.disabled = isBusy;
    halt.disabled = !isBusy;
    for (const row of [...corners, ...seeds]) row.input.disabled = isBusy;
    scales.querySelector("select")?.toggleAttribute("disabled", isBusy);
    for (const one of corners) one.update();
    const found = compute(state, outcomes);
    const chosen = found.cells.filter(({ isChosen }) => isChosen);
    set(bar, { value: isBusy ? share : found.count / chosen.length });
    setText(result, words);
    result.className = isBad ? "result bad" : "result";
    draw(axes(), found.cells);
    setText(agreement, `${placesOf(chosen)}. ${agreementWords(found)}`);
    more.hidden = !found.differing.length;
    const put = sketch(list);
    for (const cell of found.differing) put(list, "li", {}, differenceWords(cell));
    put.end();
  };
  self.undo.push(() => workers?.end());
  return self.start();
}

export default { render };
