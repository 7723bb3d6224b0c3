// This phone as one that shows codes with no network: whether it can, and what it shows.
//
// Arithmetic and drawing are loaded when they are needed first: the page comes up without them.

import { NoAnswerError, ask } from "../ask.js";
import { KeyBox } from "./key_box.js";
import { ServiceTime } from "./service_time.js";

const RECORD = "phone";
const ROUND_MS = 3_600_000;
const RETRY_MS = 60_000;
const DAY = 86_400;

const loadMaking = () =>
  Promise.all([import("./offline_code.js"), import("./qr.js"), import("./clock_words.js")]);
const loadDevice = () => import("./device.js");

export class OfflinePhone {
  /** onChange(): called whenever what this phone can do has changed. */
  constructor(onChange = () => {}) {
    this.onChange = onChange;
    this.time = new ServiceTime();
    this.record = null;
    this.box = null;
    this.isSupported = null;
    this.roundAt = 0;
    this.lastDate = null;
    this.isHeldBack = false;
  }

  /** Looks what is kept. Where the browser keeps nothing, this phone only shows codes online. */
  async load() {
    try {
      this.box = await KeyBox.open();
      this.isSupported = Boolean(globalThis.crypto?.subtle);
      const record = await this.box.read(RECORD);
      this.isHeldBack = Boolean(record?.isHeldBack);
      this.#has(record);
    } catch {
      this.isSupported = false;
      this.onChange();
    }
  }

  get isBound() {
    return Boolean(this.record?.device.id);
  }

  /** Whether the service lists this phone under that id. */
  isThis(deviceId) {
    return this.record?.device.id === deviceId;
  }

  /** Until when codes can be shown with no network, in Unix seconds; 0 where they can't. */
  get readyUntil() {
    if (!this.isBound || this.isHeldBack) return 0;
    let until = 0;
    for (let day; (day = this.#dayAt(until || this.#seconds())); ) until = day.expiresAt;
    return until;
  }

  /** Whether a code could be shown now with no network. */
  canShow() {
    return this.readyUntil > 0;
  }

  /**
   * {text, picture_svg, minted_at, clock_text} of a new code, minted now; null where this phone
   * can't. clock_text: what to know of a clock that is wrong.
   */
  async code() {
    const [{ offlineCode }, { toSvg }, { offlineClockText }] = await loadMaking();
    const { dayKey } = await loadDevice();
    // What is kept counts, not what this page remembers: another page may have cleared it.
    this.#has(await this.box.read(RECORD));
    const day = this.canShow() && this.#dayAt(this.#seconds());
    if (!day || this.record.isHeldBack) return null;
    const d = await dayKey(this.box, day);
    const mintedAt = Math.floor(this.#seconds());
    const text = offlineCode(day.credential, d, mintedAt);
    const clockText = offlineClockText(this.time.ahead());
    return { text, picture_svg: toSvg(text), minted_at: mintedAt, clock_text: clockText };
  }

  /** What an answer of the service said. */
  heard(serverTime, sentAt) {
    this.time.learn(serverTime, sentAt);
    this.onChange();
  }

  /**
   * What the service says of the holder's card. Codes of a card that may not be used are held back;
   * a new card gets new credentials.
   */
  async sees({ card_number: cardNumber, expires_on: lastDate, card_state, e_card_state }) {
    this.lastDate = lastDate;
    if (!this.isBound) return;
    this.isHeldBack = card_state !== "normal" || e_card_state !== "active";
    const cardMark = await this.#markOf(cardNumber);
    await this.#change((record) => {
      const isOther = record.cardMark !== undefined && record.cardMark !== cardMark;
      if (isOther) this.roundAt = 0;
      return { ...record, cardMark, days: isOther ? [] : record.days };
    });
  }

  /** The card is lost or may not be used: no codes until `sees` says otherwise. */
  async holdBack() {
    this.isHeldBack = true;
    await this.#change((record) => record);
  }

  /** Registers this phone and fetches its credentials. Throws RefusedError, NoAnswerError. */
  async bind() {
    await this.box.alone(async () => {
      const device = await loadDevice();
      const record = this.record ?? (await device.newRecord(this.box));
      await this.box.write(RECORD, record);
      this.#has(record);
      const { challenge } = await this.#devices();
      await this.#register(device, challenge);
      await this.#fetch(device, challenge);
    });
    this.roundAt = performance.now() + ROUND_MS;
    loadMaking();
  }

  /**
   * Once in a while, with a network and a session: is this phone still registered, and has it what
   * it needs for the days ahead? Nothing is thrown: it is asked again later.
   */
  async keepReady() {
    if (!this.record || this.isAtWork || performance.now() < this.roundAt) return;
    this.isAtWork = true;
    this.roundAt = performance.now() + RETRY_MS;
    try {
      await this.box.alone(() => this.#round());
      this.roundAt = performance.now() + ROUND_MS;
      loadMaking();
    } catch (error) {
      if (!(error instanceof NoAnswerError) && !error.answer) throw error;
    } finally {
      this.isAtWork = false;
    }
  }

  /** Ends it all: nothing is left here, whatever the network says; whether the service knows. */
  async unbind() {
    const id = this.record?.device.id;
    await this.wipe();
    if (!id) return true;
    const { remove, RefusedError } = await loadDevice();
    try {
      await remove(id);
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return error.answer?.code !== "sign_in_needed";
      if (error instanceof NoAnswerError) return false;
      throw error;
    }
  }

  /** Clears what this phone keeps. */
  async wipe() {
    this.#has(null);
    await this.box?.clear();
  }

  async #round() {
    const { challenge, devices } = await this.#devices();
    const device = await loadDevice();
    if (!this.isBound) {
      await this.#register(device, challenge);
    } else if (devices.every((one) => one.device_id !== this.record.device.id)) {
      // Removed from another phone, or another holder signed in here.
      await this.wipe();
      return;
    }
    await this.#fetch(device, challenge);
  }

  async #register(device, challenge) {
    try {
      await this.#keep(await device.registered(this.box, this.record, challenge));
    } catch (error) {
      // Refused for good: no key is left behind. Not known yet: the same again later.
      if (error instanceof device.RefusedError && error.status < 500) await this.wipe();
      throw error;
    }
  }

