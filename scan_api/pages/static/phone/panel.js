// What the holder reads and decides about codes with no network on this phone.

import { NoAnswerError } from "../ask.js";
import { pick, t } from "../language.js";
import { clockText } from "./clock_words.js";

const OFFER = t(
  "自己的手机可以开启。开启后，没有网络时也会显示二维码，给窗口核验身份用。付钱、取药仍要联网。别人的手机、公用电脑请不要开启。",
  "For a phone of your own. Once this is on, a code is shown even without a network, so that a counter can see who you are. Paying and collecting medicine still need the network. Leave it off on a phone or computer that isn't yours.",
);
const NO_ANSWER = t(
  "连不上服务。请检查网络，再试一次。",
  "The service can't be reached. Check the network and try again.",
);

const $ = (id) => document.getElementById(id);

export class PhonePanel {
  /** phone: the OfflinePhone, whose changes are to be drawn. */
  constructor(phone) {
    this.phone = phone;
    $("phone-bind").addEventListener("click", () => this.#run($("phone-bind"), () => phone.bind()));
    $("phone-unbind").addEventListener("click", () =>
      this.#run($("phone-unbind"), () => phone.unbind()),
    );
  }

  draw() {
    const { isBound, isSupported, readyUntil } = this.phone;
    // Where the browser keeps nothing there is nothing to offer.
    $("phone").hidden = !isSupported;
    $("phone-bind").hidden = isBound;
    $("phone-unbind").hidden = !isBound;
    this.#write($("phone-text"), isBound ? boundText(readyUntil) : OFFER);
    const clock = isBound ? clockText(this.phone.time.ahead()) : "";
    this.#write($("phone-clock"), clock);
    $("phone-clock").hidden = !clock;
  }

  // Live regions are read aloud whenever they are written, so only news is.
  #write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  async #run(button, work) {
    if (button.disabled) return;
    button.disabled = true;
    this.#write($("phone-problem"), "");
    try {
      await work();
      $("phone-title").focus();
    } catch (error) {
      if (error instanceof NoAnswerError) this.#write($("phone-problem"), NO_ANSWER);
      else if (error.answer) this.#write($("phone-problem"), told(error.answer));
      else throw error;
    } finally {
      button.disabled = false;
      this.draw();
    }
  }
}

function boundText(readyUntil) {
  const end = t(
    "退出登录时，这里也会一起停用。",
    "Signing out turns this off, too.",
  );
  if (!readyUntil) {
    return t("已开启，但现在没有可用的离线码；联网时会自动备好。", "It is on, but no codes are ready now; they are fetched by themselves when there is a network. ") + end;
  }
  const until = new Date((readyUntil - 1) * 1000).toLocaleDateString(t("zh-CN", "en"), {
    timeZone: "Asia/Shanghai",
    month: "long",
    day: "numeric",
  });
  return (
    t(
      `已开启。没有网络时会自动显示离线码，只能核验身份，可以用到 ${until}；联网时会自动续上。`,
      `It is on. Without a network this phone shows a code that tells who you are, until ${until}; with a network that goes on by itself. `,
    ) + end
  );
}

/** What a problem document tells a reader: what is wrong, and what to do. */
const told = (answer) =>
  [pick(answer, "title"), pick(answer, "detail")].filter(Boolean).join(t("。", ". "));
