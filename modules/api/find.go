package api

func (s *server) search(c *call) (reply, error) {
	return replyList(s.Manage.Search(c.r.Context(), c.actor, c.query.text("q"), int(c.query.whole("limit"))))
}

func searchQuery() []param {
	return []param{
		{name: "q", kind: text, about: "words, all of which the text of a thing must have"},
		{name: "limit", kind: whole, least: 1, most: 20, about: "how many at most, 1 to 20; 10 when absent"},
	}
}

func (s *server) wallShares(c *call) (reply, error) {
	return replyList(s.Manage.WallShares(c.r.Context(), c.actor, c.page()))
}

func (s *server) createWallShare(c *call) (reply, error) {
	v, err := s.Manage.CreateWallShare(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, location: place("wall-shares", v.ID)}, nil
}

func (s *server) deleteWallShare(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteWallShare(c.r.Context(), c.actor, id)
}
