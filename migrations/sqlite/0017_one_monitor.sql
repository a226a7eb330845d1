-- +goose Up
-- What was sent about a monitor, and what was changed of one object, newest first.
CREATE INDEX deliveries_monitor ON deliveries (monitor_id, id) WHERE monitor_id <> 0;
CREATE INDEX audit_log_one ON audit_log (workspace_id, object_type, object_id, id);

-- +goose Down
DROP INDEX audit_log_one;
DROP INDEX deliveries_monitor;
