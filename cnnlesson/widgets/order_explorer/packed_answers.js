// What networks answered along their trainings, unpacked. packed_answers.py packs it, and says how.

const STATUS = ["completed", "diverged", "dead"];
const AXES = ["order", "pixels", "momentum", "seed"];
const unpacked = new WeakMap(); // each table once

/** Return a table's runs: settings, length, fate, and moments, each with its step. */
export function unpack(table) {
  if (unpacked.has(table)) return unpacked.get(table);
  const runs = table.rows.split(" ").map((row) => {
    const numbers = [...row].map((character) => table.alphabet.indexOf(character));
    const two = (at) => 101 * numbers[at] + numbers[at + 1];
    const [epochs, perEpoch, every] = table.lengths[numbers[4]];
    const moments = [];
    for (let at = 8; at < numbers.length; at += 14) {
      const loss = two(at);
      moments.push({
        step: every * (moments.length + 1),
        loss: Number(`${100 + (loss % 900)}e${Math.floor(loss / 900) - 6}`),
        accuracy: two(at + 2) / 1e3,
        shares: numbers.slice(at + 4, at + 14)
      });
    }
    return {
      ...Object.fromEntries(AXES.map((name, i) => [name, table[name][numbers[i]]])),
      epochs,
      perEpoch,
      every,
      status: STATUS[numbers[5]],
      accuracy: two(6) / 1e3,
      moments
    };
  });
  unpacked.set(table, runs);
  return runs;
}
