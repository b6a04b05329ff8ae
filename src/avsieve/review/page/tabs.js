// Other tabs and windows of the same reviewer, in this browser: what one has noted, the others show.

import { useEffect, useRef } from "./html.js";

let channel = null;
const listeners = new Set();

/** Begin to talk with the other tabs that take decisions of `who`. */
export function join(who) {
  channel = new BroadcastChannel(`avsieve-review ${who}`);
  channel.onmessage = ({ data }) => {
    for (const listener of listeners) listener(data);
  };
}

/** Tell the other tabs: `changed` [{utterance, decision}], the `entry` of the log, whether it was `undone`, `progress`. */
export function tell(message) {
  channel?.postMessage(message);
}

/** Call `listener(message)` for what another tab tells. */
export function useOtherTabs(listener) {
  const current = useRef(listener);
  current.current = listener;
  useEffect(() => {
    const heard = (message) => current.current(message);
    listeners.add(heard);
    return () => listeners.delete(heard);
  }, []);
}
