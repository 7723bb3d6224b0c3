// A QR code of version 10, level M, as a picture (GB/T 18284, ISO/IEC 18004): the one kind that an
// offline code needs.

import { codewords } from "./qr_codewords.js";

const SIDE = 57;
const QUIET = 4;
const ALIGNMENT = [6, 28, 50];
const VERSION_BITS = 0x0a4d3;
const LEVEL_M = 0b00;
const FINDER_PENALTY = [
  [1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0],
  [0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1],
];

/** Of the module in row i and column j, whether each mask turns it over (table 10). */
const MASKS = [
  (i, j) => (i + j) % 2 === 0,
  (i) => i % 2 === 0,
  (_, j) => j % 3 === 0,
  (i, j) => (i + j) % 3 === 0,
  (i, j) => (Math.floor(i / 2) + Math.floor(j / 3)) % 2 === 0,
  (i, j) => ((i * j) % 2) + ((i * j) % 3) === 0,
  (i, j) => (((i * j) % 2) + ((i * j) % 3)) % 2 === 0,
  (i, j) => (((i + j) % 2) + ((i * j) % 3)) % 2 === 0,
];

/**
 * SVG of one unit a module, quiet zone included, without a size of its own; like the service's
 * pictures of codes (card_core/codes/picture.py). Throws RangeError for what is no digits.
 */
export function toSvg(digits) {
  const { rows } = matrix(digits);
  const side = SIDE + 2 * QUIET;
  const path = rows.flatMap((row, y) =>
    Array.from(row.join("").matchAll(/1+/g), ({ index, 0: { length } }) => {
      return `M${index + QUIET} ${y + QUIET}h${length}v1h-${length}z`;
    }),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" ` +
    `shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${side}v${side}H0z"/>` +
    `<path d="${path.join("")}"/></svg>`
  );
}

/** {rows, mask}: rows of modules, 1 is dark, under the mask that is easiest to read. */
export function matrix(digits) {
  const fixed = functionPatterns();
  const data = placed(fixed, codewords(digits));
  const candidates = MASKS.map((turnsOver, mask) => {
    const rows = data.map((row, i) =>
      row.map((module, j) => (fixed[i][j] === null ? module ^ Number(turnsOver(i, j)) : module)),
    );
    drawFormat(rows, mask);
    return { rows, mask, penalty: penalty(rows) };
  });
  return candidates.reduce((best, one) => (one.penalty < best.penalty ? one : best));
}

// What is the same in each code of this version; null is left for data. The places of the format
// are taken, and written when the mask is chosen.
function functionPatterns() {
  const rows = Array.from({ length: SIDE }, () => new Array(SIDE).fill(null));
  const square = (row, column, reach, isDark) => {
    for (let i = -reach; i <= reach; i += 1) {
      for (let j = -reach; j <= reach; j += 1) {
        const [y, x] = [row + i, column + j];
        if (y < 0 || x < 0 || y >= SIDE || x >= SIDE) continue;
        rows[y][x] = Number(isDark(Math.max(Math.abs(i), Math.abs(j))));
      }
    }
  };
  for (let at = 0; at < SIDE; at += 1) {
    rows[6][at] = (at + 1) % 2;
    rows[at][6] = (at + 1) % 2;
  }
  for (const row of ALIGNMENT) {
    for (const column of ALIGNMENT) {
      const isInCorner = [row, column].every((at) => at !== ALIGNMENT[1]) && row + column < 100;
      if (!isInCorner) square(row, column, 2, (ring) => ring !== 1);
    }
  }
  for (const [row, column] of [[3, 3], [3, SIDE - 4], [SIDE - 4, 3]]) {
    square(row, column, 4, (ring) => ring !== 2 && ring !== 4);
  }
  for (let bit = 0; bit < 18; bit += 1) {
    const [near, far] = [Math.floor(bit / 3), SIDE - 11 + (bit % 3)];
    rows[near][far] = (VERSION_BITS >> bit) & 1;
    rows[far][near] = (VERSION_BITS >> bit) & 1;
  }
  drawFormat(rows, 0);
  return rows;
}

// 7.9: five bits of level and mask, ten of BCH, twice; and the module that is always dark.
function drawFormat(rows, mask) {
  const data = (LEVEL_M << 3) | mask;
  let rest = data << 10;
  for (let bit = 14; bit >= 10; bit -= 1) if ((rest >> bit) & 1) rest ^= 0x537 << (bit - 10);
  const format = ((data << 10) | rest) ^ 0x5412;
  for (let bit = 0; bit < 15; bit += 1) {
    const module = (format >> bit) & 1;
    const along = bit < 6 ? bit : bit < 8 ? bit + 1 : SIDE - 15 + bit;
    rows[along][8] = module;
    const across = bit < 8 ? SIDE - 1 - bit : bit === 8 ? 7 : 14 - bit;
    rows[8][across] = module;
  }
  rows[SIDE - 8][8] = 1;
}

// 7.7.3: two columns at a time from the right, up and down by turns, past the timing pattern.
function placed(fixed, words) {
  const rows = fixed.map((row) => row.slice());
  const bits = words.flatMap((word) => Array.from({ length: 8 }, (_, at) => (word >> (7 - at)) & 1));
  let at = 0;
  let isUpward = true;
  for (let right = SIDE - 1; right > 0; right -= right === 8 ? 3 : 2) {
    for (let step = 0; step < SIDE; step += 1) {
      const row = isUpward ? SIDE - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (fixed[row][column] === null) rows[row][column] = bits[at++] ?? 0;
      }
    }
    isUpward = !isUpward;
  }
  return rows;
}

// 7.8.3: what makes a code harder to read, in points.
function penalty(rows) {
  const columns = rows.map((_, j) => rows.map((row) => row[j]));
  let points = 0;
  for (const line of [...rows, ...columns]) points += linePenalty(line);
  let dark = 0;
  for (let i = 0; i < SIDE; i += 1) {
    for (let j = 0; j < SIDE; j += 1) {
      dark += rows[i][j];
      if (!i || !j) continue;
      const sum = rows[i][j] + rows[i - 1][j] + rows[i][j - 1] + rows[i - 1][j - 1];
      if (sum === 0 || sum === 4) points += 3;
    }
  }
  return points + 10 * Math.floor(Math.abs((dark * 20) / (SIDE * SIDE) - 10));
}

function linePenalty(line) {
  let points = 0;
  let run = 0;
  for (let at = 0; at < SIDE; at += 1) {
    run = at && line[at] === line[at - 1] ? run + 1 : 1;
    if (run === 5) points += 3;
    else if (run > 5) points += 1;
    for (const pattern of FINDER_PENALTY) {
      if (pattern.every((module, offset) => line[at + offset] === module)) points += 40;
    }
  }
  return points;
}
