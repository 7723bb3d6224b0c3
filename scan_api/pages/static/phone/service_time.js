// What time it is for the service, with and without a network.
//
// Each answer tells the service's time. From then on the page counts with its own steady clock,
// which nobody can set; but it may stand still while the phone sleeps, so after a time out of sight
// the phone's wall clock counts, corrected by how far off it was. The same holds for a page that
// opens with no network.

/** More than an offline code bears (docs/code-format.md, section 7). */
export const CLOCK_OFF_SECONDS = 30;

const STEP_MS = 2000;

export class ServiceTime {
  constructor() {
    /** Service minus phone, in milliseconds; null as long as no answer was ever heard. */
    this.offset = null;
    this.anchor = null;
    this.hasSlept = false;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.hasSlept = true;
    });
  }

  /** `serverTime`, RFC 3339, was told between `sentAt` and now, of the steady clock. */
  learn(serverTime, sentAt) {
    const steady = performance.now();
    const time = Date.parse(serverTime) + (steady - sentAt) / 2;
    this.offset = time - Date.now();
    this.anchor = { time, steady };
    this.hasSlept = false;
  }

  /** What was kept of an earlier page's life. */
  remember(offset) {
    if (this.offset === null && Number.isFinite(offset)) this.offset = offset;
  }

  /** Milliseconds since 1970. */
  now() {
    const byWall = Date.now() + (this.offset ?? 0);
    if (!this.anchor) return byWall;
    const bySteady = this.anchor.time + performance.now() - this.anchor.steady;
    if (Math.abs(byWall - bySteady) < STEP_MS) return bySteady;
    if (this.hasSlept && byWall > bySteady) return byWall;
    // The wall clock was set meanwhile, before the reader's eyes.
    this.offset = bySteady - Date.now();
    return bySteady;
  }

  /** Seconds by which the phone's clock is ahead (below 0: behind); null while nobody knows. */
  ahead() {
    return this.offset === null ? null : Math.round(-this.offset / 1000);
  }
}
