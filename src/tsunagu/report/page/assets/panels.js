"use strict";
// The four figures of a working point.
tsunagu.panels = (() => {
  const { maths, scans, figures } = tsunagu;
  const { EFFICIENCIES, caption, method, part, point, probability, quantities, range, rejections, seeds, short, state, trials, work } = tsunagu.point;
  const { colors } = tsunagu.data;
  const CLASSES = [["background", colors.background, "6px,2px"], ["signal", colors.signal, "solid"]];
  const byId = (id) => document.getElementById(id);

  function drawRoc() {
    const look = state.looks[method().name];
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
  function drawScores() {
    const own = trials();
    const [low, high] = range(own);
    const edges = Array.from({ length: 41 }, (_, at) => low + ((high - low) * at) / 40);
    const traces = CLASSES.flatMap(([name, color, dash]) => {
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
    const traces = CLASSES.flatMap(([name, color, dash]) => {
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
      marker: { size: 5, color: figures.faint(state.looks[method().name].color, 0.5) },
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
    const look = state.looks[each.name];
    const here = each === method();
    return [{
      x: xs, y: ys, type: "scatter", mode: each.axes.length === 1 ? "lines+markers" : "markers", name: figures.clipped(each.name, 24),
      opacity: here ? 1 : 0.45, line: figures.line(look, { width: here ? 1.2 : 0.8 }), hoverinfo: "text",
      text: xs.map((_, k) => figures.plain([each.name, ...each.axes.map((axis, number) => `${axis.name} ${short(axis.values[each.indices(k)[number]])}`)].join(", "))),
      marker: { size: 7, symbol: best.map((is) => (is ? "circle" : "circle-open")), color: figures.seen(look.color) },
    }];
  }

  const draw = { roc: drawRoc, scores: drawScores, efficiencies: drawEfficiencies, pareto: drawPareto };

  return { draw, geometric };
})();
