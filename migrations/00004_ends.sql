-- +goose NO TRANSACTION
-- +goose Up

-- Builds that have ended, a project's by the time of that, for its feed of
-- them. No transaction, so that the index can be made while others write; where
-- this breaks off it begins anew. branch and status are included so that a feed
-- of one of them is found in the index alone.
DROP INDEX CONCURRENTLY IF EXISTS builds_by_end;
CREATE INDEX CONCURRENTLY builds_by_end ON builds (project, finished_at DESC, id DESC) INCLUDE (branch, status)
    WHERE status NOT IN ('queued', 'running') AND finished_at IS NOT NULL;
