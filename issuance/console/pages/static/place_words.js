// What institutions, terminals and their states are called.

import { t } from "./language.js";

export const KINDS = {
  hospital: t("医院", "Hospital"),
  pharmacy: t("药店", "Pharmacy"),
  online: t("线上医疗服务", "Online medical service"),
  bureau: t("经办机构", "Bureau"),
  bank: t("银行", "Bank"),
  transit: t("公共交通", "Transit"),
  culture: t("文化场所", "Cultural venue"),
};
export const STATES = { active: t("启用", "In service"), suspended: t("已停用", "Suspended") };
export const CHANNELS = {
  kiosk: t("自助终端", "Kiosk"),
  bank_counter: t("银行网点柜台", "Bank counter"),
  home_visit: t("上门平板", "Home-visit tablet"),
};
/** Where a clerk serves people, and signs in with a key of their own. */
export const ATTENDED = ["bank_counter", "home_visit"];

/** What a terminal, or what waits to become one, is. */
export const kindOf = (terminal) => CHANNELS[terminal.channel] ?? terminal.channel ?? t("扫码终端", "Terminal");
