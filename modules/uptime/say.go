package uptime

import "fmt"

// Sentence is a constant that is said to people, see Say.
type Sentence = string

// Say makes a sentence for people where nobody knows yet who will read it: why a check
// failed, why a message was not sent. It is stored and answered in English; pages find it
// again in the catalogue and say it in the language of who reads them. So it is to stand
// whole, with gaps for what differs: a gap of fmt's %s, %d and %q is a name, a number or a
// sentence of its own, and %v a word of the program ("editor") or an error.
func Say(format string, args ...any) string { return fmt.Sprintf(format, args...) }
