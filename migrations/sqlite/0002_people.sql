-- +goose Up
-- Times are Unix milliseconds in UTC; NULL is "never".
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id  BIGINT NOT NULL REFERENCES workspaces (id),
    role          TEXT   NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    email         TEXT   NOT NULL CHECK (email = lower(email)),
    name          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    time_zone     TEXT   NOT NULL,
    language      TEXT   NOT NULL,
    theme         TEXT   NOT NULL,
    disabled      BOOLEAN NOT NULL,
    invite_hash   TEXT   NOT NULL,
    invite_until  BIGINT,
    tokens_from   BIGINT,
    last_seen_at  BIGINT,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    -- The row stays after deletion, without its address, because timelines name authors.
    deleted_at    BIGINT
);
CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_invite ON users (invite_hash) WHERE invite_hash <> '';
CREATE INDEX users_workspace ON users (workspace_id, id) WHERE deleted_at IS NULL;

CREATE TABLE refresh_tokens (
    hash         TEXT   PRIMARY KEY,
    family       TEXT   NOT NULL,
    user_id      BIGINT NOT NULL REFERENCES users (id),
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    issued_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT,
    address      TEXT   NOT NULL,
    user_agent   TEXT   NOT NULL
);
-- A family has one unused link at most: two rotations of one token cannot both win.
CREATE UNIQUE INDEX refresh_tokens_newest ON refresh_tokens (family) WHERE used_at IS NULL;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    user_id      BIGINT NOT NULL REFERENCES users (id),
    name         TEXT   NOT NULL,
    role         TEXT   NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    scopes       TEXT   NOT NULL,
    prefix       TEXT   NOT NULL,
    hash         TEXT   NOT NULL UNIQUE,
    expires_at   BIGINT,
    last_used_at BIGINT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX api_tokens_workspace ON api_tokens (workspace_id, id);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- Actors are no foreign keys: user 0 is the program, token 0 is no token.
CREATE TABLE idempotency_keys (
    user_id     BIGINT NOT NULL,
    token_id    BIGINT NOT NULL,
    key         TEXT   NOT NULL,
    body_hash   TEXT   NOT NULL,
    lease_until BIGINT, -- NULL once there is an answer
    status      BIGINT NOT NULL,
    header      TEXT   NOT NULL,
    body        BLOB   NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, token_id, key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE audit_log (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    user_id      BIGINT NOT NULL,
    token_id     BIGINT NOT NULL,
    address      TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    object_type  TEXT   NOT NULL,
    object_id    BIGINT NOT NULL,
    detail       TEXT   NOT NULL,
    at           BIGINT NOT NULL
);
CREATE INDEX audit_log_workspace ON audit_log (workspace_id, id);

-- +goose Down
DROP TABLE audit_log;
DROP TABLE idempotency_keys;
DROP TABLE api_tokens;
DROP TABLE refresh_tokens;
DROP TABLE users;
