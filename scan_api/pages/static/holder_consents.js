// What the holder's data is used for, what they consent to, and all of it to take away.

import { ChangeName, element, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { pick, t } from "./language.js";

const $ = (id) => document.getElementById(id);
const PATH = "/v1/holder/data-uses";
const DAY = new Intl.DateTimeFormat(document.documentElement.lang, {
  timeZone: "Asia/Shanghai",
  dateStyle: "medium",
});
const GROUNDS = {
  law: t("依据法律，不需要同意", "By law; no consent is asked"),
  service: t("办这项服务必需，不需要同意", "Needed for the service; no consent is asked"),
};
const FILE = "sscard-export.json";

export class DataUses {
  constructor() {
    this.name = new ChangeName();
    const form = $("export-form");
    form.addEventListener("submit", whileBusy(submitOf(form), () => this.#takeOut()));
  }

  async show() {
    const reply = await tryAsk("GET", PATH, undefined, $("consents-problem"));
    if (reply?.ok) $("consents").replaceChildren(...reply.answer.data_uses.map((one) => this.#line(one)));
  }

  cover() {
    $("consents").replaceChildren();
    $("consents-told").hidden = true;
    $("export-form").reset();
    $("export-problem").textContent = "";
    $("export-done").hidden = true;
  }

  #line(one) {
    const line = element("li");
    line.append(
      element("p", pick(one, "name"), "scan-where"),
      element("p", pick(one, "text")),
      element("p", GROUNDS[one.ground] ?? standing(one), "consent-state"),
    );
    if (one.given !== null) {
      const text = one.given ? t("撤回同意", "Take it back") : t("同意", "I consent");
      const button = element("button", text, "button quiet");
      button.type = "button";
      button.setAttribute("aria-label", t(`${text}：${one.name_zh}`, `${text}: ${one.name_en}`));
      button.addEventListener("click", whileBusy(button, () => this.#set(one, !one.given)));
      line.append(button);
    }
    return line;
  }

  async #set(one, given) {
    const path = `${PATH}/${one.data_use}/consents`;
    const reply = await tryAsk("POST", path, { given }, $("consents-problem"), this.name.name);
    if (!this.name.settle(reply) || !reply.ok) return;
    await this.show();
    const { ended } = reply.answer;
    const also = ended ? t(`，${ended} 项授权或手机随之解除`, `; ${ended} relatives or phones went with it`) : "";
    $("consents-told").textContent =
      (given ? t("已同意：", "You consent: ") : t("已撤回：", "Taken back: ")) + pick(one, "name") + also + t("。", ".");
    $("consents-told").hidden = false;
    $("consents-title").focus();
  }

  async #takeOut() {
    const password = $("export-password").value;
    const problem = $("export-problem");
    $("export-done").hidden = true;
    if (!/^\d{6}$/.test(password)) {
      problem.textContent = t("请填 6 位数字密码。", "Enter your 6-digit password.");
      return $("export-password").focus();
    }
    const reply = await tryAsk("POST", "/v1/holder/exports", { password }, problem);
    $("export-password").value = "";
    if (!reply?.ok) return $("export-password").focus();
    save(JSON.stringify(reply.answer, null, 1));
    $("export-done").hidden = false;
  }
}

function standing(one) {
  const since = one.changed_at === null ? "" : t(`（${DAY.format(new Date(one.changed_at))}）`, ` (${DAY.format(new Date(one.changed_at))})`);
  return (one.given ? t("您已同意", "You consent") : t("您没有同意", "You don't consent")) + since;
}

/** Gives the browser a file to keep; nothing of it stays on the page. */
function save(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = element("a");
  link.href = url;
  link.download = FILE;
  link.click();
  URL.revokeObjectURL(url);
}
