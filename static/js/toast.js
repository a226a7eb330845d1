// What was just done is told at the foot of the page and goes by itself, unless it is an
// error or somebody is at it. Without a script it stands at the page's top.

const SHOWN = 6_000;
const MOST = 3;

const place = document.createElement('div');
place.className = 'toasts';
document.body.append(place);

// They stand above the buttons that stick to the foot of the page, also where these are when
// the page is scrolled to its end.
const foot = document.querySelector('main .foot');
if (foot) {
  const below = document.documentElement.scrollHeight - scrollY - foot.parentElement.getBoundingClientRect().bottom;
  place.style.insetBlockEnd = `${foot.offsetHeight + below + 8}px`;
}

function toast(note) {
  const stays = note.dataset.state === 'down';
  note.setAttribute('role', stays ? 'alert' : 'status');
  const close = document.createElement('button');
  close.className = 'btn btn-quiet btn-small';
  close.type = 'button';
  close.textContent = t('Close');
  close.addEventListener('click', () => note.remove());
  note.append(close);
  place.append(note);
  while (place.children.length > MOST) place.firstElementChild.remove();
  if (stays) return;
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => note.remove(), SHOWN);
  };
  const hold = () => clearTimeout(timer);
  for (const name of ['pointerenter', 'focusin']) note.addEventListener(name, hold);
  for (const name of ['pointerleave', 'focusout']) note.addEventListener(name, wait);
  wait();
}

for (const note of document.querySelectorAll('main .note[data-flash]')) toast(note);
