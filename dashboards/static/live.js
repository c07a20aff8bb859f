// Asks every five seconds how long ago the last reading came, and says aloud only when a state changes.
(() => {
  "use strict";
  const arrivals = document.querySelector("[data-arrivals]");
  if (arrivals) {
    const place = arrivals.querySelector("[data-arrivals-here]");
    const look = async () => {
      if (!document.hidden) {
        try {
          const answer = await fetch(arrivals.dataset.arrivals);
          if (answer.ok && !answer.redirected) {
            const text = await answer.text();
            if (place.dataset.last !== text) { place.innerHTML = text; place.dataset.last = text; }
          }
        } catch (error) { /* asked again in five seconds */ }
      }
      setTimeout(look, 5000);
    };
    setTimeout(look, 2000);
  }
  const root = document.querySelector("[data-live]");
  if (!root) return;
  const voice = document.querySelector("[data-voice]");
  let failures = 0;
  const show = (answer) => {
    for (const place of document.querySelectorAll("[data-live-text]")) {
      const text = answer.texts[place.dataset.liveText];
      if (text !== undefined && place.textContent !== text) place.textContent = text;
    }
    for (const place of document.querySelectorAll("[data-live-state]")) {
      const state = answer.states[place.dataset.liveState];
      if (state === undefined || place.dataset.state === state.code) continue;
      place.dataset.state = state.code;
      place.className = "badge " + state.tone;
      place.textContent = state.mark + " " + state.word;
      if (voice) voice.textContent = state.said;
    }
    if (answer.reload) location.reload();
  };
  const ask = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(root.dataset.live, { headers: { accept: "application/json" } });
        if (answer.status === 401) { location.reload(); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        failures = 0;
        show(await answer.json());
      } catch (error) {
        failures += 1;
      }
    }
    setTimeout(ask, Math.min(60000, 5000 * 2 ** failures));
  };
  setTimeout(ask, 5000);
})();
