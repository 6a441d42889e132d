// What all pages draw with. Data comes from #told; whatever is text in it is put on a page as text, never as HTML.
"use strict";
const frame = (() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const HUES = 8;
  const errors = [];
  const charts = [];
  const colours = new Map();

  // ---- Small things

  const at = (id) => document.getElementById(id);
  const hue = (index) => css(`--c${index % HUES}`);

  // Asked for with every mark that is drawn, so kept until a redrawing may find the page in other colours.
  function css(name) {
    if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
    return colours.get(name);
  }

  function el(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties ?? {})) {
      if (name in node && typeof value !== "string") node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function number(value, digits = 3) {
    if (value === null || value === undefined) return "–";
    if (value < 0) return `−${number(-value, digits)}`;
    const rounded = Number(value.toPrecision(digits));
    if (rounded !== 0 && (rounded < 1e-3 || rounded >= 1e6)) return value.toExponential(digits - 1);
    return rounded === 0 ? "0" : value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(rounded))));
  }

  // A tooltip is made of nodes, so that a tenant's name stays text.
  function tip(title, rows) {
    const body = rows.map(([name, value, colour]) => {
      const swatch = colour ? el("span", { class: "swatch", style: `background:${colour}` }) : null;
      return el("tr", null, el("td", null, swatch, name), el("td", null, value));
    });
    return el("div", { class: "tip" }, el("strong", null, title), el("table", null, el("tbody", null, ...body)));
  }

  const rgb = (hex) => [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));

  // Black or white, whichever stands out more (WCAG 2.2, relative luminance).
  function ink(colour) {
    const [red, green, blue] = colour.map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
  }

  function head({ label, heading, caveat, facts, made }) {
    at("label").textContent = label;
    at("heading").textContent = heading;
    document.title = `${heading}, ${label} – cotenant`;
    at("caveat").textContent = caveat;
    at("facts").replaceChildren(...facts.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
    at("made").textContent = made;
  }

  // ---- Charts

  // `build` returns an ECharts option for the width that there is; it is called again when the colours or the width change.
  function chart(id, build, height) {
    const made = { id, build, height, hidden: new Set(), instance: echarts.init(at(id), null, { renderer: "canvas" }), finished: false };
    made.instance.on("finished", () => finish(made));
    charts.push(made);
    return made;
  }

  function draw(made) {
    const width = at(made.id).clientWidth;
    if (made.height) at(made.id).style.height = `${made.height(width)}px`;
    made.instance.resize(document.documentElement.classList.contains("printing") ? { width: 680 } : { width: "auto", height: "auto" });
    const option = made.build(width);
    const selected = Object.fromEntries([...made.hidden].map((name) => [name, false]));
    made.instance.setOption({ ...look(), ...option, legend: { show: false, selected } }, { notMerge: true });
  }

  function finish(made) {
    made.finished = true;
    if (charts.every((one) => one.finished)) document.body.dataset.ready = String(charts.length);
  }

  const look = () => ({
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: "system-ui, sans-serif", color: css("--text"), fontSize: 13 },
    tooltip: tooltip(),
  });

  const tooltip = () => ({
    confine: true,
    backgroundColor: css("--card"),
    borderColor: css("--rule"),
    textStyle: { color: css("--text") },
    transitionDuration: 0,
  });

  const axis = (extra) => ({
    axisLine: { show: true, lineStyle: { color: css("--dim") } },
    axisTick: { lineStyle: { color: css("--dim") } },
    splitLine: { lineStyle: { color: css("--grid") } },
    nameTextStyle: { color: css("--dim") },
    ...extra,
    axisLabel: { color: css("--dim"), ...extra.axisLabel },
  });

  // ---- Together

  // Every part draws itself once; those that are `coloured`, and every chart, again where the page turns dark or light.
  function show(parts, coloured = []) {
    watch(coloured);
    for (const part of parts) {
      try {
        part();
      } catch (error) {
        note(error.stack ?? error); // the rest of the page is still of use
      }
    }
    if (!charts.length) document.body.dataset.ready = "0";
  }

  function watch(coloured) {
    const redraw = () => {
      colours.clear();
      for (const part of coloured) part();
      charts.forEach(draw);
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    let waiting = 0;
    addEventListener("resize", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => charts.forEach(draw));
    });
    const printing = (on) => () => {
      document.documentElement.classList.toggle("printing", on);
      document.querySelectorAll("details").forEach((one) => {
        one.open = on;
      });
      redraw();
    };
    addEventListener("beforeprint", printing(true));
    addEventListener("afterprint", printing(false));
  }

  function note(story) {
    errors.push(String(story));
    document.body.dataset.errors = JSON.stringify(errors);
  }

  addEventListener("error", (event) => note(event.message));
  addEventListener("unhandledrejection", (event) => note(event.reason));
  document.addEventListener("securitypolicyviolation", (event) => note(`${event.violatedDirective} refused ${event.blockedURI}`));
  document.body.dataset.errors = "[]";
  return { HUES, told, at, css, hue, el, number, tip, rgb, ink, head, chart, charts, draw, tooltip, axis, show };
})();
