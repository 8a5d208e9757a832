"use strict";
// The working point: sliders for every condition and for the cut, and all that is redrawn from the histograms.
tsunagu.explore = (() => {
  const { maths, scans, figures } = tsunagu;
  const EFFICIENCIES = Array.from({ length: 100 }, (_, at) => (at + 1) / 100);
  const SIGNAL = "#D55E00";
  const BACKGROUND = "#0072B2";
  const ALL = "all";
  const byId = (id) => document.getElementById(id);
  const short = (value) => (value === 0 ? "0" : Number(value.toPrecision(3)).toString().replace("-", "\u2212"));
  const state = { output: 0, method: 0, seed: ALL, signal: "1", indices: [], by: "score", level: 0, held: null };
  let [parts, looks] = [[], {}];

  const part = () => parts[state.output];
  const method = () => part().methods[state.method];
  const point = () => method().point(state.indices);
  const seeds = (of = method()) =>
    state.seed === ALL || of !== method() ? of.places.map((_, seed) => seed) : [Number(state.seed)];
  const trials = (of = method(), at = point()) => seeds(of).map((seed) => of.trial(state.signal, seed, at));
  const work = (of, at) =>
    seeds(of).map((seed) => {
      const trial = of.trial(state.signal, seed, at);
      return scans.working(trial, scans.cut(trial, state), of.sums[seed], Number(state.signal));
    });

  // ---- controls

  function fill(select, names, chosen) {
    select.replaceChildren(...names.map(([value, text]) => new Option(text, value, false, String(value) === String(chosen))));
    select.closest("label").hidden = names.length < 2;
  }

  function controls() {
    fill(byId("output"), parts.map((each, at) => [at, each.output]), state.output);
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

  function probability(odds) {
    const share = maths.logistic(odds);
    return share > 0.9995 ? `1\u2212${figures.power(Number(maths.logistic(-odds).toPrecision(2)))}` : share < 5e-4 ? figures.power(Number(share.toPrecision(2))) : short(share);
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

  function caption() {
    const at = method().axes.map((axis, number) => `${axis.name} ${short(axis.values[state.indices[number]])}`);
    return [figures.clipped(method().name, 28), ...at.map(figures.plain)].join("<br>");
  }

  // ---- what can stand on an axis of the last figure

  function quantities() {
    const own = method().metrics.map(({ name, larger }, at) => ({
      key: `metric ${at}`, label: name, larger, of: (each, k) => seeds(each).map((seed) => metric(each, at, seed, k)),
    }));
    const conditions = method().axes.map(({ name, values }, at) => ({
      key: `condition ${at}`, label: name, larger: null, logarithmic: spans(values),
      of: (each, k) => seeds(each).map(() => each.axes[at]?.values[each.indices(k)[at]]),
    }));
    const derived = [
      ["signal efficiency", true, (each) => each.signal], ["background efficiency", false, (each) => each.background],
      ["area under the curve", true, (each) => each.area], ["purity", true, (each) => each.purity],
      ["accuracy", true, (each) => each.accuracy], ["background turned away", true, (each) => 1 - each.background],
    ].map(([label, larger, read]) => ({ key: label, label, larger, of: (each, k) => work(each, k).map(read) }));
    return [...own, ...conditions, ...derived];
  }

  const metric = (each, at, seed, k) => each.metrics[at]?.values[seed][k];
  const spans = (values) => values[0] > 0 && values[values.length - 1] / values[0] > 50;

  // ---- drawing

  const rejections = (of) => of.map((trial) =>
    maths.rejection(EFFICIENCIES, trial.above.background, trial.above.signal, trial.entries));

  function drawRoc() {
    const look = looks[method().name];
    const rows = rejections(trials());
    const { middle, low, high } = maths.band(rows, true);
    const thin = rows.length > 1 ? rows.map((row, at) => ({
      x: EFFICIENCIES, y: row, type: "scatter", mode: "lines", line: { color: figures.faint(look.color, 0.35), width: 0.8 },
      hoverinfo: "text", text: figures.plain(method().places[seeds()[at]]), showlegend: false,
    })) : [];
    const found = work(method(), point());
    const highest = Math.max(5, ...high.filter(Number.isFinite), ...(state.held?.curve.filter(Number.isFinite) ?? []));
    const top = 10 ** (Math.ceil(2 * Math.log10(highest) + 0.3) / 2); // in half decades, so that it rarely jumps
    const traces = [
      figures.ribbon(EFFICIENCIES, low, high, look.color), ...thin,
      { x: EFFICIENCIES, y: middle, type: "scatter", mode: "lines", name: caption(), line: figures.line(look, { width: 2.2 }), hoverinfo: "x+y" },
      {
        x: [maths.mean(found.map((each) => each.signal))], y: [geometric(found.map((each) => each.rejection))], type: "scatter",
        mode: "markers", name: "working point", hoverinfo: "name+x+y",
        marker: { symbol: "circle-open", size: 12, color: figures.ink(), line: { width: 2 } },
      },
    ];
    if (found.length > 1) traces.push({
      x: found.map((each) => each.signal), y: found.map((each) => each.rejection), type: "scatter", mode: "markers", showlegend: false,
      hoverinfo: "text", text: seeds().map((seed) => figures.plain(method().places[seed])), marker: { size: 5, color: figures.seen(look.color) },
    });
    if (state.held?.output === state.output) traces.push({
      x: EFFICIENCIES, y: state.held.curve, type: "scatter", mode: "lines", name: state.held.name, hoverinfo: "x+y",
      line: { color: figures.muted(), width: 1.6, dash: "5px,3px" },
    });
    figures.put(byId("explore-roc"), traces, {
      xaxis: figures.axis("signal efficiency", { range: [0, 1] }), showlegend: true, legend: figures.key(),
      yaxis: figures.logarithmic("background rejection", 1, top),
    });
  }

  const geometric = (values) => 2 ** maths.mean(values.map(Math.log2));

  function oddsAxis(range) {
    const at = oddsTicks(range);
    return figures.axis(`predicted probability of ${part().target} = ${state.signal}`, {
      range, tickvals: at, ticktext: at.map(probability), tickangle: 0,
    });
  }

  // Round probabilities, so many that there are four at least; in a range too narrow for that even steps of the odds.
  function oddsTicks([low, high]) {
    const mirrored = (shares) => [...shares, 0.5, ...shares.map((share) => 1 - share).reverse()];
    const inside = (shares) => shares.map((share) => Math.log(share / (1 - share))).filter((odds) => low <= odds && odds <= high);
    const sets = [[1e-12, 1e-9, 1e-6, 1e-3], [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1], [1e-3, 0.01, 0.03, 0.1, 0.3], [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4]];
    const room = (high - low) / (figures.narrow.matches ? 5.5 : 9);
    const apart = (all) => all.reduce((kept, odds) => (kept.length && odds - kept[kept.length - 1] < room ? kept : [...kept, odds]), []);
    const found = sets.map((shares) => apart(inside(mirrored(shares))));
    return found.find((odds) => odds.length > 4) ?? Array.from({ length: 5 }, (_, number) => low + ((high - low) * (number + 0.5)) / 5);
  }

  const cuts = () => maths.mean(trials().map((trial) => scans.cut(trial, state)));
  const cutLine = () => ({
    type: "line", x0: cuts(), x1: cuts(), y0: 0, y1: 1, yref: "paper", line: { color: figures.ink(), width: 1, dash: "dot" },
  });

  // The trials of the current seeds at all values of the conditions: a slider keeps its place while those move.
  const everywhere = () => Array.from({ length: method().points }, (_, at) => trials(method(), at)).flat();

  function range(of, outside = 0.002) {
    // What holds all but the outermost share of either class.
    const ends = of.flatMap((trial) => ["background", "signal"].flatMap((name) =>
      [1 - outside, outside].map((share) => maths.cutFor(share, trial.edges, trial.above[name]))));
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const rim = 0.04 * (high - low || 1);
    return [low - rim, high + rim];
  }

  function drawScores() {
    const own = trials();
    const [low, high] = range(own);
    const edges = Array.from({ length: 41 }, (_, at) => low + ((high - low) * at) / 40);
    const traces = [["background", BACKGROUND, "6px,2px"], ["signal", SIGNAL, "solid"]].flatMap(([name, color, dash]) => {
      const rows = own.map((trial) => {
        const passing = edges.map((edge) => maths.passing(edge, trial.edges, trial.above[name]));
        return passing.slice(0, -1).map((share, at) => share - passing[at + 1]);
      });
      const { middle, low: below, high: above } = maths.band(rows);
      const steps = (values) => [...values.flatMap((value) => [value, value])];
      const x = edges.slice(0, -1).flatMap((edge, at) => [edge, edges[at + 1]]);
      const floor = below.map((value, at) => Math.max(value, Math.min(0, middle[at])));
      return [figures.ribbon(x, steps(floor), steps(above), color), {
        x, y: steps(middle), type: "scatter", mode: "lines", name, line: { color: figures.seen(color), width: 1.8, dash }, hoverinfo: "name+y",
      }];
    });
    figures.put(byId("explore-scores"), traces, {
      xaxis: oddsAxis([low, high]), yaxis: figures.axis("fraction of events", { rangemode: "tozero" }), shapes: [cutLine()],
      showlegend: true, legend: figures.key(),
    });
  }

  function drawEfficiencies() {
    const own = trials();
    const [low, high] = range(own);
    const at = Array.from({ length: 121 }, (_, number) => low + ((high - low) * number) / 120);
    const traces = [["background", BACKGROUND, "6px,2px"], ["signal", SIGNAL, "solid"]].flatMap(([name, color, dash]) => {
      const rows = own.map((trial) => at.map((cut) => maths.passing(cut, trial.edges, trial.above[name])));
      const { middle, low: below, high: above } = maths.band(rows);
      const positive = (values) => values.map((value) => (value > 0 ? value : NaN));
      return [figures.ribbon(at, below.map((value) => Math.max(value, 1e-6)), positive(above), color), {
        x: at, y: positive(middle), type: "scatter", mode: "lines", name, line: { color: figures.seen(color), width: 1.8, dash }, hoverinfo: "name+y",
      }];
    });
    figures.put(byId("explore-efficiencies"), traces, {
      xaxis: oddsAxis([low, high]), yaxis: figures.logarithmic("efficiency above the cut", 5e-5, 1.5), shapes: [cutLine()],
    });
  }

  function drawPareto() {
    const every = quantities();
    const [x, y] = [state.across, state.upwards].map((key) => every.find((each) => each.key === key));
    const traces = part().methods.flatMap((each) => ofMethod(each, x, y));
    const [mine, yours] = [x, y].map(({ of }) => of(method(), point()));
    traces.push({
      x: mine, y: yours, type: "scatter", mode: "markers", hoverinfo: "text", showlegend: false,
      text: seeds().map((seed) => figures.plain(method().places[seed])),
      marker: { size: 5, color: figures.faint(looks[method().name].color, 0.5) },
    }, {
      x: [maths.mean(mine)], y: [maths.mean(yours)], type: "scatter", mode: "markers", hoverinfo: "skip", name: "now", showlegend: false,
      marker: { symbol: "circle-open", size: 14, color: figures.ink(), line: { width: 2 } },
    });
    const title = ({ label, logarithmic, key }) => {
      if (!logarithmic) return figures.axis(label);
      const { values } = method().axes[Number(key.split(" ")[1])];
      return figures.logarithmic(label, values[0] / 1.6, values[values.length - 1] * 1.6);
    };
    figures.put(byId("explore-pareto"), traces, { xaxis: title(x), yaxis: title(y), showlegend: part().methods.length > 1, ...figures.outside() });
    byId("pareto-note").hidden = x.larger === null || y.larger === null || method().points < 2;
  }

  function ofMethod(each, x, y) {
    const [xs, ys] = [x, y].map(({ of }) => Array.from({ length: each.points }, (_, k) => maths.mean(of(each, k))));
    if (![...xs, ...ys].some(Number.isFinite)) return [];
    const cost = ({ larger }, values) => values.map((value) => (larger ? -value : value));
    const ranked = x.larger !== null && y.larger !== null;
    const best = ranked ? maths.front(cost(x, xs), cost(y, ys)) : xs.map(() => true);
    const look = looks[each.name];
    const here = each === method();
    return [{
      x: xs, y: ys, type: "scatter", mode: each.axes.length === 1 ? "lines+markers" : "markers", name: figures.clipped(each.name, 24),
      opacity: here ? 1 : 0.45, line: figures.line(look, { width: here ? 1.2 : 0.8 }), hoverinfo: "text",
      text: xs.map((_, k) => figures.plain([each.name, ...each.axes.map((axis, number) => `${axis.name} ${short(axis.values[each.indices(k)[number]])}`)].join(", "))),
      marker: { size: 7, symbol: best.map((is) => (is ? "circle" : "circle-open")), color: figures.seen(look.color) },
    }];
  }

  function tellNumbers() {
    const found = work(method(), point());
    const many = (read, digits) => {
      const values = found.map(read);
      return [maths.mean(values), values.length > 1 ? maths.deviation(values) : null, digits];
    };
    write("auc", many((each) => each.area, 4));
    write("signal", many((each) => each.signal, 4));
    write("background", many((each) => each.background, null));
    const rejection = geometric(found.map((each) => each.rejection));
    write("rejection", [rejection, null, null]);
    write("purity", many((each) => each.purity, 4));
    write("accuracy", many((each) => each.accuracy, 4));
  }

  function write(name, [value, spread, digits]) {
    const box = byId(`read-${name}`);
    const text = (number) => (digits ? number.toFixed(digits) : short(number));
    box.dataset.value = value;
    box.replaceChildren(Number.isFinite(value) ? text(value) : "\u2013");
    if (spread !== null && Number.isFinite(spread)) {
      const small = document.createElement("small");
      small.textContent = ` \u00b1 ${text(spread)}`;
      box.append(small);
    }
  }

  function drawConfusion() {
    const many = method().confusion;
    const number = seeds().map((seed) => (many ? many[seed][point()] : twoByTwo(seed)));
    const size = number[0].length;
    const names = many ? number[0].map((_, at) => `${part().target} = ${at}`) : ["background", "signal"];
    byId("confusion-note").textContent = many ? "each event goes to its most probable class" : "each event goes to the side of the cut it is on";
    const cell = (name, text, scope) => Object.assign(document.createElement(name), { textContent: text, ...(scope ? { scope } : {}) });
    const head = document.createElement("tr");
    head.append(cell("th", "true \\ taken for"), ...names.map((name) => cell("th", name, "col")));
    const lines = names.map((name, row) => {
      const line = document.createElement("tr");
      line.append(cell("th", name, "row"), ...Array.from({ length: size }, (_, column) => {
        const share = maths.mean(number.map((table) => table[row][column]));
        const box = cell("td", share < 0.01 ? short(share) : share.toFixed(3));
        box.style.backgroundColor = figures.faint(row === column ? "#009E73" : "#D55E00", 0.55 * Math.min(1, Math.max(0, share)));
        return box;
      }));
      return line;
    });
    byId("confusion").replaceChildren(head, ...lines);
  }

  function twoByTwo(seed) {
    const trial = method().trial(state.signal, seed, point());
    const cut = scans.cut(trial, state);
    return ["background", "signal"].map((name) => {
      const above = maths.passing(cut, trial.edges, trial.above[name]);
      return [1 - above, above];
    });
  }

  function draw() {
    for (const act of [tellNumbers, drawConfusion, drawRoc, drawScores, drawEfficiencies, drawPareto]) act();
    byId("explore").dataset.drawn = Number(byId("explore").dataset.drawn ?? 0) + 1;
  }

  let waiting = false;
  function schedule() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  // ---- beginning

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
    Object.assign(state, { output: number, method: 0, seed: ALL, signal: String(parts[number].signals[0]), indices: [] });
    // A method with a slider first.
    enter(Math.max(0, part().methods.findIndex((each) => each.axes.length)));
  }

  function open(embedded, drawnAs) {
    [parts, looks] = [embedded.map((each) => ({ ...each, methods: each.methods.map(scans.open) })), drawnAs];
    start(0);
    listen();
    controls();
    draw();
  }

  return { draw, open, state };
})();
