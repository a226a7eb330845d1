// Keeps an open page true. One stream serves all pages of a browser: the one that
// holds the lock listens and passes on what it hears; another takes over when it
// closes. A message says only what changed; a page then reads the rows that it shows,
// and nothing moves under somebody's hands.

const TICK = 15_000; // what ages ("12 s ago") is read anew
const SILENT = 40_000; // the server says something every 25 s
const RECONNECT = 20_000;
const STALE = 60_000;
const MAX_FAILURES = 3;
const SPEAK = 5_000;
const MOST = 200; // rows in one question

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const { workspace, version } = document.body.dataset;
const indicator = $('#live');
const region = () => $('[hx-trigger="refresh"]');
const rowsIn = (root) => $$('tr[id^="m"]', root);

// The stream, and what is passed on of it.
const name = `live-${workspace}`;
const channel = navigator.locks && window.BroadcastChannel ? new BroadcastChannel(name) : null;
let leads = false;
let stream = null;
let failures = 0;
let open = false; // as far as is known here
let gap = false; // in what was said
let id = document.body.dataset.heard; // of the newest message: the page was read after it
let heard = Date.now();
let last = Date.now(); // of the newest data

function pass(kind, data, at) {
  channel?.postMessage({ kind, data, at });
  take(kind, data, at);
}

// A browser tries again where a connection breaks, but not after an answer such as 503.
// So a stream that has ended is begun anew once the server could be read.
function connect() {
  stream?.close();
  stream = new EventSource(`/events?last=${encodeURIComponent(id)}`);
  stream.onopen = () => pass('open');
  stream.onerror = () => {
    failures += 1;
    if (failures >= MAX_FAILURES) stream.close();
    pass('lost', failures);
  };
  for (const kind of ['change', 'resync', 'conditions', 'counts']) {
    stream.addEventListener(kind, (event) => pass(kind, JSON.parse(event.data), event.lastEventId));
  }
}

function lead() {
  leads = true;
  connect();
  return new Promise(() => {}); // the lock is held as long as the page is there
}

function take(kind, data, at) {
  heard = Date.now();
  // Another page said more than this one was read after, before this one listened.
  if (kind === 'open' && at && at !== id && region()) renewAll();
  if (at) id = at;
  if (kind === 'lost') {
    if (open) last = heard;
    failures = data ?? failures;
    open = false;
    gap = true;
  } else if (kind !== 'who') {
    failures = 0;
    open = true;
    if (gap && region()) renewAll(); // what was said meanwhile may have been missed
    gap = false;
  }
  if (kind === 'who' && leads) channel.postMessage({ kind: open ? 'open' : 'lost', data: failures, at: id });
  if (kind === 'conditions') showConditions(data.conditions);
  if (kind === 'counts') showCounts(data);
  if (kind === 'resync') renewAll();
  if (kind === 'change') hear(data);
  if (kind === 'change' || kind === 'resync') document.dispatchEvent(new CustomEvent('change-heard'));
  judge();
}

// What the page says of itself.
function judge() {
  if (!indicator) return;
  const age = open ? 0 : Date.now() - last;
  let [state, text] = ['live', t('Live')];
  if (age > RECONNECT) [state, text] = ['off', t('Not live — data from %s', clock(last))];
  else if (!open && failures >= MAX_FAILURES && age < TICK + 2_000) text = t('Every 15 s');
  else if (!open) [state, text] = ['wait', t('Reconnecting…')];
  indicator.hidden = false;
  if (indicator.textContent !== text) indicator.textContent = text;
  indicator.dataset.state = state;
  document.body.classList.toggle('stale', age > STALE);
  const banner = $('#notlive');
  if ((age > STALE) === banner.hasChildNodes()) return;
  banner.replaceChildren(...(age > STALE ? [note(t('These pages have not heard from the server since %s. What they show may not be true any more.', clock(last)))] : []));
}

function note(text) {
  const part = $('#condition').content.cloneNode(true);
  $('p', part).textContent = text;
  return part;
}

// What is wrong with the program itself stands on every page.
function showConditions(list) {
  const box = $('#conditions');
  if (!box) return;
  const words = list.map((condition) => condition.detail);
  if (words.join('\n') !== $$('p', box).map((p) => p.textContent).join('\n')) box.replaceChildren(...words.map(note));
}

// A title that has a count in it, in the language of the page: "(2 down) Monitors".
const counted = new RegExp(`^${t('title|(%s down) %s', 'COUNT', 'TITLE').replaceAll(/[^\p{L}\p{N}]/gu, '\\$&').replace('COUNT', '[\\d\\s.,’]+').replace('TITLE', '(.*)')}$`);

