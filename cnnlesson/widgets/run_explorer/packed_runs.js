// The runs of a table, unpacked. packed_runs.py packs them, and says how.

const STATUS = { ".": "completed", "*": "diverged", 0: "dead" };
const AXES = ["lr", "momentum", "batch_size", "pixels", "order"];
const unpacked = new WeakMap(); // each table once

const numbers = (text) => [...text].map((character) => character.charCodeAt(0) - 63);

/** Return a table's cells: each its settings and, by seed, its runs' [step, loss] and fates. */
export function unpack(table) {
  if (unpacked.has(table)) return unpacked.get(table);
  const { images, places, low, high } = table;
  const width = images < 4096 ? 2 : 3;
  const cells = table.cells.split(" ").map((cell) => {
    const at = numbers(cell.slice(0, 5));
    const runs = [...cell.slice(5).matchAll(/([.*0])([?-~]*)/g)].map(([, sign, text]) => {
      const levels = numbers(text);
      const right =
        sign === "*" ? null : levels.splice(0, width).reduce((sum, digit) => 64 * sum + digit);
      const curve = levels.map((level, i) => [
        places[at[2]][i],
        low * (high / low) ** (level / 63)
      ]);
      return { status: STATUS[sign], accuracy: right === null ? null : right / images, curve };
    });
    return { ...Object.fromEntries(AXES.map((name, i) => [name, table[name][at[i]]])), runs };
  });
  unpacked.set(table, cells);
  return cells;
}
