package manage

import (
	"cmp"
	"context"
	"net/mail"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine
	"unicode/utf8"

	"monitor/modules/uptime"
)

const (
	minPassword      = 12   // characters
	maxPasswordBytes = 1024 // hashing time grows with them
	maxEmail         = 254
	defaultInstance  = "Monitor"
	defaultLanguage  = "auto" // what the browser asks for
	defaultTheme     = "auto"
)

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// displayName is what others read of a user.
func displayName(u uptime.User) string {
	if u.Name != "" {
		return u.Name
	}
	return u.Email
}

// userView shows a user. Of somebody who has an account and was invited it shows no more
// than who invited them knew, until they join.
func userView(u uptime.User) UserView {
	if !pendingElsewhere(u) {
		return wholeUser(u)
	}
	v := wholeUser(uptime.User{ID: u.ID, Email: u.Email, Role: u.Role, Disabled: u.Disabled, InviteHash: u.InviteHash, CreatedAt: u.CreatedAt})
	v.ETag = "" // their version moves with what they do elsewhere
	return v
}

func pendingElsewhere(u uptime.User) bool { return u.InviteHash != "" && u.Elsewhere }

func wholeUser(u uptime.User) UserView {
	u.TimeZone = cmp.Or(u.TimeZone, "UTC")
	u.Language, u.Theme = cmp.Or(u.Language, defaultLanguage), cmp.Or(u.Theme, defaultTheme)
	return UserView{
		ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, Disabled: u.Disabled, Invited: u.Invited(),
		Password: u.PasswordHash != "", TOTP: u.TOTPSecret != "",
		TimeZone: u.TimeZone, Language: u.Language, Theme: u.Theme, LastSeenAt: timeOrNil(u.LastSeenAt),
		CreatedAt: u.CreatedAt.UTC(), ETag: etag(u.Version), Elsewhere: u.Elsewhere,
	}
}

// ownView is all of a user, as only they are shown it.
func ownView(u uptime.User) UserView {
	v := wholeUser(u)
	v.Preferences = &u.Preferences
	return v
}

// readOnlyUser are fields of a user that nobody writes.
func readOnlyUser(b *body) {
	b.readOnly("id", "invited", "has_password", "recovery_codes", "last_seen_at", "created_at", "preferences")
}

// readPerson reads what users may change of themselves.
func readPerson(b *body, u *uptime.User) {
	if b.required("email", maxEmail, &u.Email) {
		u.Email = strings.ToLower(u.Email)
		if !validEmail(u.Email) {
			b.fail("email", "must be an e-mail address")
		}
	}
	u.Name, u.TimeZone, u.Language, u.Theme = "", "UTC", defaultLanguage, defaultTheme
	b.text("name", uptime.MaxNameLength, &u.Name)
	readZone(b, &u.TimeZone)
	if b.text("language", 35, &u.Language) && u.Language != defaultLanguage && !languageTag.MatchString(u.Language) {
		b.fail("language", `must be auto or a language tag such as "en" or "pt-BR"`)
	}
	choice(b, "theme", []string{"auto", "light", "dark"}, &u.Theme)
}

func readZone(b *body, into *string) {
	if b.text("time_zone", 100, into) && !validZone(*into) {
		b.fail("time_zone", `must be an IANA time zone such as "Europe/Berlin"`)
	}
}

func validZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// validEmail takes a bare address with a domain, as a mail server would.
func validEmail(email string) bool {
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || strings.ContainsAny(email, " \"<>(),;:\\") {
		return false
	}
	local, domain, _ := strings.Cut(email, "@")
	return local != "" && len(local) <= 64 && domain != "" && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}

// checkPassword notes what is wrong with a new password.
func checkPassword(b *body, field, password, email string) {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		b.fail(field, "must have at least %d characters", minPassword)
	case len(password) > maxPasswordBytes:
		b.fail(field, "must have at most %d bytes", maxPasswordBytes)
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		b.fail(field, "must be text")
	case strings.EqualFold(strings.TrimSpace(password), email):
		b.fail(field, "must not be the e-mail address")
	}
}

// hash gives the hash of a new password that was checked.
func (m *Manage) hash(ctx context.Context, password string) (string, error) {
	return m.deps.Passwords.Hash(ctx, password)
}
