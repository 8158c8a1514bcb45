// What is behind a pixel of a map: a sum, with nine products and a kernel for each map before.

export const sum = (values) => values.reduce((total, value) => total + value, 0);

/**
 * Return the sum behind a pixel of layer 0 to 3: `parts`, one from each map before, and the bias.
 * After pooling the pixel is the largest of `four` values, the first that is, and the sum is that
 * one's, which stands at `at`. A part's `share` is that of its kernel in all their weights, by
 * their absolute values; `white` is the largest value of the maps before.
 */
export function behind({ input, layers }, parameters, layer, channel, [row, column]) {
  const isPooled = layer & 1;
  const { size, maps } = layers[layer - isPooled];
  const before = layer < 2 ? { count: 1, size: 28, maps: input } : layers[1];
  const [kernels, biases] = parameters.slice(layer & 2);
  const places = isPooled
    ? [0, 1, 2, 3].map((k) => [2 * row + (k >> 1), 2 * column + (k & 1)])
    : [[row, column]];
  const values = places.map(([i, j]) => maps[(channel * size + i) * size + j]);
  const value = Math.max(...values);
  const at = places[values.indexOf(value)];
  const all = kernels.subarray(9 * before.count * channel, 9 * before.count * (channel + 1));
  const sizeOf = (weights) => sum(weights.map(Math.abs));
  const parts = Array.from({ length: before.count }, (_, map) => {
    const kernel = [...all.subarray(9 * map, 9 * map + 9)];
    const patch = kernel.map(
      (_, k) =>
        before.maps[(map * before.size + at[0] + Math.floor(k / 3)) * before.size + at[1] + (k % 3)]
    );
    const products = patch.map((pixel, k) => pixel * kernel[k]);
    const share = sizeOf(kernel) / (sizeOf(all) || 1);
    return { map, patch, kernel, products, part: sum(products), share };
  });
  const white = before.maps.reduce((a, b) => Math.max(a, b));
  return { at, values, value, parts, bias: biases[channel], white };
}
