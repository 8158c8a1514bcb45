// A network as one short line of text, such as `1x28x28 conv32k3 relu pool2`: what follows from it.

export const NAMES = {
  conv: "Conv2d",
  pool: "MaxPool2d",
  avgpool: "AvgPool2d",
  relu: "ReLU",
  tanh: "Tanh",
  dropout: "Dropout",
  flatten: "Flatten",
  linear: "Linear"
};
export const WORDS = {
  channels: "channels",
  height: "height",
  width: "width",
  k: "kernel k",
  s: "stride s",
  p: "padding p",
  d: "dilation d",
  from: "in_features",
  to: "out_features"
};
export const KEYS = {
  conv: ["channels", "k", "s", "p", "d"],
  pool: ["k", "s", "p", "d"],
  avgpool: ["k", "s", "p"],
  linear: ["from", "to"]
};
export const isPooling = (kind) => kind.endsWith("pool");
/** What PyTorch takes where nothing is said. */
const usual = ({ kind, k }) => ({ s: isPooling(kind) ? k : 1, p: 0, d: 1 });

/** Return the name, symbol and value of each setting of a window that is not as usual. */
export const special = (layer) =>
  Object.entries(usual(layer))
    .filter(([key, value]) => (layer[key] ?? value) !== value)
    .map(([key]) => [...WORDS[key].split(" "), layer[key]]);

export const times = (numbers) => numbers.join("×");
export const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
export const many = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** Read a stack: the shape of the input, and the layers with all their numbers. */
export function read(stack) {
  const [first, ...words] = stack.split(" ");
  const layers = words.map((word) => {
    const [[, kind, main], ...others] = [...word.matchAll(/([a-z]+)(\d*)/g)];
    const found = Object.fromEntries(others.map(([, key, value]) => [key, Number(value)]));
    const layer = { kind, [KEYS[kind]?.[0]]: Number(main), ...found };
    const all = { ...usual(layer), ...layer };
    return { kind, ...Object.fromEntries((KEYS[kind] ?? []).map((key) => [key, all[key]])) };
  });
  return { input: first.split("x").map(Number), layers };
}

/** Write a stack; what is as usual is left out. */
export const write = ({ input, layers }) =>
  [
    input.join("x"),
    ...layers.map((layer) => {
      const isTold = (key, i) => !i || layer[key] !== usual(layer)[key];
      return (
        layer.kind +
        (KEYS[layer.kind] ?? [])
          .map((key, i) => (isTold(key, i) ? (i ? key : "") + layer[key] : ""))
          .join("")
      );
    })
  ].join(" ");

const places = (n, { k, s, p, d = 1 }) => Math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1;

/** Why a window finds no place: in words with the arithmetic, and what would mend it. */
function misfit({ kind, k, p, d = 1 }, shape) {
  const half = Math.floor(k / 2);
  if (shape.length < 3)
    return {
      words:
        `It slides a window over maps, and what arrives are ${many(shape[0])} plain numbers. ` +
        "It belongs before Flatten and Linear."
    };
  if (isPooling(kind) && p > half)
    return {
      words:
        `A pooling may have half its kernel as padding, ⌊${k}/2⌋ = ${half}, ` +
        `and this one has ${p}. ` +
        "With more, a window could lie in the padding alone.",
      mend: { p: half }
    };
  const [n, reach] = [Math.min(...shape.slice(1)), d * (k - 1) + 1];
  const [room, least] = [n + 2 * p, Math.ceil((reach - n) / 2)];
  if (room >= reach) return null;
  const canPad = kind === "conv" || least <= half;
  return {
    words:
      `The window reaches over ${d}·(${k} − 1) + 1 = ${reach} pixels, and the map with its ` +
      `padding has ${n} + 2·${p} = ${room}: ${n} + 2·${p} − ${d}·(${k} − 1) − 1 = ` +
      `−${reach - room} < 0, no place to stand. A smaller kernel${d > 1 ? " or dilation" : ""} ` +
      `would fit${canPad ? ", or more padding" : ""}, or a larger map.`,
    mend: canPad && { p: least }
  };
}

/** Why a linear layer refuses: PyTorch's words, and what they mean. */
function mismatch({ from, to }, shape) {
  const [arrived, others] = [shape.at(-1), shape.slice(0, -1)];
  if (arrived === from) return null;
  return {
    torch:
      "mat1 and mat2 shapes cannot be multiplied " +
      `(${product(others)}x${arrived} and ${from}x${to})`,
    words: others.length
      ? `A linear layer works on the last axis, here the ${arrived} columns of a map; ` +
        `the other axes became ${others.join("·")} = ${many(product(others))} rows. ` +
        "A Flatten before it is missing."
      : `The first pair is one image and the ${many(arrived)} numbers that arrive. ` +
        "The second is in_features and out_features. " +
        `The two inner numbers, ${many(arrived)} and ${many(from)}, must be equal.`,
    mend: others.length ? "flatten" : { from: arrived }
  };
}

