// What scripts say, in the language of the page: t(key) a sentence, n(count, one, other)
// one that counts. The English sentence is the key; gaps are %s, and %[2]s where a
// translation puts the second one first. figure() writes a count, clock() a time of day.
// This runs before the modules, which find all of them here.
const { lang } = document.documentElement;
const words = JSON.parse(document.querySelector('meta[name=words]')?.content || '{}');
const plurals = new Intl.PluralRules(lang);
const figures = new Intl.NumberFormat(`${lang}-u-nu-latn`, { useGrouping: 'always' });
const bare = (key) => key.replace(/^[^|%]*\|/, '');
const fill = (text, gaps) => {
  let at = 0; // after one that says its place comes the next, as in Go
  return text.replace(/%(?:\[(\d)\])?s/g, (_, place) => gaps[(at = place ? Number(place) : at + 1) - 1]);
};

// Of a language the reader's own variety writes dates: 2:05 PM or 14:05.
window.locale = navigator.languages.find((own) => own.split('-')[0] === lang) ?? lang;
window.figure = (count) => figures.format(count);
window.clock = (time) => new Date(time).toLocaleTimeString(locale);
window.t = (key, ...gaps) => fill(words[key] ?? bare(key), gaps);
window.n = (count, one, other, ...gaps) => {
  const forms = words[other] ?? { one: bare(one), other: bare(other) };
  return fill(forms[plurals.select(count)] ?? forms.other ?? forms, [figure(count), ...gaps]);
};
