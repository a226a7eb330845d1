-- +goose Up
-- Times are UTC in Unix milliseconds, durations in the unit that the name ends
-- in; status, error_kind, last_result and reason are the codes that
-- modules/store/code.go freezes. NULL means absent.

CREATE TABLE workspaces (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT   NOT NULL,
    time_zone   TEXT   NOT NULL DEFAULT 'UTC',
    created_at  BIGINT NOT NULL
);

-- change: of monitors. epoch: of leaders. The others are times up to which a
-- housekeeping task is done.
CREATE TABLE sequences (
    name   TEXT   PRIMARY KEY,
    value  BIGINT NOT NULL
);
INSERT INTO sequences (name, value)
VALUES ('change', 0), ('epoch', 0), ('audited', 0), ('rolled_hours', 0), ('rolled_days', 0);

CREATE TABLE watermarks (
    part   INTEGER PRIMARY KEY,
    epoch  BIGINT  NOT NULL,
    up_to  BIGINT
);

-- Results name a region by number: it is in every row.
CREATE TABLE regions (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    name  TEXT NOT NULL UNIQUE
);

CREATE TABLE monitors (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id          BIGINT  NOT NULL REFERENCES workspaces (id),
    row_key               TEXT    NOT NULL,
    name                  TEXT    NOT NULL,
    name_key              TEXT    NOT NULL, -- lower case, for sorting
    type                  TEXT    NOT NULL,
    enabled               BOOLEAN NOT NULL,
    external_key          TEXT    NOT NULL DEFAULT '',
    group_path            TEXT    NOT NULL DEFAULT '',
    interval_ms           BIGINT  NOT NULL,
    timeout_ms            BIGINT  NOT NULL,
    retry_interval_ms     BIGINT  NOT NULL,
    failures_before_down  INTEGER NOT NULL,
    successes_before_up   INTEGER NOT NULL,
    resend_every_ms       BIGINT  NOT NULL DEFAULT 0,
    regions               TEXT    NOT NULL, -- JSON array
    min_regions_down      INTEGER NOT NULL,
    settings              TEXT    NOT NULL,
    target                TEXT    NOT NULL DEFAULT '',
    search                TEXT    NOT NULL DEFAULT '', -- name, target, group and tags in lower case
    check_at              BIGINT,
    version               BIGINT  NOT NULL,
    change_seq            BIGINT  NOT NULL,
    created_at            BIGINT  NOT NULL,
    updated_at            BIGINT  NOT NULL,
    deleted_at            BIGINT
);
CREATE UNIQUE INDEX monitors_external_key ON monitors (workspace_id, external_key)
    WHERE deleted_at IS NULL AND external_key <> '';
