// The WebSocket of a call, an agent or all live calls: ticket, resume by sequence, back-off.
//
// The feed says what it is doing through `onState`: {state: "connecting" | "open" | "lost" |
// "refused", attempt, code}. After "refused" (the session ended, the call is another's) it stops.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
const REFUSED = new Set([4401, 4403, 4404]);

/** How long to wait before an attempt: doubling, a third of it by chance so that not all come at once. */
export function waitBefore(attempt, chance) {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return Math.round(whole * (2 / 3 + chance / 3));
}

export class Feed {
  /**
   * @param {{path: () => string, after: () => string | null, ticket: () => Promise<string>,
   *          onMessage: (message: object) => void, onState: (state: object) => void}} parts
   */
  constructor(parts) {
    this.parts = parts;
    this.socket = null;
    this.timer = null;
    this.attempt = 0;
    this.stopped = false;
    this.wake = () => this.soon();
    this.offline = () => this.socket?.close();
    window.addEventListener("online", this.wake);
    window.addEventListener("offline", this.offline);
  }

  /** Connects, and stays connected until `stop`. */
  async start() {
    this.timer = null;
    if (this.stopped) return;
    if (this.attempt === 0) this.parts.onState({ state: "connecting", attempt: 0 });
    let ticket;
    try {
      ticket = await this.parts.ticket();
    } catch (error) {
      if (error.status === 401 || error.status === 403) this.refuse(error.status === 401 ? 4401 : 4403);
      else this.again();
      return;
    }
    if (this.stopped) return;
    const url = new URL(this.parts.path(), location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("ticket", ticket);
    const after = this.parts.after();
    if (after !== null) url.searchParams.set("after", after);
    this.open(new WebSocket(url));
  }

  /** Ends the feed for good. */
  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.wake);
    window.removeEventListener("offline", this.offline);
    this.socket?.close();
  }

  open(socket) {
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.parts.onState({ state: "open", attempt: 0 });
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.parts.onMessage(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      this.socket = null;
      if (this.stopped) return;
      if (REFUSED.has(event.code)) this.refuse(event.code);
      else this.again();
    };
  }

  again() {
    if (this.stopped) return;
    this.attempt += 1;
    this.parts.onState({ state: "lost", attempt: this.attempt });
    this.timer = setTimeout(() => this.start(), waitBefore(this.attempt, Math.random()));
  }

  refuse(code) {
    this.stop();
    this.parts.onState({ state: "refused", attempt: this.attempt, code });
  }

  soon() {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.start();
  }
}