/** Return a row for each layer that can run: what comes out, its cost and sight; and the error. */
export function trace({ input, layers }) {
  let [shape, channels, field, jump] = [input, input[0], 1, 1];
  const rows = [];
  /** @type {any} */
  let error = null;
  for (const layer of layers) {
    const { kind, k, s, d = 1, from, to } = layer;
    error = k ? misfit(layer, shape) : from ? mismatch(layer, shape) : null;
    if (error) break;
    const row = { before: shape, field, jump, parameters: 0, work: 0 };
    if (k) {
      shape = [layer.channels ?? shape[0], ...shape.slice(1).map((n) => places(n, layer))];
      if (jump) [field, jump] = [field + d * (k - 1) * jump, jump * s];
    }
    if (kind === "conv") {
      Object.assign(row, {
        parameters: (channels * k * k + 1) * shape[0],
        work: product(shape) * channels * k * k
      });
      channels = shape[0];
    }
    if (from) {
      shape = [...shape.slice(0, -1), to];
      Object.assign(row, { parameters: (from + 1) * to, work: product(shape) * from });
    }
    if (kind === "flatten") shape = [product(shape)];
    if (kind === "flatten" || from) jump = 0; // it mixes places: what comes out has none
    rows.push({ ...row, shape, sees: jump ? field : null });
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  return {
    input,
    layers,
    rows,
    shape,
    field,
    error,
    parameters: sum("parameters"),
    work: sum("work")
  };
}

/** Return [what is always said of a layer, what is not as usual]. */
export function describe(layer) {
  const { kind, k, from, to } = layer;
  if (from) return [NAMES[kind], `${many(from)} → ${many(to)}`];
  const name = k ? `${NAMES[kind].slice(0, -2)} ${k}×${k}` : NAMES[kind];
  return [
    name,
    special(layer)
      .map(([word, , value]) => `${word} ${value}`)
      .join(", ")
  ];
}

/** Write the network in PyTorch, with the shapes as comments. */
export function toCode({ input, layers, rows }) {
  let channels = input[0];
  const lines = layers.map((layer) => {
    const { kind, k, from, to } = layer;
    const args = k
      ? [kind === "conv" ? `${channels}, ${layer.channels}, kernel_size=${k}` : k]
      : from
        ? [from, to]
        : [];
    for (const [word, , value] of special(layer)) args.push(`${word}=${value}`);
    channels = layer.channels ?? channels;
    return `    nn.${NAMES[kind]}(${args.join(", ")}),`;
  });
  const longest = Math.max(...lines.map((line) => line.length));
  const note = (line, shape) => (shape ? `${line.padEnd(longest)}  # ${times(shape)}` : line);
  const body = lines.map((line, i) => note(line, rows[i]?.shape));
  return ["from torch import nn", "", note("model = nn.Sequential(", input), ...body, ")", ""].join(
    "\n"
  );
}

/** Return the arithmetic of a layer, line by line. */
export function derive({ layers, rows }, i) {
  if (!rows[i]) return [];
  const layer = layers[i];
  const { kind, k, s, p, d = 1, from, to } = layer;
  const { shape, before, field, jump, parameters, work, sees } = rows[i];
  const lines = [];
  const say = (n) => `⌊(${n} + 2·${p} − ${d}·(${k} − 1) − 1)/${s}⌋ + 1 = ${places(n, layer)}`;
  if (k) lines.push(`size: ${[...new Set(before.slice(1))].map(say).join(", ")}`);
  if (kind === "flatten") lines.push(`${before.join("·")} = ${many(shape[0])} numbers`);
  if (kind === "conv") {
    const weights = `${k}·${k}·${many((parameters / shape[0] - 1) / k ** 2)}`;
    lines.push(`parameters: (${weights} + 1)·${shape[0]} = ${many(parameters)}`);
    lines.push(`multiply-adds: ${shape.join("·")} · ${weights} = ${many(work)}`);
  }
  if (from) {
    lines.push(`parameters: (${from} + 1)·${to} = ${many(parameters)}`);
    lines.push(`multiply-adds: ${[...shape, from].join("·")} = ${many(work)}`);
  }
  if (k && sees) lines.push(`receptive field: ${field} + ${d}·(${k} − 1)·${jump} = ${sees}`);
  return lines.length ? lines : ["Every number becomes another one; the shape stays."];
}
