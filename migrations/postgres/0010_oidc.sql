-- +goose Up
-- By whom people are known to the provider of OpenID Connect that they log in by. A
-- provider knows a person by one subject, and so does a person's account.
CREATE TABLE user_identities (
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX user_identities_user ON user_identities (user_id, issuer);

-- +goose Down
DROP TABLE user_identities;
