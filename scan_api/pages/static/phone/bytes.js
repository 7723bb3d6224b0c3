// Bytes, and the numbers and digits that they stand for. All numbers are big-endian.

/** One array of all these bytes. */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const ascii = (text) => new TextEncoder().encode(text);

/** Lower case. */
export const toHex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Throws RangeError where the text is no hex. */
export function fromHex(text) {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new RangeError("not hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export const toNumber = (bytes) => (bytes.length ? BigInt(`0x${toHex(bytes)}`) : 0n);

/** `number` in so many bytes. Throws RangeError where it is negative or larger than they hold. */
export function fromNumber(number, size) {
  const value = BigInt(number);
  if (value < 0n || value >> BigInt(8 * size)) throw new RangeError("out of range");
  return fromHex(value.toString(16).padStart(2 * size, "0"));
}
