// The public check of a receipt: its text goes to the service, which tells what it is of. The text may
// come out of a file, or of a QR code before the camera or in a picture; a picture stays here.

import { NoAnswerError, ask } from "./ask.js";
import { Camera } from "./camera.js";
import { pick, t } from "./language.js";
import { pictureReader } from "./picture_text.js";

const FILE_BYTES_MAX = 65_536;
const PICTURE_BYTES_MAX = 20_000_000;
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
  showProblem("");
  const text = file.type.startsWith("image/") ? await textOfPicture(file) : await textOfFile(file);
  if (text) await checkRead(text);
});

async function checkRead(text) {
  $("receipt-text").value = text;
  await check(text);
}

async function textOfFile(file) {
  if (file.size > FILE_BYTES_MAX) {
    return showProblem(t("文件太大，不是核验凭据。", "The file is too large to be a receipt."));
  }
  return (await file.text()).trim();
}

async function textOfPicture(file) {
  const read = await reading;
  if (!read) {
    return showProblem(
      t(
        "这个浏览器认不出图片里的二维码。请用手机的“扫一扫”读出文本，粘贴到上面。",
        "This browser can't read a QR code in a picture. Read it with a phone's scanner and paste the text above.",
      ),
    );
  }
  if (file.size > PICTURE_BYTES_MAX) {
    return showProblem(t("图片太大，请拍小一点。", "The picture is too large. Take a smaller one."));
  }
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return showProblem(t("这张图片打不开，请换一张。", "The picture can't be opened. Choose another."));
  }
  const text = await read(picture);
  picture.close();
  if (text) return text.trim();
  return showProblem(
    t(
      "图片里没有找到一个清楚的二维码。请对正、拍清楚，一张图只拍一个码。",
      "No single clear QR code was found. Hold the camera straight, take it sharp, one code in a picture.",
    ),
  );
}

// ---- the camera, where there is one and the browser reads codes

const reading = pictureReader();
reading.then((read) => {
  if (!read || !navigator.mediaDevices) return;
  const camera = new Camera($("camera-picture"), {
    decode: ({ video }) => read(video),
    onText: async (text) => {
      stop();
      await checkRead(text.trim());
    },
    onProblem: showProblem,
    otherwise: t("或选择图片、粘贴文本。", "or choose a picture or paste the text."),
  });
  const show = () => {
    $("camera").hidden = !camera.running;
    $("camera-button").textContent = camera.running ? t("关摄像头", "Stop camera") : t("用摄像头扫", "Use camera");
  };
  const stop = () => {
    camera.stop();
    show();
  };
  $("camera-button").addEventListener("click", async () => {
    showProblem("");
    if (camera.running) return stop();
    $("camera-button").disabled = true;
    await camera.start();
    $("camera-button").disabled = false;
    show();
  });
  // Nobody leaves a camera on behind a page that isn't seen.
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  $("camera-line").hidden = false;
});

async function check(receipt) {
  showProblem("");
  try {
    const { ok, answer } = await ask("POST", "/v1/receipt-checks", { body: { receipt } });
    if (ok) show(answer);
    else showProblem(`${pick(answer, "title")}。${pick(answer, "detail")}`);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    showProblem(t("网络不通，没有查成。请稍后再试。", "There was no answer. Try again later."));
  }
}

/** Tells the reader. Nothing is left of what was checked before: it would be taken for the answer. */
function showProblem(text) {
  $("checked").hidden = true;
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
