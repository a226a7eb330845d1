-- +goose Up
-- Who takes care of an incident, and until when people are promised the next update. Times
-- are Unix milliseconds in UTC.
ALTER TABLE incidents ADD COLUMN owner_id BIGINT;
ALTER TABLE incidents ADD COLUMN next_update_by BIGINT;
-- What was learned, written once it is over; '' while nobody wrote it.
ALTER TABLE incidents ADD COLUMN postmortem TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN postmortem_at BIGINT;
ALTER TABLE incidents ADD COLUMN postmortem_published BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE incidents SET owner_id = acknowledged_by WHERE acknowledged_by IS NOT NULL;

-- Lines of before were written for the team alone, and so are those that processes of
-- before add: nothing becomes public that its author did not call so.
ALTER TABLE incident_updates ADD COLUMN internal BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE incident_updates ADD COLUMN edited_at BIGINT;

-- +goose Down
ALTER TABLE incident_updates DROP COLUMN edited_at;
ALTER TABLE incident_updates DROP COLUMN internal;
ALTER TABLE incidents DROP COLUMN postmortem_published;
ALTER TABLE incidents DROP COLUMN postmortem_at;
ALTER TABLE incidents DROP COLUMN postmortem;
ALTER TABLE incidents DROP COLUMN next_update_by;
ALTER TABLE incidents DROP COLUMN owner_id;
