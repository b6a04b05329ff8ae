// The voice as a wave: what was played is dark; a click goes there.

import { html, useEffect, useRef, useState } from "./html.js";
import { play, player, share, usePlayer } from "./audio.js";

const HEIGHT = 72;
const STEP = 0.05;
const known = new Map();

/** Load the peaks of a voice before they are needed. */
export function loadPeaks(url) {
  if (!known.has(url)) {
    known.set(
      url,
      fetch(url).then((answer) => {
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        return answer.json();
      }),
    );
    known.get(url).catch(() => known.delete(url));
    if (known.size > 64) known.delete(known.keys().next().value);
  }
  return known.get(url);
}

function draw(canvas, peaks, played) {
  const width = canvas.clientWidth;
  const dense = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = HEIGHT * dense;
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  context.scale(dense, dense);
  const bars = Math.max(1, Math.min(peaks.length, Math.floor(width / 3)));
  const each = width / bars;
  for (let k = 0; k < bars; k += 1) {
    const part = peaks.slice(Math.floor((k * peaks.length) / bars), Math.ceil(((k + 1) * peaks.length) / bars));
    const tall = Math.max(2, Math.max(...part, 0) * (HEIGHT - 6));
    const done = (k + 0.5) / bars <= played;
    context.fillStyle = style.getPropertyValue(done ? "--wave-played" : "--wave");
    context.fillRect(k * each, (HEIGHT - tall) / 2, Math.max(1, each - 1), tall);
  }
  context.fillStyle = style.getPropertyValue("--text");
  if (played > 0 && played < 1) context.fillRect(played * width - 1, 0, 2, HEIGHT);
}

/** The wave of a voice. */
export function Wave({ url, peaksUrl, seconds }) {
  const canvas = useRef(null);
  const [peaks, setPeaks] = useState({ url: null, peaks: [] });
  const [failed, setFailed] = useState("");
  usePlayer();
  useEffect(() => {
    let gone = false;
    setFailed("");
    loadPeaks(peaksUrl).then(
      (found) => gone || setPeaks({ url: peaksUrl, peaks: found.peaks }),
      (error) => gone || setFailed(`No wave: ${error.message}.`),
    );
    return () => {
      gone = true;
    };
  }, [peaksUrl]);
  const shown = peaks.url === peaksUrl ? peaks.peaks : [];
  const latest = useRef(() => {});
  latest.current = () => canvas.current && draw(canvas.current, shown, share(url));
  useEffect(() => {
    let frame = 0;
    const again = () => {
      latest.current();
      if (player.playing && player.url === url) frame = requestAnimationFrame(again);
    };
    again();
    return () => cancelAnimationFrame(frame);
  });
  useEffect(() => {
    const seen = new ResizeObserver(() => latest.current());
    seen.observe(canvas.current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const turned = () => latest.current();
    dark.addEventListener("change", turned);
    return () => {
      seen.disconnect();
      dark.removeEventListener("change", turned);
    };
  }, []);
  const seek = (event) => {
    const box = canvas.current.getBoundingClientRect();
    play(url, Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.999));
  };
  const step = (event) => {
    const way = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (!way) return;
    event.preventDefault();
    play(url, Math.min(Math.max(share(url) + way, 0), 0.999));
  };
  const now = Math.round(100 * share(url));
  return html`<canvas
      ref=${canvas} class="wave" height=${HEIGHT} tabindex="0" role="slider" aria-label="Place in the voice"
      aria-valuemin="0" aria-valuemax="100" aria-valuenow=${now}
      aria-valuetext=${seconds ? `${((now * seconds) / 100).toFixed(1)} of ${seconds.toFixed(1)} seconds` : `${now} %`}
      onClick=${seek} onKeyDown=${step}></canvas>
    ${failed && html`<p class="quiet">${failed}</p>`}`;
}
