-- +goose Up
-- Choices of a workspace that are made on pages, by name: what new monitors get, and in
-- the first workspace how long history is kept.
CREATE TABLE settings (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    name         TEXT   NOT NULL,
    value        TEXT   NOT NULL, -- JSON
    version      BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL, -- Unix milliseconds in UTC
    PRIMARY KEY (workspace_id, name)
);

-- +goose Down
DROP TABLE settings;
