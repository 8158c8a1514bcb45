// PyTorch's random numbers: the same seed gives the same weights and the same order of the images.
// Part of the worker's script, which is these modules one after the other: see `worker_script`.

/**
 * Return a function that draws whole numbers from 0 to 2³² − 1: the Mersenne twister.
 *
 * M. Matsumoto and T. Nishimura, ACM Transactions on Modeling and Computer Simulation 8, 1998.
 * @param {number} seed
 */
export function mersenne(seed) {
  const [size, ahead] = [624, 397];
  const state = new Uint32Array(size);
  state[0] = seed;
  for (let i = 1; i < size; i++) {
    state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }
  let at = size;
  const twist = () => {
    for (let i = 0; i < size; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % size] & 0x7fffffff);
      state[i] = state[(i + ahead) % size] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === size) twist();
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/**
 * Fill an array with the weights that PyTorch gives a new network, layer by layer: of each the
 * weights, then the biases, evenly from −1/√n to 1/√n, where n is the number of inputs of a neuron.
 * @param {Float32Array} parameters
 * @param {() => number} random
 */
export function initialise(parameters, random) {
  let at = 0;
  for (const [inputs, outputs] of [
    [9, 32],
    [288, 64],
    [1600, 10]
  ]) {
    const bound = Math.fround(1 / Math.sqrt(inputs));
    const width = Math.fround(bound + bound);
    for (const end = at + (inputs + 1) * outputs; at < end; at++) {
      const unit = (random() & 0xffffff) / 2 ** 24;
      parameters[at] = Math.fround(unit * width - bound);
    }
  }
}

/**
 * Return the numbers below n in a random order.
 * @param {number} n
 * @param {() => number} random
 */
export function permutation(n, random) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const other = i + (random() % (n - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}
