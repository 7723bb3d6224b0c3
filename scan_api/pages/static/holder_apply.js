// Applying for the own next card or for a child's, and how far each application is.

import { applicationWords } from "./application_words.js";
import { ChangeName, element, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { pick, t } from "./language.js";

const $ = (id) => document.getElementById(id);
const PATH = "/v1/holder/applications";
// What the own card's state leaves to apply for, and what is said of it.
const OWN = {
  formal_loss: ["replacement", t("您的卡已正式挂失，可以补一张。", "Your card is formally reported lost: you may have a replacement.")],
  normal: ["exchange", t("您的卡在用。需要换卡的，提交后带旧卡到窗口，当场换。", "Your card is in use. To exchange it, apply here and bring the old card to the window.")],
  locked: ["exchange", t("您的卡已锁定，可以换一张；也可以到窗口解锁。", "Your card is locked: you may exchange it, or have it unlocked at a window.")],
  cancelled: ["new", t("您的卡已注销，可以申领新卡。", "Your card is cancelled: you may apply for a new one.")],
};
const NOTHING = t(
  "现在不需要申领。卡丢了又找不到的，请先带身份证到窗口正式挂失；卡做好还没领的，请到网点领。",
  "There is nothing to apply for now. For a card that is gone, first report a formal loss at the window; one that is made waits at the branch.",
);

export class Applying {
  /** cardNow(): the service's answer on the own card. */
  constructor(cardNow) {
    this.cardNow = cardNow;
    this.name = new ChangeName();
    for (const button of document.querySelectorAll("[data-apply]")) {
      button.addEventListener("click", whileBusy(button, () => this.#own(button.dataset.apply)));
    }
    const form = $("child-form");
    form.addEventListener("submit", whileBusy(submitOf(form), () => this.#child()));
  }

  async show() {
    const card = this.cardNow();
    const [kind, text] = OWN[card.card_state] ?? ["", NOTHING];
    $("apply-own-text").textContent = text;
    for (const button of document.querySelectorAll("[data-apply]")) button.hidden = button.dataset.apply !== kind;
    await this.#list();
  }

  /** Nothing of an application, or of a child, stays on the page. */
  cover() {
    $("applications").replaceChildren();
    $("child-form").reset();
    for (const id of ["apply-problem", "apply-own-problem", "child-problem"]) $(id).textContent = "";
    $("apply-told").hidden = true;
  }

  async #list() {
    const reply = await tryAsk("GET", PATH, undefined, $("apply-problem"));
    if (!reply?.ok) return;
    const { applications } = reply.answer;
    $("applications").replaceChildren(...applications.map((one) => this.#line(one)));
    $("apply-empty").hidden = applications.length > 0;
  }

  #line(one) {
    const line = element("li");
    const { what, state, at } = applicationWords(one);
    line.append(element("p", what, "scan-where"), element("p", state), element("p", at, "muted"));
    if (one.state === "filed" || one.state === "accepted") {
      const button = element("button", t("撤回", "Withdraw"), "button quiet");
      button.type = "button";
      button.setAttribute("aria-label", t(`撤回：${what}`, `Withdraw: ${what}`));
      const path = `${PATH}/${one.application_id}`;
      button.addEventListener("click", whileBusy(button, () => this.#change("DELETE", path, undefined, $("apply-problem"), t("已撤回。", "Withdrawn."))));
      line.append(button);
    }
    return line;
  }

  async #own(kind) {
    // An exchange takes the old card back: it is made at once, at the window.
    const body = { kind, mode: kind === "exchange" ? "at_once" : "batch" };
    const text =
      kind === "exchange"
        ? t("已提交。请带身份证和旧卡到窗口，当场换卡。", "Filed. Take your identity card and the old card to the window.")
        : t("已提交。请带身份证到窗口核对，做好后领卡。", "Filed. Show your identity card at the window; then the card is made.");
    await this.#change("POST", PATH, body, $("apply-own-problem"), text);
  }

  async #child() {
    const child = { certificate: "居民户口簿" };
    for (const input of document.querySelectorAll("[data-child]")) {
      child[input.dataset.child] = input.value.trim();
      if (!input.value.trim()) {
        $("child-problem").textContent = t("请把每一项都填上。", "Fill in every field.");
        return input.focus();
      }
    }
    child.number = child.number.toUpperCase();
    if (!/^\d{17}[\dX]$/.test(child.number)) {
      $("child-problem").textContent = t("孩子的身份证号码应为 18 位。", "The child's identity number has 18 characters.");
      return document.querySelector("[data-child=number]").focus();
    }
    // The number says both; the bureau compares them.
    child.birth_on = child.number.replace(/^.{6}(....)(..)(..).*$/, "$1-$2-$3");
    child.sex = Number(child.number[16]) % 2 ? "男" : "女";
    const text = t("已提交。请带户口簿和您的身份证到窗口核对。", "Filed. Take the household register and your identity card to the window.");
    const reply = await this.#change("POST", PATH, { kind: "new", child }, $("child-problem"), text);
    if (reply?.ok) $("child-form").reset();
    else if (reply?.answer?.errors) $("child-problem").textContent = reply.answer.errors.map(told).join(" ");
  }

  async #change(method, path, body, problem, text) {
    $("apply-told").hidden = true;
    const reply = await tryAsk(method, path, body, problem, this.name.name);
    this.name.settle(reply);
    if (!reply?.ok) return reply;
    await this.#list();
    $("apply-told").textContent = text;
    $("apply-told").hidden = false;
    $("apply-title").focus();
    return reply;
  }
}

/** What is wrong with a field, by the label that its reader knows. */
function told(fault) {
  const label = document.querySelector(`label[for="child-${fault.field}"]`)?.textContent ?? "";
  return label ? t(`${label}：`, `${label}: `) + pick(fault, "message") : pick(fault, "message");
}
