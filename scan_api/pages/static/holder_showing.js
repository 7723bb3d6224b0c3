// Whose code is on the screen, and what it is for, as the holder chose.

import { t } from "./language.js";

const $ = (id) => document.getElementById(id);

// The choices stand below the code: whoever made one is shown the code again.
const seeCode = () => $("code").scrollIntoView({ block: "nearest" });

export class Showing {
  constructor(codeCard) {
    Object.assign(this, { codeCard, card: null, member: null });
    for (const choice of document.querySelectorAll("[name=purpose]")) {
      choice.addEventListener("change", () => {
        this.#use();
        seeCode();
      });
    }
    $("show-bars").addEventListener("click", seeCode);
    $("show-own").addEventListener("click", () => this.own());
  }

  /** card: the service's answer on the own card. */
  of(card) {
    this.card = card;
    this.#write();
  }

  /** The own code again. */
  own() {
    if (!this.member) return;
    this.member = null;
    this.#use();
  }

  /** Nobody's: the next holder begins with the own code, for any use. */
  forget() {
    document.querySelector("[name=purpose][value=any_use]").checked = true;
    Object.assign(this, { card: null, member: null });
    this.#use();
  }

  /** A relative's: {family_member_id, name}, the name masked. */
  family(member) {
    this.member = member;
    this.#use();
  }

  get #purpose() {
    return document.querySelector("[name=purpose]:checked").value;
  }

  #use() {
    const body = { purpose_class: this.#purpose };
    const path = this.member
      ? `/v1/holder/family/members/${this.member.family_member_id}/codes`
      : "/v1/holder/codes";
    this.codeCard.use({ path, body, isOwn: !this.member });
    this.#write();
  }

  #write() {
    const { card, member } = this;
    $("card-name").textContent = member ? member.name : (card?.name ?? "");
    $("card-number").textContent = member ? "" : (card?.social_security_number ?? "");
    $("card-title").textContent = member ? t("亲属的电子社保卡", "A relative's e-card") : t("电子社保卡", "E-card");
    $("show-own").hidden = !member;
    $("report-loss").hidden = Boolean(member);
    $("own-phone").hidden = Boolean(member);
    $("code-purpose").hidden = this.#purpose === "any_use";
  }
}
