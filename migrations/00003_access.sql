-- +goose Up

-- Access: who may frame what is embedded of a project, and when it last became
-- public or private. A process of the release before knows none of these
-- columns, and every project that it makes is right without them.
ALTER TABLE projects
    ADD COLUMN IF NOT EXISTS frame_ancestors text[] COLLATE "C" CHECK (cardinality(frame_ancestors) <= 20), -- origins; null: whoever may see it
    -- Both null while it has always been private. Whoever watched the feed
    -- before that event, or until shortly after that time, and saw the project
    -- then but not now or the other way round, begins anew.
    ADD COLUMN IF NOT EXISTS visibility_event bigint, -- the feed's newest at the change
    ADD COLUMN IF NOT EXISTS visibility_at timestamptz;
