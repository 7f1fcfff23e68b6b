// Draws the page from the report's data. Texts only ever become text nodes.
"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const computed = report.computed;
  const engines = computed.engines;
  const heaviestFirst = [...engines].reverse();
  const inLab = report.environment.kind !== "native";
  const names = { process: "process", container: "container", vm: "microVM" };
  const phases = [
    ["entered", "command starts"],
    ["created", "box is created"],
    ["booted", "kernel boots / root is ready"],
    ["executed", "workload is executed"],
    ["first_output", "workload answers"],
    ["ready", "whole line is there"],
    ["gone", "torn down"],
  ];
  const components = ["workload", "supervisor", "monitor", "guest RAM"];
  const componentNames = {
    workload: "workload",
    supervisor: "twinbox (supervisor)",
    monitor: "monitor beside guest RAM",
    "guest RAM": "guest RAM, resident",
  };
  const MiB = 1024 * 1024;

  // --- small helpers -------------------------------------------------------------------------

  const byId = (id) => document.getElementById(id);
  const color = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue("--" + name.replace(" ", "-")).trim();
  const nameOf = (engine) => names[engine] || engine;

  // element("td", {class: "x"}, "text", child, ...)
  function element(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function digits(value) {
    const size = Math.abs(value);
    return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
  }
  function time(ns) {
    if (ns === 0) return "0";
    if (ns < 999.5e3) return digits(ns / 1e3) + " µs";
    if (ns < 999.5e6) return digits(ns / 1e6) + " ms";
    return digits(ns / 1e9) + " s";
  }
  // A number and its unit stay on one line.
  const unbroken = (text) => text.replace(/(\d) (?=(µs|ms|s|B|KiB|MiB|GiB|%)(\W|$))/g, "$1\u00a0");
  // Of an axis: "100 ms", not "100.0 ms".
  const plain = (text) => text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
  // The next of 1, 1.5, 2, 3, 5, 7 times a power of ten.
  function niceAbove(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.5, 2, 3, 5, 7, 10].map((step) => step * power).find((step) => step >= value);
  }
  // The values 1, 2 and 5 times a power of ten from `low` to `high`.
  function steps(low, high) {
    const found = [];
    for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
      for (const step of [1, 2, 5]) {
        if (step * power >= low * 0.999 && step * power <= high * 1.001) found.push({ value: step * power });
      }
    }
    return found;
  }
  const niceBelow = (value) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return [7, 5, 3, 2, 1].map((step) => step * power).find((step) => step <= value);
  };
  function bytes(value) {
    const size = Math.abs(value);
    if (size >= 1024 * MiB) return digits(value / 1024 / MiB) + " GiB";
    if (size >= 0.995 * MiB) return digits(value / MiB) + " MiB";
    return digits(value / 1024) + " KiB";
  }
  const times = (ratio) => ratio.toPrecision(3).replace(/\.?0+$/, "") + " ×";

  function table(target, caption, head, rows) {
    const body = rows.map((row) =>
      element(
        "tr",
        { class: row.kind || "" },
        element("th", { scope: "row" }, ...[].concat(row.label)),
        ...row.cells.map((cell) => element("td", {}, ...[].concat(cell === undefined ? "–" : cell)))
      )
    );
    byId(target).replaceChildren(
      element(
        "table",
        {},
        element("caption", {}, caption),
        element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, ...body)
      )
    );
  }
  const bullet = (variable) => element("span", { class: "bullet", style: `--swatch: var(--${variable})` });
  function legend(target, entries) {
    byId(target).replaceChildren(
      ...entries.map(([variable, text]) =>
        element("li", {}, element("i", { style: `--swatch: var(--${variable})` }), text)
      )
    );
  }
  const ratioOf = (metric, engine, baseline) =>
    computed.ratios.find((r) => r.metric === metric && r.engine === engine && r.baseline === baseline);

  // --- texts and tables ------------------------------------------------------------------------

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
    host.append(element("h3", {}, inLab ? "The emulated host" : "This host"), facts(report.environment.facts));
    if (report.environment.lab_host.length) {
      host.append(element("h3", {}, "The machine that emulated it"), facts(report.environment.lab_host));
    }
    const plan = report.plan;
    byId("command").textContent = report.command;
    byId("run-command").textContent =
      `twinbox run --as E --memory ${plan.memory} --cpus ${plan.cpus} ${plan.image} ` +
      plan.start_workload.args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : `'${arg}'`)).join(" ");
    byId("version").textContent = `twinbox ${report.twinbox_version}, report schema ${report.schema_version}.`;
  }

  // --- charts ------------------------------------------------------------------------------------

  const font = { family: getComputedStyle(document.body).fontFamily, size: 12.5 };
  let charts = [];

  function axis(extra) {
    const { ticks, title, grid, ...rest } = extra;
    return {
      grid: { color: color("grid"), drawTicks: false, drawBorder: false, ...grid },
      ticks: { color: color("muted"), font, padding: 6, ...ticks },
      title: title ? { display: true, text: title, color: color("muted"), font } : undefined,
      ...rest,
    };
  }
  const narrow = window.matchMedia("(max-width: 640px)");
  const fewTicks = (most) => (narrow.matches ? 4 : most);
  const engineAxis = () =>
    axis({ grid: { display: false }, ticks: { color: color("ink"), font: { ...font, size: 13.5, weight: 600 }, autoSkip: false } });

  // Writes a bar's text into it where there is room, or behind its end.
  const barTexts = {
    id: "barTexts",
    afterDatasetsDraw(chart, _, options) {
      const { ctx, chartArea } = chart;
      ctx.save();
      ctx.font = `600 12px ${font.family}`;
      ctx.textBaseline = "middle";
      chart.data.datasets.forEach((dataset, index) => {
        chart.getDatasetMeta(index).data.forEach((bar, row) => {
          const text = options.text(dataset, row);
          if (!text || !Number.isFinite(bar.x)) return;
          const room = Math.min(bar.x, chartArea.right) - Math.max(bar.base, chartArea.left);
          const needed = ctx.measureText(text).width;
          if (options.behind) {
            ctx.fillStyle = color("ink");
            ctx.fillText(text, Math.min(bar.x + 8, chartArea.right - needed), bar.y);
          } else if (room > needed + 12) {
            ctx.fillStyle = color("on-segment");
            ctx.fillText(text, Math.max(bar.base, chartArea.left) + 6, bar.y);
          }
        });
      });
      ctx.restore();
    },
  };

  function draw(id, label, config) {
    const canvas = byId(id);
    canvas.setAttribute("aria-label", label);
    config.options = {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      ...config.options,
    };
    config.options.plugins = {
      legend: { display: false },
      ...config.options.plugins,
    };
    charts.push(new Chart(canvas, config));
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    canvas.dataset.drawn = String(pixels.some((value) => value !== 0));
  }

  function waterfall(id, label, limit) {
    const datasets = phases.map(([mark, legendName]) => ({
      label: legendName,
      mark,
      backgroundColor: color("phase-" + mark),
      grouped: false,
      barPercentage: 0.72,
      categoryPercentage: 1,
      data: heaviestFirst.map((engine) => {
        const phase = engine.phases.find((candidate) => candidate.to === mark);
        return phase && phase.length_ns > 0 ? [phase.start_ns, phase.start_ns + phase.length_ns] : null;
      }),
    }));
    const phaseAt = (dataset, row) => heaviestFirst[row].phases.find((candidate) => candidate.to === dataset.mark);
    draw(id, label, {
      type: "bar",
      data: { labels: heaviestFirst.map((engine) => nameOf(engine.engine)), datasets },
      options: {
        indexAxis: "y",
        scales: {
          x: axis({ min: 0, max: limit, ticks: { callback: (value) => plain(time(value)), maxTicksLimit: fewTicks(8), maxRotation: 0 } }),
          y: engineAxis(),
        },
        plugins: {
          barTexts: { text: (dataset, row) => (dataset.data[row] ? `${phaseAt(dataset, row).name} ${time(phaseAt(dataset, row).length_ns)}` : "") },
          tooltip: {
            callbacks: {
              label: (item) => {
                const phase = phaseAt(item.dataset, item.dataIndex);
                return `${phase.name}: ${time(phase.length_ns)} (from ${time(phase.start_ns)})`;
              },
            },
          },
        },
      },
      plugins: [barTexts],
    });
  }

  function waterfalls() {
    const ends = heaviestFirst.map((engine) => {
      const last = engine.phases[engine.phases.length - 1];
      return last ? last.start_ns + last.length_ns : 0;
    });
    const sentence = heaviestFirst
      .filter((engine) => engine.to_ready)
      .map((engine) => `${nameOf(engine.engine)} ready after ${time(engine.to_ready.median_ns)}`)
      .join(", ");
    const label = `Waterfall of boot marks: ${sentence}. The table below holds every mark.`;
    const longest = Math.max(...ends, 1);
    waterfall("waterfall", label, undefined);
    // What is a sliver on the whole axis is drawn again, enlarged.
    const second = [...ends].sort((a, b) => b - a)[1] || longest;
    if (longest < 6 * second) return;
    const limit = niceAbove(second * 1.05);
    byId("zoom-figure").hidden = false;
    byId("zoom-caption").textContent = `The same, enlarged: the first ${plain(time(limit))} of the axis above.`;
    waterfall("waterfall-zoom", `The first ${plain(time(limit))} enlarged. ${label}`, limit);
  }

  function runs() {
    const rows = heaviestFirst.map((engine) =>
      report.starts.filter((s) => s.engine === engine.engine && !s.warm_up && s.marks_ns.ready !== undefined)
    );
    const blocks = Math.max(...rows.flat().map((s) => s.block)) || 1;
    const warm = report.plan.warm_ups;
    const place = (row, block) => row - 0.3 + (0.6 * (block - warm)) / Math.max(1, blocks - warm);
    const all = rows.flat().map((s) => s.marks_ns.ready);
    const dots = rows.map((samples, row) => ({
      label: nameOf(heaviestFirst[row].engine),
      data: samples.map((s) => ({ x: s.marks_ns.ready, y: place(row, s.block), block: s.block })),
      backgroundColor: color(heaviestFirst[row].engine),
      radius: 4.5,
      hoverRadius: 7,
    }));
    const medians = heaviestFirst.map((engine, row) => ({
      label: "median",
      data: [
        { x: engine.to_ready ? engine.to_ready.median_ns : NaN, y: row - 0.4 },
        { x: engine.to_ready ? engine.to_ready.median_ns : NaN, y: row + 0.4 },
      ],
      showLine: true,
      radius: 0,
      hitRadius: 0,
      borderColor: color("ink"),
      borderWidth: 2,
    }));
    draw("runs", "Start-up of every run, one dot each, by engine: " + heaviestFirst.filter((e) => e.to_ready)
      .map((e) => `${nameOf(e.engine)} median ${time(e.to_ready.median_ns)} over ${e.to_ready.count} runs`).join(", "), {
      type: "scatter",
      data: { datasets: [...dots, ...medians] },
      options: {
        scales: {
          x: axis({
            type: "logarithmic",
            min: niceBelow(Math.min(...all) * 0.85),
            max: niceAbove(Math.max(...all) * 1.15),
            afterBuildTicks: (scale) => (scale.ticks = steps(scale.min, scale.max)),
            ticks: { callback: (value) => plain(time(value)), maxRotation: 0, autoSkip: true, autoSkipPadding: 10 },
          }),
          y: axis({
            reverse: true,
            min: -0.6,
            max: heaviestFirst.length - 0.4,
            grid: { display: false },
            afterBuildTicks: (scale) => (scale.ticks = heaviestFirst.map((_, row) => ({ value: row }))),
            ticks: { color: color("ink"), font: { ...font, size: 13.5, weight: 600 }, callback: (row) => (heaviestFirst[row] ? nameOf(heaviestFirst[row].engine) : "") },
          }),
        },
        plugins: {
          tooltip: {
            filter: (item) => item.datasetIndex < dots.length,
            callbacks: { label: (item) => `${item.dataset.label}, block ${item.raw.block + 1}: ${time(item.raw.x)}` },
          },
        },
      },
    });
  }

  function memory() {
    const columns = memoryColumns();
    byId("memory-box").style.setProperty("--rows", String(Math.max(2, columns.length * 0.72)));
    const used = components.filter((name) => columns.some((c) => c.memory.components_bytes[name]));
    legend("memory-legend", used.map((name) => ["memory-" + name.replace(" ", "-"), componentNames[name]]));
    const last = used[used.length - 1];
    const value = (name) => columns.map((c) => (c.memory.components_bytes[name] || { pss: 0 }).pss / MiB);
    draw("memory", "Memory by component: " + columns.map((c) => `${c.label} ${bytes(c.memory.total_bytes.pss)}`).join(", "), {
      type: "bar",
      data: {
        labels: columns.map((c) => (narrow.matches ? c.label.split(", ") : c.label)),
        datasets: used.map((name) => ({
          label: componentNames[name],
          component: name,
          data: value(name),
          backgroundColor: color("memory-" + name),
          barPercentage: 0.74,
          categoryPercentage: 1,
        })),
      },
      options: {
        indexAxis: "y",
        layout: { padding: { right: 74 } },
        scales: {
          x: axis({ stacked: true, ticks: { callback: (v) => v + " MiB", maxRotation: 0, maxTicksLimit: narrow.matches ? 3 : 7 } }),
          y: { ...engineAxis(), stacked: true },
        },
        plugins: {
          barTexts: {
            behind: true,
            text: (dataset, row) => (dataset.component === last ? bytes(columns[row].memory.total_bytes.pss) : ""),
          },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${bytes(item.raw * MiB)}` } },
        },
      },
      plugins: [barTextsPast],
    });
  }
  // As barTexts, and allowed to leave the plot's area.
  const barTextsPast = {
    id: "barTexts",
    afterDatasetsDraw(chart, _, options) {
      const { ctx } = chart;
      ctx.save();
      ctx.font = `600 12.5px ${font.family}`;
      ctx.textBaseline = "middle";
      ctx.fillStyle = color("ink");
      chart.data.datasets.forEach((dataset, index) => {
        chart.getDatasetMeta(index).data.forEach((bar, row) => {
          const text = options.text(dataset, row);
          if (text) ctx.fillText(text, bar.x + 8, bar.y);
        });
      });
      ctx.restore();
    },
  };

  function density() {
    const known = heaviestFirst.filter((engine) => engine.density);
    legend("density-legend", known.map((e) => [e.engine, `${nameOf(e.engine)}: ${bytes(e.density.bytes_per_instance)} each`]));
    const datasets = known.flatMap((engine) => {
      const points = report.density.find((series) => series.engine === engine.engine).points;
      const fit = engine.density;
      const fitted = (x) => (fit.intercept_bytes + fit.bytes_per_instance * x) / MiB;
      const own = color(engine.engine);
      const used = (point) => point.instances >= fit.fitted_from;
      return [
        {
          label: nameOf(engine.engine),
          data: points.map((p) => ({ x: p.instances, y: (points[0].available_bytes - p.available_bytes) / MiB })),
          pointBackgroundColor: points.map((p) => (used(p) ? own : color("card"))),
          borderColor: own,
          borderWidth: 2,
          radius: 5,
          clip: false,
        },
        {
          label: nameOf(engine.engine) + ", fit",
          data: [fit.fitted_from, fit.fitted_to].map((x) => ({ x, y: fitted(x) })),
          showLine: true,
          radius: 0,
          hitRadius: 0,
          borderColor: own,
          borderDash: [6, 4],
          borderWidth: 2,
        },
      ];
    });
    draw("density", "Memory lost to the host over the number of instances: " +
      known.map((e) => `${nameOf(e.engine)} ${bytes(e.density.bytes_per_instance)} each`).join(", "), {
      type: "scatter",
      data: { datasets },
      options: {
        scales: {
          x: axis({ title: "instances running", min: 0, ticks: { precision: 0, maxTicksLimit: fewTicks(12) } }),
          y: axis({ title: "memory lost", ticks: { callback: (v) => v + " MiB", maxTicksLimit: 8 } }),
        },
        plugins: {
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.raw.x} running, ${bytes(item.raw.y * MiB)}` } },
        },
      },
    });
  }

  function drawAll() {
    charts.forEach((chart) => chart.destroy());
    charts = [];
    for (const drawChart of [waterfalls, runs, memory, density]) drawChart();
  }

  head();
  tiles();
  legend("phase-legend", phases.filter(([mark]) => engines.some((e) => e.phases.some((p) => p.to === mark)))
    .map(([mark, name]) => ["phase-" + mark, name]));
  phaseTable();
  memoryTable();
  densityTable();
  numbersTables();
  closing();
  drawAll();
  for (const change of [window.matchMedia("(prefers-color-scheme: dark)"), narrow]) {
    change.addEventListener("change", drawAll);
  }
})();
