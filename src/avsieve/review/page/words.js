// What things are called. Each decision has a word and a shape, so that nobody depends on its colour.

export const DECISIONS = [
  { name: "right", label: "Right", sign: "✓", help: "voice and face are the label's" },
  { name: "wrong_voice", label: "Wrong voice", sign: "♪", help: "the face is the label's, the voice is not" },
  { name: "wrong_face", label: "Wrong face", sign: "☹", help: "the voice is the label's, the face is not" },
  { name: "wrong_clip", label: "Wrong clip", sign: "✕", help: "neither is the label's" },
  { name: "other_speaker", label: "Somebody else", sign: "→", help: "neither, and you can name who it is" },
  { name: "unsure", label: "Unsure", sign: "?", help: "it cannot be told" },
];

export const BY_NAME = Object.fromEntries(DECISIONS.map((decision) => [decision.name, decision]));

export const ACTIONS = [
  ...DECISIONS.map(({ name, label, help }) => [name, `${label}: ${help}`]),
  ["play", "Play the voice, or pause it"],
  ["reference", "Play a trusted voice of the label; again for the next one"],
  ["opinion", "Show or hide what the machine thinks, and whom it suggests"],
  ["suggested", "Play a voice of whom the machine suggests; again for the next one"],
  ["spread", "Let the decision count for the video's other clips of this label"],
  ["undo", "Take back the last decision; again for the one before, to any depth"],
  ["next", "Next clip, without a decision"],
  ["back", "The clip before"],
  ["faster", "Play at 1, 1.5 or 2 times the speed"],
];

export const KINDS = { video: "voice and face", audio: "voice", visual: "face" };
export const MACHINE = { clean: "kept", noisy: "flagged", unsure: "unsure" };

const KEY_NAMES = { " ": "space", ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓" };

/** Return a key as it is shown. */
export function keyName(key) {
  return KEY_NAMES[key] || key;
}

/** Return a decision in words, with its sign. */
export function told(decision) {
  const found = BY_NAME[decision];
  return found ? `${found.sign} ${found.label.toLowerCase()}` : "";
}

export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

export function percent(p) {
  return p == null ? "–" : `${Math.round(100 * p)} %`;
}

export function decimal(x) {
  return x == null ? "–" : x.toFixed(2);
}
