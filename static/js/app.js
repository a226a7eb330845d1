// What every page does better with a script. Without one all of it works, too.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// Menus close by a click elsewhere and by Escape, which gives the focus back.
document.addEventListener('click', (event) => {
  for (const menu of $$('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of $$('details.menu[open]')) {
    menu.open = false;
    $('summary', menu).focus();
  }
});

// The theme changes at once and is kept on the server.
const themeForm = $('#theme-form');
if (themeForm) {
  const root = document.documentElement;
  const button = $('button', themeForm);
  const system = matchMedia('(prefers-color-scheme: dark)');
  const offer = () => {
    const dark = root.dataset.theme === 'dark' || (root.dataset.theme === 'auto' && system.matches);
    button.value = dark ? 'light' : 'dark';
    button.setAttribute('aria-label', dark ? t('Switch to the light theme') : t('Switch to the dark theme'));
  };
  offer();
  system.addEventListener('change', offer);
  themeForm.addEventListener('submit', async (event) => {
    event.preventDefault();
    root.dataset.theme = button.value;
    const body = new URLSearchParams({ theme: button.value, back: '/' });
    offer();
    document.dispatchEvent(new Event('themechange'));
    await fetch(themeForm.action, { method: 'POST', body, redirect: 'manual' });
  });
}

// Keys. What a key does stands on an element: data-key presses it, data-go does so after
// g, and digits press the links of data-numbered. Single ones can be turned off, and are
// nothing where people type.
const search = $('[data-palette]');
const palette = (what) => import(search.dataset.palette).then((part) => part[what](search), () => { location.href = search.href; });
search?.addEventListener('click', (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  palette('open');
});

let going = 0; // until when a key after g counts
document.addEventListener('keydown', (event) => {
  const { key } = event;
  const target = event.target.closest ? event.target : document.body;
  const graph = event.getModifierState('AltGraph'); // on some keyboards [ needs it
  const command = !graph && (event.ctrlKey || event.metaKey);
  if (command && !event.altKey && !event.shiftKey && key.toLowerCase() === 'k' && search) {
    event.preventDefault();
    palette('open');
  } else if (command && key === 'Enter') {
    const form = target.form ?? target.closest('form') ?? $('main form[data-dirty]');
    const test = form && $('button[data-test]', form);
    if (!form || (event.shiftKey && !test)) return;
    event.preventDefault();
    if (event.shiftKey) test.click();
    else form.requestSubmit();
  }
  if (command || (event.altKey && !graph) || event.repeat || event.defaultPrevented || document.body.dataset.keys !== 'on') return;
  if (target.closest('input, select, textarea, [contenteditable]') || $('dialog[open]')) return;
  const does = press(key);
  if (!does) return;
  event.preventDefault();
  does();
});

function press(key) {
  const goes = going > Date.now();
  going = 0;
  if (key === 'g' && !goes) return () => { going = Date.now() + 1_500; };
  if (key === '?' && search) return () => palette('help');
  const all = goes ? $$(`[data-go="${CSS.escape(key)}"]`)
    : /^[1-9]$/.test(key) ? $$('[data-numbered] a').slice(key - 1, key)
      : $$(`[data-key="${CSS.escape(key)}"]`).filter((e) => e.checkVisibility());
  return (goes || all.length) && (() => all[0]?.click());
}

// Passwords can be looked at.
for (const button of $$('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.textContent = shown ? t('Hide') : t('Show');
    button.setAttribute('aria-pressed', String(shown));
  });
}

// The browser knows its time zone.
const zoneForm = $('[data-fill-zone]');
if (zoneForm) {
  const input = document.getElementById(zoneForm.dataset.fillZone);
  if (input && !input.value) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone || '';
}

// The summary of a refused form takes the focus.
$('#problem')?.focus();

