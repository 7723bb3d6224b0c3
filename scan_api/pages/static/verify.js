// The public check of a receipt: its text or file goes to the service, which tells what it is of.

import { NoAnswerError, ask } from "./ask.js";
import { pick, t } from "./language.js";

const FILE_BYTES_MAX = 65_536;
const KINDS = {
  scan: t("核验通过", "Accepted scan"),
  refund: t("退费", "Refund"),
  return: t("退药", "Return of medicine"),
  void: t("冲正", "Scan made void"),
};
const TIME = new Intl.DateTimeFormat(document.documentElement.lang, {
  timeZone: "Asia/Shanghai",
  dateStyle: "long",
  timeStyle: "medium",
});

const $ = (id) => document.getElementById(id);

$("verify-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("receipt-text").value.trim();
  if (!text) {
    showProblem(t("请先粘贴凭据文本，或选择文件。", "Paste the receipt's text first, or choose its file."));
    return;
  }
  await check(text);
});

$("receipt-file").addEventListener("change", async () => {
  const [file] = $("receipt-file").files;
  if (!file) return;
  if (file.size > FILE_BYTES_MAX) {
    showProblem(t("文件太大，不是核验凭据。", "The file is too large to be a receipt."));
    return;
  }
  $("receipt-text").value = (await file.text()).trim();
  await check($("receipt-text").value);
});

async function check(receipt) {
  showProblem("");
  $("checked").hidden = true;
  try {
    const { ok, answer } = await ask("POST", "/v1/receipt-checks", { body: { receipt } });
    if (ok) show(answer);
    else showProblem(`${pick(answer, "title")}。${pick(answer, "detail")}`);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    showProblem(t("网络不通，没有查成。请稍后再试。", "There was no answer. Try again later."));
  }
}

function showProblem(text) {
  $("receipt-problem").textContent = text;
  $("receipt-text").setAttribute("aria-invalid", String(Boolean(text)));
}

function show(answer) {
  $("checked").className = `panel checked ${answer.genuine ? "genuine" : "not-genuine"}`;
  $("checked-title").textContent = answer.genuine
    ? t("凭据是真的", "The receipt is genuine")
    : t("凭据无效", "The receipt is not genuine");
  $("checked-next").textContent = nextOf(answer);
  $("checked-facts").replaceChildren(...(answer.genuine ? factsOf(answer) : []).flatMap(drawn));
  $("checked").hidden = false;
  $("checked").focus();
}

function nextOf(answer) {
  if (!answer.genuine) {
    return t(
      "内容不完整、被改过，或不是本机构签发。请向出具机构要原件，再查一次。",
      "It is cut, was changed, or this issuer did not sign it. Ask whoever gave it for the original.",
    );
  }
  if (answer.reversed) {
    return t("但这次核验后来撤销过（全部或部分）。", "But the scan was taken back later, in whole or in part.");
  }
  return t("由本发卡机构签发，没有被改过。", "This issuer signed it, and it was not changed.");
}

function factsOf(answer) {
  const facts = [
    [t("类型", "Kind"), KINDS[answer.kind]],
    [t("时间", "When"), TIME.format(new Date(answer.at))],
    [t("机构", "Institution"), `${answer.institution_name ?? ""} ${answer.institution_code}`.trim()],
    [t("业务", "Business"), pick(answer, "business_type")],
  ];
  if (answer.reversed !== null) {
    const state = answer.reversed ? t("已撤销", "Taken back") : t("有效，未撤销", "Accepted, not taken back");
    facts.push([t("现在的状态", "Now"), state]);
  }
  return facts;
}

function drawn([name, value]) {
  return [element("dt", name), element("dd", value)];
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
