// Draws a plan.
(() => {
  const { HUES, told, at, css, hue, el, number, tip, rgb, ink, chart, draw, tooltip, axis } = frame;
  const { tenants, processors, prices, front, own, newcomers } = told;
  const FULL = 0.999; // of a capacity: as good as all
  const LIGHTER = [0, 0.3, 0.5, 0.15, 0.4]; // a tenant's further options, towards the ground

  // ---- Small things

  const percent = (value, decimals = 0) => `${(100 * value).toFixed(decimals)} %`;
  const signed = (value, write) => (value < 0 ? `−${write(-value)}` : `+${write(value)}`);
  const listed = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`);
  const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const perSecond = (rate) => `${number(rate)}/s`;

  function table(id, heads, rows) {
    const columns = heads.map(([name, kind]) => el("th", { scope: "col", class: kind ?? "" }, name));
    at(id).replaceChildren(el("thead", null, el("tr", null, ...columns)), el("tbody", null, ...rows));
  }

  const cell = (...children) => el("td", null, ...children);

  // ---- Colours

  const written = (colour) => `rgb(${colour.map(Math.round).join(",")})`;

  function tint(tenant, option) {
    const [own, ground] = [rgb(hue(tenant)), rgb(css("--card"))];
    const part = LIGHTER[option % LIGHTER.length];
    return own.map((value, index) => value + (ground[index] - value) * part);
  }

  // Hues come round after eight tenants: the next eight are striped.
  const stripes = (tenant, colour) =>
    tenant < HUES ? "" : `;background-image:repeating-linear-gradient(135deg,transparent 0 7px,${ink(colour)}3d 7px 10px)`;

  const paint = (tenant, option) => {
    const colour = tint(tenant, option);
    return `background-color:${written(colour)};color:${ink(colour)}${stripes(tenant, colour)}`;
  };

  const mark = (tenant) => el("span", { class: "swatch block-mark", style: paint(tenant, 0), "aria-hidden": "true" });

  // ---- The head

  const nothing = (tenant) => tenant.starved;
  const short = () => prices.filter((one) => one.price > 0).sort((one, other) => other.price * other.capacity - one.price * one.capacity);

  function head() {
    const caveat = `${first()} ${starved()} ${bottleneck()} Every rate is planned from figures; nothing was run for this page.`;
    const facts = [
      ["platform", told.platform],
      ["tenants", String(tenants.length)],
      ["objective", told.objective],
      ["STP", number(own.stp)],
      ["inferences per second", number(own.inferences_per_s)],
      ["gap to the bound", gapWords()],
    ];
    const made = `Made on ${told.made_on}; planned in ${number(told.seconds)} s.`;
    frame.head({ label: "planned", heading: told.title, caveat, facts, made });
  }

  const NONE = "none";
  const bounded = told.no_bound_since === "";
  const gapWords = () => (bounded ? (told.gap < 1e-6 ? "< 0.000001" : number(told.gap, 2)) : NONE);

  function worst() {
    if (told.first.length === tenants.length) return tenants.length === 1 ? tenants[0].name : "the worst tenant";
    if (told.first.length === 1) return told.first[0];
    return told.first.length > 3 ? `the worst of ${told.first.length} in the first rank` : `the worst of ${listed(told.first)}`;
  }

  function first() {
    if (tenants.length === 1) return `There is one tenant, and it has ${percent(own.critical_p)} of its rate alone.`;
    if (told.first.length === tenants.length) return `All are of one rank, and the worst has ${percent(own.critical_p)} of its rate alone.`;
    return `The first rank is served first: ${worst()} has ${percent(own.critical_p)} of its rate alone.`;
  }

  function starved() {
    const left = tenants.filter(nothing).map((tenant) => tenant.name);
    return left.length ? `Nothing is left for ${listed(left)}.` : "";
  }

  function bottleneck() {
    const found = short().map((one) => one.resource);
    return found.length ? `What is short: ${listed(found)}.` : "Nothing is short: everybody has all that its requests allow.";
  }

  // ---- The mapping

  const optionsOf = (block) => tenants[block.tenant].options[block.option];
  const letter = (index) => String.fromCharCode(97 + (index % 26));
  const named = (block) => {
    const tenant = tenants[block.tenant];
    return tenant.options.length > 1 ? `${tenant.name} ${letter(block.option)}` : tenant.name;
  };
  const span = (step) => (step.first === step.last ? `${step.first}` : `${step.first}–${step.last}`);
  const segments = (option, step) => {
    if (option.steps.length === 1) return "whole network";
    return step.first === step.last ? `segment ${step.first}` : `segments ${span(step)}`;
  };

  function map() {
    at("map").replaceChildren(...processors.map(place), scale());
    const mixed = tenants.some((tenant) => tenant.options.length > 1);
    at("map-note").textContent = mixed
      ? "a, b, …: the options of a tenant that is served in several ways at once, each in a shade of its own."
      : "";
    at("map-legend").replaceChildren(...tenants.map(entry));
  }

  function entry(tenant, index) {
    const words = nothing(tenant) ? "gets nothing" : perSecond(tenant.rate_per_s);
    const swatch = el("span", { class: "swatch block", style: paint(index, 0), "aria-hidden": "true" });
    const name = el("span", null, tenant.name, " ", el("small", null, `rank ${tenant.rank}, ${words}`));
    const button = el("button", { type: "button", title: tenant.name, class: nothing(tenant) ? "nothing" : "" }, swatch, name);
    lights(button, (block) => Number(block.dataset.tenant) === index);
    return button;
  }

  function place(processor) {
    const used = processor.used / processor.lanes;
    const full = used >= FULL;
    const who = el(
      "div",
      { class: "who" },
      el("b", null, processor.name),
      el("small", null, `${counted(processor.lanes, "lane")}, ${processor.kind}`),
      el("small", { class: full ? "full" : "" }, `${number(processor.used)} of ${processor.lanes} lane-s/s`, full ? ", full" : ""),
    );
    const blocks = processor.blocks.map((block) => blockOf(processor, block));
    const free = Math.max(0, processor.lanes - processor.used);
    const rest = full ? null : el("span", { class: "free", style: `flex-grow:${free / processor.lanes}` }, `free ${percent(1 - used)}`);
    return el("div", { class: "place" }, who, el("div", { class: "track" }, ...blocks, rest));
  }

  function scale() {
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => el("span", null, percent(part)));
    return el("div", { class: "axis", "aria-hidden": "true" }, el("div", null, ...ticks));
  }

  function blockOf(processor, block) {
    const option = optionsOf(block);
    const step = option.steps[block.step];
    const words = `${segments(option, step)} · ${perSecond(option.rate_per_s)}`;
    const share = `${number(block.load)} of ${processor.lanes} lane-s/s (${percent(block.load / processor.lanes, 1)})`;
    const rows = facts(block, option, step, share);
    const node = el(
      "button",
      {
        type: "button",
        class: "piece",
        style: `flex-grow:${block.load / processor.lanes};${paint(block.tenant, block.option)}`,
        "aria-label": `${named(block)}: ${rows.map((row) => row.join(" ")).join(", ")}`,
        "data-tenant": String(block.tenant),
        "data-option": String(block.option),
      },
      el("span", null, named(block)),
      el("span", null, words),
    );
    lights(node, (other) => other.dataset.tenant === node.dataset.tenant && other.dataset.option === node.dataset.option);
    floats(node, () => tip(named(block), rows));
    return node;
  }

  function facts(block, option, step, share) {
    const tenant = tenants[block.tenant];
    return [
      ["runs", segments(option, step)],
      ["on", `${step.processor}, ${counted(step.width, "lane")} at once`],
      ["duration", `${number(step.ms)} ms of ${number(option.latency_ms)} ms`],
      ["rate", perSecond(option.rate_per_s)],
      ["takes", share],
      ...(option.steps.length > 1 ? [["the whole way", option.steps.map((one) => `${one.processor} ${span(one)}`).join(" → ")]] : []),
      ...(tenant.options.length > 1 ? [["of the tenant’s rate", percent(option.rate_per_s / tenant.rate_per_s)]] : []),
    ];
  }

  // Whatever is pointed at, or has the focus, stands out from the rest of the map.
  function lights(node, belongs) {
    const on = () => {
      document.querySelectorAll(".piece").forEach((block) => block.classList.toggle("lit", belongs(block)));
      at("map").classList.add("picked");
    };
    const off = () => at("map").classList.remove("picked");
    for (const [event, act] of [
      ["pointerenter", on],
      ["focus", on],
      ["pointerleave", off],
      ["blur", off],
    ])
      node.addEventListener(event, act);
  }

  const floating = el("div", { class: "float", role: "tooltip", hidden: true });

  function floats(node, content) {
    const show = (x, y) => {
      floating.replaceChildren(content());
      floating.hidden = false;
      const { width, height } = floating.getBoundingClientRect();
      const left = Math.max(8, Math.min(x + 14, document.documentElement.clientWidth - width - 8));
      const above = y + 18 + height > document.documentElement.clientHeight - 8;
      floating.style.left = `${left}px`;
      floating.style.top = `${Math.max(8, above ? y - height - 14 : y + 18)}px`;
    };
    node.addEventListener("pointermove", (event) => show(event.clientX, event.clientY));
    node.addEventListener("focus", () => {
      const box = node.getBoundingClientRect();
      show(box.left, box.bottom - 12);
    });
    for (const event of ["pointerleave", "blur"]) {
      node.addEventListener(event, () => {
        floating.hidden = true;
      });
    }
  }

  // ---- Tenants

  function tenantTable() {
    const heads = [["tenant"], ["rank"], ["weight"], ["rate"], ["P"], ["latency"], ["served by", "ways"]];
    table("tenants", heads, tenants.map(tenantRow));
  }

  function tenantRow(tenant, index) {
    const floor = tenant.floor > 0 ? `floor ${percent(tenant.floor)}` : "no floor";
    return el(
      "tr",
      null,
      el("th", { scope: "row", title: tenant.name }, mark(index), tenant.name, el("small", null, `${tenant.model}, ${tenant.arrival}`)),
      cell(String(tenant.rank)),
      cell(number(tenant.weight, 2)),
      cell(el("b", null, perSecond(tenant.rate_per_s)), el("small", null, `alone ${perSecond(tenant.solo_rate_per_s)}`)),
      cell(el("b", null, tenant.p.toFixed(2)), meter(tenant.p, tenant.floor, index), el("small", null, floor)),
      cell(latencies(tenant), el("small", null, tenant.deadline_ms === null ? "no deadline" : `due in ${number(tenant.deadline_ms)} ms`)),
      el("td", { class: "ways" }, ...ways(tenant)),
    );
  }

  function meter(part, floor, tenant) {
    const limit = floor > 0 ? el("b", { style: `left:${100 * floor}%` }) : null;
    const colour = tenant === undefined ? "" : `;background:${written(tint(tenant, 0))}`;
    return el(
      "span",
      { class: "meter", "aria-hidden": "true" },
      part > 0 ? el("i", { style: `width:${100 * Math.min(1, part)}%${colour}` }) : "",
      limit,
    );
  }

  function latencies(tenant) {
    const found = tenant.options.map((option) => option.latency_ms);
    if (!found.length) return "–";
    const [least, most] = [number(Math.min(...found)), number(Math.max(...found))];
    return least === most ? `${most} ms` : `${least} – ${most} ms`;
  }

  function ways(tenant) {
    const offered = el("small", null, `${tenant.options.length} of ${counted(tenant.offered, "option")} in use`);
    if (!tenant.options.length) return [el("div", { class: "way" }, el("span", { class: "none" }, "nothing")), offered];
    const rows = tenant.options.map((option, index) => {
      const steps = option.steps.flatMap((step, place) => [
        place ? el("span", { class: "arrow" }, "→") : null,
        el(
          "span",
          { class: "step" },
          `${step.processor}${step.width > 1 ? ` ×${step.width}` : ""}${option.steps.length > 1 ? ` ${span(step)}` : ""}`,
        ),
      ]);
      const name = tenant.options.length > 1 ? el("b", null, letter(index)) : null;
      const share = tenant.options.length > 1 ? `${perSecond(option.rate_per_s)}, ${number(option.latency_ms)} ms` : "";
      return el("div", { class: "way" }, name, ...steps, el("span", { class: "rate" }, [share, faith(option)].filter(Boolean).join(", ")));
    });
    return [...rows, offered];
  }

  const faith = (option) => (option.fidelity === null ? "" : `${option.precision}, fidelity ${option.fidelity.toFixed(3)}`);

  // ---- Prices and proof

  const UNITS = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
    [1, ""],
  ];

  function quantity(value, most, unit) {
    const [size, prefix] = unit.startsWith("bytes") ? (UNITS.find(([least]) => most >= least) ?? [1, ""]) : [1, ""];
    return `${number(value / size)} of ${number(most / size)} ${unit.startsWith("bytes") ? `${prefix}B/s` : unit}`;
  }

  function priceTable() {
    table("prices", [["resource"], ["used"], ["price"], ["1 % more would add"]], prices.map(priceRow));
    at("exchange").textContent = exchange();
    at("proof").replaceChildren(...proof());
    const heads = [["level"], ["of", "says"], ["reached"], ["no plan exceeds"]];
    table(
      "levels",
      heads,
      told.levels.map((level) => levelRow(level)),
    );
  }

  const levelRow = (level) =>
    el(
      "tr",
      null,
      el("th", { scope: "row" }, level.name),
      el("td", { class: "says" }, level.tenants.length ? listed(level.tenants) : "all resources"),
      cell(number(level.value, 6)),
      cell(number(level.bound, 6)),
    );

  function priceRow(one) {
    const used = one.used / one.capacity;
    return el(
      "tr",
      null,
      el("th", { scope: "row" }, one.resource),
      cell(quantity(one.used, one.capacity, one.unit), meter(used, 0)),
      cell(
        one.price > 0 ? number(one.price) : "0",
        el("small", null, one.price > 0 ? `per ${one.unit}` : used >= FULL ? "all in use, yet not short" : "not short"),
      ),
      cell(one.price > 0 ? number((one.price * one.capacity) / 100) : "nothing"),
    );
  }

  function exchange() {
    const priced = tenants.filter((tenant) => tenant.cost > 0 && !nothing(tenant)).sort((one, other) => other.cost - one.cost);
    if (priced.length < 2) return "";
    const [dearest, ...rest] = priced;
    const amounts = rest.map((tenant) => `${number(dearest.cost / tenant.cost, 2)} of ${tenant.name}`);
    const joined = amounts.length > 1 ? `${amounts.slice(0, -1).join(", ")} or ${amounts[amounts.length - 1]}` : amounts[0];
    return `At these prices, one more inference of ${dearest.name} costs as much as ${joined}.`;
  }

  function proof() {
    const box = (name, value, words) => el("div", null, el("dt", null, name), el("b", null, value), el("small", null, words));
    const again = el(
      "div",
      { class: "wider" },
      el("small", null, "Save the plan with --save FILE; whoever has it proves it again, with nothing solved:"),
    );
    again.append(el("code", null, told.check));
    return [
      box("objective", number(told.value, 6), `${told.objective}, as planned`),
      box("bound", bounded ? number(told.bound, 6) : NONE, bounded ? "no plan in this order exceeds it" : `since ${told.no_bound_since}`),
      box("gap", gapWords(), bounded ? "bound minus objective" : "nothing to compare the objective with"),
      again,
    ];
  }

  // ---- The front

  const VIEWS = [
    { name: "STP", of: (one) => one.stp, part: (one, index) => one.ps[index], write: (value) => number(value) },
    { name: "inferences per second", of: (one) => one.inferences_per_s, part: (one, index) => one.rates_per_s[index], write: perSecond },
  ];

  function frontChart() {
    const who = worst();
    at("front-words").textContent =
      `Each point is the most throughput that is left where ${who} has so much of its rate alone; the line between is what mixtures reach. ` +
      "STP is the sum of P over all tenants, all counted alike; other tenants keep their floors.";
    at("front-note").textContent = frontNote(who);
    if (!front.length) return at("front").remove();
    const chosen = { view: VIEWS[0] };
    const made = chart("front", (width) => frontOption(chosen.view, width));
    at("front-controls").append(switcher(made, chosen));
    frontTable();
    draw(made);
  }

  function switcher(made, chosen) {
    const buttons = VIEWS.map((view) => {
      const button = el("button", { type: "button", "aria-pressed": String(view === chosen.view) }, view.name);
      button.addEventListener("click", () => {
        chosen.view = view;
        buttons.forEach((one, index) => one.setAttribute("aria-pressed", String(VIEWS[index] === view)));
        draw(made);
      });
      return button;
    });
    return el("div", { class: "switch", role: "group", "aria-label": "throughput as" }, ...buttons);
  }

  function frontNote(who) {
    if (!front.length) return "No front is drawn where the others’ floors do not fit.";
    const notes = [];
    if (told.most_stp !== null) {
      const lost = (told.most_stp - own.stp) / told.most_stp;
      const words = lost < 5e-4 ? "the most that there can be" : `${percent(lost, 1)} less than the most, since`;
      const reason = lost < 5e-4 ? "" : ` it goes by rank and divides by its objective, ${told.objective}`;
      notes.push(`This plan: ${who} has P = ${own.critical_p.toFixed(2)}, and STP is ${number(own.stp)}, ${words}${reason}.`);
    }
    if (front.length === 1) {
      notes.push(`One point is best in both: up to P = ${front[0].critical_p.toFixed(2)}, more for ${who} costs no throughput.`);
    } else {
      const [low, high] = [front[0], front[front.length - 1]];
      notes.push(
        `From P = ${low.critical_p.toFixed(2)} to ${high.critical_p.toFixed(2)}, STP falls from ${number(low.stp)} to ${number(high.stp)}.`,
      );
    }
    return notes.join(" ");
  }

  function frontTable() {
    const heads = [["P of the first rank"], ["STP"], ["inferences per second"], ...tenants.map((tenant) => [`P of ${tenant.name}`])];
    const row = (one, name) =>
      el(
        "tr",
        null,
        el("th", { scope: "row" }, name ?? one.critical_p.toFixed(3)),
        cell(number(one.stp, 4)),
        cell(number(one.inferences_per_s, 4)),
        ...one.ps.map((p) => cell(p.toFixed(3))),
      );
    table("front-table", heads, [...front.map((one) => row(one)), row(own, `this plan: ${own.critical_p.toFixed(3)}`)]);
  }

  function frontOption(view, width) {
    const points = front.map((one) => [one.critical_p, view.of(one)]);
    const most = Math.max(...points.map(([, value]) => value), view.of(own));
    const reach = Math.max(front[front.length - 1].critical_p, own.critical_p, 0.01);
    return {
      aria: { enabled: true, label: { description: at("front-note").textContent } },
      grid: { left: width < 500 ? 44 : 60, right: 26, top: 30, bottom: 50 },
      tooltip: { ...tooltip(), trigger: "item", formatter: (hovered) => frontTip(hovered.data.point, hovered.data.own, view) },
      xAxis: axis({
        type: "value",
        min: 0,
        max: Math.min(1, nice(reach * 1.1)),
        name: `P of ${shortened(worst(), width)}`,
        nameLocation: "middle",
        nameGap: 30,
      }),
      yAxis: axis({
        type: "value",
        min: 0,
        max: most * 1.15,
        name: view.name,
        nameTextStyle: { color: css("--dim"), align: "left", padding: [0, 0, 0, -30] },
        axisLabel: { showMaxLabel: false },
      }),
      series: [...region(view), frontLine(points, view), ownPoint(view, reach)],
    };
  }

  const shortened = (text, width) => (text.length * 8 < width - 160 ? text : "the first rank’s worst");

  // A round number that is not less: its first digit is what counts.
  function nice(value) {
    const size = 10 ** Math.floor(Math.log10(value));
    return Number((Math.ceil(value / size) * size).toPrecision(3));
  }

  // Below and left of the line is all that can be. Only for STP: the points are those of the most STP.
  function region(view) {
    if (view !== VIEWS[0]) return [];
    const [low, high] = [front[0], front[front.length - 1]];
    const outline = [[0, low.stp], ...front.map((one) => [one.critical_p, one.stp]), [high.critical_p, 0]];
    const look = { type: "line", symbol: "none", silent: true, tooltip: { show: false }, color: css("--accent") };
    return [{ ...look, lineStyle: { width: 1.2, type: [5, 4] }, areaStyle: { opacity: 0.1 }, data: outline, z: 1 }];
  }

  const frontLine = (points, view) => ({
    type: "line",
    color: css("--accent"),
    lineStyle: { width: 3, type: view === VIEWS[0] ? "solid" : [2, 4] },
    symbol: "circle",
    symbolSize: 9,
    showAllSymbol: true,
    data: points.map((value, index) => ({ value, point: front[index] })),
    z: 3,
  });

  function ownPoint(view, reach) {
    const colour = css("--c1");
    return {
      type: "scatter",
      symbol: "diamond",
      symbolSize: 17,
      itemStyle: { color: colour, borderColor: css("--card"), borderWidth: 2 },
      label: {
        show: true,
        formatter: "this plan",
        position: own.critical_p > 0.6 * reach ? "left" : "right",
        distance: 8,
        offset: [0, 12],
        color: css("--text"),
        fontWeight: 700,
        fontSize: 14,
      },
      data: [{ value: [own.critical_p, view.of(own)], point: own, own: true }],
      z: 5,
    };
  }

  function frontTip(one, isOwn, view) {
    const rows = tenants.map((tenant, index) => [tenant.name, view.write(view.part(one, index)), written(tint(index, 0))]);
    const sums = [
      ["STP", number(one.stp)],
      ["inferences per second", number(one.inferences_per_s)],
    ];
    return tip(`${isOwn ? "this plan" : "a plan of the front"}: P = ${one.critical_p.toFixed(3)}`, [...rows, ...sums]);
  }

  // ---- One more tenant

  function newcomerTable() {
    if (!newcomers.length) return at("newcomers-section")?.remove();
    const heads = [["one more like"], ["it gets"], ["objective"], ["STP"], ...tenants.map((tenant) => [tenant.name])];
    table("newcomers", heads, newcomers.map(newcomerRow));
  }

  function newcomerRow(one) {
    const twin = tenants[one.twin];
    const name = el(
      "th",
      { scope: "row", title: listed(one.like) },
      mark(one.twin),
      listed(one.like),
      el("small", null, `rank ${twin.rank}, ${twin.arrival}`),
    );
    if (one.refused !== null) {
      const why = el(
        "td",
        { class: "why", colspan: String(3 + tenants.length) },
        el("span", { class: "none" }, "does not fit. "),
        one.refused,
      );
      return el("tr", null, name, why);
    }
    return el(
      "tr",
      null,
      name,
      cell(el("b", null, perSecond(one.rate_per_s)), el("small", null, `P = ${one.p.toFixed(2)}`)),
      cell(one.value === null ? "–" : change(one.value, (value) => number(value))),
      cell(change(one.stp, (value) => value.toFixed(2))),
      ...one.rates_per_s.map(([before, after]) => changeCell(before, after)),
    );
  }

  const change = (value, write) => (Math.abs(value) < 5e-4 || Number(write(Math.abs(value))) === 0 ? "±0" : signed(value, write));

  function changeCell(before, after) {
    const part = before > 0 ? (after - before) / before : after > 0 ? 1 : 0;
    const rates = el("small", null, `${number(before)} → ${perSecond(after)}`);
    if (Math.abs(part) < 5e-4) return cell("±0", el("small", null, perSecond(after)));
    const ground = `color-mix(in srgb, var(${part < 0 ? "--bad" : "--accent"}) ${Math.min(45, Math.round(Math.abs(part) * 60))}%, transparent)`;
    return el(
      "td",
      { style: `background-color:${ground}` },
      el("b", null, before > 0 ? signed(part, (value) => percent(value)) : "new"),
      rates,
    );
  }

  // ---- Notes

  function notes() {
    at("source").textContent = `Figures of ${told.platform}: ${told.source}`;
    at("notes").replaceChildren(...told.notes.map((note) => el("li", null, note)));
    const lines = told.provenance.map((one) => `${one.processor} ×${one.width}: ${one.known}, ${HOW[one.known]}`);
    at("provenance").replaceChildren(...lines.map((line) => el("li", null, line)));
    if (!lines.length) at("provenance").parentElement.remove();
  }

  const HOW = {
    measured: "timed on the board",
    scaled: "computed such that a sum that was timed is met",
    assumed: "computed, and nothing was timed to hold it against",
  };

  document.body.append(floating);
  frame.show([head, map, tenantTable, priceTable, frontChart, newcomerTable, notes], [map, tenantTable, newcomerTable]);
})();
