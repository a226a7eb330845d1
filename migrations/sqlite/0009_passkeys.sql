-- +goose Up
-- What names a person to authenticators: random, made with their first passkey, kept for
-- the next ones.
ALTER TABLE users ADD COLUMN passkey_handle BLOB;
CREATE UNIQUE INDEX users_passkey_handle ON users (passkey_handle) WHERE passkey_handle IS NOT NULL;

CREATE TABLE passkeys (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id         BIGINT NOT NULL REFERENCES users (id),
    party           TEXT   NOT NULL, -- the host that it was made for
    credential_id   BLOB   NOT NULL UNIQUE,
    public_key      BLOB   NOT NULL,
    sign_count      BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up       BOOLEAN NOT NULL,
    aaguid          TEXT   NOT NULL,
    transports      TEXT   NOT NULL, -- JSON
    name            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);

-- Challenges that an answer was taken for, until they end: none is taken twice.
CREATE TABLE passkey_challenges (
    hash    TEXT   PRIMARY KEY,
    ends_at BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_end ON passkey_challenges (ends_at);

-- +goose Down
DROP TABLE passkey_challenges;
DROP TABLE passkeys;
DROP INDEX users_passkey_handle;
ALTER TABLE users DROP COLUMN passkey_handle;
