"use strict";
// Numbers of a scan: pure functions of arrays. B bins; "above" is the share of a class above each of B + 1 edges.
tsunagu.maths = (() => {
  const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));

  // IEEE 754 binary16: browsers have no array of it yet.
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  const buffer = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const shorts = (text) => new Uint16Array(buffer(text));
  const floats = (text) => new Float32Array(buffer(text));
  const halves = (text) => Float32Array.from(shorts(text), (bits) => HALVES[bits]);

  function above(shares) {
    const sums = new Float64Array(shares.length + 1);
    for (let bin = shares.length - 1; bin >= 0; bin -= 1) sums[bin] = sums[bin + 1] + shares[bin];
    const total = sums[0]; // 1 but for the rounding of what is stored
    return sums.map((sum) => sum / total);
  }

  // How often signal scores above background; equal within a bin.
  function area(background, signal) {
    let below = 0;
    let found = 0;
    let [allBackground, allSignal] = [0, 0];
    for (let bin = 0; bin < signal.length; bin += 1) {
      found += signal[bin] * (below + background[bin] / 2);
      below += background[bin];
      allBackground += background[bin];
      allSignal += signal[bin];
    }
    return Math.min(1, Math.max(0, found / (allBackground * allSignal)));
  }

  // Sums of signed weights wiggle: the mean of the smallest rising curve above and the largest one below.
  function rising(curve) {
    const upper = Float64Array.from(curve);
    const lower = Float64Array.from(curve);
    for (let at = 1; at < curve.length; at += 1) upper[at] = Math.max(upper[at], upper[at - 1]);
    for (let at = curve.length - 2; at >= 0; at -= 1) lower[at] = Math.min(lower[at], lower[at + 1]);
    return upper.map((value, at) => (value + lower[at]) / 2);
  }

  const bounded = (curve) => curve.map((value) => Math.min(1, Math.max(0, value)));

  // The last place of a rising list whose value is at most x; at least 0, and never the last but one's right end.
  function place(x, xs) {
    let [low, high] = [0, xs.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle;
      else high = middle;
    }
    return low;
  }

  function interpolate(x, xs, ys) {
    if (x <= xs[0]) return ys[0];
    if (x >= xs[xs.length - 1]) return ys[ys.length - 1];
    const at = place(x, xs);
    const width = xs[at + 1] - xs[at];
    return width > 0 ? ys[at] + ((ys[at + 1] - ys[at]) * (x - xs[at])) / width : ys[at];
  }

  const passing = (cut, edges, share) => interpolate(cut, edges, share);
  const backwards = (curve) => Float64Array.from(curve).reverse();

  // The cut above which the given share lies.
  const cutFor = (share, edges, shares) => interpolate(share, rising(backwards(shares)), backwards(edges));

  // Signal and background efficiency for a falling cut, both rising.
  function curve(background, signal) {
    return { background: rising(bounded(backwards(background))), signal: rising(bounded(backwards(signal))) };
  }

  // 1 / background efficiency; nothing is known where fewer than `least` effective events pass.
  function rejection(efficiencies, background, signal, entries, least = 10) {
    const roc = curve(background, signal);
    const floor = least / Math.max(entries, 1);
    return efficiencies.map((efficiency) => {
      const share = interpolate(efficiency, roc.signal, roc.background);
      return share > floor ? 1 / share : NaN;
    });
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  function deviation(values) {
    if (values.length < 2) return 0;
    const middle = mean(values);
    return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
  }

  // Column by column over seeds: the mean and one standard deviation around it; of logarithms where they are asked for.
  function band(rows, logarithmic = false) {
    const there = logarithmic ? Math.log2 : (value) => value;
    const back = logarithmic ? (value) => 2 ** value : (value) => value;
    const columns = Array.from(rows[0], (_, at) => rows.map((row) => there(row[at])));
    const spread = columns.map((values) => [mean(values), deviation(values)]);
    return {
      middle: spread.map(([middle]) => back(middle)),
      low: spread.map(([middle, width]) => back(middle - width)),
      high: spread.map(([middle, width]) => back(middle + width)),
    };
  }

  // Which points no other one beats in both numbers, of which smaller ones are better.
  function front(xs, ys) {
    const beats = (one, other) =>
      xs[one] <= xs[other] && ys[one] <= ys[other] && (xs[one] < xs[other] || ys[one] < ys[other]);
    return Array.from(xs, (_, at) => !Array.from(xs).some((__, other) => beats(other, at)));
  }

  const logistic = (odds) => 1 / (1 + Math.exp(-odds));

  return {
    above, area, band, curve, cutFor, deviation, floats, front, half, halves, interpolate, logistic, mean, passing,
    rejection, rising, shorts,
  };
})();
