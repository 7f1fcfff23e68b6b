// The page's texts and tables. What comes from the data only ever becomes text nodes.

function head() {
  const kinds = engines.map((engine) => nameOf(engine.engine));
  const listed = kinds.length > 1 ? kinds.slice(0, -1).join(", ") + " and " + kinds[kinds.length - 1] : kinds[0];
  const count = ["no", "one kind", "two kinds", "three kinds", "four kinds"][kinds.length];
  byId("title").textContent = `One workload, ${count || kinds.length + " kinds"} of box`;
  byId("lede").textContent =
    `The image ${report.plan.image}, started as ${listed}: how long until it answers, ` +
    `what one instance holds in memory, and what one more costs the host.`;
  const rows = computed.audit;
  const bad = (state) => rows.filter((row) => row.state === state).length;
  const badges = [
    [inLab ? "warn" : "", inLab ? "deterministic lab" : "measured on this host"],
    ["", `${report.plan.blocks} runs of each, interleaved`],
    ["", `seed ${report.plan.seed}`],
    bad("fail")
      ? ["fail", `fairness: ${bad("fail")} failed`]
      : bad("warn")
        ? ["warn", `fairness: ${bad("warn")} to note`]
        : ["pass", "fairness: all passed"],
  ];
  byId("badges").replaceChildren(...badges.map(([kind, text]) => element("li", { class: kind }, text)));
  if (inLab) {
    const notice = byId("host-notice");
    notice.hidden = false;
    notice.textContent =
      "Measured in the deterministic lab, an emulated host: all times are executed instructions, one " +
      "nanosecond each. They repeat exactly on any machine and compare the work done; they do not price " +
      "what hardware adds for world switches, cache misses and devices. Memory is memory.";
  }
}

function tiles() {
  const list = heaviestFirst.map((engine) => {
    const node = element("div", { class: "tile", style: `--engine: var(--${engine.engine})` });
    node.append(element("h3", {}, nameOf(engine.engine)));
    if (engine.to_ready) {
      node.append(element("p", { class: "big" }, time(engine.to_ready.median_ns)));
      const other = engine.engine === "vm" ? "container" : "process";
      const ratio = ratioOf("start-up", engine.engine, other);
      node.append(element("p", {}, "from request to ready" + (ratio ? `, ${times(ratio.ratio)} a ${other}` : "")));
    }
    const facts = element("dl", {});
    const fact = (label, value) => facts.append(element("dt", {}, label), element("dd", {}, value));
    if (engine.teardown) fact("torn down in", time(engine.teardown.median_ns));
    if (engine.memory_alone) fact("memory, alone (PSS)", bytes(engine.memory_alone.total_bytes.pss));
    if (engine.density) fact("one more costs the host", bytes(engine.density.bytes_per_instance));
    node.append(facts);
    return node;
  });
  byId("tiles").replaceChildren(...list);
  byId("verdicts").replaceChildren(...computed.verdicts.map((text) => element("li", {}, unbroken(text))));
}

function phaseTable() {
  const cell = (engine, mark) => {
    const phase = engine.phases.find((candidate) => candidate.to === mark);
    if (!phase) return undefined;
    const name = element("span", { class: "name" }, phase.name + ", ");
    return [time(phase.start_ns + phase.length_ns), element("small", {}, name, "+" + time(phase.length_ns))];
  };
  table(
    "phase-table",
    "Median time of each mark since the request",
    ["Mark", ...heaviestFirst.map((engine) => nameOf(engine.engine))],
    phases.map(([mark], index) => ({
      label: [
        element("span", { class: "together" }, bullet("phase-" + mark), `t${index + 1}`),
        " " + mark.replace("_", " "),
      ],
      cells: heaviestFirst.map((engine) => cell(engine, mark)),
    }))
  );
}

// One column per engine and number of instances.
function memoryColumns() {
  const columns = [];
  for (const engine of heaviestFirst) {
    for (const memory of [engine.memory_alone, engine.memory_together]) {
      if (!memory) continue;
      const how = memory.running === 1 ? "alone" : `${memory.running} together`;
      columns.push({ engine: engine.engine, memory, label: `${nameOf(engine.engine)}, ${how}` });
    }
  }
  return columns;
}

