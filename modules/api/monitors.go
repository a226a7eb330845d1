package api

import (
	"net/http"

	"monitor/modules/manage"
)

func replyMonitor(v manage.MonitorView, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag}, nil
}

func (s *server) monitors(c *call) (reply, error) {
	return replyList(s.Manage.Monitors(c.r.Context(), c.actor, c.query.monitors(), c.page()))
}

func (s *server) createMonitor(c *call) (reply, error) {
	v, err := s.Manage.CreateMonitor(c.r.Context(), c.actor, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag, location: place("monitors", v.ID)}, nil
}

func (s *server) testMonitor(c *call) (reply, error) {
	c.unhurried()
	v, err := s.Manage.TestMonitor(c.r.Context(), c.actor, c.body)
	return reply{body: v}, err
}

func (s *server) upsertMonitor(c *call) (reply, error) {
	key, err := c.text("external_key")
	if err != nil {
		return reply{}, err
	}
	v, created, err := s.Manage.UpsertMonitor(c.r.Context(), c.actor, key, c.body, c.ifMatch())
	if err != nil || !created {
		return replyMonitor(v, err)
	}
	return reply{body: v, etag: v.ETag, location: place("monitors", v.ID), status: http.StatusCreated}, nil
}

func (s *server) monitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.Monitor(c.r.Context(), c.actor, id))
}

func (s *server) replaceMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.ReplaceMonitor(c.r.Context(), c.actor, id, c.body, c.ifMatch()))
}

func (s *server) patchMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.PatchMonitor(c.r.Context(), c.actor, id, c.body, c.ifMatch()))
}

func (s *server) deleteMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return reply{}, s.Manage.DeleteMonitor(c.r.Context(), c.actor, id, c.ifMatch())
}

func (s *server) restoreMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.RestoreMonitor(c.r.Context(), c.actor, id))
}

func (s *server) pauseMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.PauseMonitor(c.r.Context(), c.actor, id))
}

func (s *server) resumeMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.ResumeMonitor(c.r.Context(), c.actor, id))
}

func (s *server) cloneMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	v, err := s.Manage.CloneMonitor(c.r.Context(), c.actor, id, c.body)
	if err != nil {
		return reply{}, err
	}
	return reply{body: v, etag: v.ETag, location: place("monitors", v.ID)}, nil
}

func (s *server) silenceMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.SilenceMonitor(c.r.Context(), c.actor, id, c.body))
}

func (s *server) unsilenceMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyMonitor(s.Manage.UnsilenceMonitor(c.r.Context(), c.actor, id))
}

func (s *server) checkMonitor(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	c.unhurried()
	v, err := s.Manage.CheckNow(c.r.Context(), c.actor, id)
	return reply{body: v}, err
}

// resultList is a list of results, with the ranges without any when asked for.
type resultList struct {
	listOf[manage.ResultView]
	Gaps *[]manage.GapView `json:"gaps,omitempty"`
}

func (s *server) results(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	ctx, filter := c.r.Context(), c.query.results()
	list, err := s.Manage.Results(ctx, c.actor, id, filter, c.page())
	if err != nil {
		return reply{}, err
	}
	out := resultList{listOf: newList(list)}
	if c.query.text("include") == "gaps" {
		gaps, err := s.Manage.Gaps(ctx, c.actor, id, filter.From, filter.To)
		if err != nil {
			return reply{}, err
		}
		out.Gaps = &gaps
	}
	return reply{body: out}, nil
}

func (s *server) stats(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	v, err := s.Manage.Stats(c.r.Context(), c.actor, id, manage.StatsQuery{
		Window: c.query.text("window"), From: c.query.moment("from"), To: c.query.moment("to"),
	})
	return reply{body: v}, err
}

func (s *server) monitorChanges(c *call) (reply, error) {
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	return replyList(s.Manage.MonitorChanges(c.r.Context(), c.actor, id, c.page()))
}

func (s *server) overview(c *call) (reply, error) {
	v, err := s.Manage.Overview(c.r.Context(), c.actor)
	return reply{body: v}, err
}
