// Lets a reader try each operation. The page is whole without this script.
'use strict';
(() => {
  const element = (name, properties = {}, ...children) => {
    const e = Object.assign(document.createElement(name), properties);
    e.append(...children);
    return e;
  };
  const access = document.getElementById('token-form');
  const token = document.getElementById('token');
  access.hidden = false;
  access.addEventListener('submit', (event) => event.preventDefault());

  const field = (form, label, input) => {
    input.id = 'f' + Math.random().toString(36).slice(2);
    form.append(element('label', {htmlFor: input.id, textContent: label}), input);
    return input;
  };

  const pretty = (text) => {
    try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
  };

  const show = async (response, out) => {
    const names = ['location', 'etag', 'retry-after', 'ratelimit-remaining', 'x-request-id', 'idempotency-replayed'];
    const lines = names.filter((n) => response.headers.has(n)).map((n) => n + ': ' + response.headers.get(n));
    const head = [response.status + ' ' + response.statusText, ...lines].join('\n') + '\n\n';
    out.textContent = head;
    if (!(response.headers.get('content-type') || '').startsWith('text/event-stream')) {
      out.textContent = head + pretty(await response.text());
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      out.textContent = (out.textContent + value).slice(-20000);
    }
  };

  const build = (details, operation, spec) => {
    const form = element('form');
    const inputs = (operation.parameters || []).map((p) => {
      const about = p.name + (p.required ? ' (required)' : '');
      return {p, input: field(form, about, element('input', {required: !!p.required, autocomplete: 'off', spellcheck: false}))};
    });
    let body = null;
    if (operation.requestBody) {
      const ref = operation.requestBody.content['application/json'].schema.$ref.split('/').pop();
      const example = (spec.components.schemas[ref].examples || [{}])[0];
      body = field(form, 'Body', element('textarea', {value: JSON.stringify(example, null, 2), spellcheck: false}));
    }
    const out = element('pre', {hidden: true, tabIndex: 0});
    out.setAttribute('role', 'status');
    const stop = element('button', {type: 'button', textContent: 'Stop', hidden: true});
    form.append(element('button', {textContent: 'Send'}), stop, out);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const headers = {};
      const query = new URLSearchParams();
      let path = details.dataset.path;
      for (const {p, input} of inputs) {
        if (input.value === '') continue;
        if (p.in === 'path') path = path.replace('{' + p.name + '}', encodeURIComponent(input.value));
        else if (p.in === 'query') query.append(p.name, input.value);
        else headers[p.name] = input.value;
      }
      if (token.value) headers.Authorization = 'Bearer ' + token.value.trim();
      const request = {method: details.dataset.method, headers, credentials: 'omit', cache: 'no-store'};
      if (body && body.value.trim()) {
        headers['Content-Type'] = 'application/json';
        request.body = body.value;
      }
      const abort = new AbortController();
      request.signal = abort.signal;
      stop.hidden = false;
      stop.onclick = () => abort.abort();
      out.hidden = false;
      out.textContent = '…';
      try {
        await show(await fetch(path + (query.size ? '?' + query : ''), request), out);
      } catch (error) {
        out.textContent += abort.signal.aborted ? '\nStopped.' : '\n' + error.message;
      }
      stop.hidden = true;
    });
    return form;
  };

  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === 'DETAILS') target.open = true;
  };
  addEventListener('hashchange', open);
  open();

  fetch('/api/openapi.json').then((r) => r.json()).then((spec) => {
    for (const details of document.querySelectorAll('details[data-path]')) {
      const operation = spec.paths[details.dataset.path][details.dataset.method.toLowerCase()];
      const button = element('button', {type: 'button', textContent: 'Try it'});
      button.addEventListener('click', () => button.replaceWith(build(details, operation, spec)));
      details.append(button);
    }
  }).catch(() => { access.hidden = true; });
})();