function memoryTable() {
  const columns = memoryColumns();
  const rows = components
    .filter((name) => columns.some((column) => column.memory.components_bytes[name]))
    .map((name) => ({
      label: [bullet("memory-" + name.replace(" ", "-")), componentNames[name]],
      cells: columns.map((column) => {
        const found = column.memory.components_bytes[name];
        return found ? bytes(found.pss) : undefined;
      }),
    }));
  const total = (label, field, kind) => ({
    label,
    kind,
    cells: columns.map((column) => bytes(column.memory.total_bytes[field])),
  });
  rows.push(total("all of it, PSS", "pss", "sum"));
  rows.push(total("USS: nobody else's", "uss"));
  rows.push(total("RSS: shared pages in full", "rss"));
  rows.push(total("virtual: address space, no memory", "virtual", "minor"));
  rows.push({ label: "processes", kind: "minor", cells: columns.map((c) => String(c.memory.processes)) });
  rows.push({
    label: "the workload's own view",
    kind: "minor",
    cells: columns.map((c) =>
      c.memory.workload_total_bytes
        ? [bytes(c.memory.workload_total_bytes), element("small", {}, `${bytes(c.memory.workload_available_bytes)} available`)]
        : undefined
    ),
  });
  table("memory-table", "One instance, by component (PSS)", ["", ...columns.map((c) => c.label)], rows);
}

function densityTable() {
  const known = heaviestFirst.filter((engine) => engine.density);
  const row = (label, cell, kind) => ({ label, kind, cells: known.map((engine) => cell(engine.density)) });
  table("density-table", "What one more idle instance costs the host", ["", ...known.map((e) => nameOf(e.engine))], [
    row("memory per instance (slope)", (d) => bytes(d.bytes_per_instance), "sum"),
    row("95 % interval", (d) => `${bytes(d.interval_bytes[0])} to ${bytes(d.interval_bytes[1])}`),
    row("R² of the fit", (d) => d.r_squared.toFixed(4)),
    row("fitted over instances", (d) => `${d.fitted_from} to ${d.fitted_to}`),
    row("growth was stopped by", (d) => d.constraint),
    row("capacity, extrapolated, not reached", (d) => (d.extrapolated_capacity ? Math.floor(d.extrapolated_capacity).toString() : undefined), "minor"),
  ]);
}

function numbersTables() {
  const cell = (figure) =>
    figure && [
      time(figure.median_ns),
      element("small", {}, `${time(figure.interval_ns[0])} to ${time(figure.interval_ns[1])}`),
      element(
        "small",
        {},
        `p90 ${time(figure.p90_ns)}, p99 ${time(figure.p99_ns)}` + (figure.outliers ? `, ${figure.outliers} outliers` : "")
      ),
    ];
  const row = (label, field) => ({ label, cells: heaviestFirst.map((engine) => cell(engine[field])) });
  table("numbers-table", "Times: median, its 95 % interval, percentiles", ["", ...heaviestFirst.map((e) => nameOf(e.engine))], [
    row("start-up, request to exec (t0–t4)", "to_executed"),
    row("start-up, request to ready (t0–t6)", "to_ready"),
    row("tear-down, ready to gone (t6–t7)", "teardown"),
    row("CPU time of one run, user + system", "cpu"),
    { label: "runs that count", cells: heaviestFirst.map((e) => e.to_ready && String(e.to_ready.count)) },
  ]);
  if (!computed.ratios.length) return;
  table(
    "ratio-table",
    "Ratios",
    ["", "ratio", "95 % interval"],
    computed.ratios.map((r) => ({
      label: `${r.metric}: ${nameOf(r.engine)} to ${nameOf(r.baseline)}`,
      cells: [times(r.ratio), `${r.interval[0].toPrecision(3)} to ${r.interval[1].toPrecision(3)}`],
    }))
  );
}

function closing() {
  byId("audit").replaceChildren(
    ...computed.audit.map((row) =>
      element(
        "li",
        {},
        element("span", { class: "state " + row.state }, row.state),
        element("b", {}, row.check),
        element("span", { class: "detail" }, row.detail)
      )
    )
  );
  const facts = (list) =>
    element("dl", { class: "facts" }, ...list.flatMap((f) => [element("dt", {}, f.name), element("dd", {}, f.value)]));
  const host = byId("environment");
  for (const place of report.hosts) host.append(element("h3", {}, place.name), facts(place.facts));
  const plan = report.plan;
  byId("command").textContent = report.command;
  byId("run-command").textContent =
    `twinbox run --rm --as E --memory ${plan.memory} --cpus ${plan.cpus} ${plan.image} ` +
    plan.start_workload.args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : `'${arg}'`)).join(" ");
  byId("version").textContent = `twinbox ${report.twinbox_version}, report schema ${report.schema_version}.`;
}