// Deleting asks in a dialog that holds what the confirm page says.
document.addEventListener('click', async (event) => {
  const link = event.target.closest('a[data-confirm]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const answer = await fetch(link.href).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), 'text/html');
  const content = page && $('main .narrow', page);
  if (!content) {
    location.href = link.href;
    return;
  }
  ask(content, link);
});

function ask(content, link) {
  const dialog = document.createElement('dialog');
  const box = document.createElement('div');
  box.className = 'dialog';
  const title = $('h1', content);
  const heading = document.createElement('h2');
  heading.textContent = title.textContent;
  heading.id = 'ask-title';
  title.replaceWith(heading);
  box.append(...content.children);
  dialog.append(box);
  dialog.setAttribute('aria-labelledby', 'ask-title');
  document.body.append(dialog);
  dialog.addEventListener('close', () => {
    dialog.remove();
    const menu = link.closest('details.menu'); // it closed by the click on Cancel
    if (menu) menu.open = true;
    link.focus();
  });
  const cancel = $('a.btn', box);
  cancel?.addEventListener('click', (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.showModal();
  cancel?.focus();
}

// Leaving a form that holds unsaved input asks.
for (const form of $$('form[data-dirty]')) {
  let dirty = false;
  form.addEventListener('input', () => { dirty = true; });
  form.addEventListener('submit', () => { dirty = false; });
  window.addEventListener('beforeunload', (event) => { if (dirty) event.preventDefault(); });
}

// Fragments come from the pages' own addresses.
async function fragment(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { 'HX-Request': 'true' } });
  if (answer.status === 401) {
    location.reload();
    return null;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return page.body.firstElementChild;
}

// Test now answers in place.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-test]');
  if (!button) return;
  event.preventDefault();
  const form = button.form;
  const place = $('#test-result', form);
  button.setAttribute('aria-busy', 'true');
  try {
    const part = await fragment(button.formAction, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    if (!part) throw new Error('no answer');
    place.replaceChildren(...part.childNodes);
    place.scrollIntoView({ block: 'nearest' });
  } catch {
    place.textContent = t('The test did not answer. Is the program still running?');
  } finally {
    button.removeAttribute('aria-busy');
  }
});

// Another type brings its own fields and keeps the others.
const kinds = $('[data-kinds]');
if (kinds) {
  $('[data-kinds-button]').hidden = true;
  document.addEventListener('change', async (event) => {
    if (!event.target.matches('[data-kinds]')) return;
    const part = await fragment(`/monitors/new?type=${encodeURIComponent(event.target.value)}`).catch(() => null);
    if (!part) return;
    $('[data-kinds-button]', part).hidden = true;
    $('#kindfields').replaceWith(part);
    $('[data-kinds]', part).focus();
  });
}

// A one-time code that is typed or pasted whole is sent.
for (const input of $$('input[autocomplete="one-time-code"]')) {
  input.addEventListener('input', () => {
    const code = input.value.replaceAll(/[\s-]/g, '');
    if (/^\d{6}$/.test(code) && input.form.dataset.send === 'code') input.form.requestSubmit();
  });
  // Sent twice, the second would be told that the code was used.
  input.form.addEventListener('submit', (event) => {
    if (input.form.dataset.sent) event.preventDefault();
    input.form.dataset.sent = 'yes';
  });
}

// Recovery codes can be copied, kept as a file and printed.
const codes = $('#codes');
if (codes) {
  const text = $$('li', codes).map((li) => li.textContent).join('\n') + '\n';
  const actions = $('#codes-actions');
  actions.hidden = false;
  const copy = $('[data-do="copy"]', actions);
  copy.hidden = !navigator.clipboard; // there is none without TLS
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = t('Copied');
  });
  $('[data-do="print"]', actions).addEventListener('click', () => window.print());
  const file = $('[data-do="keep"]', actions);
  file.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
}

// Texts that are there to be handed on can be copied.
for (const button of $$('[data-copy]')) {
  button.hidden = !navigator.clipboard;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = t('Copied');
  });
}

// On a phone the tab that one is in may lie beside the edge.
// The page itself stays where it is: scrollIntoView would go down to tabs below the fold.
for (const tab of $$('.tabs [aria-current]')) {
  const [at, strip] = [tab, tab.closest('.tabs')].map((e) => e.getBoundingClientRect());
  tab.closest('.tabs').scrollBy({ left: at.left + at.width / 2 - strip.left - strip.width / 2 });
}

// A draft that form.js kept is over elsewhere.
try {
  if (!location.pathname.startsWith('/login') && !$('form[data-dirty]')) sessionStorage.removeItem('draft');
} catch { /* storage is off: there is none */ }
