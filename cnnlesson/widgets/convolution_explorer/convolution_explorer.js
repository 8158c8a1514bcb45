// A convolution of a digit, with every pixel, product and sum.
import { colourBar, diverging } from "../shared/colours.js";
import { digit, grid } from "../shared/digits.js";
import { add, set, setText } from "../shared/dom.js";
import { drawnOn, pad } from "../shared/drawing.js";
import { figure } from "../shared/figure.js";
import { number } from "../shared/numbers.js";
import { grey, picture, pixels, pixelWords, swatch, tint } from "../shared/pixels.js";
import { player } from "../shared/player.js";

const TYPED = 3; // up to this size each weight has a field; a larger kernel is a picture
const SWEEP = 30; // seconds for all places

const sideOf = (kernel) => Math.sqrt(kernel.length);
const rowsOf = (values) => {
  const side = sideOf(values);
  return grid(side, (i, j) => values[side * i + j]);
};

// Those that mean something at every size are functions of it.
const PRESETS = {
  "horizontal edges": (side) => grid(side, (i) => Math.sign(i - (side - 1) / 2)).flat(),
  "vertical edges": (side) => grid(side, (_, j) => Math.sign(j - (side - 1) / 2)).flat(),
  blur: (side) => Array(side ** 2).fill(Math.round(1000 / side ** 2) / 1000),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  identity: [0, 0, 0, 0, 1, 0, 0, 0, 0],
  // Three channels of the first layer of a ConvNet, after two epochs on all such digits. In
  // float64, on pixels without a fraction: else rounding grows to 0.05, another on each processor.
  //   torch.manual_seed(0); digits = load_digits("sklearn"); model = ConvNet().double()
  //   sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
  //   images = (digits.images + 0.123).round().double() / 255
  //   train_model(model, sgd, nn.CrossEntropyLoss(), images, digits.labels, num_epochs=2)
  "learned 8": [0.65, 0.8, 0.63, 0.61, 0.19, -0.49, -0.02, -0.55, -0.97],
  "learned 15": [0.02, 0.02, -0.04, 0.25, 0.52, 0.59, 0.25, 0.53, 0.18],
  "learned 18": [-0.41, -0.42, -0.18, -0.02, -0.18, 0.13, -0.17, 0.12, 0.49]
};

/** Return a preset at this size; other weights stay in the middle, within zeros or cut. */
function sized(kernel, side) {
  if (typeof kernel === "function") return kernel(side);
  const rows = rowsOf(kernel);
  const cut = Math.floor((rows.length - side) / 2);
  return grid(side, (i, j) => rows[i + cut]?.[j + cut] ?? 0).flat();
}

/** Return over how many pixels the window reaches along a side, and how many places it has. */
function windowOf({ kernel, stride, padding, dilation }) {
  const reach = dilation * (sideOf(kernel) - 1) + 1;
  return { reach, size: Math.floor((28 + 2 * padding - reach) / stride) + 1 };
}

/** Return the output, and for its chosen pixel the patch, the products, the sum and the value. */
export function compute(state) {
  const { kernel, stride, padding, dilation, pixel, activation } = state;
  const image = drawnOn(digit(state.digit), state.drawing);
  const side = sideOf(kernel);
  const { reach, size } = windowOf(state);
  const ink = (i, j) => image[i - padding]?.[j - padding] ?? 0;
  const under = (i, j, k) =>
    ink(stride * i + dilation * Math.floor(k / side), stride * j + dilation * (k % side));
  const convolve = (i, j) => kernel.reduce((sum, weight, k) => sum + weight * under(i, j, k), 0);
  const activate = (sum) => (activation === "ReLU" ? Math.max(sum, 0) : sum);
  const at = pixel.map((index) => Math.min(index, size - 1)); // a shorter output ends earlier
  const patch = kernel.map((_, k) => under(...at, k));
  const share = (sign) => kernel.reduce((sum, weight) => sum + Math.max(sign * weight, 0), 0);
  return {
    side,
    reach,
    size,
    at,
    patch,
    padded: grid(image.length + 2 * padding, ink),
    output: grid(size, (i, j) => activate(convolve(i, j))),
    products: patch.map((value, k) => value * kernel[k]),
    sum: convolve(...at),
    value: activate(convolve(...at)),
    limit: Math.max(share(1), share(-1)) // no pixels from 0 to 1 can give a larger sum
  };
}

