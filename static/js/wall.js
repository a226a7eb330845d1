// A wallboard keeps itself true: by the stream of the browser where somebody is logged
// in, and by asking every 15 seconds in any case. Its clock says how old the data is.

const TICK = 15_000;
const STALE = 60_000;
const $ = (selector) => document.querySelector(selector);
let last = Date.now();
let skew = 0;
let looking = false;
let again = false;

// span is a duration in its two largest units, as the server writes it.
function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (a, u, b, v) => (b ? `${a}\u00a0${u}\u00a0${b}\u00a0${v}` : `${a}\u00a0${u}`);
  if (s < 60) return `${s}\u00a0s`;
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86_400) return two(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60) && String(Math.floor((s % 3600) / 60)).padStart(2, '0'), 'min');
  return two(Math.floor(s / 86_400), t('day|d'), Math.floor((s % 86_400) / 3600), 'h');
}

async function look() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  again = false;
  try {
    const answer = await fetch($('#tiles').dataset.wall, { headers: { 'HX-Request': 'true' } });
    if (answer.status === 401 || answer.status === 404) location.reload(); // it is nobody's any more
    if (answer.ok) {
      skew = Date.parse(answer.headers.get('Date')) - Date.now() || 0;
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('tiles');
      $('#tiles').replaceWith(next);
      last = Date.now();
      document.title = next.dataset.title;
      const icon = $('link[rel="icon"]');
      const href = icon.dataset[next.dataset.favicon.replace(/^favicon-|\.svg$/g, '')];
      if (icon.getAttribute('href') !== href) icon.href = href;
    }
  } catch { /* the clock tells */ }
  looking = false;
  tell();
  if (again) setTimeout(look, 1_000);
}

function tell() {
  const age = Date.now() - last;
  const off = age > STALE;
  $('#age').textContent = off ? t('Not live — data from %s', clock(last)) : t('%s old', span(age));
  $('#age').dataset.state = off ? 'down' : 'up';
  document.body.classList.toggle('stale', off);
  for (const at of document.querySelectorAll('.tile-at')) {
    const since = at.parentElement.querySelector('.tile-since');
    const text = t('for %s', span(Date.now() + (Math.abs(skew) > 2_000 ? skew : 0) - Number(at.value)));
    if (since.textContent !== text) since.textContent = text;
  }
}

document.addEventListener('change-heard', look);
document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
setInterval(look, TICK);
setInterval(tell, 1_000);
tell();
