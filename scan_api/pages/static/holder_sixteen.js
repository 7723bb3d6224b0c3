// What becomes of a child's e-card on the 16th birthday, told to guardian and child, before and after.

import { NoAnswerError, ask } from "./ask.js";
import { element } from "./holder_asking.js";
import { t } from "./language.js";

const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: "UTC", dateStyle: "long" });
const BEFORE_MS = 365 * 86_400_000;

export class Sixteen {
  /** Told wherever the page has a place for it; a service that gives no answer is told of there. */
  async show() {
    let reply;
    try {
      reply = await ask("GET", "/v1/holder/family");
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return;
    }
    if (!reply.ok) return;
    const { wards, grown, guardians } = reply.answer;
    const lines = [
      ...guardians.map((one) => (one.is_over ? ownAfter(one) : ownBefore(one))),
      ...wards.map(wardBefore),
      ...grown.map(wardAfter),
    ].filter(Boolean);
    for (const box of document.querySelectorAll("[data-sixteen]")) {
      box.replaceChildren(...lines.map((text) => element("p", text)));
      box.hidden = lines.length === 0;
    }
  }

  cover() {
    for (const box of document.querySelectorAll("[data-sixteen]")) {
      box.replaceChildren();
      box.hidden = true;
    }
  }
}

const on = (one) => DAY.format(new Date(`${one.ends_on}T00:00:00Z`));
const isNear = (one) => new Date(`${one.ends_on}T00:00:00Z`) - Date.now() < BEFORE_MS;

function wardBefore(one) {
  if (!isNear(one)) return "";
  return t(
    `${one.name}到${on(one)}满 16 周岁。从那天起您不能再出示这张电子社保卡，监护登记自动结束；孩子在自己的手机上打开本页，做本人核验、设自己的密码。`,
    `${one.name} turns 16 on ${on(one)}. From that day you can't show this e-card, and the guardianship is over by itself; the child opens this page on their own phone, is checked, and chooses a password.`,
  );
}

function wardAfter(one) {
  return t(
    `${one.name}在${on(one)}满了 16 周岁，您不能再出示。卡照常能用：请孩子自己开通，或用“忘了密码”设自己的密码；还要您帮忙出示的，由孩子给您授权码。`,
    `${one.name} turned 16 on ${on(one)}, and you can't show the e-card any more. The card goes on working: the child activates it, or chooses an own password by “I forgot my password”; if you are still to show it, the child gives you a code.`,
  );
}

function ownBefore(one) {
  if (!isNear(one)) return "";
  return t(
    `您到${on(one)}满 16 周岁。从那天起监护人不能再出示您的卡，由您自己出示；密码是监护人设的，请改成只有您知道的。`,
    `You turn 16 on ${on(one)}. From that day your guardian can't show your card, you do; if your guardian chose the password, choose one that you alone know.`,
  );
}

function ownAfter(one) {
  return t(
    `您在${on(one)}满了 16 周岁：监护登记已经结束，监护人不能再出示您的卡。如果密码是监护人设的，请马上改成只有您知道的。`,
    `You turned 16 on ${on(one)}: the guardianship is over, and your guardian can't show your card any more. If your guardian chose the password, change it now to one that you alone know.`,
  );
}