function showCounts(now) {
  if (String(now.workspace) !== workspace) return; // the browser went to another one
  if (!$('#tiles')) { // a wallboard has its own
    const title = counted.exec(document.title)?.[1] ?? document.title;
    document.title = now.down ? t('title|(%s down) %s', figure(now.down), title) : title;
    const icon = $('link[rel="icon"]');
    if (icon.getAttribute('href') !== icon.dataset[now.icon]) icon.href = icon.dataset[now.icon];
  }
  for (const badge of $$('[data-count]')) {
    const count = now[badge.dataset.count];
    badge.firstChild.nodeValue = figure(count);
    badge.hidden = count === 0;
  }
  if (now.version !== version) chip('version', t('New version — Reload'), () => location.reload());
}

// chip offers one thing to do; asked for again it says the newest.
function chip(key, text, act) {
  const box = $('#chips');
  if (!box) return;
  let button = $(`[data-chip="${key}"]`, box);
  if (!button) {
    button = document.createElement('button');
    button.className = 'chip';
    button.dataset.chip = key;
    box.append(button);
  }
  if (button.textContent !== text) button.textContent = text;
  button.onclick = () => {
    button.remove();
    act();
  };
}

// What changed is read of the server: rows that are seen, or all of the page's part.
const dirty = new Set();
let whole = false;
let working = false;
let ticks = 0;

function renewAll() {
  whole = true;
  work();
}

function hear(change) {
  if (change.counts) showCounts(change.counts);
  const here = region();
  const shown = here ? new Set(rowsIn(here).map((row) => row.id)) : new Set();
  const asked = here && new URL(here.getAttribute('hx-get'), location).searchParams;
  const sorted = asked && ((asked.get('sort') ?? 'status') === 'status' || asked.has('status'));
  for (const monitor of change.monitors ?? []) {
    if (shown.has(`m${monitor.id}`)) dirty.add(monitor.id);
    if (sorted || !shown.size) whole = true;
  }
  if (change.many || change.config || (change.incidents && !shown.size)) whole = true;
  announce(change.monitors ?? []);
  work();
}

async function work() {
  const here = region();
  if (!here || document.hidden || working) return;
  working = true;
  const all = whole;
  whole = false;
  let wait = 0;
  try {
    if (all && rowsIn(here).length) await renewList(here);
    else if (all && !renewPart(here)) [whole, wait] = [true, 1_000];
    else if (!all) await renewRows(seen(here).filter((row) => dirty.has(Number(row.id.slice(1)))));
    if (whole) setTimeout(work, wait);
  } catch {
    whole ||= all; // the next tick tries again
  }
  working = false;
}

const seen = (here) => rowsIn(here).filter((row) => {
  const box = row.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
});

async function read(url) {
  const answer = await fetch(url, { headers: { 'HX-Request': 'true' } });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(`${answer.status} of ${url}`);
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

// A part without rows is swapped whole, unless it is in use.
function renewPart(here) {
  const form = document.activeElement.closest('form');
  if (busy() || (here.contains(form) && $('input:not([type=hidden]), select, textarea', form))) return false;
  window.htmx?.trigger(here, 'refresh');
  return true;
}

// An answer that failed is no news: the old content stays, and gets older.
let good = true;
document.addEventListener('htmx:before:response', (event) => { good = event.detail.ctx.response.status < 400; });
document.addEventListener('htmx:after:swap', () => { if (good) isFresh(); });

function isFresh() {
  last = Date.now();
  if (leads && stream.readyState === EventSource.CLOSED) connect();
  const here = region();
  if (here?.dataset.title) document.title = here.dataset.title;
  if (here?.dataset.total) $('#total').textContent = here.dataset.total;
  judge();
}

async function renewRows(rows) {
  const list = rows.slice(0, MOST);
  if (!list.length) return;
  const ids = list.map((row) => row.id.slice(1));
  const url = new URL(region().getAttribute('hx-get'), location);
  url.pathname = '/monitors/rows';
  url.searchParams.set('ids', ids.join());
  const page = await read(url);
  for (const row of rowsIn(page)) {
    dirty.delete(Number(row.id.slice(1)));
    const old = document.getElementById(row.id);
    if (old) sync(old, row);
  }
  isFresh();
}

// The list is read anew. Rows that would change places stay as long as
// one is in use.
async function renewList(here, force) {
  const next = (await read(here.getAttribute('hx-get'))).getElementById(here.id);
  dirty.clear();
  const [was, now] = [here, next].map((root) => rowsIn(root).map((row) => row.id));
  if (was.join() === now.join()) {
    sync(here, next);
  } else if (force || !held(here)) {
    const ticked = $$('input:checked', here).map((box) => `[name="${box.name}"][value="${box.value}"]`);
    for (const part of $$('details[id]', next)) part.open = document.getElementById(part.id)?.open ?? part.open;
    here.replaceWith(next);
    window.htmx?.process(next);
    for (const box of ticked) if ($(box, next)) $(box, next).checked = true;
    $('[data-chip="order"]')?.remove();
    document.dispatchEvent(new CustomEvent('refreshed'));
  } else {
    Object.assign(here.dataset, next.dataset); // its title and count
    for (const row of rowsIn(next)) if (document.getElementById(row.id)) sync(document.getElementById(row.id), row);
    const moved = now.length - inOrder(now.map((row) => was.indexOf(row)).filter((at) => at >= 0)) + was.filter((row) => !now.includes(row)).length;
    chip('order', n(moved, '%s monitor changed order — Re-sort', '%s monitors changed order — Re-sort'), async () => {
      await renewList(region(), true);
      ($('a', region()) ?? $('#main')).focus();
    });
  }
  isFresh();
}

const busy = () => $('dialog[open], .row-menu, details.menu[open]');
const held = (here) => busy() || here.matches(':hover') || here.contains(document.activeElement) || $('input:checked', here) ||
  (!getSelection().isCollapsed && here.contains(getSelection().anchorNode));

// inOrder is how many of the places rise already: those need not move.
function inOrder(places) {
  const ends = [];
  for (const at of places) {
    const i = ends.findIndex((end) => end > at);
    ends[i < 0 ? ends.length : i] = at;
  }
  return ends.length;
}

// sync makes an element look like another; what people hold stays as it is.
function sync(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh.cloneNode(true));
    return;
  }
  if (old.matches('details.menu[open], input, select, textarea')) return;
  for (const { name: key, value } of fresh.attributes) {
    if (key === 'open' && old.nodeName === 'DETAILS') continue;
    if (old.getAttribute(key) !== value && !(key === 'class' && old.nodeName === 'TR')) old.setAttribute(key, value);
  }
  const [were, are] = [[...old.childNodes], [...fresh.childNodes]];
  if (were.length === are.length) were.forEach((node, i) => sync(node, are[i]));
  else if (!old.contains(document.activeElement) && !$('details.menu[open], input:checked', old)) old.replaceChildren(...are);
}

