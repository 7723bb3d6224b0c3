// What a QR code of version 10, level M, holds of digits (GB/T 18284, ISO/IEC 18004): its codewords,
// those for correction included, in the order in which they are placed.

/** The most digits that fit. */
export const DIGITS_MAX = 513;

const NUMERIC = 0b0001;
const COUNT_BITS = 12;
const CORRECTION = 26;
/** Data codewords of each block (table 9). */
const BLOCKS = [43, 43, 43, 43, 44];
const DATA = BLOCKS.reduce((sum, size) => sum + size, 0);
const PAD = [0xec, 0x11];

// GF(256) with x^8 + x^4 + x^3 + x^2 + 1: powers of 2, and their logarithms.
const POWER = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < 255; exponent += 1) {
  POWER[exponent] = value;
  POWER[exponent + 255] = value;
  LOG[value] = exponent;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}
const times = (x, y) => (x && y ? POWER[LOG[x] + LOG[y]] : 0);

// The product of (x - 2^i); the leading 1 is left out.
const GENERATOR = Array.from({ length: CORRECTION }, (_, i) => POWER[i]).reduce(
  (product, root) => [...product, 0].map((c, at) => c ^ times(root, at ? product[at - 1] : 0)),
  [1],
).slice(1);

/** 346 codewords for a text of decimal digits. Throws RangeError for any other text. */
export function codewords(digits) {
  if (!/^[0-9]+$/.test(digits) || digits.length > DIGITS_MAX) throw new RangeError("digits");
  const data = dataOf(digits);
  let at = 0;
  const blocks = BLOCKS.map((size) => data.slice(at, (at += size)));
  return [...byTurns(blocks), ...byTurns(blocks.map(correctionOf))];
}

// 7.4: mode, count, three digits in ten bits each, terminator, padding.
function dataOf(digits) {
  const bits = (value, count) => value.toString(2).padStart(count, "0");
  const groups = digits.match(/\d{1,3}/g).map((group) => bits(Number(group), 3 * group.length + 1));
  const stream = bits(NUMERIC, 4) + bits(digits.length, COUNT_BITS) + groups.join("");
  const ended = stream + "0".repeat(Math.min(4, 8 * DATA - stream.length));
  const whole = ended.padEnd(8 * Math.ceil(ended.length / 8), "0");
  const found = whole.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  for (let index = 0; found.length < DATA; index += 1) found.push(PAD[index % 2]);
  return found;
}

// 7.5: the rest of the division by the generator.
function correctionOf(block) {
  const rest = new Array(CORRECTION).fill(0);
  for (const codeword of block) {
    const factor = codeword ^ rest.shift();
    rest.push(0);
    GENERATOR.forEach((coefficient, at) => {
      rest[at] ^= times(coefficient, factor);
    });
  }
  return rest;
}

// 7.6: the first of each block, the second of each, and so on.
function byTurns(blocks) {
  const longest = Math.max(...blocks.map((block) => block.length));
  return Array.from({ length: longest }, (_, at) =>
    blocks.filter((block) => at < block.length).map((block) => block[at]),
  ).flat();
}
