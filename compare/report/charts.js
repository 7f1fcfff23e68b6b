// The page's charts, and the order in which everything is drawn.

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
          ctx.fillText(text, bar.x + 8, bar.y);
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
    plugins: [barTexts],
  });
}
function densities() {
  const known = heaviestFirst.filter((engine) => engine.density);
  legend("density-legend", known.map((e) => [e.engine, `${nameOf(e.engine)}: ${bytes(e.density.bytes_per_instance)} each`]));
  density("density", known);
  // What lies flat on the ground beside a machine is drawn again, enlarged.
  const most = Math.max(...known.map((e) => e.density.bytes_per_instance), 0);
  const light = known.filter((e) => e.density.bytes_per_instance < most / 10);
  if (!light.length) return;
  byId("density-zoom-figure").hidden = false;
  byId("density-zoom-caption").textContent = `Enlarged: ${light.map((e) => nameOf(e.engine)).join(" and ")}.`;
  density("density-zoom", light);
}

function density(id, known) {
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
  draw(id, "Memory lost to the host over the number of instances: " +
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
  for (const drawChart of [waterfalls, runs, memory, densities]) drawChart();
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
