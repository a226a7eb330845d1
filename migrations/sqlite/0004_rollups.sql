-- +goose Up
-- Rollups of a monitor and a region. Region 0 is all regions together: rows from
-- before this migration, which did not keep them apart. All times but start_at are
-- lengths within the hour or UTC day:
--   known_ms        a result of the region speaks for it, in maintenance or not
--   down_ms         of those, a failed one
--   unknown_ms      meant to be checked from the region, neither known nor maintenance
--   maintenance_ms  meant to be checked, but of a maintenance window
-- known_spans and down_spans say where within it the first two lie: NULL where they
-- are nothing or all of it (or, in region 0, where that is not known).
CREATE TABLE rollups_hourly_new (
    monitor_id      BIGINT  NOT NULL,
    start_at        BIGINT  NOT NULL,
    region_id       INTEGER NOT NULL,
    up              INTEGER NOT NULL,
    degraded        INTEGER NOT NULL,
    down            INTEGER NOT NULL,
    unknown         INTEGER NOT NULL,
    known_ms        INTEGER NOT NULL,
    down_ms         INTEGER NOT NULL,
    unknown_ms      INTEGER NOT NULL,
    maintenance_ms  INTEGER NOT NULL,
    known_spans     BLOB,
    down_spans      BLOB,
    response_us     BIGINT  NOT NULL, -- sum over successful checks
    histogram       BLOB,
    PRIMARY KEY (monitor_id, start_at, region_id)
) WITHOUT ROWID;
INSERT INTO rollups_hourly_new
SELECT monitor_id, start_at, 0, up, degraded, down, unknown, known_ms, 0, 0, 0, NULL, NULL, response_us, histogram FROM rollups_hourly;
DROP TABLE rollups_hourly;
ALTER TABLE rollups_hourly_new RENAME TO rollups_hourly;

CREATE TABLE rollups_daily_new (
    monitor_id      BIGINT  NOT NULL,
    start_at        BIGINT  NOT NULL,
    region_id       INTEGER NOT NULL,
    up              INTEGER NOT NULL,
    degraded        INTEGER NOT NULL,
    down            INTEGER NOT NULL,
    unknown         INTEGER NOT NULL,
    known_ms        INTEGER NOT NULL,
    down_ms         INTEGER NOT NULL,
    unknown_ms      INTEGER NOT NULL,
    maintenance_ms  INTEGER NOT NULL,
    known_spans     BLOB,
    down_spans      BLOB,
    response_us     BIGINT  NOT NULL,
    histogram       BLOB,
    PRIMARY KEY (monitor_id, start_at, region_id)
) WITHOUT ROWID;
INSERT INTO rollups_daily_new
SELECT monitor_id, start_at, 0, up, degraded, down, unknown, known_ms, 0, 0, 0, NULL, NULL, response_us, histogram FROM rollups_daily;
DROP TABLE rollups_daily;
ALTER TABLE rollups_daily_new RENAME TO rollups_daily;

-- The five minutes of an hour, for bars and charts of the last two days.
CREATE TABLE rollups_fine (
    monitor_id  BIGINT  NOT NULL,
    start_at    BIGINT  NOT NULL, -- the hour
    region_id   INTEGER NOT NULL,
    slices      BLOB    NOT NULL,
    PRIMARY KEY (monitor_id, start_at, region_id)
) WITHOUT ROWID;

-- The last day, whose results are all there, is done again: region by region, and
-- with its slices.
INSERT INTO rollups_dirty (monitor_id, start_at)
SELECT monitor_id, start_at FROM rollups_hourly
WHERE start_at >= (SELECT value FROM sequences WHERE name = 'rolled_hours') - 79200000
ON CONFLICT DO NOTHING;

-- Lists: the groups in use.
CREATE INDEX monitors_group ON monitors (workspace_id, group_path) WHERE deleted_at IS NULL AND group_path > '';

-- The unresolved incidents, which every page counts.
CREATE INDEX incidents_open ON incidents (workspace_id, started_at, id) WHERE resolved_at IS NULL AND deleted_at IS NULL;

-- +goose Down
DROP INDEX incidents_open;
DROP INDEX monitors_group;
DROP TABLE rollups_fine;
-- Histograms cannot be added up here: that of the busiest region stays.
CREATE TABLE rollups_hourly_old (
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
INSERT INTO rollups_hourly_old
SELECT monitor_id, start_at, sum(up), sum(degraded), sum(down), sum(unknown), max(known_ms), sum(response_us),
    (SELECT b.histogram FROM rollups_hourly b WHERE b.monitor_id = a.monitor_id AND b.start_at = a.start_at ORDER BY b.up + b.degraded DESC LIMIT 1)
FROM rollups_hourly a GROUP BY monitor_id, start_at;
DROP TABLE rollups_hourly;
ALTER TABLE rollups_hourly_old RENAME TO rollups_hourly;
CREATE TABLE rollups_daily_old (
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
INSERT INTO rollups_daily_old
SELECT monitor_id, start_at, sum(up), sum(degraded), sum(down), sum(unknown), max(known_ms), sum(response_us),
    (SELECT b.histogram FROM rollups_daily b WHERE b.monitor_id = a.monitor_id AND b.start_at = a.start_at ORDER BY b.up + b.degraded DESC LIMIT 1)
FROM rollups_daily a GROUP BY monitor_id, start_at;
DROP TABLE rollups_daily;
ALTER TABLE rollups_daily_old RENAME TO rollups_daily;
