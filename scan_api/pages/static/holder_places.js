// The few places of the holder's page, `#/code` and so on, which the browser's back button knows.

const $ = (id) => document.getElementById(id);

export class Places {
  /**
   * places: {name: {show(), left()}}, the usual one first; `show` returns the id of the section to be
   * seen, or a promise of it; of nothing where the place can't be shown and another one was gone to.
   * Sections that are in no place are left alone by it.
   */
  constructor(nav, places) {
    Object.assign(this, { nav, places, open: false });
    window.addEventListener("hashchange", () => this.open && this.show({ arrived: true }));
  }

  get here() {
    const named = location.hash.replace(/^#\//, "");
    return Object.hasOwn(this.places, named) ? named : Object.keys(this.places)[0];
  }

  /** The holder is signed in: the place that the address names. */
  enter() {
    this.open = true;
    this.show({ arrived: false });
  }

  /** Nobody is signed in: there are no places. */
  leave() {
    this.open = false;
    this.nav.hidden = true;
    for (const place of Object.values(this.places)) place.left?.();
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  }

  go(name) {
    if (this.here === name) this.show({ arrived: true });
    else location.hash = `#/${name}`;
  }

  async show({ arrived }) {
    const { here } = this;
    this.nav.hidden = false;
    for (const link of this.nav.querySelectorAll("a")) {
      if (link.hash === `#/${here}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const [name, place] of Object.entries(this.places)) if (name !== here) place.left?.();
    const shown = await this.places[here].show();
    // Meanwhile another place was gone to, or nobody is signed in any more.
    if (!shown || !this.open || here !== this.here) return;
    const changed = $(shown).hidden;
    for (const section of document.querySelectorAll("main > section")) {
      section.hidden = section.id !== shown;
    }
    if (!changed) return;
    if (arrived) {
      window.scrollTo(0, 0);
      document.querySelector("main").scrollTo(0, 0);
    }
    $(shown).querySelector("h1").focus({ preventScroll: arrived });
  }
}
