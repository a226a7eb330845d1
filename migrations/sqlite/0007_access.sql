-- +goose Up
-- Of a session as a whole, on its newest link: when it was begun, and when it was seen
-- last, to the minute. NULL where an older version of the program wrote the link.
ALTER TABLE refresh_tokens ADD COLUMN began_at BIGINT;
ALTER TABLE refresh_tokens ADD COLUMN seen_at BIGINT;

-- Of the link that was mailed to set a new password.
ALTER TABLE users ADD COLUMN reset_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN reset_until BIGINT;
-- The second factor: its secret, sealed for the random totp_key; the newest time step
-- of which a code was taken; hashes of the recovery codes that are left, as JSON.
ALTER TABLE users ADD COLUMN totp_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN totp_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN recovery_hashes TEXT NOT NULL DEFAULT '[]';
CREATE UNIQUE INDEX users_reset ON users (reset_hash) WHERE reset_hash <> '';

CREATE INDEX audit_log_object ON audit_log (workspace_id, object_type, id);
CREATE INDEX audit_log_user ON audit_log (workspace_id, user_id, id);
CREATE INDEX audit_log_at ON audit_log (workspace_id, at);

-- What was done stays done: nobody changes or removes a line.
-- +goose StatementBegin
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_is_not_shortened BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER audit_log_is_not_shortened;
DROP TRIGGER audit_log_is_not_changed;
DROP INDEX audit_log_at;
DROP INDEX audit_log_user;
DROP INDEX audit_log_object;
DROP INDEX users_reset;
ALTER TABLE users DROP COLUMN recovery_hashes;
ALTER TABLE users DROP COLUMN totp_step;
ALTER TABLE users DROP COLUMN totp_key;
ALTER TABLE users DROP COLUMN totp_secret;
ALTER TABLE users DROP COLUMN reset_until;
ALTER TABLE users DROP COLUMN reset_hash;
ALTER TABLE refresh_tokens DROP COLUMN seen_at;
ALTER TABLE refresh_tokens DROP COLUMN began_at;
