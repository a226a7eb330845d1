-- +goose Up
-- How somebody wants the pages to be, as JSON; what is absent is as usual.
ALTER TABLE users ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';

DROP VIEW members;
CREATE VIEW members AS
SELECT u.id, m.workspace_id, m.role, u.email, u.name, u.password_hash, u.password_given, u.time_zone, u.language, u.theme,
    m.disabled, m.invite_hash, m.invite_until, u.reset_hash, u.reset_until,
    u.totp_secret, u.totp_key, u.totp_step, u.recovery_hashes,
    u.tokens_from, u.last_seen_at, u.version, m.created_at, u.updated_at, u.workspace_id AS home_id,
    EXISTS (SELECT 1 FROM memberships o
        WHERE o.user_id = u.id AND o.workspace_id <> m.workspace_id AND o.invite_hash = '') AS elsewhere, u.preferences
FROM users u JOIN memberships m ON m.user_id = u.id
WHERE u.deleted_at IS NULL;

-- Filters of the list of monitors that somebody gave a name to.
CREATE TABLE saved_views (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BIGINT  NOT NULL REFERENCES workspaces (id),
    user_id      BIGINT  NOT NULL REFERENCES users (id),
    name         TEXT    NOT NULL,
    query        TEXT    NOT NULL, -- of the list's address, without the question mark
    shared       BOOLEAN NOT NULL, -- with everybody in the workspace
    created_at   BIGINT  NOT NULL
);
CREATE INDEX saved_views_user ON saved_views (workspace_id, user_id);
CREATE INDEX saved_views_shared ON saved_views (workspace_id) WHERE shared;

-- +goose Down
DROP TABLE saved_views;
DROP VIEW members;
ALTER TABLE users DROP COLUMN preferences;
CREATE VIEW members AS
SELECT u.id, m.workspace_id, m.role, u.email, u.name, u.password_hash, u.password_given, u.time_zone, u.language, u.theme,
    m.disabled, m.invite_hash, m.invite_until, u.reset_hash, u.reset_until,
    u.totp_secret, u.totp_key, u.totp_step, u.recovery_hashes,
    u.tokens_from, u.last_seen_at, u.version, m.created_at, u.updated_at, u.workspace_id AS home_id,
    EXISTS (SELECT 1 FROM memberships o
        WHERE o.user_id = u.id AND o.workspace_id <> m.workspace_id AND o.invite_hash = '') AS elsewhere
FROM users u JOIN memberships m ON m.user_id = u.id
WHERE u.deleted_at IS NULL;
