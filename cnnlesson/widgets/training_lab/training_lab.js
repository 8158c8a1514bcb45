// The real network, trained where it is read: settings, a worker, and what comes of it.
import { grid } from "../shared/digits.js";
import { add, set, setText } from "../shared/dom.js";
import { centred, drawnOn, pad } from "../shared/drawing.js";
import { figure } from "../shared/figure.js";
import { goalLine } from "../shared/goal.js";
import { curveSample, logarithmic, lossCurves } from "../shared/loss_curves.js";
import { number } from "../shared/numbers.js";
import { levels } from "../shared/pixels.js";

/** @import { RunRecord, SeedRecord } from "./record.js" */
/** @import { crew } from "../shared/crew.js" */
/** @typedef {typeof import("./record.js")} Record what is told of trainings */
/** @import { Report } from "./worker.js" */

const MOST_RUNS = 8; // as many as there are colours
const INVITATION = "Choose the settings, and press Train.";
const HEADINGS = ["training", "test accuracy", "mean loss", "seconds", "curve"];
const NAMES = {
  pixels: { raw: "0 to 255", unit: "0 to 1", standardized: "standardised" },
  order: { shuffled: "shuffled anew", sorted: "sorted by class" },
  rule: {
    pytorch: "PyTorch’s form",
    classical: "the original’s form",
    nesterov: "Nesterov’s form"
  },
  activation: { relu: "ReLU", "leaky-relu": "leaky ReLU" },
  schedule: { constant: "constant", "one-cycle": "one cycle, up and down" }
};
/** @type {Record} */
let record; // brought with the digits: before there is a training, nothing is told of one
const bringRecord = async () => (record ??= await import("./record.js"));
const significant = (/** @type {number} */ value) => String(Number(value.toPrecision(3)));

/**
 * The curves of the runs that are shown, and the domains that hold them all.
 * @param {RunRecord[]} runs
 * @param {Record["curveOf"]} curve
 */
export function compute(runs, curve) {
  const names = runs.length ? record.namesOf(runs) : [];
  const curves = runs.map((run, i) => {
    const { number, settings, seeds, isHidden } = run;
    const all = seeds.map(({ losses }) => curve(settings, losses));
    return {
      number,
      points: seeds.length > 1 ? [] : all[0].points,
      lines: all.map(({ line }) => line),
      end: settings.num_images * settings.num_epochs,
      name: names[i],
      cells: record.cellsOf(run),
      isHidden
    };
  });
  return logarithmic(curves.filter(({ isHidden }) => !isHidden));
}

const isOver = (/** @type {RunRecord} */ { seeds }) =>
  seeds.every(({ status }) => status !== "running");

/** What a goal may ask: of the settings, and of what a training with them came to. */
export const measure = ({ num_seeds, num_epochs, batch_size }, accuracy = Number.NaN) => ({
  "test accuracy": accuracy,
  seeds: num_seeds,
  passes: num_epochs,
  "images a step": batch_size
});

