// A new password that is typed twice: what can be seen to be wrong with it before it is sent.

import { t } from "./language.js";

const $ = (id) => document.getElementById(id);

/** The password in `id` and `id`-again, or "" where `problem` says what is wrong. */
export function chosenPassword(id, problem) {
  const [first, again] = [$(id).value, $(`${id}-again`).value];
  problem.textContent = "";
  if (!/^\d{6}$/.test(first)) problem.textContent = t("新密码要 6 位数字。", "The new password has 6 digits.");
  else if (first !== again) problem.textContent = t("两次输入的不一样，请重输。", "The two differ. Type them again.");
  else return first;
  forgetPassword(id);
  $(id).focus();
  return "";
}

export function forgetPassword(id) {
  $(id).value = "";
  $(`${id}-again`).value = "";
}
