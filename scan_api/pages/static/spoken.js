// What is said aloud, for whoever looks elsewhere or can't read it. It names nobody and holds no
// number: everyone in the queue hears it. Where no voice speaks the page's language, all is silent.

import { read, write } from "./kept.js";

const KEPT = "sscard.spoken";
const LANGUAGE = document.documentElement.lang;
const SHORT = LANGUAGE.slice(0, 2);

/** The switch, which stays as it was left on this machine; spoken until somebody turns it off. */
export class Spoken {
  constructor(button) {
    this.button = button;
    this.on = read(KEPT) !== "off";
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
    // Another language's voice would read gibberish. A browser may not know its voices yet.
    const voices = speechSynthesis.getVoices();
    const fitting = voices.filter(({ lang }) => lang.toLowerCase().startsWith(SHORT));
    if (voices.length && !fitting.length) return;
    if (fitting.length) said.voice = fitting.find(({ default: usual }) => usual) ?? fitting[0];
    speechSynthesis.speak(said);
  }

  #turn() {
    this.on = !this.on;
    write(KEPT, this.on ? "on" : "off");
    if (!this.on) speechSynthesis.cancel();
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-pressed", String(this.on));
  }
}
