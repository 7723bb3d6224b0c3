// SM2 signatures (GB/T 32918.2-2016) with the signer ID 1234567812345678. Letters are the standard's.
//
// Not in constant time, see curve.js: for keys that live on their holder's own phone, and nowhere
// else. A private key is a BigInt while it signs; scripts can't wipe it.

import { ascii, fromNumber, joined, toNumber } from "./bytes.js";
import { G, add, affine, coefficients, inverse, lift, mod, multiply, n } from "./curve.js";
import { digest } from "./sm3.js";

const ID = ascii("1234567812345678");
const SIZE = 32;

/** A number from 1 to limit - 1. From 48 random bytes, so that none is likelier than another. */
function drawn(limit) {
  const bytes = crypto.getRandomValues(new Uint8Array(48));
  return 1n + (toNumber(bytes) % (limit - 1n));
}

/** The private key of these 32 bytes: 1 to n - 2. Throws RangeError for others. */
export function privateKey(bytes) {
  const d = toNumber(bytes);
  if (bytes.length !== SIZE || d < 1n || d > n - 2n) throw new RangeError("not a private key");
  return d;
}

/** 32 bytes. */
export const newPrivateKey = () => fromNumber(drawn(n - 1n), SIZE);

/** 33 bytes, compressed. */
export function publicKeyOf(d) {
  const { x, y } = affine(multiply(d, G));
  return joined([2 + Number(y & 1n)], fromNumber(x, SIZE));
}

/** 64 bytes, r then s. d: the private key, publicKey: its 33 bytes. */
export function sign(d, publicKey, message) {
  const e = digestOf(publicKey, message);
  for (;;) {
    const found = signatureWith(d, e, drawn(n));
    if (found) return found;
  }
}

/** The signature that k makes of the number e, or null where another k is to be drawn (6.1, A5, A6). */
export function signatureWith(d, e, k) {
  const r = mod(e + affine(multiply(k, G)).x, n);
  if (!r || r + k === n) return null;
  const s = mod(inverse(1n + d, n) * (k - r * d), n);
  return s ? joined(fromNumber(r, SIZE), fromNumber(s, SIZE)) : null;
}

/** Whether the signature holds (7.1). publicKey: 33 bytes. */
export function holds(publicKey, signature, message) {
  if (signature.length !== 2 * SIZE) return false;
  const r = toNumber(signature.subarray(0, SIZE));
  const s = toNumber(signature.subarray(SIZE));
  const t = mod(r + s, n);
  if (!r || !s || r >= n || s >= n || !t) return false;
  const P = pointOf(publicKey);
  const point = P && affine(add(multiply(s, G), multiply(t, P)));
  return Boolean(point) && mod(digestOf(publicKey, message) + point.x, n) === r;
}

/** e: SM3 over Z and the message, as a number. */
export function digestOf(publicKey, message) {
  const { a, b } = coefficients;
  const { X, Y } = pointOf(publicKey) ?? {};
  if (X === undefined) throw new RangeError("not a public key");
  const numbers = [a, b, G.X, G.Y, X, Y].map((number) => fromNumber(number, SIZE));
  const Z = digest(joined(fromNumber(8 * ID.length, 2), ID, ...numbers));
  return toNumber(digest(joined(Z, message)));
}

function pointOf(publicKey) {
  const [first] = publicKey;
  if (publicKey.length !== SIZE + 1 || (first !== 2 && first !== 3)) return null;
  try {
    return lift(toNumber(publicKey.subarray(1)), BigInt(first & 1));
  } catch {
    return null;
  }
}
