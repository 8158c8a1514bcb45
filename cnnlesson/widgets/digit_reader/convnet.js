// The course's ConvNet in plain JavaScript: from an image of 28×28 to ten logits, layer by layer.

const MEAN = 0.1307; // of MNIST's pixels from 0 to 1, as `standardize` uses them
const STD = 0.3081;
const SIZES = [288, 32, 18432, 64, 16000, 10]; // weights and biases in the order of the layers

const NUM_BYTES = 2 * SIZES.reduce((sum, size) => sum + size);

/** Read little-endian float16 numbers from base64: one array for each of the six parameters. */
export function unpack(base64 = "") {
  // More of a text that was cut is no base64.
  const whole = base64.slice(0, base64.length - (base64.length % 4));
  const bytes = Uint8Array.from(atob(whole), (character) => character.charCodeAt(0));
  if (bytes.length !== NUM_BYTES) {
    throw new Error(
      `expected ${NUM_BYTES} bytes of trained weights, found ${bytes.length || "none"}`
    );
  }
  const view = new DataView(bytes.buffer);
  let at = 0;
  return SIZES.map((size) =>
    Float64Array.from({ length: size }, () => {
      const bits = view.getUint16(at, true);
      at += 2;
      const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
      return sign * 2 ** Math.max(exponent - 15, -14) * ((exponent ? 1 : 0) + fraction / 1024);
    })
  );
}

/** Slide 3×3 kernels over maps of size×size, add the bias, cut off below zero. */
function convolve(maps, size, kernels, biases) {
  const [side, numIn] = [size - 2, maps.length / size ** 2];
  const output = new Float64Array(biases.length * side * side);
  biases.forEach((bias, o) => {
    const out = output.subarray(o * side * side, (o + 1) * side * side).fill(bias);
    for (let c = 0; c < numIn; c++) {
      // Written out, since this is where the time goes: 2.2 million products in the second layer.
      const [w0, w1, w2, w3, w4, w5, w6, w7, w8] = kernels.subarray((o * numIn + c) * 9);
      for (let i = 0, to = 0; i < side; i++) {
        let top = (c * size + i) * size;
        for (let j = 0; j < side; j++, to++, top++) {
          const middle = top + size;
          const bottom = middle + size;
          out[to] +=
            w0 * maps[top] +
            w1 * maps[top + 1] +
            w2 * maps[top + 2] +
            w3 * maps[middle] +
            w4 * maps[middle + 1] +
            w5 * maps[middle + 2] +
            w6 * maps[bottom] +
            w7 * maps[bottom + 1] +
            w8 * maps[bottom + 2];
        }
      }
    }
    for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i], 0);
  });
  return output;
}

/** Keep the largest of every 2×2 values; the last row and column of an odd size are dropped. */
function pool(maps, size) {
  const [side, count] = [size >> 1, maps.length / size ** 2];
  const output = new Float64Array(count * side * side);
  for (let c = 0, at = 0; c < count; c++) {
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++, at++) {
        const corner = c * size * size + 2 * i * size + 2 * j;
        const [a, b, d, e] = [
          maps[corner],
          maps[corner + 1],
          maps[corner + size],
          maps[corner + size + 1]
        ];
        output[at] = Math.max(a, b, d, e);
      }
    }
  }
  return output;
}

let last = {}; // looking at another map of the same image asks for the same again

/**
 * Run the network on an image, rows of ink from 0 to 1. Returns the standardised pixels, the four
 * layers of maps, each { count, size, maps } with the maps one after the other, the logits and
 * their probabilities.
 */
export function forward(image, parameters) {
  const key = String(image);
  if (last.key !== key || last.parameters !== parameters) {
    last = { key, parameters, result: run(image, parameters) };
  }
  return last.result;
}

function run(image, [kernels1, biases1, kernels2, biases2, weights, biases]) {
  const input = Float64Array.from(image.flat(), (ink) => (ink - MEAN) / STD);
  const conv1 = convolve(input, 28, kernels1, biases1);
  const pool1 = pool(conv1, 26);
  const conv2 = convolve(pool1, 13, kernels2, biases2);
  const pool2 = pool(conv2, 11);
  const logits = Array.from(biases, (bias, label) =>
    pool2.reduce((sum, value, i) => sum + value * weights[1600 * label + i], bias)
  );
  const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const total = powers.reduce((a, b) => a + b);
  return {
    input,
    layers: [
      { count: 32, size: 26, maps: conv1 },
      { count: 32, size: 13, maps: pool1 },
      { count: 64, size: 11, maps: conv2 },
      { count: 64, size: 5, maps: pool2 }
    ],
    logits,
    probabilities: powers.map((power) => power / total)
  };
}
