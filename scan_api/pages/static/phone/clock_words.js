// What the holder is told of a phone's clock that is wrong, with a network and without one.

import { t } from "../language.js";
import { CLOCK_OFF_SECONDS } from "./service_time.js";

/** With a network, when it does not matter yet. ahead: ServiceTime's. Empty where all is well. */
export function clockText(ahead) {
  const off = offText(ahead);
  if (!off) return "";
  return t(
    `${off}。请在手机的“设置”里打开“自动设置日期和时间”，否则没有网络时出示的码可能不被接受。`,
    `${off}. Please turn on “set date and time automatically” in the phone's settings; otherwise a code shown without a network may be refused.`,
  );
}

/** Without one: codes go by how far off it was, which is no longer right once it was set. */
export function offlineClockText(ahead) {
  const off = offText(ahead);
  if (!off) return "";
  return t(
    `${off}，出码时已经校正。如果刚改过手机时间，请先连一下网，不然窗口可能不认这张码。`,
    ` ${off}; the code allows for that. If you have just set the clock, go online once first, or the counter may refuse the code.`,
  );
}

function offText(ahead) {
  if (ahead === null || Math.abs(ahead) <= CLOCK_OFF_SECONDS) return "";
  const [zh, en] = span(Math.abs(ahead));
  return ahead > 0
    ? t(`这部手机的时间快了${zh}`, `This phone's clock is ${en} fast`)
    : t(`这部手机的时间慢了${zh}`, `This phone's clock is ${en} slow`);
}

/** A stretch of time in words, in both languages. */
function span(seconds) {
  const [size, zh, en] =
    [[86_400, "天", "days"], [3600, "小时", "hours"], [60, "分钟", "minutes"]].find(
      ([unit]) => seconds >= 2 * unit,
    ) ?? [1, "秒", "seconds"];
  const count = Math.round(seconds / size);
  return [`约 ${count} ${zh}`, `about ${count} ${en}`];
}