CREATE INDEX monitors_name ON monitors (workspace_id, name_key, id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX monitors_change_seq ON monitors (change_seq);
CREATE INDEX monitors_deleted ON monitors (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE monitor_tags (
    monitor_id  BIGINT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    name        TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    PRIMARY KEY (monitor_id, name)
) WITHOUT ROWID;
CREATE INDEX monitor_tags_name ON monitor_tags (name, value, monitor_id);

CREATE TABLE monitor_channels (
    monitor_id  BIGINT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    channel_id  BIGINT NOT NULL,
    PRIMARY KEY (monitor_id, channel_id)
) WITHOUT ROWID;
CREATE INDEX monitor_channels_channel ON monitor_channels (channel_id, monitor_id);

-- The row is the lock of its monitor: whoever records results of it, or changes
-- the monitor, locks it first. change_seq repeats the monitor's, so that a
-- recorder that knows the monitor need not read it again.
CREATE TABLE monitor_states (
    monitor_id            INTEGER  PRIMARY KEY REFERENCES monitors (id) ON DELETE CASCADE,
    change_seq            BIGINT   NOT NULL,
    status                SMALLINT NOT NULL,
    since                 BIGINT,
    last_recovery         BIGINT,
    judge_from            BIGINT,
    last_slot             BIGINT,
    known_slot            BIGINT,
    consecutive_failures  INTEGER  NOT NULL DEFAULT 0,
    last_response_us      BIGINT   NOT NULL DEFAULT 0,
    last_result           SMALLINT NOT NULL DEFAULT 0,
    last_error_kind       SMALLINT NOT NULL DEFAULT 0,
    last_error            TEXT     NOT NULL DEFAULT '',
    cert_not_after        BIGINT,
    cert_warned           TEXT     NOT NULL DEFAULT '',
    outage                TEXT     NOT NULL DEFAULT '', -- JSON
    regions               TEXT     NOT NULL DEFAULT ''  -- JSON
);

-- What was due when: grid slots in (from_at, until_at] of interval_ms. One row
-- without an end while the monitor lives and is enabled.
CREATE TABLE monitor_schedules (
    monitor_id   BIGINT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    from_at      BIGINT NOT NULL,
    until_at     BIGINT,
    interval_ms  BIGINT NOT NULL,
    regions      TEXT   NOT NULL, -- JSON array
    PRIMARY KEY (monitor_id, from_at)
) WITHOUT ROWID;
CREATE UNIQUE INDEX monitor_schedules_open ON monitor_schedules (monitor_id) WHERE until_at IS NULL;

-- Clustered on its key: half the bytes of a table with an index beside it. No
-- foreign key: results outlive no monitor for long, and inserts must be cheap.
CREATE TABLE check_results (
    monitor_id     BIGINT   NOT NULL,
    region_id      SMALLINT NOT NULL,
    scheduled_at   BIGINT   NOT NULL,
    started_ms     INTEGER  NOT NULL, -- after scheduled_at
    response_us    INTEGER  NOT NULL,
    dns_us         INTEGER  NOT NULL,
    connect_us     INTEGER  NOT NULL,
    tls_us         INTEGER  NOT NULL,
    first_byte_us  INTEGER  NOT NULL,
    status         SMALLINT NOT NULL,
    error_kind     SMALLINT NOT NULL,
    status_code    SMALLINT NOT NULL,
    attempt        SMALLINT NOT NULL,
    error          TEXT,
    PRIMARY KEY (monitor_id, region_id, scheduled_at)
) WITHOUT ROWID;

CREATE TABLE missed_slots (
    workspace_id  BIGINT   NOT NULL,
    monitor_id    BIGINT   NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    region_id     SMALLINT NOT NULL,
    from_at       BIGINT   NOT NULL, -- first slot
    to_at         BIGINT   NOT NULL, -- last slot
    slots         BIGINT   NOT NULL,
    reason        SMALLINT NOT NULL,
    PRIMARY KEY (monitor_id, region_id, from_at)
) WITHOUT ROWID;

CREATE TABLE rollups_hourly (
    monitor_id   BIGINT  NOT NULL,
    start_at     BIGINT  NOT NULL,
    up           INTEGER NOT NULL,
    degraded     INTEGER NOT NULL,
    down         INTEGER NOT NULL,
    unknown      INTEGER NOT NULL,
    known_ms     BIGINT  NOT NULL,
    response_us  BIGINT  NOT NULL, -- sum over successful checks
    histogram    BLOB,
    PRIMARY KEY (monitor_id, start_at)
) WITHOUT ROWID;
CREATE TABLE rollups_daily (
    monitor_id   BIGINT  NOT NULL,
    start_at     BIGINT  NOT NULL,
    up           INTEGER NOT NULL,
    degraded     INTEGER NOT NULL,
    down         INTEGER NOT NULL,
    unknown      INTEGER NOT NULL,
    known_ms     BIGINT  NOT NULL,
    response_us  BIGINT  NOT NULL,
    histogram    BLOB,
    PRIMARY KEY (monitor_id, start_at)
) WITHOUT ROWID;
-- Hours that got a result after they may have been rolled up.
CREATE TABLE rollups_dirty (
    monitor_id  BIGINT NOT NULL,
    start_at    BIGINT NOT NULL,
    PRIMARY KEY (monitor_id, start_at)
) WITHOUT ROWID;

CREATE TABLE incidents (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id      BIGINT NOT NULL REFERENCES workspaces (id),
    monitor_id        BIGINT REFERENCES monitors (id) ON DELETE CASCADE, -- NULL: made by hand
    title             TEXT   NOT NULL,
    status            TEXT   NOT NULL,
    stage             TEXT   NOT NULL,
    severity          TEXT   NOT NULL,
    cause             TEXT   NOT NULL DEFAULT '',
    error_kind        TEXT   NOT NULL DEFAULT '',
    evidence          TEXT   NOT NULL DEFAULT '', -- JSON
    started_at        BIGINT NOT NULL,
    confirmed_at      BIGINT,
    acknowledged_at   BIGINT,
    acknowledged_by   BIGINT,
    resolved_at       BIGINT,
    recovered_at      BIGINT,
    ended_at          BIGINT,
    next_reminder_at  BIGINT,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    deleted_at        BIGINT
);
CREATE UNIQUE INDEX incidents_unresolved ON incidents (monitor_id)
    WHERE monitor_id IS NOT NULL AND resolved_at IS NULL AND deleted_at IS NULL;
CREATE INDEX incidents_monitor ON incidents (monitor_id, started_at) WHERE monitor_id IS NOT NULL;
CREATE INDEX incidents_ended ON incidents (monitor_id, ended_at) WHERE monitor_id IS NOT NULL;
CREATE INDEX incidents_started ON incidents (workspace_id, started_at, id) WHERE deleted_at IS NULL;
CREATE INDEX incidents_reminder ON incidents (next_reminder_at)
    WHERE next_reminder_at IS NOT NULL AND resolved_at IS NULL AND deleted_at IS NULL;
CREATE INDEX incidents_deleted ON incidents (deleted_at) WHERE deleted_at IS NOT NULL;

-- The monitors that an incident made by hand speaks of.
CREATE TABLE incident_monitors (
    incident_id  BIGINT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    monitor_id   BIGINT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    PRIMARY KEY (incident_id, monitor_id)
) WITHOUT ROWID;
CREATE INDEX incident_monitors_monitor ON incident_monitors (monitor_id, incident_id);

CREATE TABLE incident_updates (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id  BIGINT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    at           BIGINT NOT NULL,
    author_id    BIGINT, -- NULL: the program
    stage        TEXT   NOT NULL DEFAULT '',
    message      TEXT   NOT NULL
);
CREATE INDEX incident_updates_incident ON incident_updates (incident_id, id);

-- What is left of outages whose incidents retention removed, so that uptime
-- figures stay true as long as their rollups live.
CREATE TABLE past_outages (
    monitor_id    BIGINT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    started_at    BIGINT NOT NULL,
    recovered_at  BIGINT NOT NULL,
    PRIMARY KEY (monitor_id, started_at)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE past_outages;
DROP TABLE incident_updates;
DROP TABLE incident_monitors;
DROP TABLE incidents;
DROP TABLE rollups_dirty;
DROP TABLE rollups_daily;
DROP TABLE rollups_hourly;
DROP TABLE missed_slots;
DROP TABLE check_results;
DROP TABLE monitor_schedules;
DROP TABLE monitor_states;
DROP TABLE monitor_channels;
DROP TABLE monitor_tags;
DROP TABLE monitors;
DROP TABLE regions;
DROP TABLE watermarks;
DROP TABLE sequences;
DROP TABLE workspaces;
