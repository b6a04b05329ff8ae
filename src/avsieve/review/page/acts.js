// What changes something: decisions and undos, one after the other. Each has an id and is kept, over a reload of the
// page too, until the server has said yes or no; by the id the server notes it once, however often it is sent.

import { ask, once, patiently, Refused } from "./api.js";
import { tell } from "./tabs.js";

const PENDING = "avsieve-pending";

let who = null; // whose decisions, about which list
let newest = 0; // the newest line of the log that this page was told of
let waiting = ""; // what is on its way, in a word

/** Tell whether an act is on its way. */
export function acting() {
  return waiting !== "";
}

/** Take in that a line was noted, by this page or by another tab's. */
export function noted(entry) {
  newest = Math.max(newest, entry || 0);
}

/** Return whose decisions these are, about which list, in one text. */
export function whoOf(run) {
  return JSON.stringify([run.reviewer, run.list_sha256, run.name]);
}

/** Note decisions [{utterance, decision, ...}], all or none; return the answer once they are on the server's disk. */
export async function save(decisions, together = false) {
  const path = together ? "/api/decide_many" : "/api/decide";
  const wanted = decisions.map(({ utterance, decision }) => ({ utterance, decision }));
  return act({ path, body: together ? { decisions } : decisions[0], wanted, who }, "decision");
}

/** Take back the last decision that this page knows of; `queue` is the one whose progress is told. */
export async function undo(queue = "") {
  return act({ path: "/api/undo", body: { upto: newest, ...(queue && { queue }) }, wanted: null, who }, "undo");
}

async function act(pending, word) {
  if (waiting) throw new Refused(0, `The ${waiting} before it is not on the server's disk yet; try again when it is.`);
  waiting = word;
  try {
    return await send({ ...pending, body: { ...pending.body, act: newId() } });
  } finally {
    waiting = "";
  }
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(pending) {
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  try {
    const headers = { "Content-Type": "application/json" };
    const posted = { method: "POST", headers, body: JSON.stringify(pending.body) };
    const answer = await patiently(pending.path, posted, () => checkWho(pending.who));
    const changed = pending.wanted || answer.all.map(({ utterance }) => ({ utterance, decision: null }));
    if (answer.undone) changed.at(-1).decision = answer.now;
    const entry = Math.max(answer.entry || 0, ...(answer.entries || []));
    noted(pending.wanted && entry);
    tell({ changed, entry, undone: Boolean(answer.undone), progress: answer.progress });
    return answer;
  } finally {
    sessionStorage.removeItem(PENDING);
  }
}

/** End with an error where the server that answers now takes other decisions. */
async function checkWho(whose) {
  const now = await once("/api/run");
  if (whoOf(now) !== whose) {
    throw new Refused(0, `The server now takes decisions of ${now.reviewer}, or about another list. Start it as before.`);
  }
}

/** Do what a page that was closed or reloaded had not done; return {wanted, answer} of it, or null. */
export async function sendLeftOver(run) {
  who = whoOf(run);
  noted(run.newest);
  let pending = null;
  try {
    pending = JSON.parse(sessionStorage.getItem(PENDING));
  } catch {
    sessionStorage.removeItem(PENDING);
  }
  if (!pending) return null;
  if (pending.who !== who) {
    sessionStorage.removeItem(PENDING);
    throw new Refused(0, `It was meant for ${JSON.parse(pending.who)[0]}, or about another list.`);
  }
  return { wanted: pending.wanted, answer: await send(pending) };
}
