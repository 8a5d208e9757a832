"use strict";
// What is looked at: output, method, seed, the point of the conditions and the cut, and what is read off the scans there.
tsunagu.point = (() => {
  const { maths, scans, figures } = tsunagu;
  const EFFICIENCIES = Array.from({ length: 100 }, (_, at) => (at + 1) / 100);
  const ALL = "all";
  const state = {
    parts: [], looks: {}, output: 0, method: 0, seed: ALL, signal: "1", indices: [], by: "score", level: 0, held: null,
    across: "", upwards: "",
  };

  const part = () => state.parts[state.output];
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

  // Three digits and a true minus.
  const short = (value) => (value === 0 ? "0" : Number(value.toPrecision(3)).toString().replace("-", "\u2212"));

  function probability(odds) {
    const [share, rest] = [odds, -odds].map(maths.logistic);
    const tiny = (number) => figures.power(Number(number.toPrecision(2)));
    if (rest < 5e-4) return `1\u2212${tiny(rest)}`;
    return share < 5e-4 ? tiny(share) : short(share);
  }

  function caption() {
    const at = method().axes.map((axis, number) => `${axis.name} ${short(axis.values[state.indices[number]])}`);
    return [figures.clipped(method().name, 28), ...at.map(figures.plain)].join("<br>");
  }

  // What can stand on an axis of the last figure.
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
  const rejections = (of) => of.map((trial) =>
    maths.rejection(EFFICIENCIES, trial.above.background, trial.above.signal, trial.entries));

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

  return {
    ALL, EFFICIENCIES, caption, everywhere, method, part, point, probability, quantities, range, rejections, seeds, short, state,
    trials, work,
  };
})();
