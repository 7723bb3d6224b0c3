// Relatives: whose code this holder may show, who may show theirs, and how either ends.

import { ChangeName, element, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { Wards } from "./holder_wards.js";
import { t } from "./language.js";

const $ = (id) => document.getElementById(id);
const PATH = "/v1/holder/family";
const RELATIONS = {
  parent: t("父母", "parent"),
  child: t("子女", "child"),
  spouse: t("配偶", "spouse"),
  other: t("亲属", "relative"),
};

export class Family {
  /** onShow(member): the relative's code is to be seen. */
  constructor({ onShow }) {
    this.onShow = onShow;
    this.name = new ChangeName();
    this.wards = new Wards({ onChange: () => this.show() });
    const take = $("take-form");
    take.addEventListener("submit", whileBusy(submitOf(take), () => this.#take()));
    $("make-offer").addEventListener("click", whileBusy($("make-offer"), () => this.#offer()));
  }

  async show() {
    const reply = await tryAsk("GET", PATH, undefined, $("family-problem"));
    if (reply?.ok) this.#draw(reply.answer);
  }

  /** Nothing of the family stays on the page, a consent code least of all. */
  cover() {
    for (const id of ["family-members", "family-shown"]) $(id).replaceChildren();
    $("family-offer").hidden = true;
    $("family-offer-code").textContent = "";
    this.wards.cover();
  }

  #draw({ members, shown_by: shownBy, offers, wards }) {
    const shown = members.map((one) =>
      this.#line(nameOf(one), this.#button(t("出示", "Show"), one, () => this.onShow(one)), this.#ending(one)),
    );
    const taken = wards.map((one) =>
      this.#line(
        t(`${one.name}（您是监护人，到 ${one.ends_on} 为止）`, `${one.name} (you are the guardian until ${one.ends_on})`),
        ...(one.is_member ? [] : [this.#adding(one)]),
        ...this.wards.offer(one),
      ),
    );
    $("family-members").replaceChildren(...shown, ...taken);
    $("family-members-empty").hidden = shown.length + taken.length > 0;
    const showing = shownBy.map((one) => this.#line(nameOf(one), this.#ending(one)));
    const waiting = offers.map((one) =>
      this.#line(t("还没有人领取的授权码", "A code that nobody took yet"), this.#ending({ ...one, name: "" })),
    );
    $("family-shown").replaceChildren(...showing, ...waiting);
    $("family-shown-empty").hidden = showing.length + waiting.length > 0;
  }

  #line(text, ...buttons) {
    const line = element("li");
    const actions = element("p", "", "news-actions");
    actions.append(...buttons);
    line.append(element("p", text), actions);
    return line;
  }

  #button(text, one, work) {
    const button = element("button", text, "button quiet");
    button.type = "button";
    button.setAttribute("aria-label", `${text} ${one.name}`);
    button.addEventListener("click", whileBusy(button, async () => work()));
    return button;
  }

  #adding({ guardianship_id, name }) {
    const body = { guardianship_id };
    return this.#button(t("添加", "Add"), { name }, () => this.#change("POST", `${PATH}/members`, body));
  }

  #ending(one) {
    const path = `${PATH}/members/${one.family_member_id}`;
    return this.#button(t("解除", "End"), one, () => this.#change("DELETE", path, undefined));
  }

  async #change(method, path, body, problem = $("family-problem")) {
    const reply = await tryAsk(method, path, body, problem, this.name.name);
    this.name.settle(reply);
    if (reply?.ok) await this.show();
    return reply;
  }

  async #take() {
    const code = $("consent-code").value.trim().toUpperCase();
    if (code.length < 20) {
      $("take-problem").textContent = t("请填亲属给您的 20 位授权码。", "Enter the 20 characters that your relative gave you.");
      $("consent-code").focus();
      return;
    }
    const relation = document.querySelector("[name=relation]:checked").value;
    const body = { consent_code: code, relation };
    const reply = await this.#change("POST", `${PATH}/members`, body, $("take-problem"));
    if (reply?.ok) $("take-form").reset();
  }

  async #offer() {
    const reply = await this.#change("POST", `${PATH}/offers`, {}, $("offer-problem"));
    if (!reply?.ok) return;
    $("family-offer-code").textContent = reply.answer.consent_code;
    $("family-offer").hidden = false;
  }
}

const nameOf = (one) => t(`${one.name}（${RELATIONS[one.relation]}）`, `${one.name} (${RELATIONS[one.relation]})`);
