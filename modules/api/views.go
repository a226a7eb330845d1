package api

func (s *server) views(c *call) (reply, error) {
	return replyList(s.Manage.Views(c.r.Context(), c.actor))
}

func (s *server) facets(c *call) (reply, error) {
	v, err := s.Manage.Facets(c.r.Context(), c.actor, c.query.monitors())
	return reply{body: v}, err
}

func (s *server) deletedMonitors(c *call) (reply, error) {
	return replyList(s.Manage.DeletedMonitors(c.r.Context(), c.actor))
}

func (s *server) createView(c *call) (reply, error) {
	v, err := s.Manage.CreateView(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, location: place("views", v.ID)}, nil
}

func (s *server) deleteView(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteView(c.r.Context(), c.actor, id)
}
