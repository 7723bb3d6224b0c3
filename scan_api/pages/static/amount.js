// The amount that a code is scanned for, typed by the clerk before the scan.

// A scanner that types while the cursor is here types a code: far longer than any amount.
const AMOUNT_LETTERS_MAX = 10;

export class Amount {
  /** onText(text): a code that a scanner typed here. onDone(): the amount is typed. */
  constructor(field, { onText, onDone }) {
    this.field = field;
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const text = this.#text();
      event.preventDefault();
      if (text.length > AMOUNT_LETTERS_MAX) {
        this.clear();
        onText(text);
      }
      onDone();
    });
  }

  /** In fen; null where nothing was typed, undefined where it is no amount. */
  get fen() {
    const text = this.#text();
    if (!text) return null;
    const found = /^(\d{1,6})(?:\.(\d{1,2}))?$/.exec(text);
    return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : undefined;
  }

  clear() {
    this.field.value = "";
  }

  #text() {
    return this.field.value.normalize("NFKC").replace(/\s/g, "");
  }
}
