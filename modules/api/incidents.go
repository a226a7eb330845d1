package api

import "monitor/modules/manage"

func replyIncident(v manage.IncidentView, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag}, nil
}

func (s *server) incidents(c *call) (reply, error) {
	return replyList(s.Manage.Incidents(c.r.Context(), c.actor, c.query.incidents(), c.page()))
}

func (s *server) createIncident(c *call) (reply, error) {
	v, err := s.Manage.CreateIncident(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag, location: place("incidents", v.ID)}, nil
}

func (s *server) incident(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyIncident(s.Manage.Incident(c.r.Context(), c.actor, id))
}

func (s *server) patchIncident(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyIncident(s.Manage.PatchIncident(c.r.Context(), c.actor, id, c.body, c.ifMatch()))
}

func (s *server) acknowledgeIncident(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyIncident(s.Manage.AcknowledgeIncident(c.r.Context(), c.actor, id, c.body))
}

func (s *server) resolveIncident(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyIncident(s.Manage.ResolveIncident(c.r.Context(), c.actor, id, c.body))
}

func (s *server) addIncidentUpdate(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	v, err := s.Manage.AddIncidentUpdate(c.r.Context(), c.actor, id, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag, location: place("incidents", v.ID)}, nil
}

func (s *server) patchIncidentUpdate(c *call) (reply, error) {
	id, line, err := c.lineOfIncident()
	if err != nil {
		return reply{}, err
	}
	return replyIncident(s.Manage.PatchIncidentUpdate(c.r.Context(), c.actor, id, line, c.body, c.ifMatch()))
}

func (s *server) deleteIncidentUpdate(c *call) (reply, error) {
	id, line, err := c.lineOfIncident()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteIncidentUpdate(c.r.Context(), c.actor, id, line, c.ifMatch())
}

// lineOfIncident gives the two ids of a line of a timeline.
func (c *call) lineOfIncident() (id, line int64, err error) {
	if id, err = c.id(); err != nil {
		return 0, 0, err
	}
	line, err = c.idOf("update_id")
	return id, line, err
}

func (s *server) deleteIncident(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteIncident(c.r.Context(), c.actor, id, c.ifMatch())
}

func (s *server) restoreIncident(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyIncident(s.Manage.RestoreIncident(c.r.Context(), c.actor, id))
}

func (s *server) assignees(c *call) (reply, error) {
	return replyList(s.Manage.Assignees(c.r.Context(), c.actor))
}
