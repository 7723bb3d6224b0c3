// The code in the holder's hand: fetched, shown, counted down, changed in time.
//
// Time is the service's. An answer says when its code was made, until when it is good and what time
// it is there; from then on the page counts with its own steady clock. What the phone's clock shows
// plays no part.
//
// Without a network a phone that is registered makes its codes itself (phone/offline_phone.js). A
// code of the service goes before: it serves for everything, the phone's own for identifying alone.

import { NoAnswerError, ask } from "./ask.js";
import { t } from "./language.js";

const REFRESH_SECONDS = 30;
const RETRY_SECONDS = 3;
const TICK_MS = 250;
// The holder's own code for any use, with its short code where that is wanted.
const OWN = { path: "/v1/holder/codes", body: {}, isOwn: true };
// Longer than most answers take: then the phone's own code is shown while the question is out.
const PATIENCE_MS = 2500;
const OFFLINE_LIFE_SECONDS = 60;

export class CodeCard {
  /**
   * picture, cover, countdown, bar, seconds, notice: elements of the page.
   * bars: { box, picture, digits, toggle }, the short code for one-dimensional scanners, on demand.
   * kind: what the phone's own code is good for stands here while one is shown. phone: the
   * OfflinePhone. onShown(): a code is on the screen. onRefused(): the service gives no code; the
   * page finds out why and shows that.
   */
  constructor({ phone, onShown, onRefused, bars, ...parts }) {
    Object.assign(this, { phone, onShown, onRefused, bars, ...parts });
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
    this.startedAt = performance.now();
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
    this.needsSignIn = false;
    this.retryAt = 0;
    this.picture.hidden = true;
    this.picture.removeAttribute("src");
    this.kind.hidden = true;
    this.countdown.hidden = true;
    this.barsWanted = false;
    this.#showBars(null);
    this.#say("");
    this.#cover("");
    this.lock?.release().catch(() => {});
  }

  /**
   * Whose code it is and what for: {path, body, isOwn}. The own code alone has a short code, and
   * is made by the phone where there is no network. The code shown until now is gone at once.
   */
  use(source) {
    const { running } = this;
    this.stop();
    this.source = source;
    this.bars.toggle.hidden = !source.isOwn;
    if (running) this.start();
  }

  /** A new code now, without waiting for its time. */
  refresh() {
    this.retryAt = 0;
    if (this.code) this.code.refreshAt = 0;
    this.#tick();
  }

  /** Whether what is shown is the phone's own code. */
  get isOffline() {
    return this.running && Boolean(this.code?.isOffline);
  }

  /** There is a network and no session: the phone's own codes stay until the holder signs in. */
  stayOffline() {
    this.needsSignIn = true;
    this.#tick();
  }

  async #fetch() {
    if (this.fetching || this.needsSignIn || document.hidden) return;
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
    const { body, isOwn } = this.source;
    return isOwn ? { ...body, short: Boolean(this.barsWanted) } : body;
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
    this.phone.heard(answer.server_time, sentAt);
    this.code = {
      isOffline: false,
      refreshAt: barsMissing ? 0 : pageTime(answer.minted_at) + REFRESH_SECONDS * 1000,
      expiresAt: pageTime(answer.expires_at),
    };
    this.failed = false;
    this.#draw(answer.picture_svg);
    this.#showBars(answer.short_code);
    this.#tick();
    this.phone.keepReady();
  }

  /** A code that the phone made now. */
  async #showOffline() {
    this.isMaking = true;
    const { round } = this;
    try {
      const made = await this.phone.code();
      // Meanwhile the page was left, or the service answered after all.
      if (!made || round !== this.round || !this.#isOfflineDue(performance.now())) return;
      const now = performance.now();
      this.code = {
        isOffline: true,
        clockText: made.clock_text,
        refreshAt: now + REFRESH_SECONDS * 1000,
        expiresAt: now + OFFLINE_LIFE_SECONDS * 1000,
      };
      this.#showBars(null);
      this.#draw(made.picture_svg);
      this.#tick();
    } finally {
      this.isMaking = false;
    }
  }

  #isOfflineDue(now) {
    if (!this.source.isOwn || !this.phone.canShow()) return false;
    if (this.code?.isOffline) return now >= this.code.refreshAt;
    if (this.code && now < this.code.expiresAt) return false;
    return this.failed || now - this.startedAt > PATIENCE_MS;
  }

  #draw(svg) {
    this.picture.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    this.picture.hidden = false;
    this.countdown.hidden = false;
    this.kind.hidden = !this.code.isOffline;
    this.#stayAwake();
    this.onShown();
  }

  #tick() {
    if (!this.running) return;
    const now = performance.now();
    const isAlone = this.failed || this.code?.isOffline;
    if (now >= (isAlone ? this.retryAt : (this.code?.refreshAt ?? 0))) this.#fetch();
    if (!this.isMaking && !document.hidden && this.#isOfflineDue(now)) this.#showOffline();
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
    if (this.code.isOffline) this.#say(this.#offlineText());
    else this.#say(this.failed ? this.#failureText(expires) : "");
  }

  #offlineText() {
    return this.needsSignIn
      ? t("网络通了。要付钱、取药，请先登录。", "The network is back. Sign in to pay or to collect medicine.")
      : t(
          "没有网络。这张码只能核验身份，不能付钱、取药；连上网会自动换回。",
          "No network. This code only shows who you are; it can't pay or collect medicine. The usual code comes back by itself.",
        ) + this.code.clockText;
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

  // A phone may stop its steady clock while it sleeps, so a code from before is never trusted: how
  // long it was is read off the wall clock, which alone goes on.
  #wake() {
    if (document.hidden) {
      this.leftAt = { wall: Date.now(), steady: performance.now() };
      return;
    }
    if (!this.running) return;
    if (this.code && this.leftAt) {
      const { wall, steady } = this.leftAt;
      const slept = Date.now() - wall - (performance.now() - steady);
      this.code.expiresAt -= Math.max(0, slept);
    }
    this.startedAt = performance.now();
    this.refresh();
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
