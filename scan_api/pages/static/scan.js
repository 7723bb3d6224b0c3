// One scan, asked until its outcome is known.
//
// The request id is made once and goes with every repetition, so that the service answers what it
// answered before and spends nothing twice. No answer is never a yes.

import { NoAnswerError, ask, newRequestId } from "./ask.js";

// The terminal's process asks several times itself and needs up to 15 s for that.
const TIMEOUT_MS = 20_000;

export class Scan {
  /** fen: the amount, null where none was typed. */
  constructor(code, businessType, fen = null) {
    this.request = { code, business_type: businessType.code, request_id: newRequestId() };
    if (fen !== null) this.request.amount_fen = fen;
    this.businessType = businessType;
    this.asked = 0;
    this.settled = false;
    this.asking = false;
  }

  /**
   * Returns {kind: "verdict" | "problem" | "unknown", answer}, or null when the outcome is known
   * already or is being asked for.
   */
  async ask(headers) {
    if (this.asking || this.settled) return null;
    this.asking = true;
    this.asked += 1;
    const reply = await this.#askOnce(headers);
    this.asking = false;
    this.settled = reply.kind !== "unknown";
    return reply;
  }

  async #askOnce(headers) {
    try {
      const options = { body: this.request, headers, timeout: TIMEOUT_MS };
      const { ok, status, answer } = await ask("POST", "/scans", options);
      if (ok && (answer?.outcome === "accepted" || answer?.outcome === "refused")) {
        return { kind: "verdict", answer };
      }
      if (!ok && status < 500) return { kind: "problem", answer };
      return { kind: "unknown", answer };
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return { kind: "unknown", answer: null };
    }
  }
}
