"use strict";
// What is embedded of the scans, decoded when it is first looked at.
tsunagu.scans = (() => {
  const { maths } = tsunagu;
  const STEPS = 65535;

  // The stored arrays of one method and signal class: [S, K, ...].
  function decode(histograms, points, places) {
    const [span, steps, shares] = [
      maths.floats(histograms.span), maths.shorts(histograms.steps), maths.halves(histograms.shares),
    ];
    const bins = shares.length / (2 * points * places);
    return { span, steps, shares, bins, points, entries: histograms.entries, found: new Map() };
  }

  // One trial at one point: edges [B + 1], shares and what is above each edge for both classes, and the area.
  function at(decoded, seed, point) {
    const number = seed * decoded.points + point;
    if (!decoded.found.has(number)) decoded.found.set(number, read(decoded, number, seed));
    return decoded.found.get(number);
  }

  function read({ span, steps, shares, bins, entries }, number, seed) {
    const [low, high] = span.subarray(2 * number, 2 * number + 2);
    const own = steps.subarray(number * (bins + 1), (number + 1) * (bins + 1));
    const edges = Float64Array.from(own, (step) => low + (high - low) * (step / STEPS));
    const [background, signal] = [0, 1].map((label) =>
      shares.subarray((2 * number + label) * bins, (2 * number + label + 1) * bins),
    );
    return {
      edges, entries: entries[seed],
      shares: { background, signal },
      above: { background: maths.above(background), signal: maths.above(signal) },
      area: maths.area(background, signal),
    };
  }

  // A method with a way to its points; the last axis runs fastest.
  function open(raw) {
    const sizes = raw.axes.map((axis) => axis.values.length);
    const points = sizes.reduce((product, size) => product * size, 1);
    const decoded = new Map();
    const histograms = (signal) => {
      if (!decoded.has(signal)) {
        decoded.set(signal, decode(raw.histograms[signal], points, raw.places.length));
      }
      return decoded.get(signal);
    };
    return {
      ...raw,
      points,
      point: (indices) => indices.reduce((number, index, axis) => number * sizes[axis] + index, 0),
      indices: (point) => {
        const found = [];
        for (let axis = sizes.length - 1; axis >= 0; axis -= 1) {
          found.unshift(point % sizes[axis]);
          point = Math.floor(point / sizes[axis]);
        }
        return found;
      },
      trial: (signal, seed, point) => at(histograms(signal), seed, point),
    };
  }

  // What a cut does to one trial. `sums` are the weights of each class.
  function working(trial, cut, sums, signal) {
    const [background, own] = ["background", "signal"].map((name) =>
      maths.passing(cut, trial.edges, trial.above[name]),
    );
    const total = sums.reduce((sum, value) => sum + value, 0);
    const [ours, theirs] = [sums[signal], total - sums[signal]];
    return {
      cut, signal: own, background, area: trial.area,
      rejection: 1 / background,
      purity: (own * ours) / (own * ours + background * theirs),
      accuracy: (own * ours + (1 - background) * theirs) / total,
    };
  }

  // The cut of one trial where a share of a class is wanted, or the cut itself.
  function cut(trial, { by, level }) {
    return by === "score" ? level : maths.cutFor(level, trial.edges, trial.above[by]);
  }

  return { cut, open, working };
})();
