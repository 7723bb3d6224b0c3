// What this phone keeps, in the browser's own database, for this site alone.
//
// Private keys are sealed (AES-GCM) under a key that the browser holds and gives to no script, not
// even to this one: what is copied out of the database elsewhere opens nothing. A script of this
// very page could use that key, which is why such a phone only identifies.

import { ascii } from "./bytes.js";

const DATABASE = "sscard-phone";
const STORE = "kept";
const LOCK = "sscard-phone";
const IV_SIZE = 12;

export class KeyBox {
  /** Throws where the browser keeps nothing (a private window, storage switched off). */
  static async open() {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    return new KeyBox(await settled(request));
  }

  constructor(database) {
    this.database = database;
    // A later version of this page may need the database for itself.
    database.onversionchange = () => database.close();
  }

  /** Runs `work` while no other page of this phone changes what is kept. */
  alone(work) {
    return navigator.locks ? navigator.locks.request(LOCK, work) : work();
  }

  read(name) {
    return settled(this.#store("readonly").get(name));
  }

  write(name, value) {
    return this.#changed((store) => store.put(value, name));
  }

  /** Writes if what is there now passes `test`; whether it did. One transaction. */
  async writeIf(name, value, test) {
    let isWritten = false;
    await this.#changed((store) => {
      const found = store.get(name);
      found.onsuccess = () => {
        isWritten = test(found.result);
        if (isWritten) store.put(value, name);
      };
    });
    return isWritten;
  }

  /** Nothing is left, the sealing key included: what was sealed can't be opened any more. */
  clear() {
    return this.#changed((store) => store.clear());
  }

  /** {iv, sealed}; `name` is bound to it, so that one thing can't stand in for another. */
  async seal(name, bytes) {
    const iv = crypto.getRandomValues(new Uint8Array(IV_SIZE));
    const parameters = { name: "AES-GCM", iv, additionalData: ascii(name) };
    const sealed = await crypto.subtle.encrypt(parameters, await this.#sealingKey(), bytes);
    return { iv, sealed: new Uint8Array(sealed) };
  }

  /** Throws where it was not sealed here under this name. */
  async unseal(name, { iv, sealed }) {
    const parameters = { name: "AES-GCM", iv, additionalData: ascii(name) };
    const key = await this.read("sealing key");
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, sealed));
  }

  async #sealingKey() {
    const kept = await this.read("sealing key");
    if (kept) return kept;
    const usages = ["encrypt", "decrypt"];
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, usages);
    await this.write("sealing key", made);
    return made;
  }

  #store(mode) {
    return this.database.transaction(STORE, mode, { durability: "strict" }).objectStore(STORE);
  }

  #changed(change) {
    const store = this.#store("readwrite");
    change(store);
    return new Promise((resolve, reject) => {
      store.transaction.oncomplete = () => resolve();
      store.transaction.onabort = () => reject(store.transaction.error);
    });
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("the database is in use"));
  });
}
