// Stages of a batch and states of its cards, in words.

import { t } from "./language.js";

export const STAGES = {
  release: t("待放行", "To be released"),
  issue: t("待发卡", "To be issued"),
  bank: t("银行开户", "At the bank"),
  making: t("制卡", "Being made"),
  branch: t("待领卡", "To be handed over"),
  handed_over: t("已领完", "Handed over"),
  ended: t("不再办理", "Ended"),
};

export const BATCH_STATES = {
  imported: t("待复核", "Waits for approval"),
  released: t("已放行", "Released"),
  paused: t("已暂停", "Paused"),
  issued: t("已发卡", "Issued"),
  rejected: t("已驳回", "Rejected"),
  cancelled: t("已取消", "Cancelled"),
};

export const CARD_STATES = {
  awaiting_bank: t("待报银行", "For the bank"),
  at_bank: t("已报银行未回盘", "At the bank"),
  awaiting_maker: t("银行回盘待报卡商", "For the maker"),
  at_maker: t("已报卡商待回盘", "At the maker"),
  made: t("卡商已回盘", "Made"),
  at_branch: t("发卡网点领卡", "At the branch"),
  handed_over: t("个人已领卡", "Handed over"),
  handed_to_employer: t("单位已领卡", "Handed to the employer"),
  account_failed: t("开户失败信息待修改", "No account; data to be corrected"),
  making_failed: t("制卡失败", "Failed in making"),
  awaiting_device: t("待即时制卡", "For the device"),
  at_device: t("设备制卡中", "In the device"),
  made_at_once: t("快速制卡完成待领取", "Made at once"),
  device_failed: t("设备制卡失败", "Failed in the device"),
};

export const ORDER_STATES = {
  preparing: t("数据生成中", "Being prepared"),
  sent: t("已报卡商", "With the maker"),
  answered: t("已全部回盘", "All answered"),
  withdrawn: t("已撤回", "Withdrawn"),
};

/** What comes next: words, and a command where it is done on the command line. */
export function nextOf(batch) {
  const has = (state) => batch.cards[state] > 0;
  const on = (zh, en, command) => ({
    words: t(zh, en),
    command: command && `sscard batch ${command} ${batch.batch_id} --operator …`,
  });
  if (batch.state === "paused") return on("发卡已暂停。查明原因后解除暂停，再发卡。", "Issuing is paused. End the pause, then issue.");
  switch (batch.stage) {
    case "release":
      return on("等另一人复核放行。", "Another person has to release it.");
    case "issue":
      return on("已放行，可以发卡：为每个人分配卡号。", "Released: issue the cards, which gives each person a card number.");
    case "bank":
      if (has("awaiting_bank")) return on("生成银行预开户文件，交给银行。", "Write the file for the bank.", "bank-file");
      if (has("at_bank")) return on("等银行回盘；收到后导入回盘文件。", "Wait for the bank's return file, then take it in.");
      return on("有人开户失败：改正信息后再报银行。", "Accounts failed: correct the data and send them again.", "rework");
    case "making":
      if (has("awaiting_maker")) return on("下制卡单并生成制卡文件，交给卡商。", "Order the making and write the maker's file.", "order");
      if (has("at_maker")) return on("等卡商回盘；收到后导入回盘文件。", "Wait for the maker's return file, then take it in.");
      if (has("making_failed")) return on("有卡制卡失败：返工，再下制卡单。", "Cards failed in making: rework them.", "rework");
      return on("在网点设备上制卡。", "Make them in the branch's device.");
    case "branch":
      if (has("made")) return on("卡已制好：配送到领卡网点。", "The cards are made: send them to their branches.", "dispatch");
      return on("等持卡人到网点领卡。", "Holders collect their cards at the branch.");
    case "handed_over":
      return on("全部领完，无须再办。", "All are handed over; nothing is left to do.");
    default:
      return on("批次已结束，其中的人可以重新申领。", "The batch has ended; its people may apply anew.");
  }
}
