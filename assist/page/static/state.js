// One call as the page knows it: a pure fold of the feed's messages. No DOM, no clock of its own.
//
// `fold(call, message, received)` gives the next state; `received` is the page's clock in epoch
// milliseconds. Parts that a message does not touch stay the same objects, so that a renderer can
// tell by identity what to draw again. A message that was folded before changes nothing.

export const MAX_LINES = 200;

const NO_PANEL = Object.freeze({
  stage: null,
  objection: null,
  card: null,
  folded: [],
  facts: [],
  checklist: [],
  alarms: [],
  offers: [],
  talk: null,
  customer_type: null,
  signals: [],
  way_in: [],
  after_call: null,
});

/** The state before anything is known; `phase`: loading, idle (no call), live, ended. */
export function noCall(phase = "loading") {
  return {
    phase,
    callId: null,
    seq: 0,
    about: {},
    panel: NO_PANEL,
    lines: [],
    cards: {},
    ms: {},
    started: null,
    ahead: 0,
    lasted: null,
  };
}

/** The state after one more message of the feed. */
export function fold(call, message, received) {
  if (message.kind === "snapshot") return fromSnapshot(call, message, received);
  if (message.kind === "no_call") return call.phase === "ended" ? call : noCall("idle");
  if (message.kind === "call.started" && message.call_id !== call.callId) return started(message, received);
  if (message.call_id !== call.callId || message.seq <= call.seq) return call;
  const next = { ...call, seq: message.seq, ahead: Math.max(call.ahead, serverAhead(message.wall, received)) };
  const step = STEPS[message.kind];
  return step === undefined ? next : step(next, message, received);
}

/** Milliseconds that the call has lasted. */
export function elapsed(call, now) {
  if (call.lasted !== null) return call.lasted;
  if (call.started === null) return 0;
  const ahead = Number.isFinite(call.ahead) ? call.ahead : 0;
  return Math.max(0, now + ahead - call.started);
}

/** The line of an utterance. */
export function lineOf(call, utteranceId) {
  return call.lines.find((line) => line.utterance_id === utteranceId) ?? null;
}

/** Since when the agent is in the middle of a sentence; null where not (no words for 6 s). */
export function agentSpeaksSince(call, now) {
  const line = call.lines.findLast((line) => line.party === "agent" && !line.final && now - line.received < 6000);
  return line === undefined ? null : line.since;
}

const STEPS = {
  "call.ended": (call, event) => ({ ...call, phase: "ended", lasted: event.duration_ms || event.at_ms }),
  "utterance.partial": (call, event, received) => withLine(call, event, false, received),
  "utterance.final": (call, event, received) => withLine(call, event, true, received),
  meaning: (call, event) => {
    const at = call.lines.findLastIndex((line) => line.utterance_id === event.utterance_id);
    if (at < 0) return call;
    const lines = call.lines.slice();
    lines[at] = { ...lines[at], acts: event.acts, sentiment: event.sentiment };
    return { ...call, lines };
  },
  panel: (call, event, received) => {
    const { earlier = [], ...changes } = event.changes; // earlier: lines of the bot's call that was handed over
    const news = earlier.filter((line) => lineOf(call, line.utterance_id) === null).map(lineFrom(received));
    return {
      ...call,
      panel: { ...call.panel, ...changes },
      lines: news.length > 0 ? [...news, ...call.lines] : call.lines,
      ms: event.ms && Object.keys(event.ms).length > 0 ? event.ms : call.ms,
    };
  },
  suggestion: (call, event, received) => {
    const card = { ...event.suggestion, feedback: [], received };
    return { ...call, cards: { ...call.cards, [card.id]: card } };
  },
  feedback: (call, event) => withFeedback(call, event.suggestion_id, event.action),
};

/** The call with one more thing known of what became of a card. */
export function withFeedback(call, id, action) {
  const card = call.cards[id];
  if (card === undefined || card.feedback.includes(action)) return call;
  return { ...call, cards: { ...call.cards, [id]: { ...card, feedback: [...card.feedback, action] } } };
}

function fromSnapshot(call, message, received) {
  const about = message.call;
  const same = about.call_id === call.callId;
  const cards = {};
  for (const [id, card] of Object.entries(message.suggestions ?? {})) {
    const known = same ? call.cards[id] : undefined;
    cards[id] = { ...card, feedback: actionsOf(card.feedback), received: known?.received ?? received };
  }
  const begun = Date.parse(about.started ?? "");
  const ended = Boolean(about.ended);
  return {
    ...noCall(ended ? "ended" : "live"),
    callId: about.call_id,
    seq: message.seq,
    about,
    panel: { ...NO_PANEL, ...message.panel },
    lines: (message.transcript ?? []).map(lineFrom(received)),
    cards,
    ms: same ? call.ms : {},
    started: Number.isNaN(begun) ? received : begun,
    ahead: same ? call.ahead : -Infinity,
    lasted: ended ? (about.duration_ms ?? 0) : null,
  };
}

// A line that was said before the page knew of it.
function lineFrom(received) {
  return (line) => ({ acts: [], sentiment: null, ...line, final: true, received, since: received });
}

function started(event, received) {
  const { call_id, agent_id, script, direction, mode, customer } = event;
  const begun = Date.parse(event.wall);
  return {
    ...noCall("live"),
    callId: call_id,
    seq: event.seq,
    about: { call_id, agent_id, script, direction, mode, customer, started: event.wall },
    started: Number.isNaN(begun) ? received : begun,
    ahead: serverAhead(event.wall, received),
  };
}

// By how much the server's clock is ahead of the page's, at least: what it wrote cannot lie in its future.
function serverAhead(wall, received) {
  const written = Date.parse(wall ?? "");
  return Number.isNaN(written) ? -Infinity : written - received;
}

function actionsOf(feedback) {
  const items = Array.isArray(feedback) ? feedback : feedback ? [feedback] : [];
  return items.map((item) => (typeof item === "string" ? item : item.action));
}

function withLine(call, event, final, received) {
  const { utterance_id, party, text, begin_ms, end_ms } = event;
  const at = call.lines.findLastIndex((line) => line.utterance_id === utterance_id);
  if (at >= 0 && call.lines[at].final) return call;
  const since = at >= 0 ? call.lines[at].since : received;
  const line = { utterance_id, party, text, begin_ms, end_ms, acts: [], sentiment: null, final, received, since };
  const lines = call.lines.slice();
  if (at >= 0) {
    lines[at] = line;
  } else {
    const before = lines.findLastIndex((other) => other.begin_ms <= begin_ms);
    lines.splice(before + 1, 0, line);
    if (lines.length > MAX_LINES) lines.shift();
  }
  return { ...call, lines };
}
