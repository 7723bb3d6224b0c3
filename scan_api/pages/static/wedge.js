// The field a keyboard-wedge scanner types into: digits, then Enter.
//
// The scanner types into whatever has the focus, so a digit typed anywhere on the page goes to the
// field, and the field takes the focus back. Under a Chinese input method the digits may come full
// width, or as a composition that Enter ends: both are read.

export class Wedge {
  /** onText(text): what was scanned, ASCII where the input method made it full width. */
  constructor(field, { onText }) {
    this.field = field;
    this.onText = onText;
    this.enterWhileComposing = false;
    field.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take();
    });
    field.addEventListener("keydown", (event) => {
      if (event.code !== "Enter" && event.code !== "NumpadEnter") return;
      if (event.isComposing) this.enterWhileComposing = true;
    });
    field.addEventListener("compositionend", () => {
      // The last of the composition reaches the field after this event.
      if (this.enterWhileComposing) setTimeout(() => this.#take());
      this.enterWhileComposing = false;
    });
    document.addEventListener("keydown", (event) => this.#redirect(event), { capture: true });
    window.addEventListener("focus", () => this.focus());
    document.addEventListener("click", (event) => this.#afterClick(event));
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  // A mouse gives the focus back; the keyboard keeps it where it goes, and so does marked text.
  #afterClick(event) {
    if (event.detail === 0 || getSelection().type === "Range") return;
    if (event.target.closest("[data-typed]")) return;
    setTimeout(() => this.focus());
  }

  #redirect(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.activeElement?.matches("input:not([type=radio])")) return;
    if (/^(Digit|Numpad)\d$/.test(event.code)) this.focus();
  }

  #take() {
    const text = this.field.value.normalize("NFKC").replace(/\s/g, "");
    this.field.value = "";
    this.focus();
    if (text) this.onText(text);
  }
}
