// The list of monitors: boxes, row menus and keys.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const boxes = () => $$('#list [name="id"]');
const ticked = () => new Set(boxes().filter((box) => box.checked).map((box) => box.value));
let picked = ticked(); // ids
const bulk = $('#bulk');
let last = null; // box that was ticked

// A list that was read anew has the same boxes ticked.
function tell() {
  for (const box of boxes()) box.checked = picked.has(box.value);
  picked = ticked();
  for (const head of $$('[data-pick]')) {
    const own = $$('[name="id"]', head.closest('table'));
    const some = own.some((box) => box.checked);
    head.checked = some && own.every((box) => box.checked);
    head.indeterminate = some && !head.checked;
  }
  if (bulk) $('#picked').textContent = n(picked.size, '%s selected', '%s selected');
}

function tick(box, on = !box.checked) {
  picked[on ? 'add' : 'delete'](box.value);
  last = box.value;
}

// All from the last one.
function range(box) {
  const all = boxes();
  const [from, to] = [all.findIndex((one) => one.value === last), all.indexOf(box)].sort((x, y) => x - y);
  for (const one of all.slice(from < 0 ? to : from, to + 1)) picked.add(one.value);
}

document.addEventListener('change', ({ target }) => {
  if (target.matches('[data-pick]')) for (const box of $$('[name="id"]', target.closest('table'))) tick(box, target.checked);
  else if (target.form === bulk && target.name === 'id') tick(target, target.checked);
  else return;
  tell();
});
bulk?.addEventListener('reset', () => {
  picked.clear();
  setTimeout(tell);
});
for (const renewed of ['htmx:after:swap', 'refreshed']) document.addEventListener(renewed, tell);
tell();

// What a filter menu was set to holds once it closes.
const filters = $('[data-filters]');
let chosen = false;
filters?.addEventListener('change', ({ target }) => {
  chosen = true;
  if (target.matches('select')) filters.requestSubmit();
});
filters?.addEventListener('toggle', ({ target }) => { if (chosen && !target.open) filters.requestSubmit(); }, true);
filters?.addEventListener('submit', () => { for (const input of $$('input, select', filters)) if (!input.value) input.name = ''; });

// One menu serves all rows.
const sample = $('#row-menu');
function menuOf(row) {
  const menu = sample.content.firstElementChild.cloneNode(true);
  for (const part of $$('[action], [href^="/"]', menu)) {
    const name = part.hasAttribute('action') ? 'action' : 'href';
    part.setAttribute(name, part.getAttribute(name).replace('/0/', `/${row.id.slice(1)}/`));
  }
  $(`form[action$="/${row.dataset.state === 'paused' ? 'pause' : 'resume'}"]`, menu).remove();
  return menu;
}
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-menu]');
  if (!link || !sample || event.ctrlKey || event.metaKey || event.shiftKey || !HTMLElement.prototype.showPopover) return;
  event.preventDefault();
  const menu = menuOf(link.closest('tr'));
  document.body.append(menu);
  // The dialog of a deletion gives the focus back.
  menu.addEventListener('click', (e) => { if (e.target.closest('[data-confirm]')) setTimeout(() => menu.hidePopover()); });
  menu.addEventListener('toggle', ({ newState }) => {
    if (newState !== 'closed') return;
    if (menu.matches(':focus-within') || document.activeElement === document.body) link.focus();
    menu.remove();
  });
  menu.showPopover();
  const at = link.getBoundingClientRect();
  const left = document.dir === 'rtl' ? at.left : at.right - menu.offsetWidth;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - 8 - menu.offsetWidth))}px`;
  menu.style.top = `${at.bottom + menu.offsetHeight + 8 > innerHeight ? Math.max(8, at.top - menu.offsetHeight) : at.bottom}px`;
  $('button, a', menu).focus();
});

// Keys are about the row that has the focus.
function step(by) {
  const names = $$('#list td .name').filter((name) => name.checkVisibility());
  const at = names.findIndex((name) => name.closest('tr:focus-within'));
  names[Math.max(0, Math.min(names.length - 1, at < 0 ? 0 : at + by))]?.focus();
}
function send(row, verb) {
  const form = $(`form[action$="/${verb}"]`, menuOf(row));
  document.body.append(form);
  form.submit();
}
document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys !== 'on' || !$('#list')) return;
  if (target.isContentEditable || target.matches('input:not([type="checkbox"]), select, textarea') || $('dialog[open], .row-menu')) return;
  const row = target.closest('#list tr[id]');
  const box = row && $('[name="id"]', row);
  const commands = {
    '/': () => $('#q').focus(),
    j: () => step(1),
    k: () => step(-1),
    ...(box && {
      x: () => tick(box),
      X: () => range(box),
      e: () => { location.href = `/monitors/${row.id.slice(1)}/edit`; },
      p: () => send(row, row.dataset.state === 'paused' ? 'resume' : 'pause'),
      c: () => send(row, 'check'),
    }),
  };
  if (!Object.hasOwn(commands, key) || (event.repeat && !/[jk]/.test(key))) return;
  event.preventDefault();
  commands[key]();
  tell();
});
