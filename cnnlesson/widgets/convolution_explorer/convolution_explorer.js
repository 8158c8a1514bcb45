// A 3×3 convolution of a digit, with every pixel, product and sum.
import { colourBar, diverging } from "../shared/colours.js";
import { digit, grid } from "../shared/digits.js";
import { add, set, setText } from "../shared/dom.js";
import { drawnOn, pad } from "../shared/drawing.js";
import { figure } from "../shared/figure.js";
import { number } from "../shared/numbers.js";
import { grey, pixels, swatch, tint } from "../shared/pixels.js";

const PRESETS = {
  "horizontal edges": [-1, -1, -1, 0, 0, 0, 1, 1, 1],
  "vertical edges": [-1, 0, 1, -1, 0, 1, -1, 0, 1],
  blur: Array(9).fill(0.111),
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

/** Return the output, and for its chosen pixel the patch, the products, the sum and the value. */
export function compute(state) {
  const { kernel, stride, padding, pixel, activation } = state;
  const image = drawnOn(digit(state.digit), state.drawing);
  const padded = image.length + 2 * padding;
  const size = Math.floor((padded - 3) / stride) + 1;
  const ink = (i, j) => image[i - padding]?.[j - padding] ?? 0;
  const under = (i, j, k) => ink(stride * i + Math.floor(k / 3), stride * j + (k % 3));
  const convolve = (i, j) => kernel.reduce((sum, weight, k) => sum + weight * under(i, j, k), 0);
  const activate = (sum) => (activation === "ReLU" ? Math.max(sum, 0) : sum);
  const at = pixel.map((index) => Math.min(index, size - 1)); // a shorter output ends earlier
  const patch = kernel.map((_, k) => under(...at, k));
  const share = (sign) => kernel.reduce((sum, weight) => sum + Math.max(sign * weight, 0), 0);
  return {
    size,
    at,
    patch,
    padded: grid(padded, ink),
    output: grid(size, (i, j) => activate(convolve(i, j))),
    products: patch.map((value, k) => value * kernel[k]),
    sum: convolve(...at),
    value: activate(convolve(...at)),
    limit: Math.max(share(1), share(-1)) // no pixels from 0 to 1 can give a larger sum
  };
}

function render({ model, el }) {
  const self = figure({ model, el }, "Convolution explorer");
  self.root.classList.add("convolution-explorer");
  add(self.root, "p", { class: "hint" }, "Draw on the left. Point at a pixel on the right.");
  const maps = add(self.root, "div", { class: "maps" });
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
  const panes = [input.mark("window-edge", 3), input.mark("window", 3)];
  const marks = [output.mark("window-edge", 1), output.mark("window", 1)];
  const place = (rects, [y, x]) => rects.forEach((rect) => set(rect, { x, y }));
  const bar = colourBar(output.holder);
  const words = add(self.root, "p", { class: "hint" });

  const equation = add(self.root, "div", { class: "equation" });
  const nine = (sign, title, make) => {
    const block = add(equation, "div", { role: "group", "aria-label": title });
    for (const text of [title, sign]) add(block, "span", { "aria-hidden": "true" }, text);
    const box = add(block, "div", { class: "nine" });
    return Array.from({ length: 9 }, (_, k) => make(box, k));
  };
  const patch = nine("", "patch", (box) => add(box, "span"));
  const weights = nine("×", "kernel, to edit", (box, k) =>
    self.entry(box, "kernel", k, { label: `weight in row ${Math.floor(k / 3)}, column ${k % 3}` })
  );
  const products = nine("=", "products", (box) => add(box, "span"));
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
  add(later, "summary", {}, "Learned kernels, stride, padding, ReLU");
  const learned = kernels(later, "Learned kernels");
  const more = add(later, "div", { class: "columns" });
  /** @type {[Element, string][]} */
  const choices = Object.entries(PRESETS).map(([name, kernel]) => {
    const button = self.button(name.startsWith("learned") ? learned : presets, "", () => ({
      kernel
    }));
    swatch(button, kernel);
    button.append(name);
    return [button, String(kernel)];
  });
  /** @type {[Element, string, string][]} */
  const sliders = [
    [controls, "digit", ""],
    [more, "stride", "s"],
    [more, "padding", "p"]
  ];
  for (const [parent, name, symbol] of sliders) {
    self.slider(parent, name, { label: name, symbol, step: 1, show: String });
  }
  self.choice(more, "activation", {
    label: "then",
    names: { none: "nothing", ReLU: "ReLU: max(0, sum)" }
  });
  self.resetButton(add(controls, "div", { class: "buttons" }));

  self.draw = (state) => {
    const result = compute(state);
    const { size, padded, at, limit } = result;
    const signed = (sum) => diverging(sum / (limit || 1));
    const most = Math.max(...state.kernel.map(Math.abs)) || 1;
    const name = ([row, column]) => `row ${row}, column ${column}`;
    input.show(padded);
    output.paint(result.output.map((row) => row.map(signed)));
    output.point(at, `${name(at)}: ${number(result.value)}`, [size, size]);
    // Pixels as large as the input's.
    set(output.box, { style: `width: ${(100 * size) / padded.length}%` });
    place([border], [state.padding, state.padding]);
    place(
      panes,
      at.map((index) => index * state.stride)
    );
    place(marks, at);
    bar(limit);
    for (let k = 0; k < 9; k++) {
      write(patch[k], result.patch[k], grey(result.patch[k]));
      tint(weights[k], diverging(state.kernel[k] / most));
      write(products[k], result.products[k], diverging(result.products[k] / most));
    }
    write(total, result.sum, signed(result.sum));
    setText(fate, state.activation === "ReLU" ? `ReLU: ${number(result.value)}` : "");
    for (const [button, kernel] of choices)
      set(button, { "aria-pressed": kernel === String(state.kernel) });
    setText(input.size, `${padded.length}×${padded.length}${state.padding ? ", padded" : ""}`);
    setText(output.size, `${size}×${size}`);
    const all = result.output.flat();
    const [low, high] = [Math.min(...all), Math.max(...all)].map((value) => number(value));
    setText(
      words,
      `28×28 → ${size}×${size}, ` +
        `for ⌊(28 + 2·${state.padding} − 3)/${state.stride}⌋ + 1 = ${size}. ` +
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
