-- +goose Up
-- Who belongs to which workspace, and with which role. The role, disabled, invite_hash
-- and invite_until of users are those of its workspace_id, which is the workspace that a
-- log-in leads to: they are kept for processes of before this table, which read no
-- other, and go with a later migration.
CREATE TABLE memberships (
    workspace_id BIGINT  NOT NULL REFERENCES workspaces (id),
    user_id      BIGINT  NOT NULL REFERENCES users (id),
    role         TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    disabled     BOOLEAN NOT NULL,
    invite_hash  TEXT    NOT NULL, -- '' once the invitation is accepted
    invite_until BIGINT,
    created_at   BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);
CREATE UNIQUE INDEX memberships_invite ON memberships (invite_hash) WHERE invite_hash <> '';
INSERT INTO memberships (workspace_id, user_id, role, disabled, invite_hash, invite_until, created_at)
SELECT workspace_id, id, role, disabled, invite_hash, invite_until, created_at FROM users WHERE deleted_at IS NULL;

-- The password was chosen by an admin or at the machine, and not by the person since.
ALTER TABLE users ADD COLUMN password_given BOOLEAN NOT NULL DEFAULT FALSE;

-- A row for each person in each workspace; elsewhere: they joined another one, too.
CREATE VIEW members AS
SELECT u.id, m.workspace_id, m.role, u.email, u.name, u.password_hash, u.password_given, u.time_zone, u.language, u.theme,
    m.disabled, m.invite_hash, m.invite_until, u.reset_hash, u.reset_until,
    u.totp_secret, u.totp_key, u.totp_step, u.recovery_hashes,
    u.tokens_from, u.last_seen_at, u.version, m.created_at, u.updated_at, u.workspace_id AS home_id,
    EXISTS (SELECT 1 FROM memberships o
        WHERE o.user_id = u.id AND o.workspace_id <> m.workspace_id AND o.invite_hash = '') AS elsewhere
FROM users u JOIN memberships m ON m.user_id = u.id
WHERE u.deleted_at IS NULL;

ALTER TABLE workspaces ADD COLUMN deleted_at BIGINT;

-- +goose Down
ALTER TABLE workspaces DROP COLUMN deleted_at;
DROP VIEW members;
ALTER TABLE users DROP COLUMN password_given;
-- Programs of before take the workspace of a token from its person.
DELETE FROM api_tokens WHERE workspace_id <> (SELECT u.workspace_id FROM users u WHERE u.id = api_tokens.user_id);
DELETE FROM refresh_tokens WHERE workspace_id <> (SELECT u.workspace_id FROM users u WHERE u.id = refresh_tokens.user_id);
DROP TABLE memberships;
