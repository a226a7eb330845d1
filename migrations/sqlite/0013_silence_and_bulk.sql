-- +goose Up
-- A silence: nobody is told of a monitor from silenced_from until silenced_until. The last
-- one stays when it is over: what came in it is told apart by it. silenced_by is a name.
ALTER TABLE monitors ADD COLUMN silenced_from BIGINT;
ALTER TABLE monitors ADD COLUMN silenced_until BIGINT;
ALTER TABLE monitors ADD COLUMN silenced_by TEXT NOT NULL DEFAULT '';
ALTER TABLE monitors ADD COLUMN silence_note TEXT NOT NULL DEFAULT '';
CREATE INDEX monitors_silenced ON monitors (workspace_id, silenced_until) WHERE silenced_until IS NOT NULL;

-- held_until is when a delivery could be sent at the earliest: the end of the silence that
-- it fell into, NULL where it fell into none.
ALTER TABLE deliveries ADD COLUMN held_until BIGINT;
CREATE INDEX deliveries_monitor_due ON deliveries (monitor_id) WHERE due_at IS NOT NULL;

-- One action on many monitors. What is done to which is fixed when the job is made; the
-- monitors stand in ids, ascending, and position says how many of them are done.
CREATE TABLE bulk_jobs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    user_id      BIGINT NOT NULL, -- who asked for it, as in the audit log
    token_id     BIGINT NOT NULL,
    user_name    TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    action       TEXT   NOT NULL, -- JSON
    ids          TEXT   NOT NULL, -- JSON
    total        BIGINT NOT NULL,
    position     BIGINT NOT NULL,
    changed      BIGINT NOT NULL,
    same         BIGINT NOT NULL, -- were as they should be
    skipped      BIGINT NOT NULL, -- could not be changed
    undoes       BIGINT, -- the job that this one takes back
    claim        BIGINT NOT NULL, -- number of the claim that holds it; the fence of its steps
    lease_until  BIGINT,
    created_at   BIGINT NOT NULL,
    started_at   BIGINT,
    finished_at  BIGINT
);
CREATE INDEX bulk_jobs_workspace ON bulk_jobs (workspace_id, id);
CREATE INDEX bulk_jobs_waiting ON bulk_jobs (id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX bulk_jobs_undoes ON bulk_jobs (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX bulk_jobs_finished ON bulk_jobs (finished_at) WHERE finished_at IS NOT NULL;

-- What became of the monitors of a job, but for those that stayed as they were.
CREATE TABLE bulk_items (
    job_id     BIGINT NOT NULL REFERENCES bulk_jobs (id) ON DELETE CASCADE,
    monitor_id BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    skipped    TEXT   NOT NULL, -- why, '' where it was changed
    undo       TEXT   NOT NULL, -- JSON of what takes the change back, '' for none
    PRIMARY KEY (job_id, monitor_id)
) WITHOUT ROWID;
CREATE INDEX bulk_items_skipped ON bulk_items (job_id, monitor_id) WHERE skipped <> '';

-- +goose Down
DROP TABLE bulk_items;
DROP TABLE bulk_jobs;
DROP INDEX deliveries_monitor_due;
ALTER TABLE deliveries DROP COLUMN held_until;
DROP INDEX monitors_silenced;
ALTER TABLE monitors DROP COLUMN silence_note;
ALTER TABLE monitors DROP COLUMN silenced_by;
ALTER TABLE monitors DROP COLUMN silenced_until;
ALTER TABLE monitors DROP COLUMN silenced_from;
