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
