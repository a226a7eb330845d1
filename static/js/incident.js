// What an incident's page does better with a script: keys, and texts to start from.

const composer = document.querySelector('[data-composer]');
const message = composer?.querySelector('textarea');

const typing = (at) => at instanceof Element && at.closest('input, select, textarea, [contenteditable], dialog');

// Single letters are for who wants them, and never while somebody types.
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.body.dataset.keys === 'off' || typing(event.target) || document.querySelector('dialog[open]')) return;
  if (event.key === 'a') {
    const button = document.querySelector('[data-key="a"]');
    if (!button) return;
    event.preventDefault();
    button.form.requestSubmit(button);
  } else if (event.key === 'u' && message) {
    event.preventDefault();
    message.focus();
    message.scrollIntoView({ block: 'center' });
  }
});

// A chosen text takes the place of the one that was chosen before, never of what was typed.
const texts = composer?.querySelector('[data-texts]');
if (texts) {
  const select = texts.querySelector('select');
  const plain = composer.querySelector('[data-texts-plain]');
  const offers = [...plain.querySelectorAll('dd')];
  texts.hidden = false;
  plain.hidden = true;
  select.addEventListener('change', () => {
    const offer = offers[select.value];
    const typed = message.value.trim();
    if (typed && !offers.some((o) => o.textContent === typed)) {
      message.value = offer ? `${typed}\n\n${offer.textContent}` : message.value;
    } else {
      message.value = offer ? offer.textContent : '';
    }
    const stage = composer.querySelector('[name="stage"]');
    if (stage && offer) stage.value = offer.dataset.stage;
    message.focus();
  });
}
