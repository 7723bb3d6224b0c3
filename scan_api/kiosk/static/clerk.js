// Where a clerk serves people, at a bank's counter or on a tablet at somebody's home: the clerk signs
// in, and for each person chooses what they have come for. What is typed goes when it is done.

import { newRequestId } from "./ask.js";
import { pick, t } from "./language.js";
import { Visit, screenShown, show } from "./screens.js";

const IDLE_MS = 300_000;
const OVER = ["sign_in_needed", "nobody_here"];
const NO_ANSWER = t(
  "没有收到答复，不知道有没有办成。请再点一次，不会重复办理。",
  "No answer came; it isn't known whether it was done. Press once more: nothing is done twice.",
);
const DAY = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "long",
  timeZone: "Asia/Shanghai",
});
const $ = (id) => document.getElementById(id);

export class Clerk {
  /** idle: of the page; it ends a clerk's session after five minutes. */
  constructor(idle) {
    this.idle = idle;
    this.isHere = false;
    this.request = "";
    this.problem = $("clerk-in-problem");
    this.visit = new Visit({ onNoAnswer: () => this.#tell(NO_ANSWER) });
    this.#onSubmit("in", (fields) => this.#signIn(fields));
    for (const [name, errand] of Object.entries(ERRANDS)) {
      this.#onSubmit(name, (fields) => this.#serve(errand, fields));
    }
    for (const button of document.querySelectorAll("[data-errand]")) {
      button.addEventListener("click", () => this.#begin(button.dataset.errand));
    }
    for (const button of document.querySelectorAll("[data-back]")) {
      button.addEventListener("click", () => this.#next());
    }
    $("clerk-out").addEventListener("click", () => this.leave(t("已退出登录。", "You are signed out.")));
  }

  /** The channel is in service. channel: the service's answer. */
  open(channel) {
    this.isHere = true;
    this.idle.idleMs = IDLE_MS;
    for (const button of document.querySelectorAll("[data-errand]")) {
      const { needs, not } = button.dataset;
      button.hidden = !channel.rights.includes(needs) || channel.rights.includes(not);
    }
    if (!channel.rights.includes("hand_over_card")) {
      $("clerk-activate-form").querySelector("[type=submit]").textContent = t("启用", "Activate");
    }
    if (["waiting", "closed"].includes(screenShown())) show("clerk-in");
  }

  /** The clerk's session ends, and nothing of anybody stays on the page. */
  leave(why = t("太久没有操作，已自动退出。", "Nobody touched the page for a while, so you were signed out.")) {
    this.idle.stop();
    this.visit.end();
    this.#forget();
    $("clerk-name").textContent = "";
    $("clerk-over").textContent = why;
    $("clerk-over").hidden = false;
    show("clerk-in");
  }

  #onSubmit(name, work) {
    const form = $(`clerk-${name}-form`);
    form.addEventListener("input", () => {
      // Another content is another request.
      this.request = "";
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.problem = $(`clerk-${name}-problem`);
      this.#tell("");
      const empty = [...form.elements].find((one) => one.required && !filled(one));
      if (!empty) {
        work(fieldsOf(form));
        return;
      }
      empty.focus();
      this.#tell(
        empty.type === "checkbox"
          ? t("请先核对证件原件和本人，再勾选。", "Compare the original document with the person first, then tick the box.")
          : t(`请填写：${labelOf(empty)}`, `Please fill in: ${labelOf(empty)}`),
      );
    });
  }

  async #signIn(fields) {
    const reply = await this.visit.ask("/clerk/session", fields);
    for (const secret of ["password", "dynamic_password"]) {
      const field = $(`clerk-in-${secret}`);
      if (field) field.value = "";
    }
    if (!reply) return;
    if (!reply.ok) {
      const isWrong = ["sign_in_refused", "bad_request"].includes(reply.answer?.code);
      this.#tell(isWrong ? WRONG : told(reply.answer));
      return;
    }
    $("clerk-over").hidden = true;
    $("clerk-name").textContent = reply.answer.clerk;
    this.idle.start();
    this.#next();
  }

  #begin(name) {
    this.#forget();
    show(`clerk-${name}`);
  }

