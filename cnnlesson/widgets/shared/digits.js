// Ten handwritten digits, one of each class.

/**
 * Return a square of values, as rows.
 * @template T
 * @param {number} size
 * @param {(row: number, column: number) => T} value
 */
export function grid(size, value) {
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => value(i, j))
  );
}

// One handwritten digit of each class, from scikit-learn's: 8×8 pixels from 0 to 16, as 0 to g.
const DIGITS = [
  "005d910000dfaf5003f20b8004c008800580098004b01c7002e5ac00006da000",
  "0000c5000002gc00001cgb0002cgga0006b5f6000001g9000002gb000003g800",
  "0005ec20007f8e4000623d100001d400001b900008gd000005egb2000006cd30",
  "009gd6000065gg000008f5000005e30000009f2000000bc00048bfc000bec800",
  "0009f100004gc00000fe2b3004g94ga009gbdg20009gge000008g6000009g200",
  "02dgggb005ga541006g7300009ggg6000384bf000001cf00004dg60002gf8000",
  "0005e200001db000005g2000006f500001fgfb1002de1c90004g7d900005gf30",
  "0008ee200006afb000000ea0028bcg8008gggg700000bf100009g700000cd100",
  "0077dg4000dd6c7000a4ab10008ga00003eg0000088b500004a9800001bg6000",
  "002d8000006gg600005fdb000007gf0000000e30000007b0000344g2002fded2"
];

/** @type {number[][][]} */
const enlarged = []; // made once, when first asked for

/**
 * Return a digit enlarged to 20×20 inside 28×28, as rows of whole hundredths from 0 to 1.
 * @param {number} label
 */
export function digit(label) {
  const near = (/** @type {number} */ i) => {
    const tenths = Math.min(Math.max(4 * (i - 4) - 3, 0), 70); // of a small pixel
    const [first, rest] = [Math.floor(tenths / 10), tenths % 10];
    return i < 4 || i > 23
      ? []
      : [
          [first, 10 - rest],
          [Math.min(first + 1, 7), rest]
        ];
  };
  enlarged[label] ??= grid(28, (i, j) => {
    let ink = 0;
    for (const [row, a] of near(i)) {
      for (const [column, b] of near(j))
        ink += a * b * parseInt(DIGITS[label][8 * row + column], 17);
    }
    return Math.round(ink / 16) / 100;
  });
  return enlarged[label];
}
