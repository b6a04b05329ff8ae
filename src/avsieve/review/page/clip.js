// Faces and voices of clips: the one that is judged, and those that it is compared with.

import { html, useEffect, useRef, useState } from "./html.js";
import { load, toggle, usePlayer } from "./audio.js";
import { loadPeaks, Wave } from "./wave.js";
import { percent } from "./words.js";

/** Parts of an id, between which a line may end, and at none of the hyphens that they have. Their link names the id. */
export function Parts({ texts }) {
  return texts.map((text, k) => html`<span class="part">${text}${k < texts.length - 1 ? "/" : ""}</span><wbr />`);
}

/** A face; a note where its picture cannot be read. */
export function Face({ url, alt }) {
  const [broken, setBroken] = useState("");
  if (broken === url) return html`<span class="face broken" role="img" aria-label="${alt}: cannot be read">no picture</span>`;
  return html`<img class="face" src=${url} alt=${alt} width="112" height="112" onError=${() => setBroken(url)} />`;
}

export function Faces({ urls, of }) {
  if (!urls.length) return html`<p class="quiet">No face was found.</p>`;
  return html`<div class="faces">
    ${urls.map((url, k) => html`<${Face} key=${url} url=${url} alt="Face ${k + 1} of ${of}" />`)}
  </div>`;
}

/** A button that plays a voice. */
export function PlayButton({ url, label, title, children }) {
  const { playing, url: current } = usePlayer();
  const on = playing && current === url;
  return html`<button type="button" class="play ${on ? "on" : ""}" aria-pressed=${on} aria-label=${label} title=${title}
    onClick=${() => toggle(url)}>
    <span aria-hidden="true">${on ? "❚❚" : "▶"}</span> ${children}
  </button>`;
}

/** The clip that is judged. */
export function Clip({ item, keyOf }) {
  const { error } = usePlayer();
  return html`<section class="clip" aria-label="The clip">
    <${Faces} urls=${item.faces} of="the clip" />
    ${
      item.voice
        ? html`<div class="voice">
            <${PlayButton} url=${item.voice} title="Play or pause">Voice <kbd>${keyOf("play")}</kbd></${PlayButton}>
            <${Wave} url=${item.voice} peaksUrl=${item.peaks} seconds=${item.duration_s} />
            <span class="quiet">${item.duration_s ? `${item.duration_s.toFixed(1)} s` : ""}</span>
          </div>`
        : html`<p class="quiet">No sound of this clip.</p>`
    }
    ${error && html`<p class="bad" role="alert">${error}</p>`}
  </section>`;
}

/** Trusted clips of a person. */
export function References({ title, references, hint, none }) {
  return html`<section class="references" aria-label=${title}>
    <h3>${title} ${hint}</h3>
    ${references.length === 0 && html`<p class="quiet">${none}</p>`}
    <ul>
      ${references.map(
        (one, k) => html`<li key=${one.utterance}>
          <div class="faces small">
            ${one.faces.map((url, i) => html`<${Face} key=${url} url=${url} alt="Face ${i + 1} of reference ${k + 1}" />`)}
          </div>
          <div class="line">
            ${one.voice && html`<${PlayButton} url=${one.voice} label="Play the voice of reference ${k + 1}">${k + 1}</${PlayButton}>`}
            <span class="id quiet" title=${one.utterance}>${one.video}</span>
          </div>
        </li>`,
      )}
    </ul>
  </section>`;
}

/** What the machine thinks. */
export function Opinion({ opinion }) {
  const said = { clean: "kept", noisy: "flagged" }[opinion.machine] || opinion.machine || "nothing";
  const box = useRef(null);
  useEffect(() => {
    // Beside the clip it is seen without scrolling; on a phone it stands below it, half under the decisions.
    if (matchMedia("(max-width: 760px)").matches) box.current.scrollIntoView({ block: "start" });
    else box.current.scrollIntoView({ block: "nearest" });
  }, []);
  return html`<section class="opinion" aria-label="What the machine thinks">
    <h3 ref=${box}>The machine: ${said} <span class="quiet">(probability that the label is wrong ${percent(opinion.p)};
      voice ${percent(opinion.p_audio)}, face ${percent(opinion.p_visual)})</span></h3>
    <ul class="reasons">${opinion.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
  </section>`;
}

/** Load faces, voice and wave of clips that are likely to come next. */
export function prefetch(items) {
  for (const item of items) {
    for (const url of [...item.faces, ...item.references.label.flatMap((one) => one.faces)]) new Image().src = url;
    if (item.voice) load(item.voice).catch(() => {});
    if (item.peaks) loadPeaks(item.peaks).catch(() => {});
  }
}
