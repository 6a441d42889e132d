// Draws the report.
(() => {
  const { HUES, told: report, at, css, hue, el, number, tip, rgb, ink, chart, charts, draw, tooltip, axis } = frame;
  const { policies, loads, tenants, cells, runs } = report;
  const MANY_MARKS = 250; // more marks than this in view hide what they mark
  const FIRST_VIEW = 120; // spans of the busiest processor that are in view at first
  const SYMBOLS = [
    "circle",
    "rect",
    "triangle",
    "diamond",
    "path://M0 0 H10 L5 9 Z",
    "path://M3 0 H7 V3 H10 V7 H7 V10 H3 V7 H0 V3 H3 Z",
    "path://M5 0 L6.5 3.5 L10 4 L7.5 6.5 L8 10 L5 8.2 L2 10 L2.5 6.5 L0 4 L3.5 3.5 Z",
    "path://M0 3 H10 V7 H0 Z",
  ];
  const DASHES = ["solid", [8, 4], [2, 3], [10, 3, 2, 3]];

  // ---- Small things

  const unique = (list) => [...new Set(list)];
  const cellOf = (policy, load) => cells.find((cell) => cell.policy === policy && cell.load === load);
  const fateOf = (cell, tenant) => cell.fates.find((fate) => fate.tenant === tenant);

  const fixed = (decimals) => (value) => (value === null || value === undefined ? "∞" : value.toFixed(decimals));
  const percent = (value, decimals = 1) => `${(100 * value).toFixed(decimals)} %`;
  const plain = (value) => String(value);

  function time(ns) {
    const size = Math.abs(ns);
    if (size >= 1e9) return `${number(ns / 1e9, 4)} s`;
    if (size >= 1e6) return `${number(ns / 1e6, 4)} ms`;
    return size >= 1e3 ? `${number(ns / 1e3, 4)} µs` : `${ns} ns`;
  }

  // On an axis all labels have one unit, and as many decimals as the range in view needs.
  function timeOnAxis(ns, range) {
    const [unit, name] = range >= 2e9 ? [1e9, "s"] : range >= 2e6 ? [1e6, "ms"] : [1e3, "µs"];
    const decimals = Math.max(0, Math.min(3, Math.ceil(1 - Math.log10(range / unit))));
    return `${(ns / unit).toFixed(decimals)} ${name}`;
  }

  function perSecond(bytes) {
    const [unit, name] = [
      [1e12, "TB/s"],
      [1e9, "GB/s"],
      [1e6, "MB/s"],
      [1e3, "kB/s"],
    ].find(([size]) => bytes >= size) ?? [1, "B/s"];
    return `${number(bytes / unit)} ${name}`;
  }

  function picker(where, label, values, name, onChange) {
    const select = el("select", null, ...values.map((value, index) => el("option", { value: String(index) }, name(value))));
    select.addEventListener("change", () => onChange(values[select.selectedIndex]));
    at(where).append(el("label", null, label, select));
    return select;
  }

  // ---- Legends

  // A legend of buttons works with a keyboard and a screen reader. ECharts hides a series by its name, which is the item's index.
  function legend(made, where, names, swatch) {
    const buttons = names.map((name, index) => {
      const button = el("button", { type: "button", "aria-pressed": "true", title: name }, swatch(index), el("span", null, name));
      button.addEventListener("click", () => {
        const hide = !made.hidden.delete(String(index));
        if (hide) made.hidden.add(String(index));
        button.setAttribute("aria-pressed", String(!hide));
        made.instance.dispatchAction({ type: hide ? "legendUnSelect" : "legendSelect", name: String(index) });
      });
      return button;
    });
    at(where).replaceChildren(...buttons);
  }

  function block(index) {
    return el("span", { class: "swatch block", style: `background:var(--c${index % HUES})` });
  }

  function svg(tag, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function dash(index) {
    const kind = DASHES[index % DASHES.length];
    const line = { x1: 0, x2: 26, y1: 6, y2: 6, "stroke-width": 2.5, style: `stroke:var(--c${index % HUES})` };
    return svg(
      "svg",
      { class: "swatch", viewBox: "0 0 26 12", "aria-hidden": "true" },
      svg("line", kind === "solid" ? line : { ...line, "stroke-dasharray": kind.join(" ") }),
    );
  }

  const policyLine = (index) => ({
    type: "line",
    name: String(index),
    symbol: SYMBOLS[index % SYMBOLS.length],
    symbolSize: 8,
    showAllSymbol: true,
    color: hue(index),
    lineStyle: { width: 2, type: DASHES[index % DASHES.length] },
  });

  // ---- The head

  function head() {
    const made = `Made on ${report.made_on} from ${cells.length * report.seeds} simulated runs.`;
    const caveat =
      "Every figure on this page was computed by simulation of a model of the platform. Nothing here was measured on hardware.";
    const facts = [
      ["platform", report.platform],
      ["crew", `${report.crew}: ${tenants.length} tenants`],
      ["policies", policies.join(", ")],
      ["loads", loads.map(plain).join(", ")],
      ["seeds", plain(report.seeds)],
      ["date", report.made_on],
      ...report.about,
    ];
    const label = report.simulated ? "simulated" : "measured";
    frame.head({ label, heading: `${report.crew} on ${report.platform}`, caveat, facts, made });
  }

  // ---- SLA against load

  function slaChart() {
    const made = chart("sla", slaOption);
    legend(made, "sla-legend", policies, dash);
    const told = cells.some((cell) => cell.sla_ci95);
    at("sla-note").textContent = told ? "The band is the 95 % interval over seeds." : "One seed allows no interval.";
    draw(made);
  }

  function slaOption() {
    const lows = cells.map((cell) => (cell.sla_ci95 ?? [cell.sla])[0]);
    const least = [0.9, 0.8, 0.5].find((round) => round <= Math.min(...lows)) ?? 0;
    const [low, high] = [Math.min(...loads), Math.max(...loads)];
    const margin = (high - low || 1) * 0.04;
    return {
      aria: { enabled: true, label: { description: slaWords() } },
      grid: { left: 58, right: 18, top: 16, bottom: 46 },
      xAxis: axis({
        type: "value",
        name: "load",
        nameLocation: "middle",
        nameGap: 28,
        min: low - margin,
        max: high + margin,
        axisTick: { customValues: loads },
        splitLine: { show: false },
        axisLabel: { customValues: loads, formatter: plain },
      }),
      yAxis: axis({ type: "value", min: least, max: 1, axisLabel: { formatter: (value) => percent(value, 0) } }),
      tooltip: { ...tooltip(), trigger: "axis", formatter: slaTip, order: "valueDesc" },
      series: policies.flatMap((policy, index) => [slaBand(policy, index), slaLine(policy, index)]),
    };
  }

  const slaWords = () =>
    "SLA against load. " +
    policies.map((policy) => `${policy}: ${loads.map((load) => `${percent(cellOf(policy, load).sla)} at ${load}`).join(", ")}`).join(". ");

  const slaLine = (policy, index) => ({ ...policyLine(index), data: loads.map((load) => [load, cellOf(policy, load).sla]) });

  function slaBand(policy, index) {
    const bounds = loads.map((load) => [load, cellOf(policy, load).sla_ci95]).filter(([, interval]) => interval);
    return {
      type: "custom",
      name: String(index),
      silent: true,
      clip: true,
      tooltip: { show: false },
      z: 1,
      data: bounds.length ? [[bounds[0][0], bounds[0][1][0]]] : [],
      renderItem: (_, api) => band(api, bounds, hue(index)),
    };
  }

  function band(api, bounds, colour) {
    const there = bounds.map(([load, [low]]) => api.coord([load, low]));
    const back = bounds.map(([load, [, high]]) => api.coord([load, high])).reverse();
    const whiskers = there.map(([x, y], index) => ({
      type: "line",
      shape: { x1: x, y1: y, x2: x, y2: back[back.length - 1 - index][1] },
      style: { stroke: colour, lineWidth: 1.5, opacity: 0.8 },
    }));
    const area = { type: "polygon", shape: { points: [...there, ...back] }, style: { fill: colour, opacity: 0.14 } };
    return { type: "group", children: [area, ...whiskers] };
  }

  function slaTip(hovered) {
    const lines = [hovered].flat().filter((one) => one.componentSubType === "line");
    if (!lines.length) return "";
    const load = lines[0].value[0];
    const found = lines.map((one) => ({
      policy: policies[Number(one.seriesName)],
      colour: one.color,
      cell: cellOf(policies[Number(one.seriesName)], load),
    }));
    found.sort((one, other) => other.cell.sla - one.cell.sla);
    return tip(
      `load ${load}`,
      found.map(({ policy, colour, cell }) => [policy, percent(cell.sla) + interval(cell.sla_ci95, percent), colour]),
    );
  }

  const interval = (bounds, write) => (bounds ? ` [${bounds.map((bound) => write(bound)).join(", ")}]` : "");

  // ---- The table of all cells

  const ranks = unique(cells.flatMap((cell) => cell.miss_by_rank.map(([rank]) => rank))).sort((one, other) => one - other);
  const missOf = (cell, rank) => (cell.miss_by_rank.find(([own]) => own === rank) ?? [rank, null])[1];

  const COLUMNS = [
    { name: "policy", key: (cell) => cell.policy, write: plain },
    { name: "load", key: (cell) => cell.load, write: plain },
    { name: "SLA", key: (cell) => cell.sla, write: percent, bounds: "sla_ci95", extra: slaBar },
    { name: "STP", key: (cell) => cell.stp, write: fixed(3), bounds: "stp_ci95" },
    {
      name: "ANTT",
      key: (cell) => cell.antt ?? Infinity,
      write: (value) => (value === Infinity ? "∞" : number(value)),
      bounds: "antt_ci95",
      bound: (value) => (value === null ? "∞" : number(value)),
    },
    { name: "fairness", key: (cell) => cell.fairness, write: fixed(3), bounds: "fairness_ci95" },
    { name: "p99, ms", key: (cell) => cell.p99_ms, write: number, bounds: "p99_ms_ci95" },
    ...ranks.map((rank) => ({
      name: `missed, rank ${rank}`,
      key: (cell) => missOf(cell, rank),
      write: (value) => (value === null ? "–" : percent(value)),
    })),
  ];

  function slaBar(cell) {
    const [low, high] = cell.sla_ci95 ?? [cell.sla, cell.sla];
    const range = el("i", { style: `left:${100 * low}%;right:${100 * (1 - high)}%` });
    return el("span", { class: "bar", "aria-hidden": "true" }, range, el("b", { style: `left:${100 * cell.sla}%` }));
  }

  function table() {
    const sorted = { column: COLUMNS[1], up: true };
    let load = null;
    const body = el("tbody");
    const heads = COLUMNS.map((column) => heading(column, sorted, fill));
    at("table").replaceChildren(
      el("caption", { hidden: true }, "All policies at all loads"),
      el("thead", null, el("tr", null, ...heads)),
      body,
    );
    picker(
      "table-controls",
      "load",
      [null, ...loads],
      (value) => (value === null ? "all loads" : plain(value)),
      (value) => {
        load = value;
        fill();
      },
    );

    function fill() {
      const shown = cells.filter((cell) => load === null || cell.load === load);
      shown.sort((one, other) => order(sorted.column.key(one), sorted.column.key(other)) * (sorted.up ? 1 : -1));
      body.replaceChildren(...shown.map(row));
      COLUMNS.forEach((column, index) => {
        if (column === sorted.column) heads[index].setAttribute("aria-sort", sorted.up ? "ascending" : "descending");
        else heads[index].removeAttribute("aria-sort");
      });
    }
    fill();
  }

  function heading(column, sorted, fill) {
    const button = el("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      sorted.up = sorted.column === column ? !sorted.up : true;
      sorted.column = column;
      fill();
    });
    return el("th", { scope: "col" }, button);
  }

  function order(one, other) {
    if (one === other) return 0;
    if (one === null || other === null) return one === null ? 1 : -1;
    return typeof one === "string" ? one.localeCompare(other) : one - other;
  }

  function row(cell) {
    const parts = COLUMNS.map((column, index) => {
      if (index === 0) return el("th", { scope: "row", title: cell.policy }, cell.policy);
      const bounds = column.bounds && cell[column.bounds];
      const spread = bounds ? el("small", null, bounds.map((bound) => (column.bound ?? column.write)(bound)).join(" – ")) : null;
      return el("td", null, column.write(column.key(cell)), spread, column.extra ? column.extra(cell) : null);
    });
    return el("tr", null, ...parts);
  }

  // ---- Slowdown

  // YlOrBr (Brewer, ColorBrewer 2.0), from little to much: ever darker, so that it reads without colour too.
  const RAMP = [
    [255, 255, 212],
    [254, 227, 145],
    [254, 196, 79],
    [254, 153, 41],
    [236, 112, 20],
    [204, 76, 2],
    [140, 45, 4],
  ];

  function shade(part) {
    const place = Math.min(Math.max(part, 0), 1) * (RAMP.length - 1);
    const [low, high] = [RAMP[Math.floor(place)], RAMP[Math.ceil(place)]];
    return low.map((value, index) => Math.round(value + (high[index] - value) * (place % 1)));
  }

  const byRank = [...tenants].sort((one, other) => one.rank - other.rank);

  function slowdown() {
    const known = cells.flatMap((cell) => cell.fates.map((fate) => fate.slowdown)).filter((value) => value !== null && value > 0);
    const [least, most] = [Math.min(1, ...known), Math.max(2, ...known)];
    const part = (value) => Math.log(value / least) / Math.log(most / least);
    const fill = (load) =>
      at("slowdown").replaceChildren(heatHead(), el("tbody", null, ...byRank.map((tenant) => heatRow(tenant, load, part))));
    picker("slowdown-controls", "load", loads, plain, fill).selectedIndex = loads.length - 1;
    fill(loads[loads.length - 1]);
    const stops = RAMP.map((_, index) => `rgb(${shade(index / (RAMP.length - 1)).join(",")})`);
    const ramp = el("i", { style: `background:linear-gradient(90deg,${stops.join(",")})` });
    at("slowdown-scale").replaceChildren(number(least), ramp, `${number(most)}, logarithmic, the same at all loads; ∞: nothing was done`);
  }

  const heatHead = () =>
    el(
      "thead",
      null,
      el("tr", null, el("th", { scope: "col" }, "tenant"), ...policies.map((policy) => el("th", { scope: "col", title: policy }, policy))),
    );

  function heatRow(tenant, load, part) {
    const name = el("th", { scope: "row", title: tenant.name }, tenant.name, el("small", null, ` rank ${tenant.rank}`));
    return el("tr", null, name, ...policies.map((policy) => heatCell(fateOf(cellOf(policy, load), tenant.name)?.slowdown ?? null, part)));
  }

  function heatCell(value, part) {
    if (value === null) return el("td", { class: "never", title: "nothing was done" }, "∞");
    const colour = shade(part(value));
    return el("td", { style: `background-color:rgb(${colour.join(",")});color:${ink(colour)}` }, number(value));
  }

  // ---- Latency

  function latency() {
    const chosen = { tenant: byRank[0], load: loads[loads.length - 1] };
    const made = chart("latency", () => latencyOption(chosen));
    const again = () => {
      draw(made);
      latencyTable(chosen);
    };
    picker(
      "latency-controls",
      "tenant",
      byRank,
      (tenant) => `${tenant.name} (rank ${tenant.rank})`,
      (tenant) => {
        chosen.tenant = tenant;
        again();
      },
    );
    picker("latency-controls", "load", loads, plain, (load) => {
      chosen.load = load;
      again();
    }).selectedIndex = loads.length - 1;
    legend(made, "latency-legend", policies, dash);
    again();
  }

  const latenciesOf = (policy, { tenant, load }) => fateOf(cellOf(policy, load), tenant.name)?.latencies_ms ?? [];
  const allQuantiles = (chosen) =>
    unique(policies.flatMap((policy) => latenciesOf(policy, chosen).map(([q]) => q))).sort((one, other) => one - other);
  const quantileName = (q) => (q === 1 ? "max" : `${Number((100 * q).toFixed(4))} %`);

  // Equal steps of the axis are equal factors of 1 - q: 0, 90, 99, 99.9 %. The greatest of all has its place at the end.
  function stretch(quantiles) {
    const last = Math.max(1, ...quantiles.filter((q) => q < 1).map((q) => -Math.log10(1 - q)));
    return (q) => (q >= 1 ? last + 0.3 : -Math.log10(1 - q));
  }

  function latencyOption(chosen) {
    const quantiles = allQuantiles(chosen);
    const place = stretch(quantiles);
    const ticks = [0, 0.5, 0.9, 0.99, 0.999, 0.9999].filter((q) => quantiles.length && place(q) <= place(1) - 0.25);
    const named = new Map([...ticks, ...(quantiles.includes(1) ? [1] : [])].map((q) => [place(q), quantileName(q)]));
    at("latency-note").textContent =
      `Tenant ${chosen.tenant.name} has ${chosen.tenant.deadline_ms === null ? "no deadline" : `a deadline of ${chosen.tenant.deadline_ms}\u00a0ms`}.`;
    return {
      aria: {
        enabled: true,
        label: {
          description: `Latency distribution of tenant ${chosen.tenant.name} at load ${chosen.load}; the numbers are in the table below`,
        },
      },
      grid: { left: 66, right: 26, top: 22, bottom: 46 },
      xAxis: axis({
        type: "value",
        min: 0,
        max: quantiles.includes(1) ? place(1) : place(1) - 0.3,
        name: "share of requests",
        nameLocation: "middle",
        nameGap: 28,
        axisTick: { customValues: [...named.keys()] },
        splitLine: { show: false },
        axisLabel: { customValues: [...named.keys()], formatter: (value) => named.get(value) ?? "", hideOverlap: true },
      }),
      yAxis: axis({ type: "log", axisLabel: { formatter: (value) => `${number(value, 1)} ms` }, ...latencyRange(chosen) }),
      tooltip: { ...tooltip(), trigger: "axis", formatter: latencyTip },
      graphic: quantiles.length
        ? []
        : [
            {
              type: "text",
              left: "center",
              top: "middle",
              style: { text: "nothing was done", fill: css("--dim"), font: "16px system-ui" },
            },
          ],
      series: [...policies.map((policy, index) => latencyLine(policy, index, chosen, place)), deadlineLine(chosen)],
    };
  }

  function latencyRange(chosen) {
    const all = policies.flatMap((policy) => latenciesOf(policy, chosen).map(([, ms]) => ms)).filter((ms) => ms > 0);
    if (chosen.tenant.deadline_ms) all.push(chosen.tenant.deadline_ms);
    if (!all.length) return { min: 1, max: 10 };
    const nice = (ms, round) => {
      const size = 10 ** Math.floor(Math.log10(ms));
      return round(ms / size) * size;
    };
    return { min: nice(Math.min(...all), Math.floor), max: nice(Math.max(...all), Math.ceil) };
  }

  const latencyLine = (policy, index, chosen, place) => ({
    ...policyLine(index),
    symbolSize: 6,
    data: latenciesOf(policy, chosen).map(([q, ms]) => ({ value: [place(q), ms], q })),
  });

  function deadlineLine({ tenant }) {
    const label = { formatter: "deadline", position: "insideStartTop", color: css("--bad"), fontWeight: 600 };
    const data = tenant.deadline_ms === null ? [] : [{ yAxis: tenant.deadline_ms }];
    return {
      type: "line",
      name: "deadline",
      data: [],
      markLine: { silent: true, symbol: "none", label, lineStyle: { color: css("--bad"), width: 1.5, type: "solid" }, data },
    };
  }

  function latencyTip(hovered) {
    const lines = [hovered].flat().filter((one) => one.data?.q !== undefined);
    if (!lines.length) return "";
    lines.sort((one, other) => one.value[1] - other.value[1]);
    return tip(
      quantileName(lines[0].data.q),
      lines.map((one) => [policies[Number(one.seriesName)], `${number(one.value[1])} ms`, one.color]),
    );
  }

  function latencyTable(chosen) {
    const quantiles = allQuantiles(chosen);
    const top = el("tr", null, el("th", { scope: "col" }, "ms"), ...quantiles.map((q) => el("th", { scope: "col" }, quantileName(q))));
    const body = policies.map((policy) => {
      const known = new Map(latenciesOf(policy, chosen));
      return el("tr", null, el("th", { scope: "row" }, policy), ...quantiles.map((q) => el("td", null, number(known.get(q)))));
    });
    at("latency-table").replaceChildren(el("thead", null, top), el("tbody", null, ...body));
  }

  // ---- The timeline: requests, processors and memories above one another, with one time axis

  const [TENANT, FIRST, LAST, START, STOP, REQUEST, SEGMENT, SHARE, MISSED] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [R_TENANT, R_ID, R_ARRIVAL, R_DUE, R_FINISH, R_OUTCOME, R_MISSED, R_REASON] = [0, 1, 2, 3, 4, 5, 6, 7];
  const TITLE_PX = 30,
    ROW_PX = 24,
    REQUEST_PX = 26,
    MEMORY_PX = 110,
    FOOT_PX = 84;

  function timeline() {
    if (!runs.length) return at("timeline-section").remove();
    const chosen = { run: runs[0], view: null };
    const made = chart(
      "timeline",
      (width) => timelineOption(chosen, width),
      () => layout(chosen.run).height,
    );
    const again = () => {
      chosen.view = firstView(chosen.run);
      timelineNote(chosen.run);
      next.disabled = !chosen.run.requests.some((one) => one[R_MISSED]);
      draw(made);
    };
    runPickers(chosen, again);
    const next = el("button", { type: "button" }, "Go to the next missed deadline");
    next.addEventListener("click", () => toNextMissed(made, chosen));
    at("timeline-controls").append(next);
    made.instance.on("datazoom", () => {
      const { startValue, endValue } = made.instance.getOption().dataZoom[0];
      chosen.view = [startValue, endValue];
    });
    legend(
      made,
      "timeline-legend",
      tenants.map((tenant) => tenant.name),
      block,
    );
    key();
    again();
  }

  function runPickers(chosen, again) {
    const own = unique(runs.map((run) => run.policy));
    const select = (run) => {
      chosen.run = run;
      again();
    };
    const loadsOf = (policy) => unique(runs.filter((run) => run.policy === policy).map((run) => run.load));
    const place = el("span", { id: "timeline-load", style: "display:contents" });
    const pickLoad = (policy) => {
      place.replaceChildren();
      const offered = loadsOf(policy);
      const wanted = Math.max(0, offered.indexOf(chosen.run.load));
      const find = (load) => runs.find((run) => run.policy === policy && run.load === load);
      picker("timeline-load", "load", offered, plain, (load) => select(find(load))).selectedIndex = wanted;
      return find(offered[wanted]);
    };
    picker("timeline-controls", "policy", own, plain, (policy) => select(pickLoad(policy)));
    at("timeline-controls").append(place);
    pickLoad(own[0]);
  }

  function timelineNote(run) {
    const missed = run.requests.filter((one) => one[R_MISSED]).length;
    const cut = run.window_ns < run.stop_ns;
    at("timeline-note").textContent =
      `${run.policy} at load ${run.load}, seed ${run.seed}: ` +
      (cut
        ? `cut to the first ${time(run.window_ns)} of ${time(run.stop_ns)}, ${run.spans_shown} of ${run.spans} spans, so that the page stays small`
        : `the whole run of ${time(run.stop_ns)}, ${run.spans} spans`) +
      `. ${run.requests.length} requests ${cut ? "arrived in that time" : "arrived"}, of which ${missed} missed their deadlines.`;
  }

  function key() {
    const box = { x: 1, y: 2, width: 28, height: 10, style: "fill:var(--c0)" };
    const stripes = [0, 8, 16, 24].map((x) => svg("path", { d: `M${x} 12 L${x + 8} 2`, style: "stroke:var(--card)", "stroke-width": 2 }));
    const entries = [
      [[svg("rect", box), ...stripes], "striped: of a request that missed its deadline"],
      [[svg("path", { d: "M10 2 h10 l-5 9 z", style: "fill:var(--text)" })], `due (shown while fewer than ${MANY_MARKS} are in view)`],
      [
        [svg("path", { d: "M10 2 l9 9 m0 -9 l-9 9", style: "stroke:var(--bad)", "stroke-width": 2.5 })],
        "missed: finished late, dropped or failed",
      ],
    ];
    at("timeline-key").replaceChildren(
      ...entries.map(([shapes, words]) => el("li", null, svg("svg", { viewBox: "0 0 30 14", "aria-hidden": "true" }, ...shapes), words)),
    );
  }

  function firstView(run) {
    const busiest = run.processors.map((one) => one.slices).sort((one, other) => other.length - one.length)[0] ?? [];
    return [0, busiest.length > FIRST_VIEW ? busiest[FIRST_VIEW][START] : run.window_ns];
  }

  function toNextMissed(made, chosen) {
    const [from, to] = chosen.view;
    const due = chosen.run.requests
      .filter((one) => one[R_MISSED])
      .map((one) => one[R_DUE])
      .sort((one, other) => one - other);
    const middle = (from + to) / 2;
    const found = due.find((at) => at > middle + (to - from) / 1000) ?? due[0];
    const width = Math.min(to - from, firstView(chosen.run)[1]);
    const start = Math.max(0, found - width / 2);
    made.instance.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, startValue: start, endValue: start + width });
  }

  // Every band is a grid of its own: {kind, title, rows, top, height}.
  function layout(run) {
    const rowPx = (lanes) => (lanes > 24 ? 10 : ROW_PX);
    const bands = [
      {
        kind: "requests",
        title: "Requests, from arrival to finish",
        rows: tenants.map((tenant) => tenant.name),
        height: tenants.length * REQUEST_PX,
      },
      ...run.processors.map((one) => ({
        kind: "processor",
        title: `Processor ${one.name}`,
        processor: one,
        rows: lanesOf(one),
        height: one.lanes * rowPx(one.lanes),
      })),
      ...run.bandwidth.map((one) => ({ kind: "memory", title: `Memory ${one.memory}: bandwidth`, memory: one, height: MEMORY_PX })),
    ];
    let top = 0;
    for (const band of bands) {
      band.top = top + TITLE_PX;
      top = band.top + band.height + 8;
    }
    return { bands, height: top + FOOT_PX };
  }

  const lanesOf = (processor) => Array.from({ length: processor.lanes }, (_, lane) => `lane ${lane}`);

  function timelineOption(chosen, width) {
    const { run, view } = chosen;
    const { bands } = layout(run);
    const left = width < 600 ? 74 : 130;
    const all = bands.map((_, index) => index);
    const zoom = { xAxisIndex: all, filterMode: "none", startValue: view[0], endValue: view[1] };
    return {
      aria: { enabled: true, label: { description: at("timeline-note").textContent } },
      title: bands.map((band) => ({
        text: band.title,
        top: band.top - 23,
        left: 0,
        textStyle: { fontSize: 13, fontWeight: 600, color: css("--text") },
      })),
      grid: bands.map((band) => ({
        left,
        right: 16,
        top: band.top,
        height: band.height,
        outerBoundsMode: "none",
        tooltip: { trigger: band.kind === "memory" ? "axis" : "item" },
      })),
      xAxis: bands.map((_, index) => timeAxis(run, index, bands.length)),
      yAxis: bands.map((band, index) => (band.kind === "memory" ? memoryAxis(band, index) : rowAxis(band, index, left))),
      dataZoom: [
        { type: "slider", ...zoom, ...sliderLook(left) },
        { type: "inside", ...zoom, zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, preventDefaultMouseMove: false },
      ],
      tooltip: { ...tooltip(), trigger: "item", formatter: (hovered) => timelineTip(run, bands, hovered) },
      series: bands.flatMap((band, index) => bandSeries(run, band, index)),
    };
  }

  const timeAxis = (run, index, count) =>
    axis({
      type: "value",
      gridIndex: index,
      min: 0,
      max: run.window_ns,
      splitNumber: 6,
      axisTick: { show: index === count - 1 },
      axisLabel: {
        show: index === count - 1,
        hideOverlap: true,
        alignMinLabel: "left",
        alignMaxLabel: "right",
        formatter: (ns, _, extra) => timeOnAxis(ns, shownRange(run, extra)),
      },
      axisPointer: { label: { show: false } },
    });

  function shownRange(run) {
    const zoomed = charts.find((made) => made.id === "timeline").instance.getOption()?.dataZoom?.[0];
    return zoomed?.endValue > zoomed?.startValue ? zoomed.endValue - zoomed.startValue : run.window_ns;
  }

  const rowAxis = (band, index, left) =>
    axis({
      type: "category",
      gridIndex: index,
      data: band.rows,
      inverse: true,
      axisTick: { show: false },
      splitLine: { show: true, interval: 0, lineStyle: { color: css("--grid") } },
      axisLabel: { width: left - 12, overflow: "truncate", interval: "auto", hideOverlap: true },
    });

  function memoryAxis(band, index) {
    const capacity = band.memory.capacity_bytes_per_s;
    const most = Math.max(capacity ?? 0, ...stacked(band.memory).map(([, total]) => total), 1);
    return axis({
      type: "value",
      gridIndex: index,
      min: 0,
      max: most * 1.08,
      splitNumber: 2,
      axisLabel: { formatter: perSecond, showMaxLabel: false },
    });
  }

  const sliderLook = (left) => ({
    left,
    right: 16,
    bottom: 12,
    height: 26,
    showDataShadow: false,
    brushSelect: false,
    borderColor: css("--rule"),
    textStyle: { color: css("--dim") },
    labelFormatter: (ns) => time(Math.round(ns)),
    fillerColor: `${hue(0)}30`,
    handleStyle: { borderColor: css("--dim"), color: css("--card") },
    moveHandleStyle: { color: css("--dim") },
  });

  function bandSeries(run, band, index) {
    const where = { xAxisIndex: index, yAxisIndex: index };
    if (band.kind === "memory") return memorySeries(band.memory, where);
    if (band.kind === "requests") return tenants.map((_, tenant) => requestSeries(run, tenant, where));
    return [
      ...tenants.map((_, tenant) => sliceSeries(band, tenant, where)),
      ...tenants.map((_, tenant) => dueSeries(run, band, tenant, where)),
    ];
  }

  const custom = (tenant, where, data, renderItem) => ({
    type: "custom",
    name: String(tenant),
    ...where,
    clip: true,
    progressive: 0,
    encode: { x: [0, 1], y: 2 },
    data,
    renderItem,
    itemStyle: { color: hue(tenant) },
  });

  const outside = (coord, from, to) => to < coord.x || from > coord.x + coord.width;

  // Spans

  function sliceSeries(band, tenant, where) {
    const own = band.processor.slices.filter((one) => one[TENANT] === tenant);
    const stripes = hatch(hue(tenant));
    const name = tenants[tenant].name;
    return custom(
      tenant,
      where,
      own.map((one) => ({ value: [one[START], one[STOP], one[FIRST]], slice: one })),
      (params, api) => {
        const one = own[params.dataIndex];
        const [from, top] = api.coord([one[START], one[FIRST]]);
        const [to, foot] = api.coord([one[STOP], one[LAST]]);
        if (outside(params.coordSys, from, to)) return null;
        const row = api.size([0, 1])[1];
        const shape = {
          x: from,
          y: top - row / 2 + 1,
          width: Math.max(to - from - 0.6, 1),
          height: foot - top + row - 2,
          r: to - from > 6 ? 2 : 0,
        };
        return span(shape, one[MISSED] ? stripes : hue(tenant), one[MISSED], name);
      },
    );
  }

  function span(shape, fill, missed, name) {
    const style = { fill, stroke: missed ? css("--text") : "none", lineWidth: missed && shape.width > 5 ? 1 : 0 };
    const rect = { type: "rect", shape, style };
    if (missed || shape.height < 12 || shape.width < Math.min(name.length, 9) * 7 + 10) return rect;
    const write = {
      text: name,
      width: shape.width - 8,
      overflow: "truncate",
      ellipsis: "…",
      fontSize: 11,
      fill: ink(rgb(fill)),
      verticalAlign: "middle",
    };
    return { type: "group", children: [rect, { type: "text", silent: true, x: shape.x + 4, y: shape.y + shape.height / 2, style: write }] };
  }

  function hatch(colour) {
    const tile = el("canvas", { width: 8, height: 8 });
    const pen = tile.getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = css("--card");
    pen.lineWidth = 1.8;
    for (const x of [-8, 0, 8]) pen.stroke(new Path2D(`M${x} 8 L${x + 8} 0`));
    return { image: tile, repeat: "repeat" };
  }

  // Where a request is due, on the lane of its last span.

  function dueSeries(run, band, tenant, where) {
    const marks = dueMarks(run, band.processor, tenant);
    const all = run.requests.filter((one) => one[R_DUE] !== null).length;
    const drawn = custom(
      tenant,
      where,
      marks.map(([due, lane]) => [due, due, lane]),
      (params, api) => {
        const [due, lane, missed] = marks[params.dataIndex];
        const [x, y] = api.coord([due, lane]);
        const crowd = (all * params.coordSys.width) / Math.max(1, api.size([run.window_ns, 0])[0]);
        if (outside(params.coordSys, x, x) || crowd > MANY_MARKS) return null;
        const top = y - api.size([0, 1])[1] / 2;
        return triangle(x, top, missed ? css("--bad") : hue(tenant));
      },
    );
    return { ...drawn, silent: true, z: 5, tooltip: { show: false } };
  }

  const triangle = (x, top, fill) => ({
    type: "polygon",
    shape: {
      points: [
        [x - 4.5, top],
        [x + 4.5, top],
        [x, top + 8],
      ],
    },
    style: { fill, stroke: css("--card"), lineWidth: 1 },
  });

  function dueMarks(run, processor, tenant) {
    const last = new Map();
    for (const one of processor.slices) {
      const before = last.get(one[REQUEST]);
      if (one[TENANT] === tenant && (!before || before[STOP] < one[STOP])) last.set(one[REQUEST], one);
    }
    return run.requests
      .filter((one) => one[R_DUE] !== null && last.has(one[R_ID]))
      .map((one) => [one[R_DUE], last.get(one[R_ID])[FIRST], one[R_MISSED]]);
  }

  // Requests

  function requestSeries(run, tenant, where) {
    const own = run.requests.filter((one) => one[R_TENANT] === tenant);
    const data = own.map((one) => ({ value: [one[R_ARRIVAL], endOf(run, one), tenant], request: one }));
    return custom(tenant, where, data, (params, api) => {
      const one = own[params.dataIndex];
      const x = (ns) => api.coord([ns, tenant])[0];
      const [from, to] = [x(one[R_ARRIVAL]), x(endOf(run, one))];
      if (outside(params.coordSys, from, Math.max(to, one[R_DUE] === null ? to : x(one[R_DUE])))) return null;
      const third = (api.size([0, 1])[1] - 6) / 3;
      const top = api.coord([0, tenant])[1] + ((params.dataIndex % 3) - 1.5) * third;
      return bar(one, from, to, one[R_DUE] === null ? null : x(one[R_DUE]), top, third - 1.5, hue(tenant));
    });
  }

  // What has no finish was dropped at its arrival, or is outstanding to the end.
  const endOf = (run, one) => one[R_FINISH] ?? (one[R_OUTCOME] === "outstanding" ? run.window_ns : one[R_ARRIVAL]);

  function bar(one, from, to, due, top, height, colour) {
    const shapes = [{ type: "rect", shape: { x: from, y: top, width: Math.max(to - from, 1.5), height }, style: { fill: colour } }];
    const middle = top + height / 2;
    if (one[R_MISSED] && due !== null && due < to) {
      shapes.push({ type: "rect", shape: { x: due, y: top + height / 2 - 1, width: to - due, height: 2 }, style: { fill: css("--bad") } });
    }
    if (due !== null)
      shapes.push({ type: "rect", shape: { x: due - 0.75, y: top - 1, width: 1.5, height: height + 2 }, style: { fill: css("--text") } });
    if (one[R_MISSED]) shapes.push(cross(to, middle));
    return { type: "group", children: shapes };
  }

  const cross = (x, y) => ({
    type: "path",
    shape: { pathData: `M${x - 3.5} ${y - 3.5} l7 7 m0 -7 l-7 7` },
    style: { stroke: css("--bad"), lineWidth: 2, fill: "none" },
  });

  // Bandwidth

  // All draws on the instants of any, so that they can be stacked: rows [t, total, by draw...].
  function stacked(memory) {
    const draws = memory.draws.filter((draw) => draw.tenant !== null);
    const lines = draws.length ? draws : memory.draws;
    const instants = unique(lines.flatMap((draw) => draw.points.map(([ns]) => ns))).sort((one, other) => one - other);
    const next = lines.map(() => 0);
    const now = lines.map(() => 0);
    return instants.map((ns) => {
      lines.forEach(({ points }, index) => {
        while (next[index] < points.length && points[next[index]][0] <= ns) now[index] = points[next[index]++][1];
      });
      return [ns, now.reduce((sum, value) => sum + value, 0), ...now];
    });
  }

  // The areas are drawn here, since ECharts slants the steps of lines that it stacks. The total carries the tooltip.
  function memorySeries(memory, where) {
    const rows = stacked(memory);
    const draws = memory.draws.filter((draw) => draw.tenant !== null);
    const areas = draws.map((draw, index) => drawArea(rows, 2 + index, draw.tenant, where));
    const given = memory.draws.find((draw) => draw.tenant === null);
    const data = given ? given.points : rows.map(([ns, sum]) => [ns, sum]);
    const width = given || !draws.length ? 1 : 0;
    const total = { type: "line", ...where, name: "total", step: "end", symbol: "none", color: css("--text"), lineStyle: { width }, data };
    return [...areas, total, capacityLine(memory, where)];
  }

  function drawArea(rows, column, tenant, where) {
    const data = rows.length ? [[rows[0][0], rows[rows.length - 1][0], 0]] : [];
    const area = custom(tenant, where, data, (params, api) => ({
      type: "polygon",
      shape: { points: steps(rows, column, straight(api), params.coordSys) },
      style: { fill: hue(tenant) },
    }));
    return { ...area, silent: true, tooltip: { show: false } };
  }

  // Both axes are linear: two points tell where all others are, which is quicker than to ask for each.
  function straight(api) {
    const [[x, y], [right, top]] = [api.coord([0, 0]), api.coord([1e6, 1e6])];
    return (ns, height) => [x + ((right - x) / 1e6) * ns, y + ((top - y) / 1e6) * height];
  }

  // The outline of what is in view of one layer: along its top with its steps, and back along its bottom.
  function steps(rows, column, place, view) {
    const [top, bottom] = [[], []];
    rows.forEach((row, index) => {
      const until = (rows[index + 1] ?? row)[0];
      if (outside(view, place(row[0], 0)[0], place(until, 0)[0])) return;
      let base = 0;
      for (let before = 2; before < column; before++) base += row[before];
      top.push(place(row[0], base + row[column]), place(until, base + row[column]));
      bottom.push(place(row[0], base), place(until, base));
    });
    return [...top, ...bottom.reverse()];
  }

  function capacityLine(memory, where) {
    const label = {
      formatter: `capacity ${perSecond(memory.capacity_bytes_per_s ?? 0)}`,
      position: "insideEndBottom",
      color: css("--bad"),
      fontWeight: 600,
    };
    const data = memory.capacity_bytes_per_s === null ? [] : [{ yAxis: memory.capacity_bytes_per_s }];
    return {
      type: "line",
      name: "capacity",
      ...where,
      data: [],
      markLine: { silent: true, symbol: "none", label, lineStyle: { color: css("--bad"), width: 1.5, type: [6, 4] }, data },
    };
  }

  // What is under the pointer

  function timelineTip(run, bands, hovered) {
    if (Array.isArray(hovered)) return hovered.length ? memoryTip(bands[hovered[0].axisIndex].memory, hovered) : "";
    if (hovered.data?.slice) return sliceTip(hovered.data.slice);
    return hovered.data?.request ? requestTip(run, hovered.data.request) : "";
  }

  function sliceTip(one) {
    const lanes = one[FIRST] === one[LAST] ? String(one[FIRST]) : `${one[FIRST]} to ${one[LAST]}`;
    const rows = [
      ["request", plain(one[REQUEST])],
      ["segment", plain(one[SEGMENT])],
      ["lane", lanes],
      ["start", time(one[START])],
      ["duration", time(one[STOP] - one[START])],
    ];
    if (one[SHARE] < 1) rows.push(["bandwidth granted", percent(one[SHARE])]);
    if (one[MISSED]) rows.push(["deadline", "missed"]);
    return tip(tenants[one[TENANT]].name, rows);
  }

  function requestTip(run, one) {
    const rows = [
      ["request", plain(one[R_ID])],
      ["arrival", time(one[R_ARRIVAL])],
    ];
    if (one[R_DUE] !== null) rows.push(["due", time(one[R_DUE])]);
    if (one[R_FINISH] !== null) rows.push(["latency", time(one[R_FINISH] - one[R_ARRIVAL])]);
    rows.push(["outcome", one[R_OUTCOME] + (one[R_MISSED] ? ", missed" : "")]);
    if (one[R_REASON]) rows.push(["reason", one[R_REASON]]);
    return tip(tenants[one[R_TENANT]].name, rows);
  }

  function memoryTip(memory, hovered) {
    const total = hovered.find((one) => one.seriesName === "total");
    if (!total) return "";
    const draws = memory.draws.filter((draw) => draw.tenant !== null);
    const row = stacked(memory).findLast(([ns]) => ns <= total.value[0]);
    const parts = draws
      .map((draw, index) => [tenants[draw.tenant].name, row?.[2 + index] ?? 0, hue(draw.tenant)])
      .filter(([, value]) => value > 0);
    return tip(
      `from ${time(total.value[0])}`,
      [...parts, ["total", total.value[1]]].map(([name, value, colour]) => [name, perSecond(value), colour]),
    );
  }

  frame.show([head, slaChart, table, slowdown, latency, timeline]);
})();
