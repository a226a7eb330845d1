package api

import "monitor/modules/manage"

func replyUser(v manage.UserView, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag}, nil
}

func (s *server) me(c *call) (reply, error) {
	return replyUser(s.Manage.Me(c.r.Context(), c.actor))
}

func (s *server) updateMe(c *call) (reply, error) {
	return replyUser(s.Manage.UpdateMe(c.r.Context(), c.actor, c.body, c.ifMatch()))
}

func (s *server) newTOTP(c *call) (reply, error) {
	v, err := s.Manage.NewTOTP(c.r.Context(), c.actor)
	return reply{body: v}, err
}

func (s *server) newRecoveryCodes(c *call) (reply, error) {
	password := ""
	if err := readTexts(c.body, "this request", map[string]*string{"current_password": &password}); err != nil {
		return reply{}, err
	}
	v, err := s.Manage.NewRecoveryCodes(c.r.Context(), c.actor, password)
	return reply{body: v}, err
}

func (s *server) sessions(c *call) (reply, error) {
	return replyList(s.Manage.OwnSessions(c.r.Context(), c.actor))
}

func (s *server) endOtherSessions(c *call) (reply, error) {
	return reply{}, s.Manage.LogoutOthers(c.r.Context(), c.actor)
}

func (s *server) endSession(c *call) (reply, error) {
	id, err := c.text("id")
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.EndOwnSession(c.r.Context(), c.actor, id)
}

func (s *server) passkeys(c *call) (reply, error) {
	return replyList(s.Manage.OwnPasskeys(c.r.Context(), c.actor))
}

func (s *server) deletePasskey(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeletePasskey(c.r.Context(), c.actor, id)
}

func (s *server) users(c *call) (reply, error) {
	return replyList(s.Manage.Users(c.r.Context(), c.actor, c.page()))
}

// newUser is a user and, without a password, the link that lets them in.
type newUser struct {
	manage.UserView
	InviteURL string `json:"invite_url,omitempty"`
}

func (s *server) createUser(c *call) (reply, error) {
	v, invite, err := s.Manage.CreateUser(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	out := newUser{UserView: v}
	if invite != "" {
		out.InviteURL = c.baseURL() + "/invite/" + invite
	}
	return reply{body: out, etag: v.ETag, location: place("users", v.ID)}, nil
}

func (s *server) user(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyUser(s.Manage.User(c.r.Context(), c.actor, id))
}

func (s *server) updateUser(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyUser(s.Manage.UpdateUser(c.r.Context(), c.actor, id, c.body, c.ifMatch()))
}

func (s *server) deleteUser(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteUser(c.r.Context(), c.actor, id)
}

func (s *server) auditLog(c *call) (reply, error) {
	return replyList(s.Manage.AuditLog(c.r.Context(), c.actor, c.query.audit(), c.page()))
}

func (s *server) tokens(c *call) (reply, error) {
	return replyList(s.Manage.Tokens(c.r.Context(), c.actor, c.page()))
}

func (s *server) createToken(c *call) (reply, error) {
	v, err := s.Manage.CreateToken(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, location: place("tokens", v.ID)}, nil
}

func (s *server) deleteToken(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteToken(c.r.Context(), c.actor, id)
}
