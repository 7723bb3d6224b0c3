// The frame of every page of the desk: signing out, and saying so before a session ends by itself.

import { $, call, leave } from "./bureau.js";

const WARN_SECONDS = 120;
const LOOK_MS = 15_000;

let endsAt = Infinity;
let counting = null;

$("sign-out").addEventListener("click", async () => {
  await call("DELETE", "/sign-ins").catch(() => {});
  location.assign("/");
});

$("stay").addEventListener("click", async () => {
  heard(await call("POST", "/session"));
});

/** Asking does not keep the session alive, so it may be asked as often as one likes. */
async function look() {
  try {
    heard(await call("GET", "/session"));
  } catch {
    // No network, perhaps: the last that was heard still holds.
  }
}

function heard(session) {
  endsAt = performance.now() + session.seconds_left * 1000;
  if (session.seconds_left > WARN_SECONDS) {
    clearInterval(counting);
    counting = null;
    if ($("idle").open) $("idle").close();
    return;
  }
  if (!$("idle").open) $("idle").showModal();
  counting ??= setInterval(count, 1000);
  count();
}

function count() {
  const seconds = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
  $("idle-seconds").textContent = String(seconds);
  if (seconds === 0) leave();
}

look();
setInterval(look, LOOK_MS);
// Whoever comes back to the page sees at once how it stands.
document.addEventListener("visibilitychange", () => document.hidden || look());