  #next() {
    this.#forget();
    show("clerk-errands");
  }

  async #serve(errand, fields) {
    // The same name again where no answer came: nothing is done twice.
    this.request ||= newRequestId();
    const body = { ...errand.body(fields), request_id: this.request };
    const reply = await this.visit.ask(`/clerk/${errand.path}`, body);
    if (!reply) return;
    this.request = "";
    const { ok, answer } = reply;
    if (ok) {
      this.#forget();
      [$("clerk-done-title").textContent, $("clerk-done-next").textContent] = errand.done(answer);
      show("clerk-done");
    } else if (OVER.includes(answer?.code)) {
      this.leave(t("登录已失效，没有办理。请重新登录。", "Your session had ended; nothing was done. Please sign in again."));
    } else this.#tell(errand.refused?.[answer?.code] ?? told(answer));
  }

  #tell(text) {
    this.problem.textContent = text;
  }

  /** Nothing of the last person is left. */
  #forget() {
    this.request = "";
    for (const form of document.querySelectorAll("[data-screen^=clerk] form")) form.reset();
    for (const one of document.querySelectorAll("[data-screen^=clerk] .field-problem")) one.textContent = "";
    for (const id of ["clerk-done-title", "clerk-done-next"]) $(id).textContent = "";
  }
}

const WRONG = t(
  "登录名、口令或第二因素不正确，或者没有渠道经办的岗位。连续错 5 次锁定 15 分钟。",
  "Name, password or second factor is wrong, or you have no clerk's role. After 5 failures the name is locked for 15 minutes.",
);
const NOT_THE_STATE = t(
  "这张卡现在不能办这项业务：可能已经启用、挂失或注销，或者还没有制好。",
  "Not possible with this card now: it may be in use, lost or cancelled already, or not made yet.",
);
const person = ({ social_security_number: number, name }) => ({
  person: { social_security_number: number.trim().toUpperCase(), name: name.trim() },
});
const ERRANDS = {
  activate: {
    path: "activations",
    body: (fields) => ({
      ...person(fields),
      card_number: fields.card_number.trim().toUpperCase(),
      evidence: fields.evidence,
    }),
    done: () => [
      t("卡已启用", "The card is in use"),
      t("请把卡交给来领的人。还没有电子社保卡的，可以在手机上开通，或带身份证到社保卡窗口。", "Give the card to whoever collects it. The e-card is activated on the holder's phone, or at the card window."),
    ],
    refused: {
      wrong_state: NOT_THE_STATE,
      not_allowed: t("这里不能领卡：卡还没有交到本人手里的，请到窗口或领卡网点办理。", "Cards are not handed over here: one that was not collected yet is collected at a window or its branch."),
    },
  },
  loss: {
    path: "loss-reports",
    body: person,
    done: ({ loss_lapses_at: lapsesAt }) => {
      // It lapses at midnight: the last day is the one that ends then.
      const day = DAY.format(new Date(Date.parse(lapsesAt) - 1));
      return [
        t("已挂失", "Reported lost"),
        t(`卡和电子社保卡已停用。临时挂失到 ${day} 为止，请提醒本人在此之前到社保卡窗口办正式挂失。`, `Card and e-card are stopped. The report lasts until ${day}: remind them to make it formal at the card window before.`),
      ];
    },
    refused: { wrong_state: NOT_THE_STATE },
  },
  apply: {
    path: "applications",
    body: ({ seen, number, ...fields }) => {
      const typed = number.trim().toUpperCase();
      return {
        applicant: {
          ...Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text.trim()])),
          number: typed,
          certificate: "居民身份证",
          // The number says both; the bureau compares them.
          birth_on: typed.replace(/^.{6}(....)(..)(..).*$/, "$1-$2-$3"),
          sex: Number(typed[16]) % 2 ? "男" : "女",
        },
        evidence: "identity_document",
      };
    },
    done: () => [
      t("已提交", "Filed"),
      t("由社保卡机构的工作人员核对后制卡，做好后到所选网点领。", "Somebody at the bureau looks at it; then the card is made and waits at the branch."),
    ],
  },
};

const filled = (field) => (field.type === "checkbox" ? field.checked : field.value.trim());
const fieldsOf = (form) => Object.fromEntries(new FormData(form));
const labelOf = (field) => document.querySelector(`label[for="${field.id}"]`).textContent.trim();

/** What a problem document tells, with what is wrong in each field. */
function told(answer) {
  const wrong = (answer?.errors ?? []).map((one) => fault(one));
  if (wrong.length) return wrong.join(" ");
  return [pick(answer, "title"), pick(answer, "detail")].filter(Boolean).join(t("。", ". "));
}

function fault(one) {
  const label = document.querySelector(`label[for="apply-${one.field.split(".").at(-1)}"]`)?.textContent;
  return (label ? t(`${label}：`, `${label}: `) : "") + pick(one, "message");
}
