// A verdict said aloud, for a clerk whose eyes are elsewhere. What is said is the verdict's own
// words, which name nobody: everyone in the queue hears them.

const KEPT = "sscard.spoken";
const LANGUAGE = document.documentElement.lang;

/** The switch, which stays as it was left on this machine; spoken until somebody turns it off. */
export class Spoken {
  constructor(button) {
    this.button = button;
    this.on = localStorage.getItem(KEPT) !== "off";
    button.hidden = !("speechSynthesis" in window);
    button.addEventListener("click", () => this.#turn());
    this.#show();
  }

  /** Says the sentences, and nothing any more of what came before them. */
  say(...sentences) {
    if (!this.on || this.button.hidden) return;
    speechSynthesis.cancel();
    const said = new SpeechSynthesisUtterance(sentences.filter(Boolean).join(LANGUAGE === "en" ? ". " : "。"));
    said.lang = LANGUAGE;
    speechSynthesis.speak(said);
  }

  #turn() {
    this.on = !this.on;
    localStorage.setItem(KEPT, this.on ? "on" : "off");
    if (!this.on) speechSynthesis.cancel();
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-pressed", String(this.on));
  }
}
