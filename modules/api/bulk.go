package api

import (
	"net/http"

	"monitor/modules/manage"
)

// replyBulk answers a job with its address, and what one would do without.
func replyBulk(v manage.BulkJobView, err error) (reply, error) {
	switch {
	case err != nil:
		return reply{}, err
	case v.ID == nil:
		return reply{body: v, status: http.StatusOK}, nil
	}
	return reply{body: v, location: place("bulk-jobs", *v.ID)}, nil
}

func (s *server) bulkMonitors(c *call) (reply, error) {
	c.unhurried() // tens of thousands are looked at
	return replyBulk(s.Manage.BulkMonitors(c.r.Context(), c.actor, c.body))
}

func (s *server) bulkJob(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	v, err := s.Manage.BulkJob(c.r.Context(), c.actor, id)
	return reply{body: v}, err
}

func (s *server) undoBulk(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyBulk(s.Manage.UndoBulk(c.r.Context(), c.actor, id))
}