  async #fetch(device, challenge) {
    if (!this.isBound || this.isHeldBack) return;
    const asking = await device.withKeys(this.box, this.record, this.#seconds(), this.lastDate);
    const offset = this.time.offset;
    if (!asking) {
      await this.#keep({ ...this.record, offset });
      return;
    }
    if (!(await this.#keep({ ...asking, offset }))) return;
    try {
      await this.#keep(await device.withCredentials(this.box, this.record, challenge));
    } catch (error) {
      const { answer } = error;
      // An answer was lost for longer than the service keeps answers: this phone begins anew.
      if (answer?.code === "already_exists") await this.unbind();
      else if (answer && answer.code !== "sign_in_needed" && error.status < 500) {
        await this.#keep(device.withoutOpenDays(this.record));
      }
      throw error;
    }
  }

  async #devices() {
    const reply = await ask("GET", "/v1/holder/devices");
    if (!reply.ok) throw new NoAnswerError("no list of phones");
    this.time.learn(reply.answer.server_time, reply.sentAt);
    return {
      challenge: Uint8Array.from(reply.answer.challenge.match(/../g), (pair) => parseInt(pair, 16)),
      devices: reply.answer.devices,
    };
  }

  #seconds() {
    return this.time.now() / 1000;
  }

  #dayAt(seconds) {
    return this.record?.days.find(
      ({ credential, expiresAt }) =>
        credential && seconds < expiresAt && seconds >= expiresAt - DAY,
    );
  }

  // Tells another card from this one, and tells nobody which card it is: 32 bits under a key that
  // is this phone's own.
  async #markOf(cardNumber) {
    const [{ digest }, { ascii, joined, toHex }] = await Promise.all([
      import("./sm3.js"),
      import("./bytes.js"),
    ]);
    const bytes = joined(this.record.device.publicKey, ascii(cardNumber ?? ""));
    return toHex(digest(bytes).subarray(0, 4));
  }

  async #change(change) {
    if (!this.isBound) return;
    await this.box.alone(async () => {
      if (!this.isBound) return;
      const { isHeldBack } = this;
      await this.#keep({ ...change(this.record), isHeldBack });
    });
  }

  /** Whether it was kept: not, if the phone was cleared or registered anew meanwhile. */
  async #keep(record) {
    const { requestKey } = record.device;
    const isOurs = (found) => found?.device.requestKey === requestKey;
    const isKept = await this.box.writeIf(RECORD, record, isOurs);
    this.#has(isKept ? record : ((await this.box.read(RECORD)) ?? null));
    return isKept;
  }

  #has(record) {
    this.record = record ?? null;
    this.time.remember(this.record?.offset);
    this.onChange();
  }
}
