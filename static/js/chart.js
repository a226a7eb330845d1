// Draws the response times again with uPlot: a crosshair, exact values and a zoom that
// the address remembers. The server's own drawing stays where this fails.

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const { lang } = document.documentElement;
const [, point] = new Intl.NumberFormat(`${lang}-u-nu-latn`).format(1.5);
const decimal = (number) => String(number).replace('.', point);
const text = (ms) => (ms == null ? '—' : ms < 10 ? `${decimal(+ms.toFixed(2))} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${decimal((ms / 1000).toFixed(2))} s`);
// Ticks are exact, so that no two of them read the same.
const tick = (ms) => (ms === 0 ? '0' : ms < 1000 ? `${decimal(+ms.toFixed(3))} ms` : `${decimal(+(ms / 1000).toFixed(3))} s`);

// Times are told in the zone of the account and as the server writes them, as on the rest
// of the page.
let zone;
const days = lang === 'en' ? 'en-GB' : lang;

// Seconds between marks: no finer than the minutes that they tell.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200, 86400].map((minutes) => minutes * 60);

// The first mark of each day tells the date, the others the time.
function moments(ticks, step) {
  let before = '';
  return ticks.map((seconds, i) => {
    const at = new Date(seconds * 1000);
    const day = at.toLocaleDateString(days, { timeZone: zone, day: 'numeric', month: 'short' });
    const turned = day !== before && (i > 0 || step >= 21600);
    before = day;
    if (turned || step >= 86400) return day;
    return at.toLocaleTimeString(days, { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  });
}

let plot = null;
let drawnFrom = '';

// Outages lie behind the lines: soft ground, hatch and a rule on top.
function shade(u, outages) {
  const { ctx, bbox: { left, top, width, height } } = u;
  const dpr = devicePixelRatio;
  for (const [began, ended] of outages) {
    const from = Math.max(u.valToPos(began, 'x', true), left);
    const to = Math.min(Math.max(u.valToPos(ended, 'x', true), from + 2 * dpr), left + width);
    if (to <= from) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, top, to - from, height);
    ctx.clip();
    ctx.fillStyle = token('--down-soft');
    ctx.fillRect(from, top, to - from, height);
    ctx.strokeStyle = token('--down');
    ctx.globalAlpha = 0.35;
    ctx.lineWidth = dpr;
    ctx.beginPath();
    for (let x = from - height; x < to; x += 8 * dpr) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.fillStyle = token('--down');
    ctx.fillRect(from, top, to - from, 3 * dpr);
    ctx.restore();
  }
}

// Failed checks are crosses on the base line; lines are named where they end, apart
// from each other.
function mark(u, fails, place) {
  const { ctx, bbox: { left, top, width, height } } = u;
  const dpr = devicePixelRatio;
  const arm = 4 * dpr;
  ctx.save();
  ctx.strokeStyle = token('--down');
  ctx.lineWidth = 1.5 * dpr;
  ctx.beginPath();
  fails.forEach((n, i) => {
    if (!n) return;
    const x = u.valToPos(u.data[0][i], 'x', true);
    const y = top + height - arm - dpr;
    ctx.moveTo(x - arm, y - arm);
    ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x - arm, y + arm);
    ctx.lineTo(x + arm, y - arm);
  });
  ctx.stroke();
  const ends = [1, 2, 3].flatMap((index) => {
    const last = u.data[index].findLast((v) => v != null);
    return last == null ? [] : [{ name: u.series[index].label, y: u.valToPos(last, 'y', true) / dpr }];
  });
  const [high, low] = [top / dpr + 6, (top + height) / dpr - 6];
  ends.forEach((end, i) => { end.y = Math.max(end.y, i ? ends[i - 1].y + 14 : high); });
  for (let i = ends.length - 1; i >= 0; i -= 1) ends[i].y = Math.min(ends[i].y, i + 1 < ends.length ? ends[i + 1].y - 14 : low);
  ctx.fillStyle = token('--muted');
  ctx.font = `${12 * dpr}px ${token('--font') || 'sans-serif'}`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  for (const end of ends) ctx.fillText(end.name, left + width + 5 * dpr, end.y * dpr);
  place.dataset.ends = ends.map((end) => `${end.name} ${Math.round(end.y)}`).join(' ');
  ctx.restore();
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

// Powers of ten around all values, in milliseconds.
function decades(series) {
  const all = [...series.p50, ...series.p95, ...series.p99].filter((v) => v > 0);
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...all)) - 1e-9), low + 1);
  return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
}

