-- +goose Up
-- Nothing: this is of PostgreSQL alone. SQLite stores each number as short as it is.
SELECT 1;

-- +goose Down
SELECT 1;
