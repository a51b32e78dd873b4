-- +goose Up

-- Access: who may frame what is embedded of a project, and when it last became
-- public or private. A process of the release before knows none of these
-- columns, and every project that it makes is right without them.

-- Whoever waits for this lock has everybody else wait behind it, for as long as
-- somebody reads the table, such as a backup. So it waits for a moment only, and
-- again later.
-- +goose StatementBegin
DO $$
BEGIN
    LOOP
        BEGIN
            SET LOCAL lock_timeout = '1s';
            LOCK TABLE projects IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd
ALTER TABLE projects
    ADD COLUMN IF NOT EXISTS frame_ancestors text[] COLLATE "C" CHECK (cardinality(frame_ancestors) <= 20), -- origins; null: any
    -- Both null while it has always been private. Whoever watched the feed
    -- before that event, or until shortly after that time, and saw the project
    -- then but not now or the other way round, begins anew.
    ADD COLUMN IF NOT EXISTS visibility_event bigint, -- the feed's newest at the change
    ADD COLUMN IF NOT EXISTS visibility_at timestamptz;
