// The holder's page without a network: keeps its shell (page, scripts, styles, pictures) and
// nothing else. Answers of the API and all that is about a person pass by it.
//
// The service writes VERSION and SHELL before this text (scan_api/pages/installing.py): when a file
// of the shell changes, so does the worker, and the browser takes the new one. A file's address says
// what is in it, so one that is kept never has to be asked for again.

/* global VERSION, SHELL */

const CACHE = `sscard-shell-${VERSION}`;
const PAGE = "/holder";
const PATIENCE_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      const kept = [take(cache, PAGE, isOurPage), ...SHELL.map((url) => take(cache, url, isOurFile))];
      await Promise.all(kept);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      const old = names.filter((name) => name.startsWith("sscard-shell-") && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(event));
  else if (SHELL.includes(url.pathname)) event.respondWith(file(request));
});

async function page(event) {
  const cache = await caches.open(CACHE);
  const fresh = await answered(event.request);
  if (fresh?.ok) {
    // As its reader has it now, in language and type; a page of another version stays away.
    if (isOurPage(fresh)) event.waitUntil(cache.put(PAGE, fresh.clone()));
    return fresh;
  }
  return (await cache.match(PAGE)) ?? fresh ?? Response.error();
}

async function file(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}

// While a service is renewed another version may answer: what is kept is of this one, or nothing is.
async function take(cache, url, isOurs) {
  const answer = await fetch(url);
  if (!answer.ok || !isOurs(answer)) throw new Error(`another version answered ${url}`);
  await cache.put(url, answer);
}

const isOurPage = (answer) => answer.headers.get("SSCARD-Shell") === VERSION;
const isOurFile = (answer) => answer.headers.get("Cache-Control").includes("immutable");

/** The service's answer, or null where none comes in time. */
async function answered(request) {
  const late = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS, null);
  });
  return Promise.race([fetch(request).catch(() => null), late]);
}
