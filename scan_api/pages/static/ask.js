// One question to the page's own server.

const TIMEOUT_MS = 8000;

/** There was no answer, or one that isn't the service's: nothing is known about the outcome. */
export class NoAnswerError extends Error {}

/**
 * Returns {status, ok, answer, sentAt}: `answer` is the JSON object or null, `sentAt` is when the
 * question left, in milliseconds of the page's steady clock. Throws NoAnswerError.
 */
export async function ask(method, path, { body, headers = {}, timeout = TIMEOUT_MS } = {}) {
  const sentAt = performance.now();
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      body: body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body),
      headers: { ...contentType(body), Accept: "application/json", ...headers },
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
    });
    text = await response.text();
  } catch (error) {
    throw new NoAnswerError("no answer", { cause: error });
  }
  return {
    status: response.status,
    ok: response.ok,
    answer: parsed(text),
    sentAt,
  };
}

/** A new name for one request; the same name again is a repetition, and nothing is done twice. */
export function newRequestId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function contentType(body) {
  if (body === undefined) return {};
  return {
    "Content-Type": body instanceof Uint8Array ? "application/octet-stream" : "application/json",
  };
}

function parsed(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    // A portal or a proxy answered in the service's place.
    throw new NoAnswerError("not the service's answer");
  }
}
