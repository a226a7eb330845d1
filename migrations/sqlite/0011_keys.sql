-- +goose Up
-- The keys that may have sealed what is stored here, by their public ids. check_value
-- is sealed by the key itself. Times are Unix milliseconds in UTC.
CREATE TABLE seal_keys (
    id          TEXT   PRIMARY KEY,
    check_value TEXT   NOT NULL,
    used_at     BIGINT NOT NULL -- when a process last began to seal by it
);

-- The processes that run, with the keys that they know: nothing is sealed by a key
-- that one of them lacks.
CREATE TABLE key_holders (
    member   TEXT   PRIMARY KEY,
    seals_by TEXT   NOT NULL,
    knows    TEXT   NOT NULL, -- JSON
    seen_at  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE key_holders;
DROP TABLE seal_keys;
