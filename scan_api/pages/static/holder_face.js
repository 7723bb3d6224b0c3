// The face of the card: masked; in full only while the holder looks, asked for when tapped.

import { tryAsk, whileBusy } from "./holder_asking.js";
import { isUsable, stateText } from "./card_states.js";
import { t } from "./language.js";

const $ = (id) => document.getElementById(id);
const OPEN_MS = 15_000;

export class CardFace {
  constructor() {
    this.card = null;
    this.looking = false;
    $("face-eye").addEventListener("click", whileBusy($("face-eye"), () => this.#toggle()));
    document.addEventListener("visibilitychange", () => document.hidden && this.cover());
    window.addEventListener("pagehide", () => this.cover());
  }

  /** card: the service's answer, masked. */
  show(card) {
    this.card = card;
    const [title, meaning] = stateText(card);
    $("face-state").textContent = title;
    $("face-state").dataset.state = isUsable(card) ? "usable" : "unusable";
    $("face-meaning").textContent = meaning;
    $("face-card-number").textContent = card.card_number ?? t("没有卡", "No card");
    $("face-issued").textContent = card.issued_on ?? "—";
    $("face-expires").textContent = card.expires_on ?? "—";
    this.cover();
  }

  /** Masked again; nothing of the full number stays on the page. */
  cover() {
    clearTimeout(this.timer);
    this.looking = false;
    $("face-eye").setAttribute("aria-pressed", "false");
    $("face-eye").textContent = t("显示完整号码", "Show the full number");
    if (!this.card) return;
    this.#write(this.card);
  }

  async #toggle() {
    if (this.looking) return this.cover();
    this.looking = true;
    const reply = await tryAsk("GET", "/v1/holder/card/identity", undefined, $("face-problem"));
    // Another page or place was opened meanwhile.
    if (!this.looking || !reply?.ok) return this.cover();
    this.#write(reply.answer);
    $("face-eye").setAttribute("aria-pressed", "true");
    $("face-eye").textContent = t("隐藏号码", "Hide the number");
    this.timer = setTimeout(() => this.cover(), OPEN_MS);
  }

  #write({ name, social_security_number: number }) {
    $("face-name").textContent = name;
    $("face-number").textContent = number;
  }
}
