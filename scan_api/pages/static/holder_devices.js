// The phones that may show codes with no network, and how one is unbound that was lost.

import { ChangeName, element, tryAsk, whileBusy } from "./holder_asking.js";
import { t } from "./language.js";

const $ = (id) => document.getElementById(id);
const PATH = "/v1/holder/devices";
const GRADES = { app: t("手机应用", "Phone with the app"), browser: t("浏览器", "Browser") };
const AT = new Intl.DateTimeFormat(document.documentElement.lang, {
  timeZone: "Asia/Shanghai",
  dateStyle: "medium",
  timeStyle: "short",
});

export class Devices {
  /** phone: the OfflinePhone that this page is on. */
  constructor(phone) {
    this.phone = phone;
    this.name = new ChangeName();
  }

  async show() {
    const reply = await tryAsk("GET", PATH, undefined, $("devices-problem"));
    if (!reply?.ok) return;
    const { devices } = reply.answer;
    $("devices").replaceChildren(...devices.map((one) => this.#line(one)));
    $("devices-empty").hidden = devices.length > 0;
  }

  cover() {
    $("devices").replaceChildren();
  }

  #line(one) {
    const at = AT.format(new Date(one.registered_at));
    const what = this.phone.isThis(one.device_id) ? t("这部手机", "This phone") : GRADES[one.grade];
    const text = t(`${what}，${at} 登记`, `${what}, since ${at}`);
    const button = element("button", t("解除绑定", "Unbind"), "button quiet");
    button.type = "button";
    button.setAttribute("aria-label", t(`解除绑定：${text}`, `Unbind: ${text}`));
    button.addEventListener("click", whileBusy(button, () => this.#remove(one)));
    const line = element("li");
    line.append(element("p", text), button);
    return line;
  }

  async #remove(one) {
    // Its keys go at once, whatever the network says.
    if (this.phone.isThis(one.device_id)) await this.phone.wipe();
    const path = `${PATH}/${one.device_id}`;
    const reply = await tryAsk("DELETE", path, undefined, $("devices-problem"), this.name.name);
    this.name.settle(reply);
    if (!reply?.ok) return;
    await this.show();
    $("devices-title").focus();
  }
}
