// Keys on the screen that fill one value; a keyboard, where there is one, does the same.

export class Keypad {
  /**
   * keys: the element with the keys (data-key: a digit, X, back or clear). max: how many characters.
   * onChange(value): after each. onDone(): Enter.
   */
  constructor(keys, { max, onChange, onDone }) {
    Object.assign(this, { max, onChange, onDone });
    this.value = "";
    this.hasX = keys.querySelector('[data-key="X"]') !== null;
    keys.addEventListener("click", (event) => {
      const key = event.target.closest("[data-key]");
      if (key) this.press(key.dataset.key);
    });
  }

  press(key) {
    if (key === "back") this.#set(this.value.slice(0, -1));
    else if (key === "clear") this.clear();
    else if (this.value.length < this.max) this.#set(this.value + key);
  }

  /** What a keyboard sent; the page gives it to the keypad that is on the screen. */
  type(event) {
    const key = event.key.toUpperCase();
    // A key on the screen that has the focus takes Enter for itself.
    if (key === "ENTER" && event.target.closest("button") === null) this.onDone();
    else if (key === "BACKSPACE") this.press("back");
    else if (/^[0-9]$/.test(key) || (this.hasX && key === "X")) this.press(key);
  }

  clear() {
    this.#set("");
  }

  #set(value) {
    this.value = value;
    this.onChange(value);
  }
}
