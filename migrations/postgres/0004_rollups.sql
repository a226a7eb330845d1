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
ALTER TABLE rollups_hourly
    ADD COLUMN region_id      SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN down_ms        BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN unknown_ms     BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN maintenance_ms BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN known_spans    BYTEA,
    ADD COLUMN down_spans     BYTEA,
    DROP CONSTRAINT rollups_hourly_pkey,
    ADD PRIMARY KEY (monitor_id, start_at, region_id);
ALTER TABLE rollups_daily
    ADD COLUMN region_id      SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN down_ms        BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN unknown_ms     BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN maintenance_ms BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN known_spans    BYTEA,
    ADD COLUMN down_spans     BYTEA,
    DROP CONSTRAINT rollups_daily_pkey,
    ADD PRIMARY KEY (monitor_id, start_at, region_id);

-- The five minutes of an hour, for bars and charts of the last two days.
CREATE TABLE rollups_fine (
    monitor_id  BIGINT   NOT NULL,
    start_at    BIGINT   NOT NULL, -- the hour
    region_id   SMALLINT NOT NULL,
    slices      BYTEA    NOT NULL,
    PRIMARY KEY (monitor_id, start_at, region_id)
);

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
CREATE TABLE rollups_hourly_old AS
SELECT monitor_id, start_at, sum(up)::integer AS up, sum(degraded)::integer AS degraded, sum(down)::integer AS down,
    sum(unknown)::integer AS unknown, max(known_ms) AS known_ms, sum(response_us)::bigint AS response_us,
    (array_agg(histogram ORDER BY up + degraded DESC))[1] AS histogram
FROM rollups_hourly GROUP BY monitor_id, start_at;
TRUNCATE rollups_hourly;
ALTER TABLE rollups_hourly
    DROP CONSTRAINT rollups_hourly_pkey, DROP COLUMN region_id, DROP COLUMN down_ms, DROP COLUMN unknown_ms,
    DROP COLUMN maintenance_ms, DROP COLUMN known_spans, DROP COLUMN down_spans,
    ADD PRIMARY KEY (monitor_id, start_at);
INSERT INTO rollups_hourly (monitor_id, start_at, up, degraded, down, unknown, known_ms, response_us, histogram)
SELECT monitor_id, start_at, up, degraded, down, unknown, known_ms, response_us, histogram FROM rollups_hourly_old;
DROP TABLE rollups_hourly_old;
CREATE TABLE rollups_daily_old AS
SELECT monitor_id, start_at, sum(up)::integer AS up, sum(degraded)::integer AS degraded, sum(down)::integer AS down,
    sum(unknown)::integer AS unknown, max(known_ms) AS known_ms, sum(response_us)::bigint AS response_us,
    (array_agg(histogram ORDER BY up + degraded DESC))[1] AS histogram
FROM rollups_daily GROUP BY monitor_id, start_at;
TRUNCATE rollups_daily;
ALTER TABLE rollups_daily
    DROP CONSTRAINT rollups_daily_pkey, DROP COLUMN region_id, DROP COLUMN down_ms, DROP COLUMN unknown_ms,
    DROP COLUMN maintenance_ms, DROP COLUMN known_spans, DROP COLUMN down_spans,
    ADD PRIMARY KEY (monitor_id, start_at);
INSERT INTO rollups_daily (monitor_id, start_at, up, degraded, down, unknown, known_ms, response_us, histogram)
SELECT monitor_id, start_at, up, degraded, down, unknown, known_ms, response_us, histogram FROM rollups_daily_old;
DROP TABLE rollups_daily_old;
