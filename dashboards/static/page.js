// Small helps that no page depends on: copying code, parts that take long, words while a document is being made.
(() => {
  "use strict";
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  for (const code of document.querySelectorAll(".code[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button second compact";
    button.textContent = code.dataset.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.querySelector("pre").textContent);
      button.textContent = code.dataset.copied;
      setTimeout(() => { button.textContent = code.dataset.copy; }, 2000);
    });
    code.append(button);
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    (async () => {
      try {
        const answer = await fetch(part.dataset.part);
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        part.innerHTML = await answer.text();
      } catch (error) { part.textContent = part.dataset.failed; }
    })();
  }
  const voice = document.querySelector("[data-voice]");
  for (const link of document.querySelectorAll("a[data-making]")) {
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      if (link.dataset.busy) return;
      const words = link.textContent;
      link.dataset.busy = "yes";
      link.textContent = link.dataset.making;
      if (voice) voice.textContent = link.dataset.making;
      try {
        const answer = await fetch(link.href);
        if (!answer.ok) { location.href = link.href; return; }
        const file = document.createElement("a");
        file.href = URL.createObjectURL(await answer.blob());
        file.download = link.getAttribute("download") || "";
        file.click();
        setTimeout(() => URL.revokeObjectURL(file.href), 10000);
        if (voice) voice.textContent = link.dataset.made;
      } finally {
        link.textContent = words;
        delete link.dataset.busy;
      }
    });
  }
})();
