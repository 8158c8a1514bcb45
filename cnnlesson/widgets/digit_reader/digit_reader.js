// The trained network reads what is drawn; every map it makes on the way can be looked at.

import { grid } from "../shared/digits.js";
import { add, set, setText } from "../shared/dom.js";
import { centred, drawnOn, pad } from "../shared/drawing.js";
import { figure } from "../shared/figure.js";
import { number } from "../shared/numbers.js";
import { levels, picture, pixels, pixelWords } from "../shared/pixels.js";
import { tell } from "../shared/telling.js";
import { behind } from "./behind.js";
import { forward, unpack } from "./convnet.js";
import { sumPanel } from "./panel.js";

const POOLED = "The largest of each 2×2 values of the same map before.";

// The maps of each layer, how many are drawn side by side, how many pixels of the input a pixel of
// theirs sees, and how far its neighbour's are moved.
const LAYERS = {
  "convolution 1": {
    count: 32,
    size: 26,
    across: 8,
    sees: 3,
    step: 1,
    about: "One 3×3 kernel slid over the input, then ReLU."
  },
  "pooling 1": { count: 32, size: 13, across: 8, sees: 4, step: 2, about: POOLED },
  "convolution 2": {
    count: 64,
    size: 11,
    across: 16,
    sees: 8,
    step: 2,
    about: "32 kernels, one on each map before, added up, then ReLU."
  },
  "pooling 2": { count: 64, size: 5, across: 16, sees: 10, step: 4, about: POOLED }
};
const NAMES = Object.keys(LAYERS);

/** Return what is drawn, what the network gets and makes of it, and the chosen map. */
export function compute(state, weights) {
  const drawn = drawnOn(
    grid(28, () => 0),
    state.drawing
  );
  const image = state.placing === "centred" ? centred(drawn) : drawn;
  const result = forward(image, weights);
  const ranking = [...Array(10).keys()].sort((a, b) => result.logits[b] - result.logits[a]);
  const { count, size, maps } = result.layers[NAMES.indexOf(state.layer)];
  const channel = Math.min(state.channel, count - 1); // a layer of fewer maps ends earlier
  const chosen = maps.slice(channel * size * size, (channel + 1) * size * size);
  const most = Math.max(...chosen);
  const place = chosen.indexOf(most);
  const brightest = [Math.floor(place / size), place % size];
  return { drawn, image, ...result, ranking, channel, chosen, size, most, brightest };
}

/** Write a probability: never as certain, nor as impossible. */
const percent = (p) => (p > 0.9995 ? ">99.9%" : p < 0.0005 ? "<0.1%" : `${number(100 * p, 1)}%`);

/**
 * Draw maps as one picture, `across` side by side, in levels of grey: 0 black, the largest value of
 * all white, a quarter of it half-way.
 */
function paintMaps(target, { count, size, maps }, across) {
  const [pitch, width] = [size + 1, across * (size + 1) - 1];
  const shades = new Uint8ClampedArray(width * ((count / across) * pitch - 1)).fill(96); // the gaps
  const factor = 255 / Math.sqrt(maps.reduce((a, b) => Math.max(a, b)) || 1);
  for (let c = 0, at = 0; c < count; c++) {
    const corner = Math.floor(c / across) * pitch * width + (c % across) * pitch;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++)
        shades[corner + i * width + j] = factor * Math.sqrt(maps[at++]);
    }
  }
  target.paintGrey(shades, width);
}

const mapWords = (channel, most) => `map ${channel}, largest value ${number(most)}`;

/** Whether a pointer only goes by. */
const isOver = (event) => event.type === "pointermove" && !(event.buttons & 1);

/** Return the upper left corner of a map in the picture of its layer. */
const corner = ({ across, size }, map) =>
  [Math.floor(map / across), map % across].map((index) => index * (size + 1));

