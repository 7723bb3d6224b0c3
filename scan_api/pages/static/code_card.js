// The code in the holder's hand: fetched, shown, counted down, changed in time.
//
// Time is the service's. An answer says when its code was made, until when it is good and what time
// it is there; from then on the page counts with its own steady clock. What the phone's clock shows
// plays no part.

import { NoAnswerError, ask } from "./ask.js";
import { t } from "./language.js";

const REFRESH_SECONDS = 30;
const RETRY_SECONDS = 3;
const TICK_MS = 250;
// The holder's own code for any use, with its short code where that is wanted.
const OWN = { path: "/v1/holder/codes", body: {}, hasBars: true };

export class CodeCard {
  /**
   * bars: { box, picture, digits, toggle }, the short code for one-dimensional scanners, on demand.
   * onRefused(): the service gives no code; the page finds out why and shows that.
   */
  constructor({ picture, cover, countdown, bar, seconds, notice, bars, onRefused }) {
    Object.assign(this, { picture, cover, countdown, bar, seconds, notice, bars, onRefused });
    bars.toggle.addEventListener("click", () => this.#wantBars(!this.barsWanted));
    this.source = OWN;
    this.code = null;
    this.running = false;
    this.round = 0;
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Also forgets the code: none stays on a page that the holder has left. */
  stop() {
    this.running = false;
    this.round += 1;
    clearInterval(this.timer);
    this.code = null;
    this.failed = false;
    this.picture.hidden = true;
    this.picture.removeAttribute("src");
    this.countdown.hidden = true;
    this.barsWanted = false;
    this.#showBars(null);
    this.#say("");
    this.#cover("");
    this.lock?.release().catch(() => {});
  }

  /**
   * Whose code it is and what for: {path, body, hasBars}. The code shown until now is gone at once.
   */
  use(source) {
    const { running } = this;
    this.stop();
    this.source = source;
    this.bars.toggle.hidden = !source.hasBars;
    if (running) this.start();
  }

  /** A new code now, without waiting for its time. */
  refresh() {
    this.retryAt = 0;
    if (this.code) this.code.refreshAt = 0;
    this.#tick();
  }

  async #fetch() {
    if (this.fetching || document.hidden) return;
    this.fetching = true;
    const { round } = this;
    try {
      const reply = await ask("POST", this.source.path, { body: this.#request() });
      // The page was left meanwhile, perhaps by another holder's sign-in.
      if (round !== this.round) return;
      if (reply.status >= 500) throw new NoAnswerError("the service failed");
      if (reply.ok) {
        this.#show(reply);
        return;
      }
      if (reply.answer?.code === "too_many_short_codes") {
        // The next tick asks for the QR code alone.
        this.barsWanted = false;
        this.#showBars(null);
        return;
      }
      this.#retryLater();
      this.onRefused();
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      if (round === this.round) this.#retryLater();
    } finally {
      this.fetching = false;
    }
  }

  #request() {
    const { body, hasBars } = this.source;
    return hasBars ? { ...body, short: Boolean(this.barsWanted) } : body;
  }

  #retryLater() {
    this.retryAt = performance.now() + RETRY_SECONDS * 1000;
    this.failed = true;
    this.#tick();
  }

  #show({ answer, sentAt }) {
    // Counted from when the question left, so that a slow network only makes the wait shorter.
    const pageTime = (moment) => sentAt + Date.parse(moment) - Date.parse(answer.server_time);
    // The bars were asked for while this answer was on its way: another code, at once.
    const barsMissing = this.barsWanted && !answer.short_code;
    this.code = {
      refreshAt: barsMissing ? 0 : pageTime(answer.minted_at) + REFRESH_SECONDS * 1000,
      expiresAt: pageTime(answer.expires_at),
    };
    this.failed = false;
    this.picture.src = `data:image/svg+xml,${encodeURIComponent(answer.picture_svg)}`;
    this.picture.hidden = false;
    this.countdown.hidden = false;
    this.#showBars(answer.short_code);
    this.#tick();
    this.#stayAwake();
  }

  #tick() {
    if (!this.running) return;
    const now = performance.now();
    if (now >= (this.failed ? this.retryAt : (this.code?.refreshAt ?? 0))) this.#fetch();
    const left = (moment) => Math.max(0, Math.ceil((moment - now) / 1000));
    if (!this.code) {
      this.#cover(
        this.failed ? t("暂时取不到码，正在重试", "No code yet; trying again") : t("正在取码", "Getting a code"),
      );
      return;
    }
    const refresh = left(this.code.refreshAt);
    const expires = left(this.code.expiresAt);
    this.bar.value = refresh;
    this.seconds.textContent = this.#countdownText(refresh, expires);
    this.#cover(expires ? "" : t("这张码已过期", "This code has expired"));
    this.#say(this.failed ? this.#failureText(expires) : "");
  }

  #countdownText(refresh, expires) {
    if (refresh) return t(`${refresh} 秒后自动换新`, `Changes by itself in ${refresh} s`);
    if (expires) return t(`正在换新，这张码还能用 ${expires} 秒`, `Changing; this one works for ${expires} s`);
    return t("等待网络", "Waiting for the network");
  }

  #failureText(expires) {
    return expires
      ? t("网络不通，正在重试。现在这张码还能用。", "No network; trying again. The code shown still works.")
      : t("网络不通，正在重试。连上以后会自动换新码。", "No network; trying again. A new code comes by itself once it is back.");
  }

  // A phone may stop its steady clock while it sleeps, so a code from before is never trusted.
  #wake() {
    if (this.running && !document.hidden) this.refresh();
  }

  #wantBars(wanted) {
    this.barsWanted = wanted;
    if (wanted) this.refresh();
    else this.#showBars(null);
  }

  #showBars(shortCode) {
    const { box, picture, digits, toggle } = this.bars;
    const shown = this.barsWanted ? shortCode : null;
    box.hidden = !shown;
    toggle.setAttribute("aria-pressed", String(Boolean(this.barsWanted)));
    if (shown) picture.src = `data:image/svg+xml,${encodeURIComponent(shown.picture_svg)}`;
    else picture.removeAttribute("src");
    digits.textContent = shown ? shown.text.match(/.{4}/g).join(" ") : "";
  }

  #say(text) {
    if (this.notice.textContent !== text) this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  #cover(text) {
    if (this.cover.textContent !== text) this.cover.textContent = text;
    this.cover.hidden = !text;
  }

  // The screen stays lit while the code is on it, where the browser can.
  async #stayAwake() {
    if (!navigator.wakeLock || (this.lock && !this.lock.released)) return;
    try {
      this.lock = await navigator.wakeLock.request("screen");
    } catch {
      // Refused on a low battery; the code is shown all the same.
    }
  }
}
