// Package lang says things in the language of who reads them.
//
// The English sentence is the key of the catalogue, as with gettext: code that says
// l.T("Down for %s", d) reads as what it says, and a sentence that a catalogue lacks is
// told in English. Sentences are whole: a translator moves the gaps of "%[2]s of %[1]s"
// as a language wants them, and nothing is put together from parts. Where one English
// word has two meanings, what stands before a "|" tells them apart and is not shown:
// "verb|Open".
//
// What another part of the program says before anybody knows who will read it — errors of
// use cases, why a check failed — it says in English by uptime.Say, and pages find the
// sentence again by Said.
//
// The catalogues are catalogue/<tag>.json, one object whose keys are the English
// sentences. A value is the translation, or, for a key that counts, an object of the
// plural forms that Unicode's CLDR names for the language: {"one": …, "other": …}. The
// key "language" holds the language's own name. To add a language, copy de.json.
package lang
