// Measured trainings: running loss, true accuracy, and what the network answers, over one time.
import { add, set, setText } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { listSlider, nearest } from "../shared/list_slider.js";
import { inDigits } from "../shared/numbers.js";
import { tell } from "../shared/telling.js";
import { unpack } from "./packed_answers.js";

/** @import { Plot } from "../shared/plot.js" */

/** @type {Record<string, [string, Record<string, string>]>} */
const CHOICES = {
  order: ["order", { shuffled: "shuffled", file: "as in the file", sorted: "sorted by class" }],
  pixels: ["pixels", { raw: "raw, 0 to 255", unit: "0 to 1", standardized: "standardised" }]
};
const SLIDERS = { momentum: { label: "momentum", symbol: "μ" }, seed: { label: "seed" } };
const AXES = [...Object.keys(CHOICES), ...Object.keys(SLIDERS)];
const DIGITS = [...Array(10).keys()];
const NAMED = 20; // per cent of the answers, from which on the sentence names a digit

/** Return what was measured of each axis together with those before it, the run, and its moment. */
export function compute({ runs: table, step, ...settings }) {
  let own = unpack(table);
  const axes = {};
  for (const name of AXES) {
    axes[name] = table[name].filter((value) => own.some((run) => run[name] === value));
    own = own.filter((run) => run[name] === settings[name]);
  }
  const run = own[0] ?? null;
  return { axes, run, moment: run && momentAt(run, step) };
}

/** Return what was measured nearest to a step, or null. */
function momentAt({ moments, every }, step) {
  const number = Math.min(Math.max(Math.round(step / every), 1), moments.length);
  return moments[number - 1] ?? null;
}

/** Return the settings with each that was not measured with those before it moved to a near one. */
function settled(state) {
  const result = {};
  for (const name of AXES) {
    const list = compute({ ...state, ...result }).axes[name];
    const value = state[name];
    const near = typeof value === "number" ? nearest(list, value) : list[0];
    result[name] = list.includes(value) ? value : near;
  }
  return result;
}

/** Return what the network answers at a moment. */
function describeAnswers({ shares }) {
  const named = DIGITS.filter((digit) => shares[digit] >= NAMED)
    .sort((a, b) => shares[b] - shares[a])
    .map((digit) => `${digit} to ${shares[digit]}%`);
  return named.length
    ? `it answers ${named.join(" and ")} of the new digits`
    : `no answer goes to more than ${Math.max(...shares)}% of the new digits`;
}

/** Return a sentence on the moment, and one on the end. */
function describe(run, moment) {
  if (!run) return ["No such run was made.", ""];
  if (!moment) return ["It diverged before anything was measured.", ""];
  const last = run.accuracy.toFixed(3);
  const ends = {
    completed: `The run ends with an accuracy of ${last}.`,
    dead: `The run ends dead, with one answer to all: accuracy ${last}.`,
    diverged: "The run diverges after what is shown."
  };
  const now =
    `After ${inDigits(moment.step / run.perEpoch)} epochs ` +
    `the running loss is ${inDigits(moment.loss)}; ` +
    `${describeAnswers(moment)}; accuracy ${moment.accuracy.toFixed(3)}.`;
  return [now, ends[run.status]];
}

const stepWords = (step) => `step ${step.toLocaleString("en")}`;
const sum = (list) => list.reduce((total, share) => total + share, 0);

/** Return the step and the digit whose box is so far down and across in the strip, or nothing. */
function tellBox({ moments, every, perEpoch, epochs }, down, across) {
  const moment = moments[Math.round((across * epochs * perEpoch) / every) - 1];
  if (!moment) return "";
  const { step, shares } = moment;
  const height = (1 - down) * sum(shares);
  const digit = DIGITS.findIndex((one) => sum(shares.slice(0, one + 1)) >= height);
  return `${stepWords(step)}: it answers ${digit} to ${shares[digit]}%`;
}

