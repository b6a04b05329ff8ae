// Talking to the server: errors in words, and waiting for a server that has gone. What changes something is in acts.js.

/** The server's refusal, in its own words. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

class Lost extends Error {}

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

/** Ask once; an error where there is no answer. */
export async function once(path, options = {}) {
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

/** Ask until there is an answer; `between` is called before each further try, and may end it with an error. */
export async function patiently(path, options = {}, between = async () => {}) {
  let wait = FIRST_WAIT_MS;
  let tries = 0;
  for (;;) {
    try {
      if (tries) await between();
      const found = await once(path, options);
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
  return patiently(query ? `${path}?${query}` : path);
}

/** Return the address of an utterance below `path`: its parts are escaped, the slashes between them are not. */
export function below(path, utterance) {
  return `${path}/${utterance.split("/").map(encodeURIComponent).join("/")}`;
}
