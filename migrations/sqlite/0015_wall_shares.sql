-- +goose Up
-- Links that show a wallboard to whoever has them. What they choose is fixed here, and
-- only a hash of what lets in. Times are Unix milliseconds in UTC.
CREATE TABLE wall_shares (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    user_id      BIGINT NOT NULL, -- who made it, who may be gone; 0 is the program
    name         TEXT   NOT NULL,
    tag          TEXT   NOT NULL,
    group_path   TEXT   NOT NULL,
    prefix       TEXT   NOT NULL,
    hash         TEXT   NOT NULL UNIQUE,
    expires_at   BIGINT,
    last_used_at BIGINT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX wall_shares_workspace ON wall_shares (workspace_id, id);

-- +goose Down
DROP TABLE wall_shares;
