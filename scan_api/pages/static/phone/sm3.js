// SM3 (GB/T 32905-2016). Letters and section numbers are the standard's.

const BLOCK = 64;
const IV = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];

const rotl = (x, n) => (x << n) | (x >>> (32 - n));
const P0 = (x) => x ^ rotl(x, 9) ^ rotl(x, 17);
const P1 = (x) => x ^ rotl(x, 15) ^ rotl(x, 23);

// T of each round, turned by the round's number already (4.2, 5.3.3).
const T = Array.from({ length: 64 }, (_, j) => rotl(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));

/** 32 bytes; `message` is a Uint8Array. */
export function digest(message) {
  const padded = pad(message);
  const V = Int32Array.from(IV);
  for (let at = 0; at < padded.byteLength; at += BLOCK) compress(V, padded, at);
  const result = new DataView(new ArrayBuffer(32));
  V.forEach((word, index) => result.setInt32(4 * index, word));
  return new Uint8Array(result.buffer);
}

// 5.2: a one bit, zeros, and the length in bits in 64 bits.
function pad(message) {
  const blocks = Math.ceil((message.length + 9) / BLOCK);
  const bytes = new Uint8Array(blocks * BLOCK);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(bytes.length - 8, 8n * BigInt(message.length));
  return view;
}

// 5.3.2 and 5.3.3
function compress(V, padded, at) {
  const W = new Int32Array(68);
  for (let j = 0; j < 16; j += 1) W[j] = padded.getInt32(at + 4 * j);
  for (let j = 16; j < 68; j += 1) {
    W[j] = P1(W[j - 16] ^ W[j - 9] ^ rotl(W[j - 3], 15)) ^ rotl(W[j - 13], 7) ^ W[j - 6];
  }
  let [A, B, C, D, E, F, G, H] = V;
  for (let j = 0; j < 64; j += 1) {
    const early = j < 16;
    const SS1 = rotl((rotl(A, 12) + E + T[j]) | 0, 7);
    const SS2 = SS1 ^ rotl(A, 12);
    const FF = early ? A ^ B ^ C : (A & B) | (A & C) | (B & C);
    const GG = early ? E ^ F ^ G : (E & F) | (~E & G);
    const TT1 = (FF + D + SS2 + (W[j] ^ W[j + 4])) | 0;
    const TT2 = (GG + H + SS1 + W[j]) | 0;
    [D, C, B, A] = [C, rotl(B, 9), A, TT1];
    [H, G, F, E] = [G, rotl(F, 19), E, P0(TT2)];
  }
  [A, B, C, D, E, F, G, H].forEach((word, index) => {
    V[index] ^= word;
  });
}
