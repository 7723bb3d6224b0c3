// The curve of GB/T 32918.5-2017, y² = x³ - 3x + b, in Jacobian coordinates {X, Y, Z}.
//
// Numbers are BigInt, whose time depends on their values: nothing here runs in constant time.
// docs/decisions/0027-keys-in-the-browser.md says why that is borne on the holder's own phone.

const p = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const b = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;

/** The order of the group. */
export const n = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;

/** The generator. */
export const G = {
  X: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Y: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
  Z: 1n,
};

const INFINITY = { X: 1n, Y: 1n, Z: 0n };
const WINDOW_BITS = 4;

export const coefficients = { a: p - 3n, b };

/** The remainder that is not negative. */
export function mod(number, modulus) {
  const rest = number % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** number^-1; by Euclid. Throws RangeError for 0. */
export function inverse(number, modulus) {
  let [r, next] = [modulus, mod(number, modulus)];
  let [t, nextT] = [0n, 1n];
  while (next) {
    const q = r / next;
    [r, next] = [next, r - q * next];
    [t, nextT] = [nextT, t - q * nextT];
  }
  if (r !== 1n) throw new RangeError("no inverse");
  return mod(t, modulus);
}

// dbl-2001-b of the Explicit-Formulas Database, for a = -3.
function double({ X, Y, Z }) {
  const delta = (Z * Z) % p;
  const gamma = (Y * Y) % p;
  const beta = (X * gamma) % p;
  const alpha = mod(3n * (X - delta) * (X + delta), p);
  const X3 = mod(alpha * alpha - 8n * beta, p);
  const Z3 = mod((Y + Z) * (Y + Z) - gamma - delta, p);
  return { X: X3, Y: mod(alpha * (4n * beta - X3) - 8n * gamma * gamma, p), Z: Z3 };
}

/** P + Q, which may be the same point or the point at infinity (add-1998-cmo-2). */
export function add(P, Q) {
  if (!P.Z) return Q;
  if (!Q.Z) return P;
  const ZZ1 = (P.Z * P.Z) % p;
  const ZZ2 = (Q.Z * Q.Z) % p;
  const U1 = (P.X * ZZ2) % p;
  const H = mod(Q.X * ZZ1 - U1, p);
  const S1 = (P.Y * ZZ2 * Q.Z) % p;
  const R = mod(Q.Y * ZZ1 * P.Z - S1, p);
  if (!H) return R ? INFINITY : double(P);
  const HH = (H * H) % p;
  const HHH = (H * HH) % p;
  const V = (U1 * HH) % p;
  const X = mod(R * R - HHH - 2n * V, p);
  return { X, Y: mod(R * (V - X) - S1 * HHH, p), Z: (P.Z * Q.Z * H) % p };
}

/** [k]P, four bits at a time. */
export function multiply(k, P) {
  const table = [INFINITY];
  while (table.length < 1 << WINDOW_BITS) table.push(add(table.at(-1), P));
  let result = INFINITY;
  for (const digit of k.toString(16)) {
    for (let bit = 0; bit < WINDOW_BITS; bit += 1) result = double(result);
    result = add(result, table[Number.parseInt(digit, 16)]);
  }
  return result;
}

/** {x, y}, or null for the point at infinity. */
export function affine({ X, Y, Z }) {
  if (!Z) return null;
  const z = inverse(Z, p);
  const zz = (z * z) % p;
  return { x: (X * zz) % p, y: (((Y * zz) % p) * z) % p };
}

/** The point of this x whose y has this lowest bit (SEC 1, 2.3.4). RangeError where there is none. */
export function lift(x, lowestBit) {
  if (x >= p) throw new RangeError("not a point");
  const square = mod(x * x * x - 3n * x + b, p);
  const y = power(square, (p + 1n) / 4n);
  if ((y * y) % p !== square) throw new RangeError("not a point");
  return { X: x, Y: (y & 1n) === lowestBit ? y : mod(-y, p), Z: 1n };
}

function power(base, exponent) {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % p;
    if (bit === "1") result = (result * base) % p;
  }
  return result;
}
