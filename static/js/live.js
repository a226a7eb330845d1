// Keeps an open page fresh. The stream says only that something changed; the
// page then asks for its own part again, at most once a second, and in any case
// every 15 seconds while it is looked at.

const REFRESH = 15_000;
const QUIET = 1_000;
const STALE = 60_000;
const MAX_FAILURES = 3;

const region = () => document.querySelector('[hx-trigger="refresh"]');
const indicator = document.getElementById('live');
const icon = document.querySelector('link[rel="icon"]');

let last = Date.now(); // of the newest data
let failures = 0;
let soon = 0;
let stream = null;
let gap = false; // in what the stream said

function say(state, text) {
  if (!indicator) return;
  indicator.hidden = false;
  if (indicator.dataset.state === state && indicator.textContent === text) return;
  indicator.dataset.state = state;
  indicator.textContent = text;
}

function judge() {
  const age = Date.now() - last;
  document.body.classList.toggle('stale', age > STALE);
  if (age > STALE) {
    say('off', `Not live — data from ${new Date(last).toLocaleTimeString()}`);
  } else if (age > REFRESH + 5_000) {
    say('wait', 'Reconnecting…');
  } else {
    say('live', 'Live');
  }
}

function busy() {
  // Nothing is swapped under somebody's hands.
  const here = region();
  const at = document.activeElement;
  return document.querySelector('details.menu[open], dialog[open]') || (here?.contains(at) && at.matches('input, select, textarea'));
}

function refresh() {
  if (document.hidden || busy()) return;
  const here = region();
  if (here && window.htmx) window.htmx.trigger(here, 'refresh');
}

function hear() {
  if (soon) return;
  soon = setTimeout(() => {
    soon = 0;
    refresh();
  }, QUIET);
}

// An answer that failed is no news: the old content stays, and gets older.
let good = true;
document.addEventListener('htmx:before:response', (event) => { good = event.detail.ctx.response.status < 400; });

// What stands outside the region follows what the server said of it.
document.addEventListener('htmx:after:swap', () => {
  const here = region();
  if (!here || !good) return;
  last = Date.now();
  judge();
  if (stream.readyState === EventSource.CLOSED) listen();
  if (here.dataset.title) document.title = here.dataset.title;
  const key = (here.dataset.favicon || '').replace(/^favicon-|\.svg$/g, '');
  if (icon && icon.dataset[key] && icon.getAttribute('href') !== icon.dataset[key]) icon.href = icon.dataset[key];
  for (const count of document.querySelectorAll('[data-count="down"]')) {
    count.firstChild.nodeValue = here.dataset.down;
    count.hidden = here.dataset.down === '0';
  }
});

// A browser tries again by itself where a connection breaks, but not after an
// answer such as 503, of which one is enough while a process starts or a database
// is away. So a stream that has ended is begun anew once the page could be read.
function listen() {
  stream = new EventSource('/events');
  stream.onopen = () => {
    failures = 0;
    document.body.dataset.stream = 'open';
    if (gap) hear(); // what was said meanwhile, perhaps by another process, was missed
    gap = false;
  };
  stream.onerror = () => {
    failures += 1;
    gap = true;
    delete document.body.dataset.stream;
    // One that keeps failing is left until then; asking every 15 seconds goes on.
    if (failures >= MAX_FAILURES) stream.close();
  };
  for (const name of ['status', 'incident', 'resync']) stream.addEventListener(name, hear);
  stream.addEventListener('conditions', (event) => {
    document.dispatchEvent(new CustomEvent('conditions', { detail: JSON.parse(event.data).conditions }));
  });
}

window.addEventListener('pagehide', () => stream.close(), { once: true });
listen();
judge();
setInterval(refresh, REFRESH);
setInterval(judge, 5_000);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
