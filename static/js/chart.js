// Draws the response times again with uPlot: a cursor, exact values and a zoom.
// The server's own drawing stays where this fails.

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const text = (ms) => (ms == null ? '—' : ms < 10 ? `${+ms.toFixed(2)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);
// Ticks are exact, so that no two of them read the same.
const tick = (ms) => (ms === 0 ? '0' : ms < 1000 ? `${+ms.toFixed(3)} ms` : `${+(ms / 1000).toFixed(3)} s`);

// Times are told in the zone of the account, as on the rest of the page.
let zone;

// Seconds between marks: no finer than the minutes that they tell.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200, 86400].map((minutes) => minutes * 60);

// The first mark of each day tells the date, the others the time.
function moments(ticks, step) {
  let before = '';
  return ticks.map((seconds, i) => {
    const at = new Date(seconds * 1000);
    const day = at.toLocaleDateString('en-GB', { timeZone: zone, day: 'numeric', month: 'short' });
    const turned = day !== before && (i > 0 || step >= 21600);
    before = day;
    if (turned || step >= 86400) return day;
    return at.toLocaleTimeString('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  });
}

let plot = null;
let drawnFrom = '';

function shade(series) {
  return (u) => {
    const { ctx } = u;
    const { top, height } = u.bbox;
    const step = series.t.length > 1 ? series.t[1] - series.t[0] : 60;
    ctx.save();
    for (let i = 0; i < series.t.length; i += 1) {
      if (!series.down[i]) continue;
      const from = u.valToPos(series.t[i], 'x', true);
      const to = u.valToPos(series.t[i] + step, 'x', true);
      ctx.fillStyle = token('--down-soft');
      ctx.fillRect(from, top, to - from, height);
      ctx.fillStyle = token('--down');
      ctx.fillRect(from, top, to - from, 3 * devicePixelRatio);
    }
    ctx.restore();
  };
}

// A value with a gap on both sides has no line: it is drawn as a point.
function alone(u, index) {
  const values = u.data[index];
  return values.flatMap((v, i) => (v != null && values[i - 1] == null && values[i + 1] == null ? [i] : []));
}

function line(label, name, width, dash) {
  const points = { show: false, filter: (u, index) => alone(u, index), size: 7, width: 1, fill: token(name), stroke: token(name) };
  return { label, stroke: token(name), width, dash, spanGaps: false, points, value: (_, v) => text(v) };
}

function options(series, width) {
  const font = `12px ${token('--font') || 'sans-serif'}`;
  const axis = { stroke: token('--muted'), font, grid: { stroke: token('--border'), width: 1 }, ticks: { stroke: token('--border'), width: 1 } };
  return {
    width,
    height: 280,
    padding: [8, 20, 0, 0],
    cursor: { y: false, drag: { x: true, y: false } },
    scales: { y: { range: (_, min, max) => [0, Math.max(max, 1) * 1.08] } },
    axes: [
      { ...axis, incrs: STEPS, space: 64, values: (_, ticks, __, ___, step) => moments(ticks, step) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(tick) },
    ],
    series: [
      { value: (_, v) => (v == null ? '—' : new Date(v * 1000).toLocaleString(undefined, { timeZone: zone })) },
      // The later is drawn over the earlier.
      line('p99', '--p99', 1.5, [2, 3]),
      line('p95', '--p95', 1.5, [6, 3]),
      line('p50', '--p50', 2),
    ],
    hooks: { drawClear: [shade(series)] },
  };
}

function draw(force) {
  const host = document.getElementById('chart');
  if (!host || !window.uPlot) return;
  const source = host.dataset.series;
  if (!force && plot && host.contains(plot.root) && source === drawnFrom) return;
  let series;
  try {
    series = JSON.parse(source);
  } catch {
    return;
  }
  zone = host.dataset.zone || undefined;
  plot?.destroy();
  for (const old of host.querySelectorAll('.chart-host')) old.remove();
  const place = document.createElement('div');
  place.className = 'chart-host';
  place.setAttribute('aria-hidden', 'true');
  const still = host.querySelector('.chart-y');
  host.append(place);
  plot = new window.uPlot(options(series, host.clientWidth), [series.t, series.p99, series.p95, series.p50], place);
  if (still) still.hidden = true;
  drawnFrom = source;
}

draw(true);
document.addEventListener('htmx:after:swap', () => draw(false));
document.addEventListener('themechange', () => draw(true));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw(true));
const host = document.getElementById('chart');
if (host) {
  let width = host.clientWidth;
  new ResizeObserver(() => {
    const now = document.getElementById('chart')?.clientWidth;
    if (plot && now && now !== width) {
      width = now;
      plot.setSize({ width, height: 280 });
    }
  }).observe(host);
}
