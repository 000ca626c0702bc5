// What the agent did with a card goes to the server; what could not be sent waits for the connection.

import { post } from "./api.js";

/** Sends feedback in order. `late(waiting)` is told when something waits, and when no more does. */
export class FeedbackOut {
  constructor(late) {
    this.late = late;
    this.waiting = [];
    this.sending = false;
  }

  /** One action with one card, at a time of the call's own clock. */
  send(suggestionId, action, atMs) {
    this.waiting.push({ suggestionId, body: { action, at_ms: Math.round(atMs) } });
    this.flush();
  }

  /** Sends all that waits; stops where the server cannot be reached. */
  async flush() {
    if (this.sending) return;
    this.sending = true;
    const before = this.waiting.length;
    let cut = false;
    while (this.waiting.length > 0 && !cut) {
      const { suggestionId, body } = this.waiting[0];
      try {
        await post(`/api/suggestions/${encodeURIComponent(suggestionId)}/feedback`, body);
        this.waiting.shift();
      } catch (error) {
        // An answer is an answer (the call ended, the card is gone): only no answer is tried again.
        cut = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!cut) this.waiting.shift();
      }
    }
    this.sending = false;
    if (cut || before > 1) this.late(this.waiting.length);
  }
}
