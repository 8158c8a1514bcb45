// The network in the memory of the kernel, and one training of it.
// Part of the worker's script, which is these modules one after the other: see `worker_script`.
import { initialise, mersenne, permutation } from "./random.js";

/**
 * What is set before a training; α and μ may be changed under way.
 * @typedef {{ lr: number, momentum: number, batch_size: number, num_epochs: number,
 *   num_images: number, pixels: string, order: string, rule: string, activation: string,
 *   schedule: string }} Settings
 */
/** @typedef {{ pixels: Uint8Array, labels: Uint8Array, numTrain: number }} Digits */
/**
 * What the test digits say: of each class how many are taken for a 0, a 1, … (100 numbers).
 * @typedef {{ step: number, count: number, accuracy: number, loss: number, answers: number[],
 *   dead: number[], isConstant: boolean }} Measurement
 */
/** @typedef {ReturnType<typeof networkOf>} Network */
/** @typedef {ReturnType<typeof trainingOf>} Training */

/**
 * Views of a kernel's memory, and what it does.
 * @param {WebAssembly.Instance} instance
 */
export function networkOf(instance) {
  const kernel = /** @type {any} */ (instance.exports);
  const floats = (/** @type {string} */ name, /** @type {number} */ length) =>
    new Float32Array(kernel.memory.buffer, kernel[name](), length);
  return {
    parameters: floats("get_parameters", 34826),
    images: floats("get_images", 256 * 784),
    labels: new Int32Array(kernel.memory.buffer, kernel.get_labels(), 256),
    logits: floats("get_logits", 2560),
    awake: new Uint8Array(kernel.memory.buffer, kernel.get_awake(), 96),
    /** @type {(n: number, slope: number) => number} */
    computeGradients: kernel.compute_gradients,
    /** @type {(lr: number, momentum: number, rule: number) => void} */
    takeStep: kernel.take_step,
    /** @type {(n: number, slope: number) => number} */
    measure: kernel.measure,
    isFinite: () => kernel.all_finite() === 1
  };
}

/**
 * The scaled value of each of the 256 shades, as `standardize` computes it.
 * @param {string} pixels
 */
export function shadesOf(pixels) {
  const round = Math.fround;
  return Float32Array.from({ length: 256 }, (_, shade) => {
    if (pixels === "raw") return shade;
    const unit = round(shade / 255);
    return pixels === "unit" ? unit : round(round(unit - round(0.1307)) / round(0.3081));
  });
}

/**
 * The step size of a step: constant, or PyTorch's `OneCycleLR` with its defaults.
 * @param {string} schedule
 * @param {number} lr
 * @param {number} step
 * @param {number} numSteps
 */
export function stepSize(schedule, lr, step, numSteps) {
  if (schedule === "constant") return lr;
  const top = 0.3 * numSteps - 1;
  const [start, end, part] =
    step <= top ? [lr / 25, lr, step / top] : [lr, lr / 25e4, (step - top) / (numSteps - 1 - top)];
  return end + ((start - end) / 2) * (1 + Math.cos(Math.PI * part));
}

/**
 * One training, a step at a time.
 * @param {Network} network
 * @param {Digits} digits
 * @param {Settings} settings
 * @param {number} seed
 * @param {number} [measureEvery] after so many steps some of the test digits are asked, after each
 *   epoch all of them; by default after about 640 images
 */
export function trainingOf(
  network,
  digits,
  settings,
  seed,
  measureEvery = Math.max(1, Math.round(640 / settings.batch_size))
) {
  const shades = shadesOf(settings.pixels);
  const slope = settings.activation === "leaky-relu" ? Math.fround(0.1) : 0;
  const rule = ["classical", "pytorch", "nesterov"].indexOf(settings.rule);
  const perEpoch = Math.ceil(settings.num_images / settings.batch_size);
  const numSteps = perEpoch * settings.num_epochs;
  const shuffle = mersenne(seed);
  let order = Uint32Array.from({ length: settings.num_images }, (_, i) => i);
  if (settings.order === "sorted")
    order.sort((i, j) => digits.labels[i] - digits.labels[j] || i - j);
  initialise(network.parameters, mersenne(seed));

  /** @type {(place: number, image: number) => void} */
  const put = (place, image) => {
    const { pixels } = digits;
    for (let k = 0; k < 784; k++) network.images[784 * place + k] = shades[pixels[784 * image + k]];
    network.labels[place] = digits.labels[image];
  };

  const self = {
    numSteps,
    step: 0,
    status: "running",
    /** @type {number[]} */
    losses: [],
    /** @type {Measurement[]} */
    measurements: [],

    /** Do one step, and what is due after it. */
    advance() {
      const first = (self.step % perEpoch) * settings.batch_size;
      if (first === 0 && settings.order === "shuffled") order = permutation(order.length, shuffle);
      const batch = order.subarray(first, first + settings.batch_size);
      batch.forEach((image, place) => put(place, image));
      const loss = network.computeGradients(batch.length, slope);
      const lr = stepSize(settings.schedule, settings.lr, self.step, numSteps);
      network.takeStep(lr, settings.momentum, rule);
      if (!Number.isFinite(loss)) {
        self.status = "diverged";
        return;
      }
      self.losses.push(loss);
      self.step++;
      const isEpoch = self.step % perEpoch === 0;
      if (isEpoch || self.step % measureEvery === 0) self.examine(isEpoch);
    },

    /** @param {boolean} isEpoch */
    examine(isEpoch) {
      const measured = self.measure(isEpoch ? digits.labels.length - digits.numTrain : 500);
      self.measurements.push(measured);
      if (!isEpoch) return;
      // As `run_experiment` judges it.
      if (!network.isFinite() || !Number.isFinite(measured.loss)) self.status = "diverged";
      else if (self.step === numSteps) self.status = measured.isConstant ? "dead" : "completed";
    },

    /**
     * Ask the network about the first test digits.
     * @param {number} count
     * @returns {Measurement}
     */
    measure(count) {
      network.awake.fill(0);
      const answers = Array(100).fill(0);
      const first = new Float32Array(10);
      let [right, loss, isConstant] = [0, 0, true];
      for (let start = 0; start < count; start += 256) {
        const n = Math.min(256, count - start);
        for (let i = 0; i < n; i++) put(i, digits.numTrain + start + i);
        loss += (n * network.measure(n, slope)) / count;
        for (let i = 0; i < n; i++) {
          const logits = network.logits.subarray(10 * i, 10 * i + 10);
          if (start + i === 0) first.set(logits);
          if (logits.some((logit, label) => logit !== first[label])) isConstant = false;
          let best = 0;
          for (let label = 1; label < 10; label++) if (logits[label] > logits[best]) best = label;
          const isAnswer = !logits.some(Number.isNaN); // a row with a NaN is no answer
          if (isAnswer) answers[10 * network.labels[i] + best]++;
          if (isAnswer && best === network.labels[i]) right++;
        }
      }
      const dead = [network.awake.subarray(0, 32), network.awake.subarray(32)].map(
        (channels) => channels.filter((isAwake) => !isAwake).length / channels.length
      );
      return { step: self.step, count, accuracy: right / count, loss, answers, dead, isConstant };
    },

    /**
     * The ten logits for an image, shades from 0 to 255.
     * @param {ArrayLike<number>} image
     */
    read(image) {
      for (let k = 0; k < 784; k++) network.images[k] = shades[image[k]];
      network.measure(1, slope);
      return Array.from(network.logits.subarray(0, 10));
    }
  };
  return self;
}