function options(series, width, log, place) {
  const font = `12px ${token('--font') || 'sans-serif'}`;
  const axis = { stroke: token('--muted'), font, grid: { stroke: token('--border'), width: 1 }, ticks: { stroke: token('--border'), width: 1 } };
  const powers = log ? decades(series) : [];
  const y = log
    ? { distr: 3, range: () => [powers[0], powers.at(-1)] }
    : { range: (_, min, max) => [0, Math.max(max, 1) * 1.08] };
  const { t: times, step } = series;
  return {
    width,
    height: 280,
    padding: [8, 34, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false } },
    scales: { x: { range: () => [times[0], times.at(-1) + step] }, y },
    axes: [
      { ...axis, size: 34, incrs: STEPS, space: 64, values: (_, ticks, __, ___, by) => moments(ticks, by) },
      { ...axis, size: 58, values: (_, ticks) => ticks.map(tick), ...(log && { splits: () => powers, filter: (_, ticks) => ticks }) },
    ],
    series: [
      { label: t('chart|Time'), value: (_, v) => (v == null ? '—' : new Date((v - step / 2) * 1000).toLocaleString(locale, { timeZone: zone })) },
      // The later is drawn over the earlier.
      line('p99', '--p99', 1.5, [2, 3]),
      line('p95', '--p95', 1.5, [6, 3]),
      line('p50', '--p50', 2),
    ],
    hooks: {
      drawClear: [(u) => shade(u, series.out)],
      draw: [(u) => mark(u, series.fail, place)],
      setSelect: [zoom],
    },
  };
}

function draw(force) {
  const host = document.getElementById('chart');
  if (!host || !window.uPlot) return;
  const source = host.dataset.series + host.dataset.log;
  if (!force && plot && host.contains(plot.root) && source === drawnFrom) return;
  let series;
  try {
    series = JSON.parse(host.dataset.series);
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
  // A value stands in the middle of its piece of time.
  const middles = series.t.map((seconds) => seconds + series.step / 2);
  plot = new window.uPlot(options(series, host.clientWidth, host.dataset.log === 'true', place), [middles, series.p99, series.p95, series.p50], place);
  if (still) still.hidden = true;
  drawnFrom = source;
}

// Another part of the past, or of the page, comes in place and into the address.
const here = () => location.pathname + location.search;
const inPlace = () => window.htmx && document.getElementById('live'); // a page that follows the stream
let loaded = here();

async function load(url) {
  loaded = url.replace(/#.*/, '');
  if (!inPlace()) {
    location.assign(url);
    return;
  }
  await window.htmx.ajax('GET', loaded, { target: '#board', swap: 'outerMorph' });
}

function go(url, state = null) {
  if (inPlace()) history.pushState(state, '', url);
  load(url);
}

function zoom(u) {
  const { left, width } = u.select;
  if (width < 8) return;
  const at = (x) => `${new Date(Math.round(u.posToVal(x, 'x')) * 1000).toISOString().slice(0, 19)}Z`;
  const url = new URL(location.href);
  for (const gone of ['range', 'until', 'cursor', 'check']) url.searchParams.delete(gone);
  url.searchParams.set('from', at(left));
  url.searchParams.set('to', at(left + width));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  go(url.pathname + url.search, { before: history.state?.before ?? here() });
}

const reset = () => document.getElementById('chart-reset');
const back = () => go(history.state?.before ?? reset().getAttribute('href'));
document.addEventListener('click', (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest('#board a[data-part], #chart-reset');
  if (!link) return;
  event.preventDefault();
  if (link === reset()) back();
  else go(link.getAttribute('href'));
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !reset() || event.target.matches('input, select, textarea')) return;
  if (!document.querySelector('.tip, dialog[open], details.menu[open]')) back();
});
addEventListener('popstate', () => { if (here() !== loaded) load(here()); });

draw(true);
document.addEventListener('htmx:after:swap', () => draw(false));
document.addEventListener('themechange', () => draw(true));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw(true));
const main = document.getElementById('main');
if (main) {
  let width = main.clientWidth;
  new ResizeObserver(() => {
    const now = document.getElementById('chart')?.clientWidth;
    if (plot && now && main.clientWidth !== width) {
      width = main.clientWidth;
      plot.setSize({ width: now, height: 280 });
    }
  }).observe(main);
}
