// What was typed into a form outlives the end of a session: the post of a form is
// refused and leads to the log-in page, and from there back to an empty form. It is kept
// in this tab alone, without passwords.

const KEY = 'draft';
const REFUSED = 60_000; // a post that leads to the log-in page does so at once
const LONGEST = 30 * 60_000; // that somebody takes to log in
const here = location.pathname + location.search;

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function keep(draft) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // No room, or not allowed: then it is lost as without a script.
  }
}

// Only what a log-in stood between is given back: after any other answer the server has
// it, or has said what is wrong with it.
const draft = stored();
const age = Date.now() - (draft?.at ?? 0);
const form = document.querySelector('form[data-dirty]');
sessionStorage.removeItem(KEY);
if (location.pathname.startsWith('/login')) {
  if (draft && (draft.refused || age < REFUSED)) keep({ ...draft, refused: true });
} else if (form && draft?.refused && draft.page === here && age < LONGEST) {
  restore(draft.fields);
}

function restore(fields) {
  const values = new Map();
  for (const [name, value] of fields) values.set(name, [...(values.get(name) ?? []), value]);
  for (const input of form.elements) {
    const typed = values.get(input.name) ?? [];
    if (!input.name || ['hidden', 'password', 'submit', 'button'].includes(input.type)) continue;
    if (input.type === 'checkbox' || input.type === 'radio') input.checked = typed.includes(input.value);
    else if (typed.length) input.value = typed.shift();
  }
  for (const more of form.querySelectorAll('details.more')) more.open = true;
  const note = document.getElementById('condition').content.cloneNode(true);
  note.querySelector('p').textContent = t('Your session had ended. What you had typed is back, passwords excepted; save it now.');
  const box = note.firstElementChild;
  box.id = 'restored';
  box.tabIndex = -1;
  form.before(note);
  box.focus();
}

form?.addEventListener('submit', () => {
  const hidden = new Set([...form.elements].filter((input) => input.type === 'password' || input.type === 'hidden').map((input) => input.name));
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === 'string' && !hidden.has(name));
  keep({ page: here, at: Date.now(), fields });
});

// A mistake is told when somebody leaves the field, and is gone once it is mended: what
// is right is judged by the server alone, as it will be when the form is saved.
const judge = form?.dataset.validate;
let asked = 0;

form?.addEventListener('change', async (event) => {
  const input = event.target;
  if (!judge || !input.id || !input.name) return;
  const mine = asked += 1;
  const answer = await fetch(judge, { method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { 'HX-Request': 'true' } }).catch(() => null);
  const said = answer?.ok && await answer.json().catch(() => null);
  if (!said || mine !== asked) return;
  for (const marked of new Set([input, ...form.querySelectorAll('[aria-invalid]')])) tell(marked, said.errors[marked.id]);
});

function tell(input, message) {
  const id = `${input.id}-err`;
  const named = (input.getAttribute('aria-describedby') ?? '').split(' ').filter((name) => name && name !== id);
  document.getElementById(id)?.remove();
  if (message) {
    const text = document.getElementById('field-error').content.firstElementChild.cloneNode(true);
    text.id = id;
    text.append(message);
    input.closest('.field, .tick').append(text);
    input.setAttribute('aria-invalid', 'true');
    named.push(id);
  } else {
    input.removeAttribute('aria-invalid');
  }
  if (named.length) input.setAttribute('aria-describedby', named.join(' '));
  else input.removeAttribute('aria-describedby');
}
