// Tells of each day of the 90-day bar: under the pointer, on a tap, by arrow keys.

let at = 1e3; // the day; beyond the last: today
let open = false;
let pinned = false;
let leaving;

const root = () => document.getElementById('skyline');
const inside = (node, what) => node.closest?.(`#skyline ${what}`);
const add = (parent, name, text = '', of = '') => {
  const part = document.createElement(name);
  part.textContent = text;
  part.className = of;
  parent.append(part);
  return part;
};

// All days, or on narrow pages the newest.
function read(bar) {
  const all = JSON.parse(root().dataset.days);
  const last = all.days.length - 1;
  const least = bar.matches('.bar-short') ? Math.max(last - 29, 0) : 0;
  return { all, last, least, i: Math.min(Math.max(at, least), last) };
}

function draw() {
  for (const old of root()?.querySelectorAll('.tip, .bar-mark') ?? []) old.remove();
  for (const bar of root()?.querySelectorAll('.bar-90') ?? []) {
    const { all, last, least, i } = read(bar);
    const [day, words] = all.days[i];
    bar.firstElementChild.ariaHidden = 'true';
    Object.assign(bar, { role: 'slider', tabIndex: 0, ariaReadOnly: 'true', ariaLabel: all.name, ariaValueMin: least, ariaValueMax: last, ariaValueNow: i, ariaValueText: `${day}: ${words}` });
    if (!open || !bar.offsetParent) continue;
    const mark = add(root(), 'i', '', 'bar-mark');
    const tip = add(root(), pinned ? 'dialog' : 'div', '', 'tip'); // live.js waits for dialogs
    tip.open = true;
    add(tip, 'strong', day);
    add(tip, 'p', words);
    for (const inc of all.inc) if (inc.d === i) add(tip, 'a', inc.t).href = `/incidents/${inc.u}`;
    bar.after(mark, tip);
    const slot = bar.clientWidth / (last - least + 1);
    const left = (i - least) * slot;
    mark.style.left = `${left - 2}px`;
    mark.style.width = `${slot + 2}px`;
    tip.style.left = `${Math.max(Math.min(left + (slot - tip.offsetWidth) / 2, bar.clientWidth - tip.offsetWidth), 0)}px`;
  }
}

function show(day, pin = pinned) {
  if (day === at && open && pin === pinned) return;
  [at, open, pinned] = [day, true, pin];
  draw();
}

function hide() {
  if (!open) return;
  open = pinned = false;
  draw();
}

function point(event, bar, pin) {
  const { last, least } = read(bar);
  const box = bar.getBoundingClientRect();
  show(least + Math.floor(((event.clientX - box.left) / box.width) * (last - least + 1)), pin);
}

const on = (name, does) => document.addEventListener(name, does);
on('pointermove', (event) => {
  if (pinned) return;
  clearTimeout(leaving);
  const bar = inside(event.target, '.bar-90');
  if (bar) point(event, bar);
  // Time to go to what it says.
  else if (open && !inside(event.target, '.tip') && !inside(document.activeElement, '*')) leaving = setTimeout(hide, 200);
});
on('click', (event) => {
  const bar = inside(event.target, '.bar-90');
  if (bar) point(event, bar, true);
  else if (!inside(event.target, '.tip')) hide();
});
on('focusin', ({ target }) => {
  const bar = inside(target, '.bar-90');
  if (bar) show(read(bar).i, true);
  else if (!inside(target, '.tip')) hide();
});
on('keydown', (event) => {
  const bar = inside(event.target, '.bar-90');
  if (event.key === 'Escape') {
    inside(event.target, '.tip')?.previousElementSibling.previousElementSibling.focus();
    hide();
  }
  if (!bar) return;
  const { i, last, least } = read(bar);
  const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: least, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  show(Math.min(Math.max(to, least), last));
});
on('htmx:after:swap', draw);
draw();
