// Talking to the server: errors in words, waiting for a server that has gone, and no decision lost on the way.

/** The server's refusal, in its own words. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

class Lost extends Error {}

const PENDING = "avsieve-pending";
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 3000;
const PATIENCE_MS = 20000;

/** Whether the server answers; `watch` is told of every change. */
export const connection = { lost: "", renewed: 0, watchers: new Set() };

export function watch(told) {
  connection.watchers.add(told);
  return () => connection.watchers.delete(told);
}

function set(lost) {
  const text = lost?.message || "";
  if (text === connection.lost) return;
  connection.lost = text;
  for (const told of connection.watchers) told();
}

const NO_ANSWER = "The server does not answer. Is avsieve review still running? This page tries again by itself.";
const NO_TOKEN =
  "The server was started again and has a new address. Open the address that it printed, in this browser; " +
  "this page then goes on by itself.";
let sawNewServer = false;

async function once(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new Lost(NO_ANSWER);
  }
  if (answer.status === 401) {
    sawNewServer = true;
    throw new Lost(NO_TOKEN);
  }
  let found;
  try {
    found = await answer.json();
  } catch {
    // Cut off in the middle of an answer, or no JSON.
    if (answer.ok) throw new Lost(NO_ANSWER);
    throw new Refused(answer.status, `${path}: the server answered ${answer.status} ${answer.statusText}`);
  }
  if (!answer.ok) throw new Refused(answer.status, found.error || `${path}: the server answered ${answer.status}`);
  return found;
}

/** Ask until there is an answer; `between` is called before each further try and may give the answer itself. */
async function patiently(path, options, between) {
  let wait = FIRST_WAIT_MS;
  let tries = 0;
  for (;;) {
    try {
      const early = tries && between ? await between() : undefined;
      const found = early === undefined ? await once(path, options) : early;
      if (sawNewServer) {
        sawNewServer = false;
        connection.renewed += 1;
      }
      set(null);
      return found;
    } catch (error) {
      if (!(error instanceof Lost)) {
        set(null);
        throw error;
      }
      set(error);
    }
    tries += 1;
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(wait * 1.5, LONGEST_WAIT_MS);
  }
}

/** Return the answer to a question; parameters that are empty are left out. */
export function ask(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value != null);
  const query = new URLSearchParams(given).toString();
  return patiently(query ? `${path}?${query}` : path, {});
}

/** Return the address of an utterance below `path`: its parts are escaped, the slashes between them are not. */
export function below(path, utterance) {
  return `${path}/${utterance.split("/").map(encodeURIComponent).join("/")}`;
}

function posted(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** Take back the last act. Not tried twice: a lost answer may be that of an undo that was done. */
export async function undo() {
  try {
    return await once("/api/undo", posted({}));
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    set(error);
    patiently("/api/run", {});
    throw new Refused(0, "No answer, so it is not known whether the last decision was taken back. Look, then try again.");
  }
}

// ---- decisions -------------------------------------------------------------------------------------------------

let who = null; // whose decisions, about which list
let waiting = false; // a decision is on its way
let newest = null; // utterance of this reviewer's newest decision, as far as this page knows

/** Note decisions [{utterance, decision, ...}], all or none; return the answer once they are on the server's disk. */
export async function save(decisions, together = false) {
  if (waiting) throw new Refused(0, "The decision before it is not saved yet; decide again when it is.");
  const path = together ? "/api/decide_many" : "/api/decide";
  const body = together ? { decisions } : decisions[0];
  const wanted = Object.fromEntries(decisions.map((one) => [one.utterance, one.decision]));
  waiting = true;
  try {
    return await send({ path, body, wanted, before: newest, who });
  } finally {
    waiting = false;
  }
}

async function send(pending) {
  // Kept over a reload of the page until the server has said yes or no.
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  try {
    const found = await patiently(pending.path, posted(pending.body), () => alreadySaved(pending));
    newest = Object.keys(pending.wanted).at(-1);
    sessionStorage.removeItem(PENDING);
    return found;
  } catch (error) {
    const stale = error instanceof Refused && error.status === 400 && pending.body.place;
    if (stale && error.message.startsWith("place ")) {
      // A server that was started again does not know its predecessor's places: the decision counts without.
      const { place: _, ...body } = pending.body;
      return send({ ...pending, body });
    }
    sessionStorage.removeItem(PENDING);
    throw error;
  }
}

/** Tell whether a decision whose answer was lost had been noted, so that it is not noted twice. */
async function alreadySaved({ wanted, before, who: whose }) {
  const now = await once("/api/run", {});
  if (whoOf(now) !== whose) {
    throw new Refused(0, `The server now takes decisions of ${now.reviewer}, or about another list. Start it as before.`);
  }
  const { items } = await once("/api/queue/mine?limit=1", {});
  const top = items[0];
  if (!top || top.utterance === before || wanted[top.utterance] !== top.decision) return undefined;
  return { progress: await once("/api/progress", {}), recovered: true };
}

function whoOf(run) {
  return JSON.stringify([run.reviewer, run.list_sha256, run.name]);
}

/** Save what a page that was closed or reloaded had not saved; return the decisions {utterance: decision} or null. */
export async function saveLeftOver(run) {
  who = whoOf(run);
  const { items } = await ask("/api/queue/mine", { limit: 1 });
  newest = items[0]?.utterance ?? null;
  let pending = null;
  try {
    pending = JSON.parse(sessionStorage.getItem(PENDING));
  } catch {
    sessionStorage.removeItem(PENDING);
  }
  if (!pending) return null;
  try {
    if ((await alreadySaved(pending)) === undefined) await send(pending);
    else sessionStorage.removeItem(PENDING);
  } catch (error) {
    if (error instanceof Refused) sessionStorage.removeItem(PENDING);
    throw error; // where the server does not answer, the next load of the page tries again
  }
  return pending.wanted;
}

/** Forget what this page believes to be the newest decision: it was taken back. */
export function forgetNewest() {
  newest = null;
}
