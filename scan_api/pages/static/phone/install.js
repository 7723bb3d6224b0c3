// Makes the page one that can be put on the home screen and opens without a network.

const WORKER = "/phone-worker.js";
const SCOPE = "/holder";

// The one script address that the page hands to the browser; the policy's name is in the page's CSP.
const policy = globalThis.trustedTypes?.createPolicy("sscard-worker", {
  createScriptURL: (url) => {
    if (url !== WORKER) throw new TypeError("another script");
    return url;
  },
});

/** button: shown while the browser would install the page. */
export function makeInstallable(button) {
  if (navigator.serviceWorker) {
    const url = policy ? policy.createScriptURL(WORKER) : WORKER;
    // Where it can't be had (a private window), the page works with a network all the same.
    navigator.serviceWorker.register(url, { scope: SCOPE, updateViaCache: "none" }).catch(() => {});
  }
  let offer = null;
  const show = (event) => {
    offer = event;
    button.hidden = !offer;
  };
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    show(event);
  });
  addEventListener("appinstalled", () => show(null));
  button.addEventListener("click", () => {
    offer?.prompt();
    show(null);
  });
}