// What is said to those who do not look: changes of state alone, at most once in five
// seconds, many as one.
const went = { down: new Set(), up: new Set() };
let speaks = 0;
let spoke = 0;

function announce(monitors) {
  for (const { id: monitor, state, was } of monitors) {
    const [to, from] = state === 'down' ? [went.down, went.up] : [went.up, went.down];
    if (state !== 'down' && !(state === 'up' && was === 'down')) continue;
    if (!from.delete(monitor)) to.add(monitor);
  }
  if (!speaks && (went.down.size || went.up.size)) speaks = setTimeout(speak, Math.max(1_200, spoke + SPEAK - Date.now()));
}

async function speak() {
  speaks = 0;
  spoke = Date.now();
  const said = [];
  for (const [set, one, many] of [
    [went.down, (which) => t('%s went down', which), (all) => n(all.size, '%s monitor went down', '%s monitors went down')],
    [went.up, (which) => t('%s is up again', which), (all) => n(all.size, '%s monitor is up again', '%s monitors are up again')],
  ]) {
    const which = set.size === 1 && await called([...set][0]);
    if (set.size) said.push(which ? one(which) : many(set));
    set.clear();
  }
  if (said.length && !document.hidden) $('#said').textContent = said.join('. ');
}

async function called(monitor) {
  const shown = $(`#m${monitor} .name, a.name[href="/monitors/${monitor}"]`);
  if (shown) return shown.textContent;
  const page = await read(`/monitors/rows?ids=${monitor}`).catch(() => null);
  return page && $('.name', page)?.textContent;
}

async function tick() {
  if (leads && open && Date.now() - heard > SILENT) {
    pass('lost');
    connect();
  } else if (open && Date.now() - heard > 2 * SILENT) {
    take('lost'); // whoever leads says nothing
  }
  if (document.hidden) return;
  document.dispatchEvent(new CustomEvent('tick'));
  const here = region();
  ticks += 1;
  if (!open) {
    const answer = await fetch('/conditions').catch(() => null);
    if (answer?.redirected) location.reload();
    const said = answer?.ok && !answer.redirected && await answer.json().catch(() => null);
    if (said) {
      showConditions(said.conditions);
      if (said.counts) showCounts(said.counts);
      if (!here) isFresh();
    }
  }
  if (here && open && ticks % 4 && rowsIn(here).length) await renewRows(seen(here)).catch(() => {});
  else if (here) renewAll();
}

if (channel) {
  channel.onmessage = ({ data }) => take(data.kind, data.data, data.at);
  navigator.locks.request(name, lead);
  channel.postMessage({ kind: 'who' });
} else {
  lead();
}
judge();
setInterval(tick, TICK);
setInterval(judge, 1_000);
addEventListener('pagehide', () => stream?.close(), { once: true });
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
addEventListener('scrollend', () => { if (dirty.size) work(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) tick(); });
