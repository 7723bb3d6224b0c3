// Signing in: by name, password and dynamic password, or by the ticket that one's own key got.

import { $, ToldError, call } from "./bureau.js";
import { t } from "./language.js";

$("address").textContent = location.origin;

// The address says why one is here; a reload need not say it again.
if (location.search.includes("ended=1")) {
  $("ended").hidden = false;
  history.replaceState(null, "", "/");
}

/** Takes a form over. `fields`: ids of what has to be filled in; `enter` signs in with it. */
function take(form, fields, problem, incomplete, enter) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    const missing = fields.map($).find((input) => !input.value.trim());
    if (missing) {
      problem.textContent = incomplete;
      missing.focus();
      return;
    }
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await enter();
      location.assign("/");
    } catch (error) {
      if (!(error instanceof ToldError)) throw error;
      problem.textContent = error.message;
      $(fields.at(-1)).value = "";
      $(fields.at(-1)).focus();
    } finally {
      button.disabled = false;
    }
  });
}

take(
  $("sign-in-form"),
  ["name", "password", "digits"],
  $("sign-in-problem"),
  t("三项都要填。", "All three have to be filled in."),
  async () => {
    const name = $("name").value.trim();
    const { attempt } = await call("POST", "/challenges", { body: { name } });
    await call("POST", "/sign-ins", {
      body: {
        attempt,
        password: $("password").value,
        dynamic_password: $("digits").value.trim(),
        in_cookie: true,
      },
    });
  },
);

take(
  $("ticket-form"),
  ["ticket"],
  $("ticket-problem"),
  t("请填登录码。", "Type the ticket."),
  () => call("POST", "/sign-ins/by-ticket", { body: { ticket: $("ticket").value.trim() } }),
);
