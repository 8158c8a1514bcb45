// A network to build layer by layer: shapes, parameters, work, receptive fields, errors and code.
import { add, set, setText, sketch } from "../shared/dom.js";
import { figure } from "../shared/figure.js";
import { goalLine } from "../shared/goal.js";
import { drawNetwork, toFile } from "./network_diagram.js";
import {
  derive,
  describe,
  isPooling,
  KEYS,
  many,
  NAMES,
  product,
  read,
  times,
  toCode,
  trace,
  WORDS,
  write
} from "./stack.js";

/** Return a row for each layer that can run, the totals, and the error of one that cannot. */
export function compute({ stack }) {
  return trace(read(stack));
}

/** What a goal may ask. */
export function measure(state) {
  const { input, layers, shape, field, error, parameters } = compute(state);
  return {
    parameters,
    "receptive field": field,
    convolutions: layers.filter(({ kind }) => kind === "conv").length,
    dilation: Math.max(1, ...layers.map(({ d = 1 }) => d)),
    input: times(input),
    output: error ? "none" : times(shape)
  };
}

function render({ model, el }) {
  const self = figure({ model, el }, "Shape explorer");
  self.root.classList.add("shape-explorer");
  const { ranges, most, networks } = self.limits.stack;
  const group = `layer-${Math.random()}`; // radio buttons of one figure, in a page with several
  let chosen = 1;
  const rangeOf = (key) => ranges[key] ?? ranges.size;
  const bounded = (key, value) =>
    Math.min(Math.max(Math.round(value), rangeOf(key)[0]), rangeOf(key)[1]);
  const network = () => read(model.get("stack"));
  const selected = ({ input: [channels, height, width], layers }) =>
    chosen ? layers[chosen - 1] : { kind: "input", channels, height, width };
  /** Change the stack by a function of its input and layers, and choose a layer. */
  const edit = (how, next = chosen) => {
    const changed = network();
    how(changed.layers, changed.input);
    self.set({ stack: write(changed) });
    choose(Math.min(next, changed.layers.length));
  };
  const choose = (index) => {
    chosen = index;
    self.redraw();
  };
  const move = (step) => {
    const to = chosen + step;
    if (chosen < 1 || to < 1 || to > network().layers.length) return;
    edit((layers) => layers.splice(to - 1, 0, ...layers.splice(chosen - 1, 1)), to);
  };
  const remove = () => {
    if (chosen > 0 && network().layers.length > 1) edit((layers) => layers.splice(chosen - 1, 1));
  };

  const buttons = (parent, label) => {
    const row = add(parent, "div", { class: "buttons", role: "group", "aria-label": label });
    return (text, act) => {
      const button = add(row, "button", { type: "button" }, text);
      button.addEventListener("click", act);
      return button;
    };
  };
  const start = buttons(self.root, "Networks to start from");
  const presets = Object.entries(networks).map(([name, stack]) => [
    start(name, () => {
      self.set({ stack });
      choose(1);
    }),
    stack
  ]);
  const holder = add(self.root, "div", { class: "network" });
  const svg = add(holder, "svg");
  const verdict = add(self.root, "div", { class: "verdict" });
  const [title, said, words] = ["b", "code", "span"].map((tag) => add(verdict, tag));
  const mend = add(verdict, "button", { type: "button" });
  const showGoal = goalLine(self, self.root, measure);

  const panes = add(self.root, "div", { class: "panes" });
  const list = add(add(panes, "div", { class: "layers" }), "table", {
    "aria-label": "Layers and shapes"
  });
  const head = add(add(list, "thead"), "tr");
  for (const text of ["layer", "output", "parameters", "multiply-adds", "receptive field"]) {
    add(head, "th", { scope: "col" }, text);
  }
  const body = add(list, "tbody");
  const foot = add(add(list, "tfoot"), "tr");
  const totals = ["th", "td", "td", "td", "td"].map((tag) => add(foot, tag));
  const lines = [];
  const editor = add(panes, "div", { class: "editor", role: "group" });
  const heading = add(editor, "b");
  const steppers = add(editor, "div", { class: "steppers" });
  const arithmetic = add(editor, "p", { class: "arithmetic" });
  const act = buttons(editor, "This layer");
  const [up, down, away] = [
    act("↑ Up", () => move(-1)),
    act("↓ Down", () => move(1)),
    act("Remove", remove)
  ];
  add(editor, "span", { class: "hand" }, "Add after it:");
  const insert = buttons(editor, "Add a layer after it");
  const additions = Object.keys(NAMES).map((kind) =>
    insert(NAMES[kind].replace("2d", ""), () => {
      const { input, rows } = compute(self.state());
      const arriving = chosen ? (rows[chosen - 1]?.shape ?? []) : input;
      const word = {
        conv: "conv16k3",
        pool: "pool2",
        avgpool: "avgpool2",
        linear: `linear${product(arriving)}to10`
      }[kind];
      edit((layers) => layers.splice(chosen, 0, ...read(` ${word ?? kind}`).layers), chosen + 1);
    })
  );

  /** One row of the table: a radio button that chooses the layer, and what comes out of it. */
  function addLine(i) {
    const row = add(body, "tr");
    const label = add(add(row, "th", { scope: "row" }), "label");
    const radio = add(label, "input", { type: "radio", name: group });
    radio.addEventListener("change", () => choose(i));
    radio.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step && event.altKey) move(step);
      else if (event.key === "Delete") remove();
      else return;
      event.preventDefault();
      lines[chosen].radio.focus();
    });
    row.addEventListener("click", () => choose(i));
    const texts = [add(label, "span"), add(label, "small")];
    return { row, radio, texts, cells: [1, 2, 3, 4].map(() => add(row, "td")) };
  }

  /** A number of the chosen layer, to type, or to step with two buttons. */
  function addStepper(key) {
    const isWide = key === "to" || (key === "channels" && chosen > 0); // these go by factors of two
    const box = add(steppers, "div", { class: "stepper" });
    const name = WORDS[key];
    const button = (text, what, next) => {
      const element = add(box, "button", { type: "button", "aria-label": `${what} ${name}` }, text);
      element.addEventListener("click", () => give(next(Number(input.value))));
    };
    const [min, max] = rangeOf(key);
    button(isWide ? "÷2" : "−", isWide ? "halve" : "less", (value) =>
      isWide ? Math.floor(value / 2) : value - 1
    );
    const label = add(box, "label");
    add(label, "span", {}, name);
    const input = add(label, "input", { type: "number", min, max, step: 1, name: key });
    button(isWide ? "×2" : "+", isWide ? "double" : "more", (value) =>
      isWide ? 2 * value : value + 1
    );
    const give = (value) =>
      edit((layers, input) => {
        const inside = bounded(key, value);
        if (!chosen) {
          input[["channels", "height", "width"].indexOf(key)] = inside;
          return;
        }
        const layer = layers[chosen - 1];
        // As in PyTorch a pooling's stride is its kernel size, unless it is told otherwise.
        if (key === "k" && isPooling(layer.kind) && layer.s === layer.k) layer.s = inside;
        layer[key] = inside;
      });
    input.addEventListener(
      "input",
      () => Number.isNaN(input.valueAsNumber) || give(input.valueAsNumber)
    );
    // An emptied field shows its number again.
    input.addEventListener("change", () => fill(selected(network())));
    return input;
  }

  const code = add(self.root, "div", { class: "code" });
  // Not a `pre`: the book's theme lays the page out anew to decide which of those one can tab to.
  const listing = add(code, "div", {
    class: "listing",
    tabindex: 0,
    role: "region",
    "aria-label": "PyTorch code"
  });
  const give = buttons(code, "To take along");
  const copy = give("Copy code", async () => {
    getSelection()?.selectAllChildren(listing);
    try {
      await navigator.clipboard.writeText(listing.textContent);
    } catch {
      document.execCommand("copy"); // a page without a secure address has no clipboard
    }
    setText(copy, "Copied");
    setTimeout(() => setText(copy, "Copy code"), 2000);
  });
  self.files.push({
    title: "Save diagram as SVG",
    name: "network.svg",
    type: "image/svg+xml",
    write: () => toFile(svg)
  });
  self.resetButton(copy.parentElement ?? code);

  /** Scroll within the list alone, so that the page stays where it is. */
  const scrollTo = ({ offsetTop, offsetHeight }) => {
    const box = /** @type {HTMLElement} */ (list.parentElement);
    const [above, below] = [head, foot].map((row) => row.offsetHeight);
    const most = offsetTop + offsetHeight + below - box.clientHeight;
    box.scrollTop = Math.max(Math.min(box.scrollTop, offsetTop - above), most);
  };

  let shown = "";
  let inView = chosen;
  let room = holder.clientWidth || 640; // asked for while drawing, it would cost a layout
  let inputs = {};
  /** Write each number of a layer into its field, unless it stands there. */
  const fill = (layer) => {
    for (const [key, input] of Object.entries(inputs)) {
      if (input.valueAsNumber !== layer[key]) input.value = layer[key];
    }
  };
  self.draw = (state) => {
    const result = compute(state);
    const { input, layers, rows, error } = result;
    chosen = Math.min(chosen, layers.length);
    drawNetwork(svg, result, { width: room, chosen, choose });

    while (lines.length > layers.length + 1) lines.pop().row.remove();
    while (lines.length <= layers.length) lines.push(addLine(lines.length));
    lines.forEach(({ row, radio, texts, cells }, i) => {
      const { shape, parameters, work, sees } = i ? (rows[i - 1] ?? {}) : { shape: input };
      const costs = i && shape ? [many(parameters), many(work)] : ["", ""];
      const known = [shape ? times(shape) : "–", ...costs, sees ?? ""];
      (i ? describe(layers[i - 1]) : ["Input", ""]).forEach((text, k) => setText(texts[k], text));
      known.forEach((text, k) => setText(cells[k], text));
      row.className = error && i === rows.length + 1 ? "bad" : i === chosen ? "chosen" : "";
      radio.checked = i === chosen;
    });
    ["all", "", many(result.parameters), many(result.work), ""].forEach((text, k) =>
      setText(totals[k], text)
    );

    const layer = selected(result);
    const keys = chosen ? (KEYS[layer.kind] ?? []) : ["channels", "height", "width"];
    if (shown !== `${chosen > 0} ${keys}`) {
      shown = `${chosen > 0} ${keys}`;
      steppers.replaceChildren();
      inputs = Object.fromEntries(keys.map((name) => [name, addStepper(name)]));
    }
    fill(layer);
    if (inView !== chosen) {
      inView = chosen;
      scrollTo(lines[chosen].row);
    }
    setText(heading, chosen ? `Layer ${chosen}: ${NAMES[layer.kind]}` : "Input");
    set(editor, { "aria-label": heading.textContent });
    const put = sketch(arithmetic);
    for (const line of chosen ? derive(result, chosen - 1) : []) put(arithmetic, "span", {}, line);
    put.end();
    up.disabled = chosen < 2;
    down.disabled = !chosen || chosen === layers.length;
    away.disabled = !chosen || layers.length === 1;
    for (const button of additions) button.disabled = layers.length === most;
    for (const [button, stack] of presets) set(button, { "aria-pressed": stack === write(result) });

    const place = rows.length;
    setText(
      title,
      error ? `Layer ${place + 1}, ${describe(layers[place])[0]}, is impossible. ` : ""
    );
    setText(said, error?.torch ? `PyTorch says: ${error.torch}` : "");
    setText(
      words,
      error?.words ??
        `${many(result.parameters)} parameters, and ${many(result.work)} multiply-adds for one ` +
          "image. A pixel of the last map sees " +
          `${result.field}×${result.field} pixels of the image.`
    );
    verdict.className = error ? "verdict bad" : "verdict";
    const [[key, value]] = [
      ...Object.entries(error?.mend === "flatten" ? {} : error?.mend || {}),
      ["", 0]
    ];
    mend.hidden = !error?.mend || (key !== "" && bounded(key, value) !== value);
    setText(mend, key ? `Set ${WORDS[key].split(" ")[0]} to ${many(value)}` : "Insert a Flatten");
    mend.onclick = () => {
      edit((all) => {
        if (key) all[place][key] = value;
        else all.splice(place, 0, { kind: "flatten" });
      }, place + 1);
      lines[chosen].radio.focus({ preventScroll: true }); // the button is about to go
    };
    setText(listing, toCode(result));
    showGoal();
    self.say(`${title.textContent}${said.textContent} ${words.textContent}`.replace("  ", " "));
  };

  /** Bring every number into its range: an address that one loads or goes back to may hold any. */
  const tame = () => {
    const given = network();
    given.input = given.input.map((value, i) => bounded(i ? "size" : "channels", value));
    for (const layer of given.layers) {
      for (const key of KEYS[layer.kind] ?? []) layer[key] = bounded(key, layer[key]);
    }
    if (write(given) !== model.get("stack")) model.set("stack", write(given));
  };
  tame();
  self.on("stack", tame);
  const sized = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width >= 1) room = Math.round(contentRect.width);
    self.redrawLater();
  });
  const stop = self.start();
  sized.observe(holder);
  return () => {
    sized.disconnect();
    stop();
  };
}

export default { render };
