// What stands in the audit log about a person, in words.

import { t } from "./language.js";

const ACTS = {
  accept_filing: t("受理申领", "Application accepted"),
  activate_card: t("启用社保卡", "Card activated"),
  activate_ecard: t("开通电子社保卡", "E-card activated"),
  apply_for_life_event: t("业务申请", "Applied for"),
  batch_filings: t("申领入批次", "Application taken into a batch"),
  bind_guardian: t("绑定监护人", "Guardian bound"),
  cancel_card: t("注销社保卡", "Card cancelled"),
  cancel_ecard: t("注销电子社保卡", "E-card cancelled"),
  correct_holder: t("更正关键信息", "Key data corrected"),
  decide_life_event: t("业务办结", "Decided"),
  dispatch_cards: t("配送", "Dispatched"),
  end_family_member: t("结束亲情服务", "Family member ended"),
  end_guardianship: t("结束监护", "Guardianship ended"),
  end_visit: t("结束就诊", "Visit ended"),
  erase_holder: t("删除个人信息", "Personal data erased"),
  erase_lapsed_holder: t("期满删除个人信息", "Personal data erased in time"),
  exchange_card: t("换卡", "Card exchanged"),
  export_holder: t("导出个人信息", "Personal data exported"),
  file_application: t("提交申领", "Application filed"),
  hand_over_card: t("领卡", "Handed over"),
  issue_at_once: t("即时制卡", "Issued at once"),
  issue_device_credentials: t("签发设备凭证", "Credentials for the phone"),
  lapse_temporary_loss: t("临时挂失到期", "Temporary loss lapsed"),
  lock_card: t("应用锁定", "Card locked"),
  merge_holders: t("合并记录", "Records merged"),
  offer_ecard: t("同意亲友出示", "E-card offered to a relative"),
  print_code: t("打印一次性码", "Code printed"),
  refuse_filing: t("不予受理申领", "Application refused"),
  register_device: t("登记手机", "Phone registered"),
  remove_device: t("移除手机", "Phone removed"),
  replace_card: t("补卡", "Card replaced"),
  report_formal_loss: t("正式挂失", "Formal loss"),
  report_scan: t("反映非本人扫码", "Scan reported as not theirs"),
  report_temporary_loss: t("临时挂失", "Temporary loss"),
  resume_ecard: t("恢复电子社保卡", "E-card resumed"),
  reverse_scan: t("撤销核验", "Scan reversed"),
  rework_cards: t("返工", "Made again"),
  seal_card: t("封存", "Card sealed"),
  serve_life_event: t("业务办理", "Served"),
  show_ward: t("为被监护人出示", "Ward's e-card shown"),
  suspend_ecard: t("停用电子社保卡", "E-card suspended"),
  take_ecard: t("接受亲友出示", "Relative's e-card taken"),
  unlock_card: t("应用解锁", "Card unlocked"),
  unseal_card: t("解除封存", "Card unsealed"),
  withdraw_filing: t("撤回申领", "Application withdrawn"),
  withdraw_formal_loss: t("解除正式挂失", "Formal loss withdrawn"),
  withdraw_temporary_loss: t("解挂", "Temporary loss withdrawn"),
};
const ACTORS = {
  holder: t("本人", "The holder"),
  terminal: t("终端", "A terminal"),
  issuer: t("其他发卡机构", "Another issuer"),
  system: t("系统", "The system"),
  operator: t("已离职经办", "An operator who left"),
};

/** The words of an act; one without words is told by its stable name. */
export const actOf = (one) => ACTS[one.act] ?? one.act;

/** Who did it. */
export const actorOf = (one) => one.by ?? ACTORS[one.actor_kind] ?? one.actor_kind;
