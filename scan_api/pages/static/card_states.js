// What a card that can't be shown says to its holder.

import { t } from "./language.js";

const TEXTS = {
  not_activated: [
    t("卡还没有启用", "Your card is not activated yet"),
    t("请带身份证到社保卡窗口领卡、启用。", "Take your identity card to the card window to receive and activate it."),
  ],
  sealed: [
    t("卡已封存", "Your card is sealed"),
    t("请带身份证到社保卡窗口咨询。", "Take your identity card to the card window and ask there."),
  ],
  formal_loss: [
    t("卡已正式挂失", "Your card is formally reported lost"),
    t("请带身份证到社保卡窗口补卡。", "Take your identity card to the card window for a new card."),
  ],
  locked: [
    t("卡已锁定", "Your card is locked"),
    t("请带身份证和卡到社保卡窗口解锁。", "Take your identity card and this card to the card window to unlock it."),
  ],
  cancelled: [
    t("卡已注销", "Your card is cancelled"),
    t("如需新卡，请带身份证到社保卡窗口申领。", "For a new card, apply at the card window with your identity card."),
  ],
};

const E_CARD = [
  t("电子社保卡还没有启用", "Your e-card is not active"),
  t("请带身份证到社保卡窗口启用电子社保卡。", "Take your identity card to the card window to activate the e-card."),
];

/** Whether the service gives codes for it. */
export const isUsable = (card) => card.card_state === "normal" && card.e_card_state === "active";

/** [title, advice] for a card that is not normal, or for an e-card that is not active. */
export const cardText = (cardState) => TEXTS[cardState] ?? E_CARD;

const USABLE = [
  t("正常", "In use"),
  t("实体卡和电子社保卡都可以用。", "Both the card and the e-card work."),
];
const LOST = [
  t("已临时挂失", "Reported lost"),
  t(
    "实体卡和电子社保卡都不能用。找到卡后可以用密码解除挂失；找不到请带身份证到窗口补卡。",
    "Neither the card nor the e-card works. If you find it, undo the report with your password; if not, take your identity card to the window for a new one.",
  ),
];

/** [state, what it means] of any card, as its holder is told. */
export function stateText(card) {
  if (card.card_state === "temporary_loss") return LOST;
  if (card.card_state !== "normal") return cardText(card.card_state);
  return card.e_card_state === "active" ? USABLE : E_CARD;
}
