// Single keys without modifiers; which ones, the server says.

import { useLayoutEffect, useRef } from "./html.js";

const OFTEN = new Set(["next", "back"]); // actions that a key that is held down repeats

function writes(element) {
  return Boolean(element?.closest?.("input, textarea, select, [contenteditable], [role=listbox]"));
}

/** Return key -> action. */
export function byKey(keys) {
  return Object.fromEntries(Object.entries(keys).flatMap(([action, names]) => names.map((name) => [name, action])));
}

/** Call `actions[name]()` for the key of an action; keys in text fields, in open dialogs and with modifiers are left alone. */
export function useKeys(keys, actions) {
  const current = useRef(actions);
  current.current = actions;
  // Before the first paint: a key that is pressed as soon as a clip is seen must not be lost.
  useLayoutEffect(() => {
    const actionOf = byKey(keys);
    const pressed = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      if (writes(event.target) || document.querySelector("dialog[open]")) return;
      const own = Object.hasOwn(actionOf, event.key) ? actionOf[event.key] : event.key === "?" ? "help" : event.key;
      const action = Object.hasOwn(current.current, own) ? current.current[own] : null;
      if (!action) return;
      // Who came to a button by the keyboard presses it by space or Enter, as everywhere.
      const onControl = event.target.closest?.("a, button, summary, [role=slider]");
      if (onControl && (event.key === " " || event.key === "Enter")) return;
      event.preventDefault();
      if (!event.repeat || OFTEN.has(own)) action();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [keys]);
}

/** Let a button go that was clicked, so that the space bar does not press it again. */
export function releaseClicked() {
  document.addEventListener("click", (event) => {
    if (event.detail > 0) event.target.closest?.("button")?.blur();
  });
}
