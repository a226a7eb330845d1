-- +goose Up
CREATE TABLE channels (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id        BIGINT  NOT NULL REFERENCES workspaces (id),
    row_key             TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    type                TEXT    NOT NULL,
    enabled             BOOLEAN NOT NULL,
    is_default          BOOLEAN NOT NULL,
    send_resolved       BOOLEAN NOT NULL,
    send_degraded       BOOLEAN NOT NULL,
    fallback_channel_id BIGINT  REFERENCES channels (id),
    settings            TEXT    NOT NULL,
    disabled_reason     TEXT    NOT NULL,
    version             BIGINT  NOT NULL,
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL,
    deleted_at          BIGINT
);
CREATE INDEX channels_workspace ON channels (workspace_id, id) WHERE deleted_at IS NULL;
CREATE INDEX channels_fallback ON channels (fallback_channel_id) WHERE fallback_channel_id IS NOT NULL;

-- Monitors and incidents are no foreign keys: events outlive them until they are purged.
CREATE TABLE events (
    id           TEXT   PRIMARY KEY,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    type         TEXT   NOT NULL,
    monitor_id   BIGINT NOT NULL,
    incident_id  BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    data         TEXT   NOT NULL
);
CREATE INDEX events_incident ON events (incident_id) WHERE incident_id <> 0;
CREATE INDEX events_at ON events (at);

-- A chain is what must reach a channel in order: "i12" for an incident, "m7"
-- for a monitor, "a…" for an alarm, "" for what stands alone. Within it, a side
-- "open" is undone by the next "close"; "note" lies between.
--
-- due_at is when a notifier has to look at the row: the next attempt of a pending
-- one, the end of the lease of one that is being sent, NULL once it is finished.
CREATE TABLE deliveries (
    id           INTEGER PRIMARY KEY,
    workspace_id BIGINT  NOT NULL REFERENCES workspaces (id),
    event_id     TEXT    NOT NULL REFERENCES events (id),
    event_type   TEXT    NOT NULL,
    channel_id   BIGINT  NOT NULL REFERENCES channels (id),
    incident_id  BIGINT  NOT NULL,
    monitor_id   BIGINT  NOT NULL,
    chain        TEXT    NOT NULL,
    side         TEXT    NOT NULL CHECK (side IN ('', 'open', 'close', 'note')),
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'sending', 'delivered', 'dead', 'merged', 'cancelled')),
    reason       TEXT    NOT NULL,
    merges       BOOLEAN NOT NULL,
    attempt      BIGINT  NOT NULL, -- number claimed last
    claimed_at   BIGINT,
    due_at       BIGINT,
    created_at   BIGINT  NOT NULL,
    finished_at  BIGINT,
    UNIQUE (event_id, channel_id),
    CHECK ((due_at IS NOT NULL) = (status IN ('pending', 'sending')))
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_channel_due ON deliveries (channel_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_chain ON deliveries (chain, channel_id, id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_sending ON deliveries (channel_id) WHERE status = 'sending';
CREATE INDEX deliveries_channel ON deliveries (channel_id, id);
CREATE INDEX deliveries_finished ON deliveries (channel_id, finished_at, id) WHERE status IN ('delivered', 'dead');
CREATE INDEX deliveries_workspace ON deliveries (workspace_id, id);
CREATE INDEX deliveries_incident ON deliveries (incident_id, id) WHERE incident_id <> 0;
CREATE INDEX deliveries_dead ON deliveries (workspace_id, id) WHERE status = 'dead';

CREATE TABLE delivery_attempts (
    delivery_id BIGINT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    n           BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    outcome     TEXT   NOT NULL CHECK (outcome IN ('ok', 'retry', 'permanent')),
    status_code BIGINT NOT NULL,
    error       TEXT   NOT NULL,
    PRIMARY KEY (delivery_id, n)
) WITHOUT ROWID;

-- One row for each alarm ever raised; active from the telling until its end was told.
CREATE TABLE alarms (
    workspace_id BIGINT  NOT NULL REFERENCES workspaces (id),
    kind         TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    channel_ids  TEXT    NOT NULL,
    active       BOOLEAN NOT NULL,
    told_at      BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, kind, subject)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE alarms;
DROP TABLE delivery_attempts;
DROP TABLE deliveries;
DROP TABLE events;
DROP TABLE channels;
