// Draws each chart when it comes near the screen, and the others after those. Without this script the page shows the same charts as images.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tones = () => {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    const label = value("--secondary"), line = value("--line");
    return {
      background: "transparent",
      axis: { labelColor: label, titleColor: label, domainColor: value("--faint"), tickColor: value("--faint"), gridColor: line },
      legend: { labelColor: label, titleColor: label },
    };
  };
  // Specifications are drawn for white paper. On a dark ground the rims of labels take the ground's colour, and the
  // colours of data their lighter neighbours of the same palette.
  const lighter = { "#0072b2": "#56b4e9", "#d55e00": "#ff9e66", "#000000": "#e6e8ea", "#1e2124": "#e6e8ea", "#b1b8be": "#58616a", "#ffd78a": "#8a6a1c", "#464c53": "#b1b8be" };
  const recoloured = (node, ground) => {
    if (Array.isArray(node)) return node.map((item) => recoloured(item, ground));
    if (node && typeof node === "object") {
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, key === "datasets" ? item : recoloured(item, ground)]));
    }
    if (node === "white") return ground;
    return dark.matches && typeof node === "string" ? lighter[node.toLowerCase()] || node : node;
  };
  const draw = async (plot) => {
    const waiting = plot.querySelector(".waiting");
    plot.dataset.begun = "yes";
    try {
      const answer = await fetch(plot.dataset.spec, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { spec: given, options, empty } = await answer.json();
      if (empty) { waiting.textContent = empty; waiting.classList.remove("screen"); return; }
      const ground = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
      const spec = recoloured(given, ground);
      const caption = plot.closest("figure").querySelector("figcaption");
      if (spec.title && caption) caption.textContent = [].concat(spec.title.text || spec.title).join(" ");
      delete spec.title;
      const config = { ...spec.config };
      for (const [key, part] of Object.entries(tones())) {
        config[key] = typeof part === "object" ? { ...config[key], ...part } : part;
      }
      spec.config = { ...config, ...(options.config || {}) };
      spec.autosize = { type: "fit-x", contains: "padding" };
      plot.view?.finalize();
      const result = await window.vegaEmbed(plot, spec, {
        ...options, config: undefined, defaultStyle: false, tooltip: { disableDefaultStyle: true },
      });
      plot.view = result.view;
      plot.classList.add("drawn");
    } catch (error) {
      if (waiting) waiting.textContent = plot.dataset.failed;
    }
  };
  const start = () => {
    const plots = [...document.querySelectorAll(".plot[data-spec]")];
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) { near.unobserve(entry.target); if (!entry.target.dataset.begun) draw(entry.target); }
      }
    }, { rootMargin: "300px" });
    for (const plot of plots) { near.observe(plot); }
    dark.addEventListener("change", () => plots.filter((plot) => plot.classList.contains("drawn")).forEach(draw));
    // The rest one by one while nothing else is to do: printing does not wait for a chart that nobody has scrolled to.
    const idle = window.requestIdleCallback || ((work) => setTimeout(work, 200));
    const rest = () => idle(async () => {
      const next = plots.find((plot) => !plot.dataset.begun);
      if (next) { await draw(next); rest(); }
    });
    setTimeout(rest, 500);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
