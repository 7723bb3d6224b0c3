// The card of a child whose guardian this holder is: reported lost, and found again.

import { ChangeName, element, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { t } from "./language.js";

const $ = (id) => document.getElementById(id);
const PATH = "/v1/holder/family/wards";

export class Wards {
  /** onChange(): the family is to be asked for anew. */
  constructor({ onChange }) {
    this.onChange = onChange;
    this.name = new ChangeName();
    this.ward = null;
    const found = $("ward-found-form");
    $("ward-loss-go").addEventListener("click", whileBusy($("ward-loss-go"), () => this.#report()));
    found.addEventListener("submit", whileBusy(submitOf(found), () => this.#withdraw()));
    $("ward-found-back").addEventListener("click", () => $("ward-found-dialog").close());
    $("ward-found-dialog").addEventListener("close", () => found.reset());
  }

  /** What is told and offered of this child's card; nothing of one that is neither used nor lost. */
  offer(ward) {
    const act = ACTS[ward.card_state];
    if (!act) return [];
    const button = element("button", act.label, `button quiet ${act.look}`.trim());
    button.type = "button";
    button.setAttribute("aria-label", act.told(ward.name));
    button.addEventListener("click", () => this.#ask(ward, act));
    return act.state ? [element("span", act.state, "ward-state"), button] : [button];
  }

  /** No question about a child stays open on the page. */
  cover() {
    for (const { dialog } of Object.values(ACTS)) $(dialog).close();
    $("ward-told").hidden = true;
    this.ward = null;
  }

  #ask(ward, act) {
    this.ward = ward;
    $("ward-told").hidden = true;
    $(`${act.dialog}-problem`).textContent = "";
    $(`${act.dialog}-title`).textContent = act.told(ward.name);
    $(act.dialog).showModal();
  }

  async #report() {
    await this.#change("loss-reports", {}, "ward-loss-dialog", (name) =>
      t(
        `${name}的卡已临时挂失，现在谁也不能用。找到了，可以在这里解除；找不到，请带户口簿和您的身份证到窗口补卡。`,
        `The card of ${name} is reported lost; nobody can use it now. If you find it, undo the report here. If not, take the household register and your identity card to a window for a new one.`,
      ),
    );
  }

  async #withdraw() {
    const password = $("ward-found-password").value;
    await this.#change("loss-withdrawals", { password }, "ward-found-dialog", (name) =>
      t(`${name}的卡已解除挂失，又能用了。`, `The card of ${name} works again.`),
    );
    $("ward-found-password").value = "";
  }

  async #change(what, body, dialog, told) {
    const { guardianship_id: id, name } = this.ward;
    const problem = $(`${dialog}-problem`);
    const reply = await tryAsk("POST", `${PATH}/${id}/${what}`, body, problem, this.name.name);
    // Not known yet, or still under way: the next try is the same request.
    if (!this.name.settle(reply)) return;
    // A card that is in another state by now is shown as it is; a wrong password is typed anew.
    if (!reply.ok && reply.answer?.code !== "wrong_state") return;
    $(dialog).close();
    await this.onChange();
    if (!reply.ok) return;
    $("ward-told").textContent = told(name);
    $("ward-told").hidden = false;
  }
}

const ACTS = {
  normal: {
    dialog: "ward-loss-dialog",
    label: t("卡丢了，挂失", "Card lost: report it"),
    look: "danger",
    told: (name) => t(`给${name}的卡挂失？`, `Report the card of ${name} lost?`),
  },
  temporary_loss: {
    dialog: "ward-found-dialog",
    label: t("卡找到了，解除挂失", "Card found: undo the report"),
    look: "",
    state: t("卡已临时挂失", "Card reported lost"),
    told: (name) => t(`${name}的卡找到了，解除挂失？`, `Undo the loss report of ${name}?`),
  },
};
