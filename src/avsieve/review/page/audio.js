// One voice at a time. A browser lets a page sound only after a click or a key; until then `blocked` is true.

import { useEffect, useRedraw } from "./html.js";

const KEPT = 32; // voices that are kept in memory
const SPEEDS = [1, 1.5, 2];

const element = new Audio();
element.preload = "auto";
const sounds = new Map(); // address -> promise of a blob's address

export const player = { url: null, playing: false, blocked: false, error: "", speed: 1 };
const watchers = new Set();

function changed(values) {
  Object.assign(player, values);
  for (const told of watchers) told();
}

for (const name of ["play", "playing", "pause", "ended", "seeked", "durationchange", "timeupdate"]) {
  element.addEventListener(name, () => changed({ playing: !element.paused && !element.ended }));
}

/** Draw again whenever the player changes. */
export function usePlayer() {
  const [, redraw] = useRedraw();
  useEffect(() => {
    watchers.add(redraw);
    return () => watchers.delete(redraw);
  }, []);
  return player;
}

/** Load a voice before it is needed; return a promise of its address in memory. */
export function load(url) {
  if (!sounds.has(url)) {
    sounds.set(url, fetched(url));
    sounds.get(url).catch(() => sounds.delete(url));
    if (sounds.size > KEPT) {
      const [oldest, made] = sounds.entries().next().value;
      sounds.delete(oldest);
      made.then((address) => URL.revokeObjectURL(address)).catch(() => {});
    }
  }
  return sounds.get(url);
}

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status} for ${url}`);
  return URL.createObjectURL(await answer.blob());
}

/** Play a voice from its beginning, or from a share of its length. */
export async function play(url, share = 0) {
  changed({ url, error: "" });
  let source;
  try {
    source = await load(url);
  } catch (error) {
    if (player.url === url) changed({ error: `The voice cannot be loaded: ${error.message}`, playing: false });
    return;
  }
  if (player.url !== url) return; // another one was asked for meanwhile
  if (element.src !== source) element.src = source;
  element.playbackRate = player.speed;
  element.preservesPitch = true;
  try {
    if (share > 0 && !Number.isFinite(element.duration)) await once("loadedmetadata");
    element.currentTime = share > 0 ? share * element.duration : 0;
    await element.play();
    changed({ blocked: false });
  } catch (error) {
    if (error.name === "NotAllowedError") changed({ blocked: true });
    else if (error.name !== "AbortError") changed({ error: `The voice cannot be played: ${error.message}` });
  }
}

function once(name) {
  return new Promise((done, failed) => {
    element.addEventListener(name, done, { once: true });
    element.addEventListener("error", () => failed(new Error("no sound in it")), { once: true });
  });
}

/** Pause a voice that plays, go on with one that was paused, or play it from its beginning. */
export function toggle(url) {
  if (player.url !== url || element.ended || player.error) return play(url);
  if (!element.paused) return element.pause();
  return element.currentTime > 0 && !element.ended ? element.play().catch(() => play(url)) : play(url);
}

export function stop() {
  element.pause();
  changed({ url: null, error: "" });
}

export function faster() {
  const speed = SPEEDS[(SPEEDS.indexOf(player.speed) + 1) % SPEEDS.length];
  element.playbackRate = speed;
  changed({ speed });
  return speed;
}

/** Return how much of a voice was played, 0 to 1; 0 for one that is not the current one. */
export function share(url) {
  const known = player.url === url && Number.isFinite(element.duration) && element.duration > 0;
  return known ? Math.min(element.currentTime / element.duration, 1) : 0;
}

/** Play what was blocked as soon as the user has clicked or pressed a key. */
function unlock() {
  if (player.blocked && player.url) {
    changed({ blocked: false });
    play(player.url);
  }
}
document.addEventListener("pointerup", unlock);
document.addEventListener("keyup", unlock);
