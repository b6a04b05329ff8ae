// How far the review is, and how far judgements agree.

import { html, useEffect, useState } from "./html.js";
import { ask } from "./api.js";
import { DECISIONS, count, percent } from "./words.js";

const EVERY_MS = 5000;
const AGREEMENT = [
  ["machine", "with the machine"],
  ["self", "with yourself, on clips that came twice"],
  ["others", "with the other reviewers"],
];

export function Progress({ run, app }) {
  const [now, setNow] = useState(run.progress);
  const [error, setError] = useState("");
  const [folded, setFolded] = useState("");
  const load = () => ask("/api/progress", { queue: run.has_plan ? "plan" : "flagged" }).then(setNow, (failed) => setError(failed.message));
  useEffect(() => {
    load();
    const timer = setInterval(load, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  app.useActions(run, { undo: () => app.undo(load) });
  const fold = async () => {
    setFolded("");
    try {
      const answer = await fetch("/api/fold", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      const told = found.told.join(" ");
      setFolded(found.path ? `${count(found.utterances, "utterance")} written. cleansing.review: ${found.path} ${told}` : told);
    } catch (failed) {
      setFolded(`Not written: ${failed.message}`);
    }
  };
  const left = now.left_in_queue;
  const minutes = now.rate_per_min && left ? left / now.rate_per_min : null;
  return html`<main class="progress">
    <h2>How far the review is</h2>
    ${error && html`<p class="bad" role="alert">${error}</p>`}
    <dl class="figures">
      <div><dt>decided by you</dt><dd>${now.mine.toLocaleString("en")}</dd></div>
      <div><dt>decided by anybody</dt><dd>${now.decided.toLocaleString("en")}</dd></div>
      <div><dt>left in queue ${now.queue}</dt><dd>${left.toLocaleString("en")}</dd></div>
      <div><dt>decisions a minute</dt><dd>${now.rate_per_min ?? "–"}</dd></div>
      <div><dt>time left at that rate</dt><dd>${duration(minutes)}</dd></div>
    </dl>
    <h3>Your decisions</h3>
    <table class="plain">
      <thead><tr><th scope="col">decision</th><th scope="col">clips</th></tr></thead>
      <tbody>${DECISIONS.map(({ name, label, sign }) => html`<tr key=${name}><th scope="row"><span aria-hidden="true">${sign}</span> ${label}</th><td>${now.by_decision[name]}</td></tr>`)}</tbody>
    </table>
    <h3>Agreement</h3>
    <table class="plain">
      <thead><tr><th scope="col"></th><th scope="col">clips</th><th scope="col">agree</th><th scope="col">kappa</th></tr></thead>
      <tbody>${AGREEMENT.map(([name, label]) => html`<${Agreement} key=${name} label=${label} found=${now.agreement[name]} />`)}</tbody>
    </table>
    ${now.estimate && html`<h3>Estimate</h3>${now.estimate.map((line, k) => html`<p key=${k}>${line}</p>`)}`}
    <h3>For the cleansing</h3>
    <p>When the server ends, it joins all reviewers' decisions into a table. <button type="button" onClick=${fold}>Write it now</button></p>
    <p role="status">${folded}</p>
  </main>`;
}

function Agreement({ label, found }) {
  const { n, agree, kappa } = found;
  return html`<tr><th scope="row">${label}</th><td>${n}</td><td>${n ? percent(agree / n) : "–"}</td>
    <td>${kappa == null ? "–" : kappa.toFixed(2)}</td></tr>`;
}

function duration(minutes) {
  if (minutes == null) return "–";
  if (minutes < 90) return `${Math.ceil(minutes)} min`;
  return `${(minutes / 60).toFixed(1)} h`;
}
