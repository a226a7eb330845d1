package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// GatePage is a form for people who are not logged in: set-up and log-in.
type GatePage struct {
	Frame
	Heading, Lead string
	Action        string
	Fields        []FieldView
	Submit        string
	Next          string
	Remember      bool // offers to stay logged in
	Remembered    bool
	Problem       string
	Summary       []ErrorLink
	FillZone      bool
	Elsewhere     *Link  // to a provider, where one logs in
	Aside         *Link  // to another way in
	Recovery      bool   // a recovery code is asked for
	Send          string // "code": a whole code is sent at once
	Passkey       *PasskeyOffer
}

// ErrorLink leads from the summary of a form to a field.
type ErrorLink struct{ Target, Text string }

// lengthAdvice is told to people; package manage enforces it.
func lengthAdvice() string {
	return lang.Key("At least 12 characters. A few words that only you would put together are best.")
}

func (w *Web) setupForm(c echo.Context) error {
	if err := w.setupOpen(c); err != nil {
		return err
	}
	return w.show(c, http.StatusOK, "gate", "layout", w.setupPage(c, manage.SetupInput{InstanceName: "Monitor"}, nil))
}

// setupOpen is ErrNotFound once there is a user.
func (w *Web) setupOpen(c echo.Context) error {
	needs, err := w.deps.Manage.NeedsSetup(c.Request().Context())
	if err != nil {
		return err
	}
	if !needs {
		return uptime.ErrNotFound
	}
	return nil
}

func (w *Web) setup(c echo.Context) error {
	if err := w.setupOpen(c); err != nil {
		return err
	}
	in := manage.SetupInput{
		Email: c.FormValue("email"), Password: c.FormValue("password"), Name: c.FormValue("name"),
		InstanceName: c.FormValue("instance_name"), TimeZone: c.FormValue("time_zone"),
		SetupToken: strings.TrimSpace(c.FormValue("setup_token")), Trusted: uptime.RequestOf(c.Request().Context()).Local, Client: client(c),
	}
	session, err := w.deps.Manage.SetupSession(c.Request().Context(), in)
	if _, bad := fieldErrors(nil, err); bad {
		return w.show(c, http.StatusUnprocessableEntity, "gate", "layout", w.setupPage(c, in, err))
	}
	if err != nil {
		return err
	}
	w.noteWrite(c, session.User.ID)
	w.setSession(c, session)
	return c.Redirect(http.StatusSeeOther, "/monitors/new?first=1")
}

func (w *Web) setupPage(c echo.Context, in manage.SetupInput, failure error) GatePage {
	l := languageOf(c)
	p := GatePage{
		Frame: w.outside(c, l.T("Set up")), Heading: l.T("Set up your monitor"), Action: "/setup", Submit: l.T("Create account and continue"),
		Lead: l.T("One account to begin with: yours. It takes a minute, and the first check comes right after."), FillZone: in.TimeZone == "",
	}
	if !uptime.RequestOf(c.Request().Context()).Local {
		p.Fields = append(p.Fields, setupCodeField(in.SetupToken))
	}
	p.Fields = append(p.Fields, setupFields(in)...)
	blame(l, p.Fields, failure)
	p.Problem, p.Summary = problems(l, failure, p.Fields)
	return p
}

// setupCodeField asks who is elsewhere to show that they can read the program's log.
func setupCodeField(code string) FieldView {
	return FieldView{
		Name: "setup_token", Label: "Set-up code", Widget: "input", Type: "text", Autocomplete: "off", Required: true, Code: true,
		Help: "Printed in the program's log when it started, because you are not on the same machine.", Value: code,
	}
}

// setupFields ask for the first account and how the instance is called.
func setupFields(in manage.SetupInput) []FieldView {
	return []FieldView{
		{Name: "name", Label: "Your name", Widget: "input", Type: "text", Autocomplete: "name", Value: in.Name, MaxLength: 200, Required: true},
		{Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "username", Value: in.Email, Required: true},
		{Name: "password", Label: "Password", Widget: "input", Type: "password", Autocomplete: "new-password", Secret: true, Help: lengthAdvice(), Required: true},
		{
			Name: "instance_name", Label: "Name of this instance", Widget: "input", Type: "text", Value: in.InstanceName, MaxLength: 200,
			Help: "Shown in the title of every page, so that two instances are told apart.",
		},
		{
			Name: "time_zone", Label: "Time zone", Widget: "input", Type: "text", Value: in.TimeZone, Placeholder: "Europe/Berlin", Autocomplete: "off",
			Help: "As in Europe/Berlin. Empty is UTC.",
		},
	}
}

// problems gives the summary of a refused form: its sentence and a link to each
// field that is wrong.
func problems(l *lang.Language, failure error, groups ...[]FieldView) (string, []ErrorLink) {
	if failure == nil {
		return "", nil
	}
	var links []ErrorLink
	var walk func(fields []FieldView)
	walk = func(fields []FieldView) {
		for _, f := range fields {
			if f.Error != "" {
				links = append(links, ErrorLink{"#" + f.ID(), l.T(f.Label) + ": " + f.Error})
			}
			walk(f.Fields)
		}
	}
	for _, fields := range groups {
		walk(fields)
	}
	var e *uptime.Error
	if !errors.As(failure, &e) {
		return l.Said(failure.Error()), links
	}
	if len(links) == 0 {
		for _, f := range e.Fields {
			links = append(links, ErrorLink{"#main", f.Field + " " + l.Said(f.Message)})
		}
	}
	return l.Said(e.Detail), links
}

func client(c echo.Context) manage.Client {
	return manage.Client{Address: c.RealIP(), UserAgent: uptime.CleanLine(c.Request().UserAgent(), 200)}
}
