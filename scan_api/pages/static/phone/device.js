// Registering this phone and fetching its credentials, as docs/offline.md, section 5, says.
//
// A record is what is kept of the phone: `device` with its key, and `days`, each with its key and,
// once it came, its credential. It is written before each question, under the name of the request:
// where the answer is lost, the same question is asked again and gets the same answer.

import { ask, newRequestId } from "../ask.js";
import { ascii, fromHex, fromNumber, joined, toHex } from "./bytes.js";
import { readCredential } from "./offline_code.js";
import { holds, newPrivateKey, privateKey, publicKeyOf, sign } from "./sm2.js";

const REGISTRATION = ascii("sscard/device-registration/v1\n");
const REQUEST = ascii("sscard/credential-request/v1\n");
const BROWSER_GRADE = [0];
const DAY = 86_400;
const CHINA = 8 * 3600;
const DAYS = 8;

/** The service said no: `answer` is its problem document. */
export class RefusedError extends Error {
  constructor({ status, answer }) {
    super(`refused: ${answer?.code ?? status}`);
    this.status = status;
    this.answer = answer;
  }
}

/** Ends of today and of the seven days ahead, in Unix seconds: midnights in China. */
export function dayEnds(now) {
  const today = Math.floor((now + CHINA) / DAY) + 1;
  return Array.from({ length: DAYS }, (_, ahead) => (today + ahead) * DAY - CHINA);
}

/** The date of the day that ends then, as the service writes dates. */
const dateOf = (end) => new Date((end + CHINA - DAY) * 1000).toISOString().slice(0, 10);

/** A record of a phone that is not registered yet. */
export async function newRecord(box) {
  return { device: { ...(await newKey(box, "device")), requestKey: newRequestId() }, days: [] };
}

/** The record with its device id. Throws RefusedError, NoAnswerError. */
export async function registered(box, record, challenge) {
  const { device } = record;
  const message = joined(REGISTRATION, challenge, BROWSER_GRADE, device.publicKey);
  const body = {
    grade: "browser",
    public_key: toHex(device.publicKey),
    signature: toHex(await signed(box, "device", device, message)),
  };
  const answer = await change("POST", "/v1/holder/devices", device.requestKey, body);
  return { ...record, device: { ...device, id: answer.device_id } };
}

/**
 * The record with a key for each day that lacks one, to be kept before `withCredentials`; null
 * where nothing is lacking. now: the service's time in seconds. lastDate: until when the card is
 * good, or null.
 */
export async function withKeys(box, record, now, lastDate) {
  const days = record.days.filter((day) => day.expiresAt > now - DAY);
  if (days.some((day) => !day.credential)) return record;
  const ends = dayEnds(now).filter((end) => !lastDate || dateOf(end) <= lastDate);
  const lacking = ends.filter((end) => days.every((day) => day.expiresAt !== end));
  if (!lacking.length) return null;
  for (const expiresAt of lacking) days.push({ expiresAt, ...(await newKey(box, `day ${expiresAt}`)) });
  return { ...record, days, requestKey: newRequestId() };
}

/** The record with the credentials of those days. Throws RefusedError, NoAnswerError. */
export async function withCredentials(box, record, challenge) {
  const { device } = record;
  const asked = record.days.filter((day) => !day.credential);
  const listed = asked.map((day) => joined(fromNumber(day.expiresAt, 4), day.publicKey));
  const message = joined(REQUEST, challenge, fromHex(device.id), ...listed);
  const keys = [];
  for (const day of asked) {
    keys.push({
      expires_at: day.expiresAt,
      public_key: toHex(day.publicKey),
      signature: toHex(await signed(box, `day ${day.expiresAt}`, day, message)),
    });
  }
  const body = { keys, signature: toHex(await signed(box, "device", device, message)) };
  const path = `/v1/holder/devices/${device.id}/credentials`;
  const answer = await change("POST", path, record.requestKey, body);
  const found = new Map(
    answer.credentials.map((one) => [one.expires_at, fromHex(one.credential)]),
  );
  return { ...record, days: record.days.map((day) => withItsOwn(day, found.get(day.expiresAt))) };
}

/** Without the days for which no credential came. */
export const withoutOpenDays = (record) => ({
  ...record,
  days: record.days.filter((day) => day.credential),
});

/** Throws RefusedError, NoAnswerError. */
export const remove = (deviceId) =>
  change("DELETE", `/v1/holder/devices/${deviceId}`, newRequestId());

/** The private key of a day of the record; for one signature. */
export async function dayKey(box, day) {
  return privateKey(await box.unseal(`day ${day.expiresAt}`, day.key));
}

function withItsOwn(day, credential) {
  if (!credential) return day;
  const { expiresAt, deviceKey } = readCredential(credential);
  if (expiresAt !== day.expiresAt || toHex(deviceKey) !== toHex(day.publicKey)) {
    throw new Error("a credential for another key");
  }
  return { ...day, credential };
}

// A key that does not verify what it signed is never used: the browser reckoned wrong.
async function newKey(box, name) {
  const bytes = newPrivateKey();
  const publicKey = publicKeyOf(privateKey(bytes));
  const trial = ascii("trial");
  if (!holds(publicKey, sign(privateKey(bytes), publicKey, trial), trial)) {
    throw new Error("a key that does not fit itself");
  }
  const key = await box.seal(name, bytes);
  bytes.fill(0);
  return { publicKey, key };
}

async function signed(box, name, { key, publicKey }, message) {
  const bytes = await box.unseal(name, key);
  const signature = sign(privateKey(bytes), publicKey, message);
  bytes.fill(0);
  return signature;
}

async function change(method, path, requestKey, body) {
  const headers = { "Idempotency-Key": `"${requestKey}"` };
  const reply = await ask(method, path, { body, headers });
  if (!reply.ok) throw new RefusedError(reply);
  return reply.answer;
}
