// Signing in: name, password, and the digits of a dynamic password.

import { $, ToldError, call } from "./bureau.js";
import { t } from "./language.js";

const form = $("sign-in-form");

// The address says why one is here; a reload need not say it again.
if (location.search.includes("ended=1")) {
  $("ended").hidden = false;
  history.replaceState(null, "", "/");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const missing = ["name", "password", "digits"].map($).find((input) => !input.value.trim());
  $("sign-in-problem").textContent = "";
  if (missing) {
    $("sign-in-problem").textContent = t("三项都要填。", "All three have to be filled in.");
    missing.focus();
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await signIn();
    location.assign("/");
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    $("sign-in-problem").textContent = error.message;
    $("digits").value = "";
    $("password").focus();
  } finally {
    button.disabled = false;
  }
});

async function signIn() {
  const { attempt } = await call("POST", "/challenges", { body: { name: $("name").value.trim() } });
  await call("POST", "/sign-ins", {
    body: {
      attempt,
      password: $("password").value,
      dynamic_password: $("digits").value.trim(),
      in_cookie: true,
    },
  });
}
