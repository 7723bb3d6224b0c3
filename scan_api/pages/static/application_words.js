// What an application for a card is told as: what is applied for, how far it is, and when.

import { t } from "./language.js";

const DAY = new Intl.DateTimeFormat(document.documentElement.lang, {
  timeZone: "Asia/Shanghai",
  dateStyle: "medium",
});
const KINDS = {
  new: t("申领新卡", "New card"),
  replacement: t("补卡", "Replacement"),
  exchange: t("换卡", "Exchange"),
};
const STATES = {
  filed: t("已提交，等工作人员核对", "Filed; somebody at the bureau will look at it"),
  accepted: t("已受理，准备制卡", "Accepted; the card will be made"),
  taken_in: t("正在制卡，做好后到网点领", "The card is being made; collect it at the branch"),
  refused: t("没有受理", "Not accepted"),
  withdrawn: t("您已撤回", "You withdrew it"),
};
const REASONS = {
  data_wrong: t("填写的内容有误，请更正后重新提交", "something in it is wrong; apply again with the right data"),
  evidence_missing: t("缺少材料，请带齐证件到窗口", "a document is missing; take all of them to the window"),
  not_the_guardian: t("不能确认您是监护人，请带户口簿到窗口", "that you are the guardian is not shown; take the household register to the window"),
  not_entitled: t("不符合办理条件，请到窗口咨询", "it can't be had in this case; ask at the window"),
};

/** {what, state, at} of one application, as the service lists it. */
export function applicationWords({ name, kind, state, reason, filed_at: filedAt }) {
  const why = reason === null ? "" : t("：", ": ") + (REASONS[reason] ?? reason);
  return {
    what: t(`${name}，${KINDS[kind]}`, `${name}, ${KINDS[kind].toLowerCase()}`),
    state: STATES[state] + why,
    at: DAY.format(new Date(filedAt)),
  };
}
