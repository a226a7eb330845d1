package api

import "monitor/modules/manage"

func replyChannel(v manage.ChannelView, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag}, nil
}

func (s *server) channels(c *call) (reply, error) {
	return replyList(s.Manage.Channels(c.r.Context(), c.actor, c.page()))
}

func (s *server) createChannel(c *call) (reply, error) {
	v, err := s.Manage.CreateChannel(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag, location: place("channels", v.ID)}, nil
}

func (s *server) channel(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyChannel(s.Manage.Channel(c.r.Context(), c.actor, id))
}

func (s *server) patchChannel(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyChannel(s.Manage.PatchChannel(c.r.Context(), c.actor, id, c.body, c.ifMatch()))
}

func (s *server) deleteChannel(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteChannel(c.r.Context(), c.actor, id, c.ifMatch())
}

func (s *server) testChannel(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	c.unhurried()
	v, err := s.Manage.TestChannel(c.r.Context(), c.actor, id)
	return reply{body: v}, err
}

func (s *server) deliveries(c *call) (reply, error) {
	return replyList(s.Manage.Deliveries(c.r.Context(), c.actor, c.query.deliveries(), c.page()))
}

func (s *server) retryDelivery(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	v, err := s.Manage.RetryDelivery(c.r.Context(), c.actor, id)
	return reply{body: v}, err
}