function render({ model, el }) {
  const self = figure({ model, el }, "Training laboratory");
  self.root.classList.add("training-lab");
  self.root.classList.add("trains");
  /** @type {RunRecord[]} */
  let runs = [];
  let numStarted = 0;
  /** @type {"idle" | "fetching" | "training" | "paused"} */
  let phase = "idle";
  let fetched = 0; // share of the digits that are here
  /** @type {ReturnType<typeof crew> | null} */
  let workers = null;
  let pressed = 0; // which press of Train the workers serve
  let words = INVITATION;
  let isBad = false;
  /** @type {number[] | null} */
  let reading = null;

  // What is set.
  const presets = /** @type {[string, object][]} */ (self.state().presets ?? []);
  const shelf = add(self.root, "div", { class: "buttons presets" });
  for (const [label, settings] of presets)
    self.button(shelf, label, () => ({ ...self.initial, ...settings }));
  shelf.hidden = !presets.length;
  const main = add(self.root, "div", { class: "columns" });
  const stepSizes = self.slider(main, "lr", {
    label: "step size",
    symbol: "α",
    step: 0.02,
    isLog: true,
    show: significant
  });
  const momenta = self.slider(main, "momentum", {
    label: "momentum",
    symbol: "μ",
    step: 0.01,
    show: (value) => number(value)
  });
  const more = add(self.root, "details");
  add(more, "summary", {}, "More settings");
  const others = add(more, "div", { class: "columns" });
  const fixed = [
    shelf,
    self.slider(others, "batch_size", { label: "images a step", step: 1, show: String }).row,
    self.slider(others, "num_epochs", { label: "passes", step: 1, show: String }).row,
    self.slider(others, "num_images", { label: "training images", step: 100, show: String }).row,
    self.slider(others, "seed", { label: "seed", step: 1, show: String }).row,
    self.slider(others, "num_seeds", { label: "seeds at once", step: 1, show: String }).row,
    self.choice(others, "pixels", { label: "pixels", names: NAMES.pixels }),
    self.choice(others, "order", { label: "order", names: NAMES.order }),
    self.choice(others, "rule", { label: "momentum in", names: NAMES.rule }),
    self.choice(others, "activation", { label: "after a convolution", names: NAMES.activation }),
    self.choice(others, "schedule", { label: "step size over time", names: NAMES.schedule })
  ];

  // What is pressed.
  const buttons = add(self.root, "div", { class: "buttons" });
  const press = (parent, text, does) => {
    const button = add(parent, "button", { type: "button" }, text);
    button.addEventListener("click", does);
    return button;
  };
  const go = press(buttons, "Train", train);
  go.classList.add("main");
  const hold = press(buttons, "Pause", pause);
  const halt = press(buttons, "Stop", () => (phase === "fetching" ? cancel() : workers?.stop()));
  self.resetButton(buttons);
  self.resets.push(() => {
    cancel();
    runs = [];
    say(INVITATION);
  });
  const bar = add(self.root, "progress", { max: 1, value: 0, "aria-label": "Progress" });
  const result = add(self.root, "p", { class: "result" });
  const aim = add(self.root, "div");
  const showGoal = goalLine(self, aim, measure);
  fixed.push(aim);

  // What comes of it.
  const losses = lossCurves(self, self.root);
  const changes = add(losses.plot.inside, "path", { class: "change" });
  const scroll = add(self.root, "div", { class: "scroll" });
  const table = add(scroll, "table", { "aria-label": "The trainings" });
  const head = add(add(table, "thead"), "tr");
  for (const text of HEADINGS) add(head, "th", { scope: "col" }, text);
  const body = add(table, "tbody");
  /** @type {Map<number, any>} */
  const rows = new Map(); // by the number of the training
  self.files.push({
    title: "Save as CSV",
    name: "trainings.csv",
    type: "text/csv",
    write: async () => (await bringRecord()).tableOf(runs)
  });

  const inside = add(self.root, "div", { class: "columns inside-view" });
  const left = add(inside, "div");
  add(left, "p", {}, "The 32 kernels of the first layer, blue negative, red positive");
  const kernelPlace = add(left, "div");
  const dead = add(left, "p", { class: "hint" });
  const right = add(inside, "div");
  add(right, "p", {}, "Each class as it learns: white where all are right. Mostly taken for, now:");
  const answerPlace = add(right, "div");
  /** @type {(seed: SeedRecord) => void} */
  let paintInside = () => {}; // from the first training on

  const desk = add(self.root, "details", { class: "desk" });
  add(desk, "summary", {}, "Have it read a digit of yours");
  const sheet = add(desk, "div", { class: "columns" });
  const paper = pad(self, model, add(sheet, "div"), { label: "Your drawing, 28×28 pixels" });
  const answer = add(sheet, "div");
  const verdict = add(answer, "p", { class: "result" });
  const bars = Array.from({ length: 10 }, (_, label) => {
    const row = add(answer, "div", { class: "share" });
    add(row, "span", {}, label);
    return { bar: add(row, "i"), part: add(row, "span") };
  });
  desk.addEventListener("toggle", () => {
    self.redraw(); // folded, it was not
    read();
  });

  /** @type {WeakMap<number[], { length: number, curve: ReturnType<Record["curveOf"]> }>} */
  const curvesKnown = new WeakMap(); // a slider that is dragged changes none

  /** @type {Record["curveOf"]} */
  function drawnCurve(settings, all) {
    const known = curvesKnown.get(all);
    if (known?.length === all.length) return known.curve;
    const curve = record.curveOf(settings, all);
    curvesKnown.set(all, { length: all.length, curve });
    return curve;
  }

  /** Show words; screen readers hear of beginnings and ends. */
  function say(text, isWrong = false) {
    [words, isBad] = [text, isWrong];
    self.redraw();
  }

  function cancel() {
    pressed++;
    workers?.end();
    workers = null;
    reading = null;
    for (const run of runs) {
      for (const seed of run.seeds) if (seed.status === "running") seed.status = "interrupted";
    }
    phase = "idle";
    say(INVITATION);
  }

  async function train() {
    if (phase !== "idle") return;
    const own = ++pressed;
    workers?.end();
    workers = null;
    phase = "fetching";
    fetched = 0;
    say("The digits are on their way: 1.3 MB.");
    try {
      const [{ deliver }, { crew }, pictures] = await Promise.all([
        import("../shared/delivery.js"),
        import("../shared/crew.js"),
        import("./inside.js"),
        bringRecord()
      ]);
      const goods = await deliver(model, self.state().num_parts, (share) => {
        fetched = share;
        self.redraw();
      });
      if (own !== pressed) return;
      if (!kernelPlace.firstChild) showInside(pictures);
      begin(goods, crew);
    } catch (error) {
      if (own !== pressed) return;
      phase = "idle";
      const reason = error instanceof Error ? error.message : String(error);
      say(`${reason}. Press Train to try again. Nothing is lost.`, true);
    }
  }

  function showInside({ kernelPicture, answerStrip, deadWords }) {
    const [paintKernels, paintAnswers] = [kernelPicture(kernelPlace), answerStrip(answerPlace)];
    paintInside = ({ kernels, measurements }) => {
      paintKernels(kernels);
      paintAnswers(measurements);
      setText(dead, deadWords(measurements.at(-1)));
    };
  }

  function begin(goods, crew) {
    const { drawing, ...settings } = self.settings();
    const run = record.newRun(++numStarted, settings);
    runs = [...runs, run].slice(-MOST_RUNS);
    phase = "training";
    workers = crew({
      goods,
      settings: run.settings,
      seeds: run.seeds.map(({ seed }) => seed),
      onReport: (report) => hear(run, report),
      onFailure: (reason) => {
        cancel();
        say(`The training was cut short: ${reason}. Press Train to try again.`, true);
      }
    });
    say(`Training ${run.number} has begun.`);
    self.say(`Training ${run.number} has begun.`);
  }

  /** @type {(run: RunRecord, report: Report) => void} */
  function hear(run, report) {
    record.addReport(run, report);
    if (isOver(run)) {
      phase = "idle";
      const { words: end, isBad: isWrong } = record.verdictOf(run);
      say(end, isWrong);
      self.say(end);
    } else say(record.progressOf(run));
    read();
  }

  function pause() {
    if (phase === "training") workers?.pause();
    else workers?.resume();
    phase = phase === "training" ? "paused" : "training";
    self.redraw();
  }

  // What is dragged while it trains reaches it at once.
  for (const name of ["lr", "momentum"]) {
    self.on(name, () => {
      if (phase === "training" || phase === "paused")
        workers?.change(model.get("lr"), model.get("momentum"));
    });
  }

  /** Have the network that was trained last read the drawing. */
  async function read() {
    const run = runs.at(-1);
    if (!workers || !run || !desk.open) return;
    const drawn = centred(
      drawnOn(
        grid(28, () => 0),
        model.get("drawing")
      )
    );
    const logits = await workers.read(run.seeds[0].seed, levels(drawn));
    const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
    const total = powers.reduce((a, b) => a + b);
    reading = powers.map((power) => power / total);
    self.redraw();
  }
  self.on("drawing", read);

  function rowOf(run) {
    if (!rows.has(run.number)) {
      const row = add(body, "tr");
      const title = add(row, "th", { scope: "row" });
      curveSample(title, run.number);
      const name = add(title, "span");
      const cells = HEADINGS.slice(1, -1).map(() => add(row, "td"));
      const tools = add(row, "td");
      const hide = press(tools, "Hide", () => {
        run.isHidden = !run.isHidden;
        self.redraw();
      });
      press(tools, "×", () => {
        if (run === runs.at(-1) && phase !== "idle") cancel();
        runs = runs.filter((other) => other !== run);
        self.redraw();
      }).setAttribute("aria-label", `Remove training ${run.number}`);
      rows.set(run.number, { row, name, cells, hide });
    }
    return rows.get(run.number);
  }

  self.draw = (state) => {
    const isBusy = phase !== "idle";
    go.disabled = isBusy;
    hold.disabled = phase !== "training" && phase !== "paused";
    halt.disabled = !isBusy;
    setText(hold, phase === "paused" ? "Go on" : "Pause");
    for (const row of fixed) {
      for (const input of row.querySelectorAll("input, select, button"))
        input.toggleAttribute("disabled", isBusy);
    }
    const newest = runs.at(-1);
    const done = newest
      ? newest.seeds.reduce((sum, { step, numSteps }) => sum + step / numSteps, 0) /
        newest.seeds.length
      : 0;
    set(bar, { value: phase === "fetching" ? fetched : isBusy ? done : newest ? 1 : 0 });
    setText(result, words);
    result.className = isBad ? "result bad" : "result";

    const last = runs.findLast(isOver);
    if (last) showGoal({ ...last.settings, drawing: "" }, record.accuracyOfRun(last));
    else showGoal();

    const names = runs.length ? record.namesOf(runs) : [];
    const shown = runs.filter(({ isHidden }) => !isHidden);
    const domains = compute(runs, drawnCurve);
    losses.show(domains);
    const places = shown.flatMap(({ settings, seeds }) =>
      seeds[0].changes.map(({ step }) => record.imagesSeen(settings, step))
    );
    const { box, x } = losses.plot;
    set(changes, { d: places.map((at) => `M${x(at)},${box.y}v${box.height}`).join("") });
    for (const [key, { row }] of rows) {
      if (runs.some((run) => run.number === key)) continue;
      row.remove();
      rows.delete(key);
    }
    runs.forEach((run, i) => {
      const { row, name, cells, hide } = rowOf(run);
      setText(name, `${run.number}: ${names[i]}`);
      record.cellsOf(run).forEach((text, k) => setText(cells[k], text));
      setText(hide, run.isHidden ? "Show" : "Hide");
      set(hide, { "aria-label": `${run.isHidden ? "Show" : "Hide"} training ${run.number}` });
      row.className = run.isHidden ? "is-hidden" : "";
    });
    table.hidden = !runs.length;

    inside.hidden = !newest?.seeds[0].kernels;
    if (newest?.seeds[0].kernels) paintInside(newest.seeds[0]);
    if (desk.open) {
      paper.show(
        drawnOn(
          grid(28, () => 0),
          state.drawing
        )
      );
      const best = reading ? reading.indexOf(Math.max(...reading)) : -1;
      const sure = reading && Number.isFinite(reading[best]);
      const wait = reading ? "It answers with numbers that are none." : "Train a network first.";
      const said = sure ? `It reads ${best === 8 ? "an" : "a"} ${best}.` : wait;
      setText(verdict, said);
      bars.forEach(({ bar, part }, label) => {
        const sum = reading && sure ? 100 * reading[label] : 0;
        set(bar, { style: `width: ${0.75 * sum}%` });
        bar.className = label === best ? "best" : "";
        setText(part, sure ? `${number(sum, 1)}%` : "");
      });
    }
    stepSizes.update();
    momenta.update();
  };
  self.undo.push(() => workers?.end());
  return self.start();
}

export default { render };
