package uptime

import "context"

// Mail is one of the program itself to a person, such as the one that sets a new
// password; alerts go by channels.
type Mail struct {
	To      string // a bare address
	Subject string
	Text    string
}

// Postman sends mails in the background.
type Postman interface {
	// Post takes what writes the mail, which is called once and later: who asks for
	// a mail cannot tell by the time it takes whether there is anybody to write to.
	// An error of write sends nothing; ErrNotFound says that nothing is to be sent.
	// false: too many wait.
	Post(write func(ctx context.Context) (Mail, error)) bool
}