/** The `d` of a digit's boxes in the strip, which holds 0 to 1: 0 at the bottom, 9 at the top. */
function boxes(plot, { moments, every, perEpoch }, digit) {
  const wide = plot.x(every / perEpoch) - plot.x(0);
  const box = ({ step, shares }) => {
    const [top, bottom] = [digit + 1, digit].map((end) =>
      plot.y(sum(shares.slice(0, end)) / sum(shares))
    );
    const left = plot.x(step / perEpoch) - wide / 2;
    const [x, y, w, h] = [left, top, wide, bottom - top].map((value) => value.toFixed(2));
    return `M${x},${y}h${w}v${h}h-${w}z`;
  };
  return moments
    .filter(({ shares }) => shares[digit])
    .map(box)
    .join("");
}

function render({ model, el }) {
  const self = figure({ model, el }, "Order explorer");
  self.root.classList.add("order-explorer", "abreast");
  const { runs: table, colours } = self.state();
  const stepNear = (step) => {
    const { run } = compute(self.state());
    return (run && momentAt(run, step)?.step) ?? 0;
  };
  const pictures = add(self.root, "div", { class: "sight" });
  /** @type {(title: string, label: string, height: number, below: number) => Plot} */
  const plotOf = (title, label, height, below) => {
    const margin = /** @type {[number, number, number, number]} */ ([22, 14, below, 44]);
    const plot = self.plot(pictures, { label, isImage: true, height: () => height, margin });
    plot.legend(title, []);
    return plot;
  };
  const losses = plotOf("running loss", "The running loss over the training", 110, 4);
  const accuracies = plotOf("accuracy on new digits", "The accuracy on new digits", 90, 4);
  const strip = plotOf("what it answers to new digits", "What it takes new digits for", 90, 38);
  const path = (plot, name) => add(plot.inside, "path", { class: name });
  const strips = colours.map((fill) => set(path(strip, "answer"), { fill }));
  const halo = path(strip, "halo");
  const plots = [losses, accuracies, strip];
  const cursors = plots.map((plot) => path(plot, "edge"));
  const curves = [losses, accuracies].map((plot, i) => ({
    plot,
    level: [Math.log10(Math.log(10)), 0.1][i],
    height: [({ loss }) => Math.log10(loss), ({ accuracy }) => accuracy][i],
    guess: path(plot, "rest"),
    line: path(plot, "path momentum"),
    dot: path(plot, "dots momentum"),
    note: add(plot.inside, "text", { class: "note" }, ["ln 10: a guess", "a guess"][i])
  }));
  const time = self.slider(self.root, "step", {
    label: "time",
    step: 1,
    show: (step) => stepWords(stepNear(step))
  });
  const answers = add(self.root, "ul", { "aria-label": "Answers at this time" });
  const shares = DIGITS.map((digit) => {
    const item = add(answers, "li");
    const sample = add(item, "svg", { width: 14, height: 14, "aria-hidden": "true" });
    add(sample, "path", { fill: colours[digit], d: "M0,0h14v14h-14z" });
    add(item, "b", {}, digit);
    return add(item, "span");
  });
  const verdict = add(self.root, "p", { class: "order-verdict" });
  const ending = add(self.root, "p", { class: "order-ending" });

  const columns = add(self.root, "div", { class: "columns" });
  const [left, right] = [0, 1].map(() => add(columns, "div"));
  const settle = () => self.set(settled(self.state()));
  const choices = Object.entries(CHOICES).map(([name, [label, names]]) => {
    const row = self.choice(left, name, { label, names });
    row.addEventListener("change", settle);
    return { name, row, options: [...row.querySelectorAll("option")] };
  });
  const sliders = Object.entries(SLIDERS).map(([name, look]) => {
    const slider = listSlider(self, right, name, look);
    slider.input.addEventListener("input", settle);
    return { name, ...slider };
  });
  self.resetButton(add(self.root, "div", { class: "buttons" }));

  // A mouse above a plot asks for a moment, a tap chooses it.
  self.setOwn("asked", 0, [0, 1]);
  for (const plot of plots) {
    const stepAt = ({ clientX }) => {
      const epoch = plot.x.invert(clientX - plot.svg.getBoundingClientRect().left);
      return stepNear(epoch * (compute(self.state()).run?.perEpoch ?? 0));
    };
    plot.svg.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") self.setOwn("asked", stepAt(event));
    });
    plot.svg.addEventListener("pointerleave", () => self.setOwn("asked", 0));
    plot.svg.addEventListener("click", (event) => {
      const step = stepAt(event);
      if (step) self.set({ step });
    });
  }

  /** Fit the axes: the losses' to those of all runs, so that two can be compared. */
  function drawAxes(epochs) {
    const { low, high } = table;
    const rows = DIGITS.map((i) => 10 ** (i - 3)).filter((loss) => low <= loss && loss <= high);
    const shared = { x: [0, epochs], xLabel: "", yLabel: "", columns: [] };
    losses.frame({
      ...shared,
      y: [low, high].map(Math.log10),
      rows: rows.map((loss) => [Math.log10(loss), inDigits(loss)])
    });
    accuracies.frame({ ...shared, y: [0, 1] });
    strip.frame({ ...shared, y: [0, 1], rows: [], columns: null, xLabel: "epoch" });
    for (const { plot, level, guess, note } of curves) {
      set(guess, { d: plot.line([0, epochs].map((x) => [x, level])) });
      // On the side of the line where there is room.
      const [y, middle] = [plot.y(level), plot.box.y + plot.box.height / 2];
      set(note, { x: plot.box.x + plot.box.width - 6, y: y + (y < middle ? 15 : -5) });
    }
  }

  let drawn = null;
  // In one cell, or the words would stand on a part of what they tell of.
  const whole = () => [1, 1];
  tell(strip.svg, whole, (_, [down, across]) => drawn && tellBox(drawn, down, across), strip);
  let wide = 0;
  function drawRun(run) {
    if (run === drawn && strip.width === wide) return; // only the cursor moves
    [drawn, wide] = [run, strip.width];
    drawAxes(run?.epochs ?? table.lengths[0][0]);
    const moments = run?.moments ?? [];
    for (const { plot, height, line } of curves) {
      const points = moments.map((moment) => [moment.step / run.perEpoch, height(moment)]);
      set(line, { d: points.length ? plot.line(points) : "" });
    }
    strips.forEach((boxed, digit) => set(boxed, { d: run ? boxes(strip, run, digit) : "" }));
  }

  self.draw = (state) => {
    const { axes, run, moment: chosen } = compute(state);
    const asked = self.get("asked");
    const moment = asked && run ? momentAt(run, asked) : chosen;
    drawRun(run);
    const at = moment && moment.step / run.perEpoch;
    plots.forEach(({ box, x }, i) =>
      set(cursors[i], { d: moment ? `M${x(at)},${box.y}v${box.height}` : "" })
    );
    set(halo, { d: cursors[2].getAttribute("d") });
    for (const { plot, height, dot } of curves) {
      set(dot, { d: moment ? plot.dots([[at, height(moment)]]) : "" });
    }
    shares.forEach((share, digit) => setText(share, moment ? `${moment.shares[digit]}%` : "–"));
    const [now, end] = describe(run, moment);
    setText(verdict, now);
    setText(ending, end);
    ending.classList.toggle("bad", run !== null && run.status !== "completed");

    time.row.hidden = !chosen;
    if (chosen) {
      self.limits.step = [run.every, run.every * run.moments.length, 1];
      set(time.input, { step: run.every });
      time.update();
      // The thumb, 20 pixels wide, runs along below the strip.
      const [from, to] = [1, run.moments.length].map((k) =>
        strip.x((k * run.every) / run.perEpoch)
      );
      Object.assign(time.input.style, {
        marginLeft: `${from - 10}px`,
        width: `${to - from + 20}px`
      });
      const words = `${stepWords(chosen.step)}: ${describeAnswers(chosen)}`;
      set(time.input, { "aria-valuetext": words });
    }
    for (const { name, row, options } of choices) {
      row.hidden = table[name].length < 2;
      for (const option of options) option.disabled = !axes[name].includes(option.value);
    }
    for (const { name, row, move } of sliders) {
      row.hidden = table[name].length < 2; // and not when others have more: the height stays
      move(axes[name].length ? axes[name] : [state[name]], state[name]);
    }
    self.say(describe(run, chosen).join(" "));
  };
  return self.start();
}

export default { render };
