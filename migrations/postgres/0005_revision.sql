-- +goose Up
-- Raised by every write of the row but those of a success that changes nothing else
-- than the newest figures. A recorder that knows the revision need not read the row.
ALTER TABLE monitor_states ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- A state row is written with each check of its monitor. Room in its page lets the
-- new version stay there without a change of the index (HOT), and old versions are
-- cleared away before the table has doubled.
ALTER TABLE monitor_states SET (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.2
);

-- +goose Down
ALTER TABLE monitor_states RESET (
    fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay,
    autovacuum_analyze_scale_factor
);
ALTER TABLE monitor_states DROP COLUMN revision;
