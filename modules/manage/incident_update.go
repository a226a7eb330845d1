package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"monitor/modules/uptime"
)

// maxPromise is how far ahead the next update may be promised.
const maxPromise = 366 * 24 * time.Hour

// AddIncidentUpdate takes {"message","stage","internal","next_update_by"}; the stage
// resolved resolves. A line for everybody keeps the promise of the one before: without
// another time there is none any more.
func (m *Manage) AddIncidentUpdate(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (IncidentView, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return IncidentView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return IncidentView{}, err
	}
	var line uptime.IncidentUpdate
	var stage uptime.Stage
	var promise time.Time
	if _, there := b.take("message"); !there {
		b.fail("message", "is required")
	} else {
		readMessage(b, &line.Message)
	}
	choice(b, "stage", stages(), &stage)
	b.boolean("internal", &line.Internal)
	readPromise(b, m.deps.Clock(), &promise)
	if err := b.finish("an update"); err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.comment", func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error) {
		to := stage
		if to == "" {
			to = inc.Stage
		}
		lines, tell, err := moveStage(inc, now, to, line)
		if err != nil {
			return nil, "", err
		}
		if !promise.IsZero() || !line.Internal {
			err = keepPromise(inc, promise)
		}
		return lines, tell, err
	})
}

func readMessage(b *body, into *string) {
	if b.prose("message", maxMessage, into) && *into == "" {
		b.fail("message", "must not be empty")
	}
}

// readPromise reads when the next update is to come.
func readPromise(b *body, now time.Time, into *time.Time) {
	if !b.moment("next_update_by", into) {
		return
	}
	switch {
	case !into.After(now):
		b.fail("next_update_by", "must be in the future")
	case into.After(now.Add(maxPromise)):
		b.fail("next_update_by", "must be within a year")
	}
}

// keepPromise sets when the next update is to come; of what is over none is.
func keepPromise(inc *uptime.Incident, promise time.Time) error {
	if inc.Unresolved() {
		inc.NextUpdateBy = promise
		return nil
	}
	inc.NextUpdateBy = time.Time{}
	if !promise.IsZero() {
		return uptime.Invalid(uptime.FieldError{Field: "next_update_by", Message: "cannot be promised: the incident is resolved"})
	}
	return nil
}

// PatchIncidentUpdate merges {"message","internal"} into a line of the timeline. It is for
// who wrote the line, and admins; the program's lines stay as they are.
func (m *Manage) PatchIncidentUpdate(ctx context.Context, actor uptime.Actor, id, line int64, patch json.RawMessage, ifMatch string) (IncidentView, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return IncidentView{}, err
	}
	b, err := parseBody(patch)
	if err != nil {
		return IncidentView{}, err
	}
	message, internal := "", false
	said, judged := false, false
	if b.given("message") {
		readMessage(b, &message)
		said = message != ""
		if _, there := b.take("message"); !there {
			b.fail("message", "must not be empty")
		}
	}
	judged = b.boolean("internal", &internal)
	b.readOnly("message", "id", "at", "author_id", "author", "stage", "edited_at")
	if err := b.finish("an update"); err != nil {
		return IncidentView{}, err
	}
	return m.changeLine(ctx, actor, id, line, "incident.comment_edit", ifMatch, func(inc *uptime.Incident, at int, now time.Time) {
		u := &inc.Updates[at]
		old := *u
		if said {
			u.Message = message
		}
		if judged {
			u.Internal = internal
		}
		if *u != old {
			u.EditedAt = now
			tellCause(inc, old.Message, *u)
		}
	})
}

// DeleteIncidentUpdate takes a line out of the timeline, for those who may change it. What
// it did, such as moving the stage, stays.
func (m *Manage) DeleteIncidentUpdate(ctx context.Context, actor uptime.Actor, id, line int64, ifMatch string) error {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return err
	}
	_, err := m.changeLine(ctx, actor, id, line, "incident.comment_delete", ifMatch, func(inc *uptime.Incident, at int, _ time.Time) {
		tellCause(inc, inc.Updates[at].Message, uptime.IncidentUpdate{})
		inc.Updates = slices.Delete(inc.Updates, at, at+1)
	})
	return err
}

func (m *Manage) changeLine(ctx context.Context, actor uptime.Actor, id, line int64, action, ifMatch string,
	change func(inc *uptime.Incident, at int, now time.Time),
) (IncidentView, error) {
	return m.changeIncident(ctx, actor, id, action, func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error) {
		if err := checkMatch(ifMatch, inc.Version); err != nil {
			return nil, "", err
		}
		at := slices.IndexFunc(inc.Updates, func(u uptime.IncidentUpdate) bool { return u.ID == line })
		if at < 0 {
			return nil, "", fmt.Errorf("update %d of incident %d: %w", line, id, uptime.ErrNotFound)
		}
		switch author := inc.Updates[at].AuthorID; {
		case author == 0:
			return nil, "", uptime.Fail(uptime.CodeConflict, "The program wrote this line; it stays as it is.")
		case !mayEdit(actor, author):
			return nil, "", uptime.Fail(uptime.CodeForbidden, "Only who wrote this update, or an admin, may change it.")
		}
		change(inc, at, now)
		return nil, "", nil
	})
}

// mayEdit reports whether the actor may change what the author wrote.
func mayEdit(actor uptime.Actor, author int64) bool {
	return author != 0 && (author == actor.UserID || actor.Role.Includes(uptime.RoleAdmin))
}
