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
