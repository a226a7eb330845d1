package api

import (
	"monitor/modules/manage"
)

// setupDone is the first owner and their tokens.
type setupDone struct {
	User manage.UserView `json:"user"`
	manage.TokenPair
}

func (s *server) setup(c *call) (reply, error) {
	in := manage.SetupInput{Trusted: c.request.Local, Client: c.client()}
	err := readTexts(c.body, "the set-up", map[string]*string{
		"email": &in.Email, "password": &in.Password, "name": &in.Name, "instance_name": &in.InstanceName,
		"time_zone": &in.TimeZone, "setup_token": &in.SetupToken,
	})
	if err != nil {
		return reply{}, err
	}
	user, pair, err := s.Manage.Setup(c.r.Context(), in)
	if err != nil {
		return reply{}, err
	}
	s.wroteAs(c.r.Context(), user.ID)
	return reply{body: setupDone{User: user, TokenPair: pair}, location: place("users", user.ID)}, nil
}

func (s *server) login(c *call) (reply, error) {
	in := manage.LoginInput{Client: c.client()}
	err := readTexts(c.body, "the log-in", map[string]*string{"email": &in.Email, "password": &in.Password, "totp": &in.TOTP})
	if err != nil {
		return reply{}, err
	}
	pair, err := s.Manage.Login(c.r.Context(), in)
	return reply{body: pair}, err
}

func (s *server) refresh(c *call) (reply, error) {
	token, err := refreshToken(c)
	if err != nil {
		return reply{}, err
	}
	pair, err := s.Manage.Refresh(c.r.Context(), token, c.client())
	return reply{body: pair}, err
}

// logout ends the session of the refresh token, or without one that of the
// access token itself.
func (s *server) logout(c *call) (reply, error) {
	if len(c.body) == 0 {
		return reply{}, s.Manage.LogoutActor(c.r.Context(), c.actor)
	}
	token, err := refreshToken(c)
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.Logout(c.r.Context(), token)
}

func refreshToken(c *call) (string, error) {
	var token string
	err := readTexts(c.body, "this request", map[string]*string{"refresh_token": &token})
	if err == nil && token == "" {
		err = required("refresh_token")
	}
	return token, err
}
