// What scripts say, in the language of the page: t(key) a sentence, n(count, one, other)
// one that counts. The English sentence is the key, gaps are %s. It runs before the
// modules, which find both here.
const words = JSON.parse(document.querySelector('meta[name=words]')?.content || '{}');
const plurals = new Intl.PluralRules(document.documentElement.lang);
const fill = (text, gaps) => text.replace(/^[^|%]*\|/, '').replace(/%s/g, () => gaps.shift());

window.t = (key, ...gaps) => fill(words[key] ?? key, gaps);
window.n = (count, one, other, ...gaps) => {
  const forms = words[other] ?? { one, other };
  return fill(forms[plurals.select(count)] ?? forms.other ?? forms, [count, ...gaps]);
};
