// The first place for whoever reads large type: three buttons, everything else behind "more", and
// what is seen said aloud once. What is said names nobody and holds no number.

import { element } from "./holder_asking.js";
import { t } from "./language.js";
import { Spoken } from "./spoken.js";

const $ = (id) => document.getElementById(id);

/** What is said when one of these comes up: sections, the dialog, a word on a use. */
const WORDS = {
  home: t("您要做什么？请按大按钮", "What do you need? Press a large button"),
  card: t("请让窗口扫这个码。它会自己换新，不用按", "Let the counter scan this code. It changes by itself"),
  lost: t("卡已经挂失，谁也用不了。卡找到了，就在这里输入密码", "The card is reported lost and works for nobody. If you found it, enter your password here"),
  unusable: t("这张卡现在不能用，请看屏幕上的说明", "The card can't be used now. Please read the screen"),
  scans: t("这里看谁用过您的卡。不是您，就按“这不是我”", "Here is who used your card. If it wasn't you, press so"),
  "loss-dialog": t("确定要挂失吗？卡和码马上都不能用", "Report the card lost? Card and code stop working at once"),
  news: t("您的卡刚刚用过，请看屏幕", "Your card was just used. Please look at the screen"),
};
const BACK_FROM = ["card", "lost", "unusable", "face", "scans", "more"];

export class Home {
  constructor() {
    // Drawn by the server where type is large.
    this.isThere = Boolean($("home"));
    if (!this.isThere) return;
    this.spoken = new Spoken($("spoken"));
    for (const id of BACK_FROM) $(id).prepend(back());
    $("devices-title").closest(".panel").before($("own-phone"));
    const others = element("details", "", "other-choices");
    others.append(element("summary", t("其他选择", "Other choices")));
    others.append($("show-bars"), $("report-loss"), document.querySelector(".purposes"));
    $("show-own").closest(".actions").after(others);
    for (const [id, words] of Object.entries(WORDS)) this.#watch($(id), () => words);
    // Of the code's own words, what becomes of one that was there.
    this.#watch($("code-notice"), () => $("code-notice").textContent);
    this.#watch($("code-cover"), () => !$("code-picture").hidden && $("code-cover").textContent);
  }

  /** The place, before all others, where there is one. stateOf(): the card's state now. */
  places(stateOf) {
    return this.isThere ? { home: { show: () => this.#show(stateOf()) } } : {};
  }

  #show(state) {
    const isLost = state === "temporary_loss";
    $("home-loss").hidden = isLost;
    $("home-code").textContent = isLost
      ? t("卡找到了，解除挂失", "I found my card")
      : t("出示我的码", "Show my code");
    return "home";
  }

  // Said when it comes up or changes while it is there, and not again before it was away.
  #watch(seen, wordsOf) {
    let said = "";
    const look = () => {
      const isUp = seen.matches("dialog") ? seen.open : !seen.hidden;
      const words = isUp ? wordsOf() : "";
      if (words && words !== said) this.spoken.say(words);
      said = words;
    };
    const what = { attributes: true, attributeFilter: ["hidden", "open"], childList: true };
    new MutationObserver(look).observe(seen, what);
  }
}

function back() {
  const link = element("a", t("返回", "Back"), "button quiet");
  link.href = "#/home";
  const line = element("p", "", "back");
  line.append(link);
  return line;
}
