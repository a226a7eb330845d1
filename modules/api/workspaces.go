package api

import "monitor/modules/uptime"

func (s *server) workspaces(c *call) (reply, error) {
	return replyList(s.Manage.Workspaces(c.r.Context(), c.actor))
}

func (s *server) createWorkspace(c *call) (reply, error) {
	v, err := s.Manage.CreateWorkspace(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, location: place("workspaces", v.ID)}, nil
}

func (s *server) updateWorkspace(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	if match := c.ifMatch(); match != "" && match != "*" {
		return reply{}, uptime.Fail(uptime.CodePrecondition, "A workspace has no ETag that If-Match could name.")
	}
	v, err := s.Manage.UpdateWorkspace(c.r.Context(), c.actor, id, c.body)
	return reply{body: v}, err
}

func (s *server) deleteWorkspace(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteWorkspace(c.r.Context(), c.actor, id)
}

func (s *server) enterWorkspace(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.EnterWorkspace(c.r.Context(), c.actor, id)
}
