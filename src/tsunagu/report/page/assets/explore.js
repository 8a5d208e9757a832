"use strict";
// The controls of a working point: selects and a slider for every condition and for the cut.
tsunagu.explore = (() => {
  const { figures, maths, panels, readings, scans } = tsunagu;
  const { ALL, caption, everywhere, method, part, point, probability, quantities, range, rejections, short, state, trials } = tsunagu.point;
  const byId = (id) => document.getElementById(id);

  function fill(select, names, chosen) {
    select.replaceChildren(...names.map(([value, text]) => new Option(text, value, false, String(value) === String(chosen))));
    select.closest("label").hidden = names.length < 2;
  }

  function controls() {
    fill(byId("output"), state.parts.map((each, at) => [at, each.output]), state.output);
    fill(byId("method"), part().methods.map((each, at) => [at, each.name]), state.method);
    fill(byId("signal"), part().signals.map((each) => [each, `${part().target} = ${each}`]), state.signal);
    const all = `mean and spread of ${method().places.length}`;
    const places = method().places.map((place, at) => [at, place]);
    fill(byId("seed"), places.length > 1 ? [[ALL, all], ...places] : [[ALL, places[0][1]]], state.seed);
    byId("conditions").replaceChildren(...method().axes.map(conditionSlider));
    for (const axis of ["across", "upwards"]) fill(byId(axis), quantities().map(({ key, label }) => [key, label]), state[axis]);
    cutSlider();
  }

  function conditionSlider(axis, number) {
    const box = byId("condition").content.cloneNode(true);
    const [label, output, input] = ["label", "output", "input"].map((name) => box.querySelector(name));
    input.id = `condition-${number}`;
    [label.htmlFor, label.textContent] = [input.id, axis.name];
    output.htmlFor = input.id;
    [input.max, input.value] = [axis.values.length - 1, state.indices[number]];
    const tell = () => {
      output.textContent = short(axis.values[state.indices[number]]);
      input.setAttribute("aria-valuetext", `${axis.name} ${output.textContent}`);
    };
    input.addEventListener("input", () => {
      state.indices[number] = Number(input.value);
      tell();
      schedule();
    });
    tell();
    return box;
  }

  const LEVELS = {
    score: () => {
      const [low, high] = range(everywhere(), 1e-4).map((end) => end - state.level);
      // Even a narrow distribution has its hundred places, and the level is one of them.
      const step = Math.min(0.05, (high - low) / 100);
      const [below, above] = [Math.ceil(Math.max(0, -low) / step), Math.ceil(Math.max(0, high) / step)];
      return { min: state.level - below * step, max: state.level + above * step, step, to: (at) => at, from: (level) => level };
    },
    signal: () => ({ min: 0.01, max: 0.99, step: 0.01, to: (at) => at, from: (level) => level }),
    background: () => ({ min: -4, max: 0, step: 0.05, to: (at) => 10 ** at, from: Math.log10 }),
  };

  function cutSlider() {
    const input = byId("cut");
    const { min, max, step, from } = LEVELS[state.by]();
    Object.assign(input, { min, max, step });
    input.value = from(state.level);
    tellCut();
  }

  function tellCut() {
    const text = {
      score: () => `p > ${probability(state.level)}`,
      signal: () => `signal ${short(state.level)}`,
      background: () => `background ${short(state.level)}`,
    }[state.by]();
    byId("cut-value").textContent = text;
    byId("cut").setAttribute("aria-valuetext", text);
  }

  const MOST_USED = { score: 0, signal: 0.5, background: 0.01 };

  function listen() {
    const choose = (id, act) => byId(id).addEventListener("change", ({ target }) => {
      act(target.value);
      controls();
      schedule();
    });
    choose("output", (value) => start(Number(value)));
    choose("method", (value) => enter(Number(value)));
    choose("seed", (value) => { state.seed = value; });
    choose("signal", (value) => { state.signal = value; });
    choose("by", (value) => Object.assign(state, { by: value, level: MOST_USED[value] }));
    choose("across", (value) => { state.across = value; });
    choose("upwards", (value) => { state.upwards = value; });
    byId("cut").addEventListener("input", ({ target }) => {
      state.level = LEVELS[state.by]().to(Number(target.value));
      tellCut();
      schedule();
    });
    byId("hold").addEventListener("click", hold);
  }

  function hold() {
    const rows = rejections(trials());
    state.held = state.held ? null : { name: caption(), curve: maths.band(rows, true).middle, output: state.output };
    byId("hold").setAttribute("aria-pressed", String(Boolean(state.held)));
    schedule();
  }

  // The numbers at once, and one figure in each frame: a slider never waits for all four of them.
  const waiting = new Set();
  function schedule() {
    const resting = waiting.size === 0;
    for (const name of Object.keys(panels.draw)) waiting.add(name);
    readings.tell();
    if (resting) requestAnimationFrame(next);
  }

  function next() {
    const [name] = waiting;
    waiting.delete(name);
    panels.draw[name]();
    if (waiting.size) requestAnimationFrame(next);
    else drawn();
  }

  function draw() {
    for (const panel of Object.values(panels.draw)) panel();
    readings.tell();
    drawn();
  }

  function drawn() {
    const { dataset } = byId("explore");
    dataset.drawn = Number(dataset.drawn ?? 0) + 1;
  }

  function enter(number) {
    const before = method()?.axes.map((axis) => axis.name).join();
    state.method = number;
    const same = before === method().axes.map((axis) => axis.name).join();
    state.indices = method().axes.map((axis, at) =>
      Math.min(axis.values.length - 1, same && state.indices.length ? state.indices[at] : Math.floor(axis.values.length / 2)));
    if (state.seed !== ALL && Number(state.seed) >= method().places.length) state.seed = ALL;
    const keys = quantities().map(({ key }) => key);
    const [first, second] = method().metrics.length > 1 ? ["metric 0", "metric 1"] : ["background efficiency", "signal efficiency"];
    if (!keys.includes(state.across) || !same) state.across = first;
    if (!keys.includes(state.upwards) || !same) state.upwards = second;
  }

  function start(number) {
    Object.assign(state, { output: number, method: 0, seed: ALL, signal: String(state.parts[number].signals[0]), indices: [] });
    // A method with a slider first.
    enter(Math.max(0, part().methods.findIndex((each) => each.axes.length)));
  }

  function open(embedded, drawnAs) {
    state.parts = embedded.map((each) => ({ ...each, methods: each.methods.map(scans.open) }));
    state.looks = drawnAs;
    start(0);
    listen();
    controls();
    draw();
  }

  return { draw, open };
})();
