"use strict";
// The numbers of a working point, and the table of what is taken for what.
tsunagu.readings = (() => {
  const { maths, scans, figures } = tsunagu;
  const { method, part, point, seeds, short, state, work } = tsunagu.point;
  const { colors } = tsunagu.data;
  const byId = (id) => document.getElementById(id);

  function tellNumbers() {
    const found = work(method(), point());
    const many = (read, digits) => {
      const values = found.map(read);
      return [maths.mean(values), values.length > 1 ? maths.deviation(values) : null, digits];
    };
    write("auc", many((each) => each.area, 4));
    write("signal", many((each) => each.signal, 4));
    write("background", many((each) => each.background, null));
    const rejection = tsunagu.panels.geometric(found.map((each) => each.rejection));
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

  function tellConfusion() {
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
        box.style.backgroundColor = figures.faint(row === column ? colors.right : colors.wrong, 0.55 * Math.min(1, Math.max(0, share)));
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

  return {
    tell: () => {
      tellNumbers();
      tellConfusion();
    },
  };
})();
