// An offline code as docs/code-format.md, section 3, lays it out: what the day's credential allows,
// signed by the day's key.

import { ascii, fromNumber, joined, toNumber } from "./bytes.js";
import { sign } from "./sm2.js";

const CONTEXT = ascii("sscard/offline-code/v1\n");
const MARKER = "7406";
const CREDENTIAL_SIZE = 113;
const SIZE = 203;
const DIGITS = (256n ** BigInt(SIZE) - 1n).toString().length;
const NONCE_SIZE = 8;
// Codes are good at any terminal and bound to no amount.
const UNBOUND = new Uint8Array(8 + 3);
const IDENTIFY_ONLY = 2;

/** {expiresAt, deviceKey} of a credential's 113 bytes. Throws RangeError for another length. */
export function readCredential(credential) {
  if (credential.length !== CREDENTIAL_SIZE) throw new RangeError("not a credential");
  return {
    expiresAt: Number(toNumber(credential.subarray(4, 8))),
    deviceKey: credential.slice(16, 49),
  };
}

/**
 * The digits of a new code, for identifying alone, for every purpose that the credential has.
 * d: the day's private key. mintedAt: the service's time in whole seconds.
 */
export function offlineCode(credential, d, mintedAt) {
  const { deviceKey } = readCredential(credential);
  const body = joined(
    credential,
    fromNumber(mintedAt, 4),
    [IDENTIFY_ONLY],
    credential.subarray(9, 11),
    crypto.getRandomValues(new Uint8Array(NONCE_SIZE)),
    UNBOUND,
  );
  const signature = sign(d, deviceKey, joined(CONTEXT, body));
  return MARKER + toNumber(joined(body, signature)).toString().padStart(DIGITS, "0");
}
