// Package channeltest is the suite that every channel type passes, and the
// peers that tests of messages are sent to: a mail server and a web server on
// loopback, real ones.
//
// Only _test.go files import it.
package channeltest