function render({ model, el }) {
  const self = figure({ model, el }, "Convolution explorer");
  self.root.classList.add("convolution-explorer", "abreast");
  add(self.root, "p", { class: "hint hand" }, "Draw on the left. Point at a pixel on the right.");
  const maps = add(self.root, "div", { class: "maps sight" });
  const map = (title, make) => {
    const holder = add(maps, "div");
    const size = add(add(holder, "p", {}, `${title} `), "b");
    return { ...make(holder), holder, size };
  };
  const margin = () => model.get("padding");
  const pick = (pixel) => self.set({ pixel });
  const input = map("Input", (holder) =>
    pad(self, model, holder, { label: "Input, to draw on", margin })
  );
  const output = map("Output", (holder) =>
    pixels(holder, { label: "Output, to look into", kind: "grid of pixels", pick })
  );
  const border = input.mark("border", 28);
  const panes = [input.mark("window-edge", 0), input.mark("window", 0)];
  const taps = add(input.above, "path", { class: "taps" });
  const marks = [output.mark("window-edge", 1), output.mark("window", 1)];
  const place = (rects, [y, x]) => rects.forEach((rect) => set(rect, { x, y }));
  const bar = colourBar(output.holder);
  const words = add(self.root, "p", { class: "hint" });
  const follow = () => {
    const { size } = windowOf(self.state());
    const [row, column] = self.get("pixel").map((index) => Math.min(index, size - 1));
    self.setOwn("place", size * row + column, [0, size ** 2 - 1]);
    return size;
  };
  follow();
  for (const name of ["kernel", "stride", "padding", "dilation", "pixel"]) self.on(name, follow);
  player(self, self.root, "place", {
    label: "place",
    show: (place) => `${place + 1} of ${self.limits.place[1] + 1}`,
    seconds: SWEEP
  });
  self.on("place", () => {
    const { size } = windowOf(self.state());
    const place = self.get("place");
    const pixel = [Math.floor(place / size), place % size];
    // One beyond the output stays, and counts again in a larger one.
    if (self.get("pixel").some((index, i) => Math.min(index, size - 1) !== pixel[i])) pick(pixel);
  });

  const equation = add(self.root, "div", { class: "equation" });
  const square = (sign, title, make) => {
    const block = add(equation, "div", { role: "group", "aria-label": title });
    for (const text of [title, sign]) add(block, "span", { "aria-hidden": "true" }, text);
    const box = add(block, "div", { class: "square" });
    const cells = Array.from({ length: TYPED ** 2 }, (_, k) => make(box, k));
    const { box: whole, paint, tell } = picture(box, { "aria-hidden": "true" });
    let shown = [];
    tell(([row, column]) => pixelWords([row, column], shown[row * sideOf(shown) + column]));
    return (values, colour, write) => {
      shown = values;
      const side = sideOf(values);
      set(box, { style: `--side: ${side}` });
      whole.hidden = side <= TYPED;
      cells.forEach((cell, k) => {
        cell.hidden = side > TYPED || k >= side ** 2;
        if (!cell.hidden) write(cell, values[k], colour(values[k]), k);
      });
      if (!whole.hidden) paint(rowsOf(values.map(colour)));
    };
  };
  const patch = square("", "patch", (box) => add(box, "span"));
  const weights = square("×", "kernel, to edit", (box, k) =>
    self.entry(box, "kernel", k, { label: "" })
  );
  const products = square("=", "products", (box) => add(box, "span"));
  const last = add(equation, "p", {}, "sum");
  const [total, fate] = ["b", "span"].map((tag) => add(last, tag));
  const write = (element, value, colour) => {
    setText(element, number(value));
    tint(element, colour);
  };
  const kernels = (parent, label) =>
    add(parent, "div", { class: "buttons", role: "group", "aria-label": label });
  const presets = kernels(self.root, "Kernels");
  const controls = add(self.root, "div", { class: "columns" });
  // What the chapter comes to later is folded until then.
  const later = add(self.root, "details");
  add(later, "summary", {}, "Learned kernels, size, stride, padding …");
  const learned = kernels(later, "Learned kernels");
  const more = add(later, "div", { class: "columns" });
  /** @type {[Element, any][]} */
  const choices = Object.entries(PRESETS).map(([name, kernel]) => {
    const button = self.button(name.startsWith("learned") ? learned : presets, "", () => ({
      kernel: sized(kernel, self.get("side"))
    }));
    swatch(button, sized(kernel, 3));
    button.append(name);
    return [button, kernel];
  });
  // The slider starts from what the reader chose: what it cut off comes back.
  let [chosen, made] = [self.get("kernel"), []];
  const measure = () => {
    const kernel = self.get("kernel");
    if (String(kernel) !== String(made)) chosen = kernel;
    self.setOwn("side", sideOf(kernel), [1, 7, 1]);
  };
  measure();
  self.on("kernel", measure);
  self.on("side", () => {
    const side = self.get("side");
    if (side === sideOf(self.get("kernel"))) return;
    const is = String(chosen);
    const preset = Object.values(PRESETS).find((k) => String(sized(k, sideOf(chosen))) === is);
    made = sized(preset ?? chosen, side);
    self.set({ kernel: made });
  });
  const { row } = self.slider(more, "side", {
    label: "kernel size",
    symbol: "k",
    step: 1,
    show: (side) => `${side}×${side}`
  });
  add(row, "small", {}, "Up to 3×3, you can type its weights.");
  /** @type {[Element, string, string][]} */
  const sliders = [
    [controls, "digit", ""],
    [more, "stride", "s"],
    [more, "padding", "p"],
    [more, "dilation", "d"]
  ];
  for (const [parent, name, symbol] of sliders) {
    self.slider(parent, name, { label: name, symbol, step: 1, show: String });
  }
  const span = add(more.lastElementChild ?? more, "small");
  self.choice(more, "activation", {
    label: "then",
    names: { none: "nothing", ReLU: "ReLU: max(0, sum)" }
  });
  self.resetButton(add(controls, "div", { class: "buttons" }));

  self.draw = (state) => {
    const result = compute(state);
    const { side, reach, size, padded, at, limit } = result;
    const signed = (sum) => diverging(sum / (limit || 1));
    const most = Math.max(...state.kernel.map(Math.abs)) || 1;
    const name = ([row, column]) => `row ${row}, column ${column}`;
    input.show(padded);
    output.paint(result.output.map((row) => row.map(signed)));
    output.point(at, `${name(at)}: ${number(result.value)}`, [size, size]);
    // Pixels as large as the input's.
    set(output.box, { style: `width: ${(100 * size) / padded.length}%` });
    place([border], [state.padding, state.padding]);
    const [top, left] = at.map((index) => index * state.stride);
    place(panes, [top, left]);
    for (const pane of panes) set(pane, { width: reach, height: reach });
    const under = (_, k) =>
      `M${left + state.dilation * (k % side)},` +
      `${top + state.dilation * Math.floor(k / side)}h1v1h-1z`;
    set(taps, { d: state.dilation > 1 ? state.kernel.map(under).join("") : "" });
    place(marks, at);
    bar(limit);
    const share = (value) => diverging(value / most);
    patch(result.patch, grey, write);
    weights(state.kernel, share, (field, _, colour, k) => {
      tint(field, colour);
      set(field, {
        "aria-label": `weight in row ${Math.floor(k / side)}, column ${k % side}`
      });
    });
    products(result.products, share, write);
    write(total, result.sum, signed(result.sum));
    setText(fate, state.activation === "ReLU" ? `ReLU: ${number(result.value)}` : "");
    for (const [button, kernel] of choices)
      set(button, { "aria-pressed": String(sized(kernel, side)) === String(state.kernel) });
    setText(span, `The window reaches over ${reach} pixels.`);
    setText(input.size, `${padded.length}×${padded.length}${state.padding ? ", padded" : ""}`);
    setText(output.size, `${size}×${size}`);
    const all = result.output.flat();
    const [low, high] = [Math.min(...all), Math.max(...all)].map((value) => number(value));
    setText(
      words,
      `28×28 → ${size}×${size}, ` +
        `for ⌊(28 + 2·${state.padding} − ${reach})/${state.stride}⌋ + 1 = ${size}. ` +
        `The ${all.length} values go from ${low} to ${high}.`
    );
    self.say(
      `${words.textContent} ${name(at)}: the products add up to ${number(result.sum)}. ` +
        fate.textContent
    );
  };

  return self.start();
}

export default { render };