function render({ model, el }) {
  const self = figure({ model, el }, "Digit reader");
  self.root.classList.add("digit-reader");
  /** @type {string | null} */
  let packed = null;
  /** @type {ReturnType<typeof unpack>} */
  let weights = [];
  /** @type {number[] | null} */
  let hover = null; // the layer and the map under the mouse
  /** @type {number[] | null} */
  let pixel = null; // the one that is looked into; of another map at first the brightest
  let looked = ""; // at which map
  /** @type {ReturnType<typeof compute>} */
  let result; // that is drawn
  const frameOn = (map, size) => [map.mark("window-edge", size), map.mark("window", size)];
  const change = (frames, /** @type {number[]} */ [y, x], more = {}) =>
    frames.forEach((frame) => set(frame, { x, y, ...more }));

  add(self.root, "p", { class: "hand" }, "Draw a digit, or take one:");
  const samples = add(self.root, "div", {
    class: "samples",
    role: "group",
    "aria-label": "Samples"
  });
  self.limits.drawing.samples.forEach((drawing, label) =>
    self.button(samples, String(label), () => ({ drawing }))
  );
  const stage = add(self.root, "div", { class: "reader" });
  const top = add(stage, "div", { class: "columns spaced" });
  const sheet = add(top, "div");
  add(sheet, "p", {}, "Your drawing");
  const paper = pad(self, model, sheet, { label: "Your drawing, 28×28 pixels" });
  const reading = add(top, "div", { class: "reading" });
  add(reading, "p", {}, "What the network gets, and what it says");
  const seen = add(reading, "div", { class: "seen" });
  const input = picture(seen, { role: "img", "aria-label": "What the network gets, 28×28 pixels" });
  const verdict = add(seen, "p", { class: "verdict" });
  self.choice(reading, "placing", {
    label: "before reading",
    names: { centred: "scale and centre it", "as drawn": "leave it as drawn" }
  });
  const table = add(reading, "table", { "aria-label": "What the network says" });
  const [head, body] = [add(add(table, "thead"), "tr"), add(table, "tbody")];
  for (const [text, colspan] of [
    ["digit", 1],
    ["logit", 1],
    ["probability", 2]
  ]) {
    add(head, "th", { scope: "col", colspan }, text);
  }
  const rows = Array.from({ length: 10 }, (_, label) => {
    const row = add(body, "tr");
    add(row, "th", { scope: "row" }, label);
    const [logit, p, bar] = ["", "", "share"].map((name) => add(row, "td", { class: name }));
    return { row, logit, p, bar: add(bar, "i") };
  });

  add(
    stage,
    "p",
    { class: "next" },
    "All that lies between: every map, white the largest value of its layer. " +
      "Tap one, and a pixel of it."
  );
  const mosaics = add(stage, "div", { class: "columns spaced" });
  const pass = (/** @type {number[] | null} */ at) => {
    if (String(at) === String(hover)) return;
    hover = at;
    self.redraw();
  };
  const layers = Object.entries(LAYERS).map(([name, { count, across, size }], i) => {
    const holder = add(mosaics, "div");
    add(add(holder, "p", {}, `${name}: `), "b", {}, `${count} maps ${size}×${size}`);
    /** @type {Parameters<typeof pixels>[1]["pick"]} */
    const pick = ([row, column], event) => {
      const channel = across * row + column;
      if (isOver(event)) return pass([i, channel]);
      hover = null; // a key moves on from what the mouse rests on
      self.set({ layer: name, channel });
    };
    const map = pixels(holder, { label: `${name}, to choose a map`, kind: "grid of maps", pick });
    map.box.addEventListener("pointerleave", () => pass(null));
    const cells = () => [count / across, across];
    tell(map.box, cells, ([row, column]) => {
      const channel = across * row + column;
      const values = result.layers[i].maps.slice(
        channel * size * size,
        (channel + 1) * size * size
      );
      return mapWords(channel, Math.max(...values));
    });
    for (const type of ["focus", "blur"]) map.box.addEventListener(type, self.redraw);
    const links = ["window-edge", "window link"].map((kind) =>
      add(map.above, "path", { class: kind })
    );
    return { ...map, name, across, count, size, links, frames: frameOn(map, size) };
  });
  const caption = add(stage, "p", { class: "links" });

  const closer = add(stage, "div", { class: "columns closer" });
  const look = (/** @type {number[] | null} */ at) => {
    pixel = at;
    self.redraw();
  };
  /** @type {number[] | null} */
  let before = null; // where a finger goes down that may turn out to scroll
  const large = pixels(closer, {
    label: "The chosen map, to look into",
    kind: "grid of pixels",
    pick(at, event) {
      if (isOver(event)) return;
      if (event.type === "pointerdown") before = pixel;
      look(at);
    }
  });
  large.box.addEventListener("pointercancel", () => look(before));
  self.resets.push(() => look(null));
  input.tell((at) => pixelWords(at, result.image[at[0]][at[1]]));
  large.tell((at) => pixelWords(at, result.chosen[at[0] * result.size + at[1]]));
  const frames = [frameOn(input, 1), frameOn(large, 1)];
  const side = add(closer, "div");
  self.choice(side, "layer", {
    label: "layer",
    names: Object.fromEntries(NAMES.map((name) => [name, name]))
  });
  const channels = self.slider(side, "channel", { label: "map", step: 1, show: String });
  const about = add(side, "p", { class: "about" });
  self.resetButton(add(side, "div", { class: "buttons" }));
  const showSum = sumPanel(closer);

  /** Mark what feeds the map under the mouse, that in focus, or else the chosen one. */
  function link(result, /** @type {number[]} */ chosen) {
    const focused = layers.findIndex(({ box }) => box.matches(":focus"));
    const inFocus =
      focused < 0 ? chosen : [focused, Math.min(chosen[1], layers[focused].count - 1)];
    const [from, channel] = hover ?? inFocus;
    const isOther = String([from, channel]) !== String(chosen);
    const parts = from < 2 ? [] : behind(result, weights, from, channel, [0, 0]).parts;
    const most = parts.toSorted((a, b) => b.share - a.share).slice(0, 3);
    layers.forEach((layer, i) => {
      const { size, links } = layer;
      const at = (map) => `M${corner(layer, map).reverse()}`;
      const isSame = i === from ? isOther : from & 1 && i === from - 1;
      const framed = isSame ? [channel] : i < 2 ? most.map(({ map }) => map) : [];
      const bars = i < 2 ? parts : [];
      const d = [
        ...framed.map((map) => `${at(map)}h${size}v${size}h-${size}z`),
        ...bars.map(({ map, share }) => `${at(map)}m0,${size}h${(size * share) / most[0].share}`)
      ].join("");
      for (const path of links) set(path, { d });
    });
    const shares = most.map(({ map, share }) => `map ${map}, ${percent(share)}`).join("; ");
    setText(
      caption,
      shares
        ? `Bars: each first-layer map’s share of the weights behind map ${channel} of ` +
            `${NAMES[from]}, by absolute value. Most: ${shares}. An even share is 3.1%.`
        : "Point at a map of the second layer: bars show which maps of the first feed it."
    );
  }

  self.draw = (state) => {
    if (packed !== state.weights) {
      weights = unpack(state.weights);
      packed = state.weights;
    }
    result = compute(state, weights);
    const {
      probabilities,
      ranking: [first, second],
      channel,
      size,
      most,
      brightest
    } = result;
    if (looked !== state.layer + channel) pixel = null;
    looked = state.layer + channel;
    const [at, which] = [pixel ?? brightest, NAMES.indexOf(state.layer)];
    const sum = behind(result, weights, which, channel, at);
    paper.show(result.drawn);
    input.paintGrey(levels(result.image), 28);
    const isClean = !result.drawn.flat().some(Boolean);
    const verb = isClean ? "Clean paper. Even so it reads" : "Reads";
    setText(
      verdict,
      `${verb} ${first === 8 ? "an" : "a"} ${first}, ${percent(probabilities[first])}. ` +
        `Second guess ${second}, ${percent(probabilities[second])}.`
    );
    rows.forEach(({ row, logit, p, bar }, label) => {
      setText(logit, number(result.logits[label], 1));
      setText(p, percent(probabilities[label]));
      set(bar, { style: `width: ${100 * probabilities[label]}%` });
      row.className = label === first ? "best" : "";
    });
    const { count, sees, step, about: what } = LAYERS[state.layer];
    if (self.limits.channel[1] !== count - 1) {
      self.limits.channel = [0, count - 1, 1];
      channels.update();
    }
    if (state.channel !== channel) self.set({ channel }); // this layer has fewer maps
    layers.forEach((layer, i) => {
      const isChosen = layer.name === state.layer;
      const map = Math.min(channel, layer.count - 1);
      const cell = [Math.floor(map / layer.across), map % layer.across];
      const words = isChosen ? mapWords(map, most) : `map ${map}`;
      paintMaps(layer, result.layers[i], layer.across);
      layer.point(cell, words, [layer.count / layer.across, layer.across]);
      change(layer.frames, corner(layer, map), { visibility: isChosen ? "visible" : "hidden" });
    });
    link(result, [which, channel]);
    paintMaps(large, { count: 1, size, maps: result.chosen }, 1);
    const place = pixelWords(at, sum.value);
    large.point(at, place, [size, size]);
    change(
      frames[0],
      at.map((index) => step * index),
      { width: sees, height: sees }
    );
    change(frames[1], at);
    showSum(sum);
    const found =
      (most ? "" : "It is zero everywhere: it found nothing here. ") +
      (most && !pixel ? `Its largest value, ${number(most)}, is framed` : `Framed is ${place}`) +
      `; that one sees the ${sees}×${sees} pixels framed in the input.`;
    setText(about, `Map ${channel} of ${state.layer}, ${size}×${size}. ${what} ${found}`);
    self.say(`${verdict.textContent} ${about.textContent}`);
  };

  return self.start();
}

export default { render };
