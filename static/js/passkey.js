// Log-in by passkeys (WebAuthn). The forms of it stay hidden until this finds a browser
// that knows passkeys, at the address that they are made for.

const decode = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const credentials = (list) => (list ?? []).map((c) => ({ ...c, id: decode(c.id) }));

// Browsers read and write JSON themselves since 2023 to 2025.
function creation(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return {
    ...options, challenge: decode(options.challenge), user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: credentials(options.excludeCredentials),
  };
}

function request(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return { ...options, challenge: decode(options.challenge), allowCredentials: credentials(options.allowCredentials) };
}

function written(credential) {
  try {
    return credential.toJSON();
  } catch { /* there is none, or that of a password manager, which may fail */ }
  const response = { clientDataJSON: encode(credential.response.clientDataJSON) };
  for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (credential.response[name]) response[name] = encode(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return {
    id: credential.id, rawId: encode(credential.rawId), type: credential.type, response,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
  };
}

// Told is an error whose text is for people.
class Told extends Error {}

function explain(error) {
  if (error instanceof Told) return error.message;
  switch (error.name) {
    case 'NotAllowedError':
    case 'AbortError':
      return t('It was cancelled, or took too long. Try again.');
    case 'InvalidStateError':
      return t('This device has a passkey of yours already.');
    case 'ConstraintError':
    case 'NotSupportedError':
      return t('This device cannot keep a passkey that asks who is using it.');
    case 'SecurityError':
      return t('The browser allows no passkeys at this address.');
  }
  return t('The browser could not use a passkey (%s).', error.name);
}

// ask gets the options of a form's ceremony.
async function ask(form, signal) {
  const answer = await fetch(`${form.getAttribute('action')}/options`, {
    method: 'POST', headers: { 'HX-Request': 'true' }, body: new URLSearchParams(new FormData(form)), signal,
  }).catch(() => null);
  if (answer?.status === 401) location.reload(); // the session is over
  const said = await answer?.json().catch(() => null);
  if (!said?.options) throw new Told(said?.problem || t('The program did not answer. Try again in a moment.'));
  return said.options;
}

// One request of a browser at a time: a new one ends the one before.
let pending;

async function perform(form, mediation) {
  pending?.abort();
  pending = new AbortController();
  const { signal } = pending;
  const options = await ask(form, signal);
  if (signal.aborted) return;
  const credential = form.dataset.passkey === 'create'
    ? await navigator.credentials.create({ publicKey: creation(options), signal })
    : await navigator.credentials.get({ publicKey: request(options), mediation, signal });
  form.elements.answer.value = JSON.stringify(written(credential));
  form.elements.remember.value = document.getElementById('remember')?.checked ? 'on' : '';
  for (const input of form.querySelectorAll('input[type="password"]')) input.value = '';
  form.submit();
}

function start(form) {
  const problem = form.querySelector('[role="alert"]');
  const button = form.querySelector('button:not([type="button"])');
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    problem.hidden = true;
    try {
      await perform(form);
    } catch (error) {
      problem.textContent = explain(error);
      problem.hidden = false;
    }
    button.removeAttribute('aria-busy');
  });
}

// offer lets the browser name passkeys where it fills in the e-mail address. Challenges
// end after five minutes, and the newest page that asked has the one that counts.
async function offer(form) {
  const available = await PublicKeyCredential.isConditionalMediationAvailable?.();
  const button = form.querySelector('button');
  const again = () => {
    if (document.hidden || button.getAttribute('aria-busy')) return;
    perform(form, 'conditional').catch(() => {}); // nobody asked for it
  };
  if (!available) return;
  again();
  document.addEventListener('visibilitychange', again);
  setInterval(again, 240_000);
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!window.PublicKeyCredential || !navigator.credentials) break;
  document.querySelector('[data-passkey-without]')?.remove();
  if (location.origin !== form.dataset.origin) {
    document.querySelector('[data-passkey-elsewhere]').hidden = false;
    break;
  }
  start(form);
  // One that was refused is not offered again at once.
  if (form.dataset.passkey === 'login' && location.pathname !== form.getAttribute('action')) offer(form);
}
