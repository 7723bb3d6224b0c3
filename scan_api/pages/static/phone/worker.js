// The holder's page without a network: keeps its shell (page, scripts, styles, pictures) and
// nothing else. Answers of the API and all that is about a person pass by it.
//
// The service writes VERSION and SHELL before this text (scan_api/pages/installing.py): when a file
// of the shell changes, so does the worker, and the browser takes the new one.

/* global VERSION, SHELL */

const CACHE = `sscard-shell-${VERSION}`;
const PAGE = "/holder";
const PATIENCE_MS = 3000;
// A page that came out of the cache has its files from there, too, all of one version.
const CACHED_FIRST_MS = 10_000;

let cachedFirstUntil = 0;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll([PAGE, ...SHELL].map((url) => new Request(url, { cache: "no-cache" })));
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
    if (fresh.headers.get("SSCARD-Shell") === VERSION) {
      event.waitUntil(cache.put(PAGE, fresh.clone()));
    }
    return fresh;
  }
  const kept = await cache.match(PAGE);
  if (kept) cachedFirstUntil = Date.now() + CACHED_FIRST_MS;
  return kept ?? fresh ?? Response.error();
}

async function file(request) {
  const cache = await caches.open(CACHE);
  const kept = () => cache.match(request, { ignoreSearch: true });
  if (Date.now() < cachedFirstUntil) {
    const found = await kept();
    if (found) return found;
  }
  const fresh = await answered(request);
  return fresh?.ok ? fresh : ((await kept()) ?? fresh ?? Response.error());
}

/** The service's answer, or null where none comes in time. */
async function answered(request) {
  const late = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS, null);
  });
  return Promise.race([fetch(request).catch(() => null), late]);
}
