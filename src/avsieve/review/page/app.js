// The page: which view, the line of what was just done, and the state of the connection.

import { html, render, useEffect, useRef, useState } from "./html.js";
import { ask, connection, watch } from "./api.js";
import { noted, sendLeftOver, undo, whoOf } from "./acts.js";
import { releaseClicked, useKeys } from "./keys.js";
import { read, replace, to } from "./route.js";
import { player, usePlayer } from "./audio.js";
import { Queue } from "./queue.js";
import { Single } from "./judge.js";
import { Sheet } from "./sheet.js";
import { Table } from "./table.js";
import { Progress } from "./progress.js";
import { Help } from "./help.js";
import { join, useOtherTabs } from "./tabs.js";
import { count, told } from "./words.js";

const SHOWN_MS = 6000;

function useRoute() {
  const [route, set] = useState(read);
  useEffect(() => {
    const changed = () => set(read(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function Page({ run, leftOver, notDone, undone }) {
  const route = useRoute();
  const [said, setSaid] = useState({ text: leftOver, n: 0 });
  const [help, setHelp] = useState(false);
  const [progress, setProgress] = useState(run.progress);
  const [, redraw] = useState(0);
  usePlayer();
  useEffect(() => watch(() => redraw((n) => n + 1)), []);
  useEffect(() => {
    if (!said.text) return undefined;
    const timer = setTimeout(() => setSaid({ text: "", n: said.n }), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);

  useOtherTabs((message) => {
    if (!message.undone) noted(message.entry);
    setProgress(message.progress);
  });

  const leftUndone = useRef(undone);
  const undoing = useRef(false);
  const [taking, setTaking] = useState(false);
  const app = {
    lost: connection.lost,
    /** Return, once, the answer to an undo that a page before had begun. */
    leftUndone: () => {
      const answer = leftUndone.current;
      leftUndone.current = null;
      return answer;
    },
    say: (text) => setSaid(({ n }) => ({ text, n: n + 1 })),
    saved: (text, now) => {
      setProgress(now);
      app.say(text);
    },
    /** Take back the last act; `undone` is told the server's answer, with the progress of `queue`. */
    undo: async (undone, queue) => {
      if (undoing.current) return;
      undoing.current = true;
      setTaking(true);
      try {
        const answer = await undo(queue);
        setProgress(answer.progress);
        await undone(answer);
        app.say(takenBack(answer));
      } catch (error) {
        app.say(error.status === 409 ? "There is nothing to take back." : `Not taken back. ${error.message}`);
      } finally {
        undoing.current = false;
        setTaking(false);
      }
    },
    useActions: (facts, actions) => useKeys(facts.keys, { ...actions, help: () => setHelp(true) }),
  };
  const sees = run.has_faces || run.has_voices;
  const view = route.view || (sees ? "queue" : "table");
  const [first] = run.queues.filter((queue) => queue.name === (run.has_plan ? "plan" : "flagged"));
  const links = [
    ...(sees ? [["queue", "Queue"], ["sheet", "Sheet"]] : []),
    ["table", "Table"],
    ["progress", "Progress"],
  ];
  let shown;
  if (view === "queue") shown = html`<${Queue} key=${route.rest} run=${run} name=${route.rest || first.name} app=${app} />`;
  else if (view === "item") shown = html`<${Single} run=${run} utterance=${route.rest} app=${app} />`;
  else if (view === "sheet") shown = html`<${Sheet} run=${run} name=${route.rest} query=${route.query} app=${app} />`;
  else if (view === "table") shown = html`<${Table} run=${run} query=${route.query} app=${app} />`;
  else if (view === "progress") shown = html`<${Progress} run=${run} app=${app} />`;
  else shown = html`<main><p>There is no view ${view}. <a href=${to("table")}>The table of all</a></p></main>`;
  useEffect(() => {
    document.title = `${links.find(([name]) => name === view)?.[1] || route.rest || "Review"} – ${run.name} – AVSieve review`;
  });
  return html`<header>
      <h1><span class="name">${run.name}</span> <span class="quiet">review by ${run.reviewer}</span></h1>
      <nav aria-label="Views">
        ${links.map(([name, label]) => html`<a key=${name} href=${to(name)} aria-current=${view === name ? "page" : null}>${label}</a>`)}
      </nav>
      <span class="quiet tally">${count(progress.mine, "decision")}</span>
      <button type="button" aria-label="Help: keys" onClick=${() => setHelp(true)}>Help <kbd>?</kbd></button>
    </header>
    ${app.lost && html`<p class="banner bad" role="alert"><span aria-hidden="true">⚠</span> ${taking && "NOT TAKEN BACK YET. "}${app.lost}</p>`}
    ${notDone && html`<p class="banner bad" role="alert"><span aria-hidden="true">⚠</span> NOT DONE, from before: ${notDone}</p>`}
    ${player.blocked && html`<p class="banner"><button type="button" class="main" autofocus>▶ Turn the sound on</button>
      <span>Browsers keep a page silent until the first click or key.</span></p>`}
    ${!sees && html`<p class="banner">This run has embeddings alone: there is nothing to see or hear. The table tells what the machine thinks.</p>`}
    ${run.warnings.map((text) => html`<p class="banner" key=${text}><span aria-hidden="true">⚠</span> ${text}</p>`)}
    ${shown}
    <p class="said ${said.text ? "" : "empty"}" role="status" aria-live="polite">${said.text}</p>
    ${help && html`<${Help} run=${run} onClose=${() => setHelp(false)} />`}`;
}

function takenBack({ undone, all }) {
  const many = all.length > 1 ? ` and ${count(all.length - 1, "other")}` : "";
  return `Taken back: ${told(undone.decision)} of ${undone.utterance}${many}`;
}

/** Say what was done now of what a page before had begun. */
function leftOverTold({ wanted, answer }) {
  if (!wanted) return `${takenBack(answer)}, from before`;
  const shown = wanted.slice(0, 3).map(({ utterance, decision }) => `${told(decision)} of ${utterance}`);
  return `Saved now, from before: ${shown.join(", ")}${wanted.length > 3 ? ` and ${count(wanted.length - 3, "other")}` : ""}`;
}

async function begin() {
  const root = document.getElementById("page");
  const unwatch = watch(() => {
    if (connection.lost) render(html`<main><p class="banner bad" role="alert">${connection.lost}</p></main>`, root);
  });
  releaseClicked();
  let run;
  let leftOver = "";
  let notDone = "";
  let undone = null;
  try {
    run = await ask("/api/run");
    join(whoOf(run));
    try {
      const done = await sendLeftOver(run);
      if (done) {
        leftOver = leftOverTold(done);
        if (done.answer.undone) undone = done.answer;
        run = await ask("/api/run");
      }
    } catch (error) {
      notDone = error.message;
    }
  } catch (error) {
    unwatch();
    render(html`<main><p class="banner bad" role="alert">${error.message}</p></main>`, root);
    return;
  }
  unwatch();
  if (!read().view) replace(to(run.has_faces || run.has_voices ? "queue" : "table"));
  render(html`<${Page} run=${run} leftOver=${leftOver} notDone=${notDone} undone=${undone} />`, root);
}

begin();
