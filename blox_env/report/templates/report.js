"use strict";
// The theme: what the system prefers, until the button says otherwise.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = dark() ? "Light colours" : "Dark colours"; };
  try {
    const kept = localStorage.getItem("blox-env-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch { /* a page from a file may not keep anything */ }
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("blox-env-theme", root.dataset.theme); } catch { /* as above */ }
    label();
  });
  system.addEventListener("change", label);
  label();
  button.hidden = false;
})();

// Tables: a button in each heading sorts; a second time turns the order around.
document.querySelectorAll("table.sortable").forEach((table) => {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    return text === "" || text === "nan" ? null : isNaN(text) ? text : Number(text);
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => [value(row, column), row]);
      rows.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null); // unknown goes last
        return up ? compare(a, b) : compare(b, a);
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
});

// Fronts: the point under the mouse or with the keyboard shows its architecture.
document.querySelectorAll(".choose").forEach((figure) => {
  const points = [...figure.querySelectorAll(".point")];
  const panel = figure.querySelector(".panel");
  const show = (point) => {
    points.forEach((other) => other.classList.toggle("shown", other === point));
    panel.querySelector(".found").textContent = point.dataset.found;
    panel.querySelector(".values").textContent = point.dataset.values;
    const drawing = document.getElementById(point.dataset.shows).content.cloneNode(true);
    panel.querySelector(".drawing").replaceChildren(drawing);
    panel.hidden = false;
  };
  const go = (to) => {
    const target = points[Math.max(0, Math.min(points.length - 1, to))];
    points.forEach((point) => point.setAttribute("tabindex", point === target ? "0" : "-1"));
    target.focus();
  };
  points.forEach((point, number) => {
    point.addEventListener("mouseenter", () => show(point));
    point.addEventListener("focus", () => show(point));
    point.addEventListener("click", () => go(number));
    point.addEventListener("keydown", (event) => {
      const to = {
        ArrowRight: number + 1, ArrowDown: number + 1, ArrowLeft: number - 1, ArrowUp: number - 1,
        Home: 0, End: points.length - 1, Enter: number, " ": number,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(to);
    });
  });
});
