"use strict";
// Reads what is embedded, draws each figure when it comes near the window, and again for another width, theme or paper.
(() => {
  const { data, figures, explore } = tsunagu;
  const pending = new Map();
  const drawn = new Map();

  function draw(box) {
    const act = pending.get(box) ?? drawn.get(box);
    pending.delete(box);
    drawn.set(box, act);
    act();
  }

  function later(box, act) {
    pending.set(box, act);
    near.observe(box);
  }

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && pending.has(target)) draw(target);
    }
  }, { rootMargin: "300px" });

  for (const box of document.querySelectorAll("[data-chart]")) {
    const chart = data.charts[box.dataset.chart];
    later(box, () => figures.KINDS[chart.kind](box, chart, data.looks));
  }

  const panels = document.getElementById("stages");
  const chosen = document.getElementById("learning-method");
  function learn() {
    const { stages } = data.charts[chosen.value];
    panels.replaceChildren(...stages.map(() => document.createElement("div")));
    [...panels.children].forEach((box, at) => {
      box.className = "chart small";
      figures.stage(box, stages[at], at === 0);
    });
  }
  if (panels) {
    later(panels, learn);
    chosen.addEventListener("change", learn);
  }

  const room = document.getElementById("explore");
  if (room && data.scans.length) later(room, () => (room.dataset.open ? explore.draw() : begin()));
  function begin() {
    room.dataset.open = "yes";
    explore.open(data.scans, data.looks);
  }

  const again = () => [...drawn.keys()].forEach(draw);
  const all = () => [...pending.keys()].forEach(draw);
  let width = document.documentElement.clientWidth;
  addEventListener("resize", () => {
    if (width === document.documentElement.clientWidth) return; // a bar of a phone came or went
    width = document.documentElement.clientWidth;
    requestAnimationFrame(again);
  });
  figures.theme.addEventListener("change", again);
  const paper = (yes) => {
    figures.print(yes);
    document.documentElement.classList.toggle("paper", yes);
    if (yes) all();
    again();
  };
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
  document.documentElement.dataset.ready = "yes";
})();
