"use strict";
// The figures of the report, drawn from the numbers of the static ones.
tsunagu.figures = (() => {
  const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
  const { palette, signal, background } = tsunagu.data.colors;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 40rem)");
  const SETTINGS = { displayModeBar: false, responsive: false, doubleClick: "reset" };
  let onPaper = false;

  // plotly.js reads tags in texts; ours are only words.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // Long names would push the figure aside.
  const clipped = (name, most = 34) => plain(name.length > most ? `${name.slice(0, most - 1)}\u2026` : name);

  const isDark = () => dark.matches && !onPaper;
  const ink = () => (isDark() ? "#e4e2dc" : "#1b1b1b");
  const muted = () => (isDark() ? "#a09d96" : "#5c5c5c");
  const paper = () => (isDark() ? "#16181c" : "#ffffff");
  const seen = (color) => (isDark() ? { "#000000": "#f2f2f2", "#777777": "#a8a8a8" }[color] ?? color : color);

  function faint(color, share) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(seen(color).slice(at, at + 2), 16));
    return `rgba(${red},${green},${blue},${share})`;
  }

  function axis(title, more = {}) {
    return {
      title: { text: plain(title), standoff: 8 }, showgrid: false, zeroline: false, showline: true, mirror: "ticks",
      ticks: "inside", ticklen: 5, linecolor: ink(), tickcolor: ink(), linewidth: 1, automargin: true,
      exponentformat: "e", ...more,
    };
  }

  function layout(more) {
    return {
      font: { family: FONT, size: onPaper ? 9 : 12, color: ink() }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 56, r: 14, t: 14, b: 46 }, hovermode: "closest", showlegend: false,
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      legend: { bgcolor: "rgba(0,0,0,0)", font: { size: 11 } },
      hoverlabel: { bgcolor: paper(), bordercolor: muted(), font: { family: FONT, size: 12, color: ink() } }, ...more,
    };
  }

  function put(box, traces, more) {
    const size = onPaper ? paperSize(box, more) : { width: box.clientWidth, height: more.height ?? box.clientHeight };
    return Plotly.react(box, traces, layout({ ...more, ...size }), SETTINGS);
  }

  // Pixels of a sheet of A4 less its margins; a browser lays it out after the figures are drawn.
  function paperSize(box, { height }) {
    const width = box.matches(".small") ? 222 : box.matches(".pair > figure:only-child *") ? 520 : 334;
    return { width, height: height ?? Math.min(320, Math.max(200, 0.7 * width)) };
  }

  const line = (look, more = {}) => ({ color: seen(look.color), dash: look.dash, width: 1.8, ...more });

  function ribbon(x, low, high, color) {
    const known = x.map((_, at) => at).filter((at) => Number.isFinite(low[at] ?? NaN) && Number.isFinite(high[at] ?? NaN));
    return {
      x: [...known.map((at) => x[at]), ...known.map((at) => x[at]).reverse()],
      y: [...known.map((at) => high[at]), ...known.map((at) => low[at]).reverse()],
      type: "scatter", mode: "lines", fill: "toself", fillcolor: faint(color, 0.18), line: { width: 0 },
      hoverinfo: "skip", showlegend: false,
    };
  }

  const broken = (name) => clipped(name, 48).replace(/(.{14,}?)\s/g, "$1<br>");
  const fixed = (value, digits = 4) => value.toFixed(digits).replace("-", "\u2212");

  function rows(names, above = 0) {
    return axis("", {
      tickvals: names.map((_, row) => row), ticktext: names.map(broken), ticks: "", mirror: true,
      range: [names.length - 0.45, -0.55 - above], fixedrange: true,
    });
  }

  // The range shows all points, and baselines unless they would press the violins into less than half of it.
  function reach(drawn, baselines) {
    const every = drawn.flatMap((row) => [...row.values, ...(row.interval ?? [])]);
    let [low, high] = [Math.min(...every), Math.max(...every)];
    const width = high - low || Math.abs(high) * 0.02 || 0.02;
    const near = baselines.map((row) => row.mean).filter((mean) => low - width <= mean && mean <= high + width);
    [low, high] = [Math.min(low, ...near), Math.max(high, ...near)];
    const rim = 0.06 * (high - low || width);
    return [low - rim, high + rim];
  }

  function violin(box, chart, looks) {
    const [drawn, baselines] = [false, true].map((is) => chart.rows.filter((row) => row.plain === is));
    const HALF = 0.36;
    const range = reach(drawn, baselines);
    const traces = drawn.flatMap((row, place) => {
      const { color } = looks[row.name] ;
      const parts = [];
      if (row.shape) {
        const { at, height } = row.shape;
        parts.push({
          x: [...at, ...[...at].reverse()],
          y: [...height.map((each) => place - HALF * each), ...height.map((each) => place + HALF * each).reverse()],
          type: "scatter", mode: "lines", fill: "toself", fillcolor: faint(color, 0.22),
          line: { color: seen(color), width: 1 }, hoverinfo: "skip",
        });
      }
      parts.push({
        x: row.values, y: row.across.map((each) => place + 0.8 * HALF * each), type: "scatter", mode: "markers",
        text: row.places.map((each, at) => `${plain(each)}: ${fixed(row.values[at], 5)}`), hoverinfo: "text",
        marker: { color: seen(color), size: 7, line: { color: paper(), width: 0.8 } },
      });
      if (row.values.length > 1) parts.push(meanOf(row, place));
      return parts;
    });
    const inside = baselines.filter((row) => range[0] <= row.mean && row.mean <= range[1]);
    inside.forEach((row) => traces.push({
      x: [row.mean, row.mean], y: [-0.5, drawn.length - 0.5], type: "scatter", mode: "lines", hoverinfo: "name",
      name: plain(row.name), line: line(looks[row.name], { width: 1.4 }),
    }));
    const words = drawn.map((row, place) => ({
      x: 1.01, xref: "paper", xanchor: "left", y: place, showarrow: false, align: "left", text: worth(row),
    }));
    const above = inside.map((row) => ({
      x: row.mean, y: 1, yref: "paper", yanchor: "bottom", showarrow: false, text: `${plain(row.name)} ${fixed(row.mean)}`,
      font: { size: 11, color: muted() },
    }));
    return put(box, traces, {
      height: 92 + 52 * drawn.length, xaxis: axis(chart.about, { range }), yaxis: rows(drawn.map((row) => row.name)),
      margin: { l: 20, r: 116, t: 24, b: 46 }, annotations: [...words, ...above],
    });
  }

  function worth(row) {
    return fixed(row.mean) + (row.interval ? ` \u00b1 ${fixed(row.interval[1] - row.mean)}` : "");
  }

  function meanOf(row, place) {
    const [low, high] = row.interval ?? [row.mean, row.mean];
    return {
      x: [row.mean], y: [place], type: "scatter", mode: "markers", hoverinfo: "skip",
      marker: { symbol: "diamond", size: 8, color: paper(), line: { color: ink(), width: 1.5 } },
      error_x: { type: "data", symmetric: false, array: [high - row.mean], arrayminus: [row.mean - low], color: ink(), thickness: 1.6, width: 4 },
    };
  }

  const HATCHES = ["", "/", ".", "x"];

  function contrast(color) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(seen(color).slice(at, at + 2), 16) / 255);
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.6 ? "#ffffff" : "#000000";
  }

  function choices(box, chart) {
    const most = Math.max(...chart.rows.map((row) => row.times.reduce((sum, times) => sum + times, 0)));
    const names = chart.rows.map((row) => row.name);
    const traces = chart.options.map((option, number) => ({
      type: "bar", orientation: "h", name: clipped(option, 24), insidetextfont: { color: contrast(palette[number % palette.length]) }, y: names.map((_, row) => row),
      x: chart.rows.map((row) => row.times[number]), width: 0.6,
      text: chart.rows.map((row) => row.times[number] || ""), textposition: "inside", insidetextanchor: "middle", textangle: 0,
      hovertemplate: `${plain(option).replace(/%/g, "&#37;")}: %{x}<extra></extra>`,
      marker: {
        color: seen(palette[number % palette.length]), line: { color: paper(), width: 1 },
        pattern: { shape: HATCHES[Math.floor(number / palette.length) % HATCHES.length] },
      },
    }));
    return put(box, traces, {
      barmode: "stack", showlegend: true, height: 118 + 46 * names.length,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, traceorder: "normal", bgcolor: "rgba(0,0,0,0)" },
      xaxis: axis("times chosen", { tickformat: "d", fixedrange: true, ...(most < 10 ? { dtick: 1 } : {}) }), yaxis: rows(names),
      margin: { l: 20, r: 14, t: 40, b: 46 },
    });
  }

  function roc(box, chart, looks) {
    const traces = chart.curves.flatMap((curve) => [
      ribbon(curve.efficiency, curve.low, curve.high, looks[curve.name].color),
      {
        x: curve.efficiency, y: curve.middle, type: "scatter", mode: "lines", line: line(looks[curve.name]),
        name: `${clipped(curve.name)}  ${fixed(curve.auc)}`, hovertemplate: "%{x:.2f}: %{y:.4~g}<extra>%{fullData.name}</extra>",
      },
    ]);
    const top = Math.max(5, ...chart.curves.flatMap((curve) => curve.high.filter(Number.isFinite)));
    return put(box, traces, {
      xaxis: axis("signal efficiency", { range: [0, 1] }),
      yaxis: logarithmic("background rejection", 1, 2 * top),
      showlegend: true, ...outside("area under the curve"),
    });
  }

  const key = (title = "") => ({
    x: 0.985, y: 0.985, xanchor: "right", yanchor: "top", bgcolor: "rgba(0,0,0,0)", font: { size: 11 },
    title: { text: plain(title), font: { size: 11 } },
  });

  // Powers of ten as text: tags for raised digits would need inline styles, which the page forbids.
  const raised = (number) => String(number).replace(/-/g, "\u207b").replace(/\d/g, (digit) => "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[digit]);

  function power(value) {
    const exponent = Math.round(Math.log10(value));
    const exact = Math.abs(Math.log10(value) - exponent) < 1e-9;
    return exact && (exponent < -3 || exponent > 4) ? `10${raised(exponent)}` : String(Number(value.toPrecision(3)));
  }

  // Beside the figure, or below it where there is no room.
  function outside(title = "") {
    const text = { bgcolor: "rgba(0,0,0,0)", font: { size: onPaper ? 8 : 11 }, title: { text: plain(title), font: { size: onPaper ? 8 : 11 } } };
    return narrow.matches
      ? { legend: { ...text, title: {}, orientation: "h", x: 0, y: -0.26, yanchor: "top" } }
      : { legend: { ...text, x: 1.02, xanchor: "left", y: 1, yanchor: "top" } };
  }

  function logarithmic(title, low, high, more = {}) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const steps = high / low > 200 ? [1] : [1, 2, 5];
    const at = Array.from({ length: last - first + 1 }, (_, number) => steps.map((step) => step * 10 ** (first + number))).flat();
    return axis(title, {
      type: "log", range: [Math.log10(low), Math.log10(high)], tickvals: at, ticktext: at.map(power),
      minor: { ticks: "inside", ticklen: 3, dtick: "D1", tickcolor: ink() }, ...more,
    });
  }

  function stage(box, part, first) {
    const KINDS = [["train", "training", background, "6px,3px"], ["valid", "validation", signal, "solid"]];
    const traces = KINDS.flatMap(([column, name, color, dash]) => {
      const known = part.lines.map((each) => each[column]);
      const common = Math.min(...known.map((values) => values.length));
      const mean = Array.from({ length: common }, (_, at) => tsunagu.maths.mean(known.map((values) => values[at])));
      const thin = known.map((values, at) => ({
        x: part.lines[at].epoch, y: values, type: "scatter", mode: "lines", showlegend: false, opacity: 0.4,
        line: { color: seen(color), dash, width: 0.9 }, text: part.lines[at].place, hoverinfo: "text+y",
      }));
      return [...(known.length > 1 ? thin : []), {
        x: part.lines[0].epoch.slice(0, common), y: mean, type: "scatter", mode: "lines+markers", name,
        line: { color: seen(color), dash, width: 2.2 }, marker: { size: 4, color: seen(color) },
      }];
    });
    return put(box, traces, {
      xaxis: axis("epoch", { tickformat: "d", ...(longest(part) < 10 ? { dtick: 1 } : {}) }), yaxis: axis(first ? "loss" : ""), showlegend: first, legend: key(),
      title: { text: plain(part.name), font: { size: 12 }, x: 0.98, xanchor: "right", y: 0.98, yanchor: "top" },
      margin: { l: 48, r: 10, t: 30, b: 44 },
    });
  }

  const longest = (part) => Math.max(...part.lines.map((each) => each.epoch.length));

  return {
    KINDS: { violin, choices, roc }, axis, clipped, faint, power, outside, fixed, ink, key, line, logarithmic, muted, narrow, paper, plain, put, ribbon,
    seen, stage, theme: dark,
    print: (yes) => { onPaper = yes; },
  };
})();
