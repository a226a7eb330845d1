-- +goose Up
-- Raised by every write of the row but those of a success that changes nothing else
-- than the newest figures. A recorder that knows the revision need not read the row.
ALTER TABLE monitor_states ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE monitor_states DROP COLUMN revision;
