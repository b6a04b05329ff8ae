// What the keys do.

import { html, useEffect, useRef } from "./html.js";
import { ACTIONS, keyName } from "./words.js";

export function Help({ run, onClose }) {
  const dialog = useRef(null);
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  const close = () => dialog.current.close();
  const pressed = (event) => {
    if (event.key === "?") close();
  };
  return html`<dialog ref=${dialog} class="help" aria-labelledby="help-title" onClose=${onClose} onKeyDown=${pressed}>
    <h2 id="help-title" tabindex="-1" autofocus>Keys</h2>
    <table>
      <tbody>
        ${ACTIONS.map(
          ([action, text]) => html`<tr key=${action}>
            <th scope="row">${run.keys[action].map((key) => html`<kbd key=${key}>${keyName(key)}</kbd> `)}</th>
            <td>${text}</td>
          </tr>`,
        )}
        <tr><th scope="row"><kbd>Enter</kbd></th><td>On a sheet: save what is marked, and take the rest as right</td></tr>
        <tr><th scope="row"><kbd>?</kbd></th><td>This help</td></tr>
      </tbody>
    </table>
    <p>Listen and look first; what the machine thinks is hidden until you ask, so that it does not decide for you.
      Some clips come a second time: the progress tells how far you agree with yourself.</p>
    <p>A decision is on the server's disk before the page goes on. It goes to <code>${run.reviews}</code>, as ${run.reviewer}.</p>
    <button type="button" class="main" onClick=${close}>Close</button>
  </dialog>`;
}
