// The command palette and the list of keys. Loaded when somebody asks for one of them.

const WAIT = 60; // ms between the last key and the question
const KEPT = 8;
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'ic');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

// What was used lately is kept as ids alone; the server says what they are.
const store = `palette-${document.body.dataset.workspace}`;
function recent() {
  try {
    return JSON.parse(localStorage.getItem(store)) ?? [];
  } catch {
    return [];
  }
}
function remember(key) {
  if (!/^(monitor|incident|channel|page):/.test(key)) return;
  try {
    localStorage.setItem(store, JSON.stringify([key, ...recent().filter((other) => other !== key)].slice(0, KEPT)));
  } catch { /* there is no room, or it is not allowed: then nothing is remembered */ }
}

function show(dialog) {
  document.querySelector('dialog.over[open]')?.close();
  dialog.className = 'over';
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  dialog.showModal(); // gives the focus back when it closes
}

export function open() {
  if (document.querySelector('#palette')) return;
  const input = make('input', {
    id: 'palette', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'palette-list', 'aria-autocomplete': 'list',
    'aria-label': t('Search monitors, incidents, pages and actions'), autocomplete: 'off', spellcheck: 'false', placeholder: t('Search, or type what to do'),
  });
  const list = make('ul', { id: 'palette-list', role: 'listbox', 'aria-label': t('Results') });
  const said = make('p', { class: 'visually-hidden', role: 'status' });
  const dialog = make('dialog', { 'aria-label': t('Search') }, make('div', { class: 'palette' }, input, list, said));
  let items = [];
  let at = 0;
  let asked = null; // words of the items
  let timer = 0;
  let asking = null;
  let chosen = false; // Enter came before the answer

  const mark = (to) => {
    at = items.length ? (to + items.length) % items.length : 0;
    [...list.children].forEach((option, i) => option.setAttribute('aria-selected', String(i === at)));
    if (items.length) input.setAttribute('aria-activedescendant', `hit-${at}`);
    else input.removeAttribute('aria-activedescendant');
    list.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  const draw = () => {
    list.replaceChildren(...items.map((hit, i) => {
      const option = make('li', { id: `hit-${i}`, role: 'option', 'aria-selected': 'false' }, icon(hit.icon), make('span', { class: 'hit' }, hit.title));
      if (hit.state) option.dataset.state = hit.state;
      const detail = [hit.word, hit.detail].filter(Boolean).join(' · ');
      if (detail) option.append(make('span', { class: 'muted small' }, detail));
      option.addEventListener('click', () => go(hit));
      return option;
    }));
    input.setAttribute('aria-expanded', String(items.length > 0));
    said.textContent = items.length ? n(items.length, '%s result', '%s results') : t('Nothing found');
    if (!items.length) list.replaceChildren(make('li', { class: 'muted', role: 'presentation' }, t('Nothing found')));
    mark(0);
  };
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const words = input.value.trim();
    const query = new URLSearchParams(words ? { q: words } : { recent: recent().join() });
    try {
      const answer = await fetch(`/search?${query}`, { signal: asking.signal });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      ({ items } = await answer.json());
    } catch (error) {
      if (error.name === 'AbortError') return;
      items = [];
      said.textContent = t('The search did not answer.');
      list.replaceChildren(make('li', { class: 'muted', role: 'presentation' }, said.textContent));
      return;
    }
    const lately = recent();
    const rank = (hit) => (lately.includes(hit.key) ? lately.indexOf(hit.key) : KEPT);
    items.sort((a, b) => rank(a) - rank(b)); // what was used lately comes first
    asked = words;
    draw();
    if (!chosen || asked !== input.value.trim()) return;
    chosen = false;
    if (items.length) go(items[at]);
  };
  const go = (hit) => {
    remember(hit.key);
    dialog.close();
    if (hit.do === 'help') help();
    else if (hit.post) post(hit);
    else location.href = hit.url;
  };

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) return;
    if (step) mark(at + step);
    else if (event.key !== 'Enter') return;
    else if (asked === input.value.trim() && items[at]) go(items[at]);
    else chosen = true;
    event.preventDefault();
  });
  show(dialog);
  input.focus();
  ask();
}

// post sends the form that the thing's own page has.
function post(hit) {
  const form = make('form', { method: 'post', action: hit.post });
  const fields = { workspace: document.body.dataset.workspace, back: location.pathname + location.search, ...hit.fields };
  for (const [name, value] of Object.entries(fields)) form.append(make('input', { type: 'hidden', name, value }));
  document.body.append(form);
  form.submit();
}

// help lists the keys of this page: those of elements that are seen, and those that
// scripts of the page name by data-keys-help ("j / k: next and previous row").
export function help() {
  const rows = [[t('Ctrl K or ⌘ K'), t('keys|search, or do something by its name')]];
  const named = (element) => {
    const copy = element.cloneNode(true);
    for (const hidden of copy.querySelectorAll('[aria-hidden="true"]')) hidden.remove();
    return (element.getAttribute('aria-label') ?? copy.textContent).trim().replace(/\s+/g, ' ');
  };
  for (const link of document.querySelectorAll('.side [data-go]')) rows.push([`g ${link.dataset.go}`, t('keys|go to %s', named(link.querySelector('.label')))]);
  for (const element of document.querySelectorAll('[data-key]')) if (element.checkVisibility()) rows.push([element.dataset.key, named(element)]);
  for (const element of document.querySelectorAll('[data-numbered]')) rows.push([`1 … ${element.querySelectorAll('a').length}`, element.dataset.numbered]);
  for (const element of document.querySelectorAll('[data-keys-help]')) {
    for (const line of element.dataset.keysHelp.split('\n')) rows.push(line.split(/: (.*)/).slice(0, 2));
  }
  if (document.querySelector('main form[data-dirty]')) rows.push([t('Ctrl Enter or ⌘ Enter'), t('keys|save')]);
  if (document.querySelector('main [data-test]')) rows.push([t('Ctrl Shift Enter'), t('keys|test now')]);
  rows.push(['?', t('keys|this list')], [t('Esc'), t('keys|close')]);
  const list = make('dl', { class: 'facts' });
  for (const [key, text] of rows) list.append(make('dt', {}, make('kbd', {}, key)), make('dd', {}, text));
  const close = make('button', { class: 'btn', type: 'button' }, t('Close'));
  const heading = make('h2', { id: 'keys-title' }, t('Keys of this page'));
  const parts = [heading, list];
  if (document.body.dataset.keys !== 'on') parts.push(make('p', { class: 'muted' }, t('Single keys are turned off in your profile.')));
  const dialog = make('dialog', { 'aria-labelledby': 'keys-title' }, make('div', { class: 'dialog' }, ...parts, make('div', { class: 'actions' }, close)));
  close.addEventListener('click', () => dialog.close());
  show(dialog);
}
