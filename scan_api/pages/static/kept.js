// What a page keeps in its browser. Where the browser keeps nothing (it is set so, or the window is
// a private one) it is kept as long as the page is open.

const own = new Map();

/** The text under this name, or null. */
export function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return own.get(name) ?? null;
  }
}

export function write(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    own.set(name, text);
  }
}

export function remove(name) {
  own.delete(name);
  try {
    localStorage.removeItem(name);
  } catch {
    // There was nothing but what the page had.
  }
}
