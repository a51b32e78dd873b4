-- +goose NO TRANSACTION
-- +goose Up

-- Notes: what a runner understood of a step's log. And reporters: who a step
-- belongs to. No transaction, so that the indexes can be made while others
-- write; where this breaks off it begins anew, so every statement can be
-- repeated.

-- An event of kind 3 is a note. A row holds consecutive notes of one step and
-- one sort, which its form tells: see rows.go. Of such a row log_offset is the
-- number of its first note and log_bytes the length of what it holds. The end
-- of a group has a row to itself, whose first_line is the number of the note
-- that began the group.
ALTER TABLE events
    DROP CONSTRAINT IF EXISTS events_kind_check,
    DROP CONSTRAINT IF EXISTS events_note_check,
    ADD CONSTRAINT events_kind_check CHECK (kind IN (0, 1, 2, 3)) NOT VALID, -- build, step, log, note
    ADD CONSTRAINT events_note_check CHECK (kind <> 3 OR (log_offset IS NOT NULL AND log_bytes > 0)) NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT events_kind_check, VALIDATE CONSTRAINT events_note_check;

-- Unique, so that no note is stored twice.
DROP INDEX CONCURRENTLY IF EXISTS events_by_note;
CREATE UNIQUE INDEX CONCURRENTLY events_by_note ON events (build, step, log_offset) WHERE kind = 3;
-- A build's notes of one sort, by page.
DROP INDEX CONCURRENTLY IF EXISTS events_of_notes;
CREATE INDEX CONCURRENTLY events_of_notes ON events (build, (form >> 4), last_id) WHERE kind = 3;
-- Where a group ends.
DROP INDEX CONCURRENTLY IF EXISTS events_of_group_ends;
CREATE INDEX CONCURRENTLY events_of_group_ends ON events (build, step, first_line) WHERE kind = 3 AND first_line IS NOT NULL;
-- Readers without logs touch neither a log row nor a note row. The index
-- events_of_status stays for processes of the release before; a later
-- migration drops it.
DROP INDEX CONCURRENTLY IF EXISTS events_of_state;
CREATE INDEX CONCURRENTLY events_of_state ON events (build, last_id) WHERE kind < 2;

ALTER TABLE steps
    ADD COLUMN IF NOT EXISTS notes integer NOT NULL DEFAULT 0 CHECK (notes >= 0), -- how many; and of these
    ADD COLUMN IF NOT EXISTS errors integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS warnings integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS notices integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS tests_passed integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS tests_failed integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS tests_skipped integer NOT NULL DEFAULT 0,
    -- The first who named itself in an update of the step, for good; null: nobody did.
    ADD COLUMN IF NOT EXISTS reporter text COLLATE "C" CHECK (octet_length(reporter) BETWEEN 1 AND 100);

-- append_batch with the counts of notes (t_…) and reporters, else as it was. An
-- array that is NULL has no elements.
-- The function of the release before, which has fewer parameters, stays for
-- its processes: they leave these columns as they are.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION append_batch(
    in_epoch   uuid,
    p_id       bigint[], p_expect bigint[], p_last bigint[],
    n_build    bigint[], n_uuid uuid[], n_project bigint[], n_number bigint[], n_created timestamptz[],
    h_build    bigint[], h_expect bigint[], h_last bigint[], h_status text[], h_ended timestamptz[],
    g_build    bigint[], g_step integer[], g_silent double precision[],
    b_build    bigint[], b_branch text[], b_commit text[], b_title text[], b_author text[], b_url text[], b_trigger text[],
    b_started  timestamptz[], b_finished timestamptz[],
    s_build    bigint[], s_number integer[], s_key text[], s_name text[], s_needs text[], s_status text[], s_exit bigint[],
    s_started  timestamptz[], s_finished timestamptz[], s_ended timestamptz[], s_assumed boolean[], s_complete boolean[], s_reporter text[],
    l_build    bigint[], l_number integer[], l_bytes bigint[], l_newlines bigint[], l_unended boolean[], l_heard boolean[], l_beat boolean[],
    t_build    bigint[], t_number integer[], t_notes integer[], t_errors integer[], t_warnings integer[], t_notices integer[],
    t_passed   integer[], t_failed integer[], t_skipped integer[],
    e_build    bigint[], e_last bigint[], e_first bigint[], e_step integer[], e_kind smallint[], e_form smallint[],
    e_offset   bigint[], e_bytes bigint[], e_line bigint[], e_body bytea[],
    f_build    bigint[], f_project text[], f_branch text[], f_kind smallint[], f_step text[], f_body bytea[],
    OUT epoch_ok boolean, OUT missed bigint[], OUT feed_base bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    moved bigint[];
BEGIN
    -- Whatever session a pooler has put this statement into.
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    epoch_ok := coalesce(present_epoch() = in_epoch, false);
    missed := '{}';
    IF NOT epoch_ok THEN
        RETURN;
    END IF;

    IF cardinality(n_build) > 0 THEN
        SELECT coalesce(array_agg(locked.id), '{}') INTO moved
        FROM (
            SELECT p.id, p.last_number FROM projects p WHERE p.id = ANY (p_id) ORDER BY p.id FOR NO KEY UPDATE
        ) locked
        JOIN unnest(p_id, p_expect) want (id, last_number) USING (id)
        WHERE locked.last_number <> want.last_number;

        -- An id that is there already spoils the numbers of its whole project.
        SELECT moved || coalesce(array_agg(n.project), '{}') INTO moved
        FROM unnest(n_uuid, n_project) n (uuid, project)
        WHERE EXISTS (SELECT FROM builds b WHERE b.uuid = n.uuid);

        SELECT coalesce(array_agg(n.build), '{}') INTO missed
        FROM unnest(n_build, n_project) n (build, project)
        WHERE n.project = ANY (moved);

        UPDATE projects p SET last_number = want.last
        FROM unnest(p_id, p_last) want (id, last)
        WHERE p.id = want.id AND p.id <> ALL (moved);

        INSERT INTO builds (id, uuid, project, number, status, created_at)
        SELECT n.build, n.uuid, n.project, n.number, 'queued', n.created
        FROM unnest(n_build, n_uuid, n_project, n_number, n_created) n (build, uuid, project, number, created)
        WHERE n.build <> ALL (missed);

        INSERT INTO build_heads (build, last_id, status, ended_at)
        SELECT h.build, h.last, h.status, h.ended
        FROM unnest(h_build, h_expect, h_last, h_status, h_ended) h (build, expect, last, status, ended)
        WHERE h.expect = 0 AND h.build <> ALL (missed);
    END IF;

    SELECT missed || coalesce(array_agg(want.build), '{}') INTO missed
    FROM unnest(h_build, h_expect) want (build, expect)
    LEFT JOIN (
        SELECT h.build, h.last_id FROM build_heads h WHERE h.build = ANY (h_build) ORDER BY h.build FOR NO KEY UPDATE
    ) locked USING (build)
    WHERE want.expect > 0 AND locked.last_id IS DISTINCT FROM want.expect;

    -- Whoever was heard after all is not lost.
    IF cardinality(g_build) > 0 THEN
        SELECT missed || coalesce(array_agg(g.build), '{}') INTO missed
        FROM unnest(g_build, g_step, g_silent) g (build, step, silent)
        WHERE CASE WHEN g.step = 0
            THEN greatest((SELECT heard_at FROM build_heads h WHERE h.build = g.build), (SELECT max(heard_at) FROM steps s WHERE s.build = g.build))
            ELSE (SELECT heard_at FROM steps s WHERE s.build = g.build AND s.number = g.step)
        END > clock_timestamp() - make_interval(secs => g.silent)
        OR (SELECT since FROM hearing) > clock_timestamp() - make_interval(secs => g.silent);
    END IF;

    UPDATE build_heads h SET last_id = want.last, status = want.status, ended_at = want.ended, heard_at = clock_timestamp()
    FROM unnest(h_build, h_expect, h_last, h_status, h_ended) want (build, expect, last, status, ended)
    WHERE h.build = want.build AND want.expect > 0 AND want.last > want.expect AND h.build <> ALL (missed);

    INSERT INTO events (build, last_id, first_id, step, kind, form, log_offset, log_bytes, first_line, body)
    SELECT e.build, e.last, e.first, e.step, e.kind, e.form, e.log_offset, e.log_bytes, e.line, e.body
    FROM unnest(e_build, e_last, e_first, e_step, e_kind, e_form, e_offset, e_bytes, e_line, e_body)
        e (build, last, first, step, kind, form, log_offset, log_bytes, line, body)
    WHERE e.build <> ALL (missed);

    IF cardinality(s_build) > 0 THEN
        INSERT INTO steps (build, number, key, name, needs, status, exit_code, started_at, finished_at, ended_at, assumed, log_complete, reporter)
        SELECT s.build, s.number, s.key, s.name, string_to_array(s.needs, ' '), s.status, s.exit_code, s.started, s.finished, s.ended, s.assumed, s.complete, s.reporter
        FROM unnest(s_build, s_number, s_key, s_name, s_needs, s_status, s_exit, s_started, s_finished, s_ended, s_assumed, s_complete, s_reporter)
            s (build, number, key, name, needs, status, exit_code, started, finished, ended, assumed, complete, reporter)
        WHERE s.build <> ALL (missed)
        ON CONFLICT (build, number) DO UPDATE SET
            name = excluded.name, needs = excluded.needs, status = excluded.status, exit_code = excluded.exit_code,
            started_at = excluded.started_at, finished_at = excluded.finished_at, ended_at = excluded.ended_at,
            assumed = excluded.assumed, log_complete = excluded.log_complete, reporter = excluded.reporter;
    END IF;

    UPDATE steps s SET
        log_bytes = l.bytes, newlines = l.newlines, unended = l.unended,
        heard_at = CASE WHEN l.heard THEN clock_timestamp() ELSE s.heard_at END,
        beats = s.beats OR l.beat
    FROM unnest(l_build, l_number, l_bytes, l_newlines, l_unended, l_heard, l_beat) l (build, number, bytes, newlines, unended, heard, beat)
    WHERE s.build = l.build AND s.number = l.number AND l.build <> ALL (missed);

    IF cardinality(t_build) > 0 THEN
        UPDATE steps s SET
            notes = t.notes, errors = t.errors, warnings = t.warnings, notices = t.notices,
            tests_passed = t.passed, tests_failed = t.failed, tests_skipped = t.skipped
        FROM unnest(t_build, t_number, t_notes, t_errors, t_warnings, t_notices, t_passed, t_failed, t_skipped)
            t (build, number, notes, errors, warnings, notices, passed, failed, skipped)
        WHERE s.build = t.build AND s.number = t.number AND t.build <> ALL (missed);
    END IF;

    IF cardinality(b_build) > 0 THEN
        UPDATE builds b SET
            branch = n.branch, commit = n.commit, title = n.title, author = n.author, url = n.url, trigger = n.trigger,
            status = h.status, started_at = n.started, finished_at = n.finished
        FROM unnest(b_build, b_branch, b_commit, b_title, b_author, b_url, b_trigger, b_started, b_finished)
            n (build, branch, commit, title, author, url, trigger, started, finished)
        JOIN build_heads h ON h.build = n.build
        WHERE b.id = n.build AND b.id <> ALL (missed);
    END IF;

    IF cardinality(f_build) > 0 THEN
        PERFORM FROM feed_lock FOR NO KEY UPDATE;
        -- A statement of its own: its snapshot is younger than the lock.
        SELECT coalesce(max(id), 0) INTO feed_base FROM feed;
        INSERT INTO feed (id, build, project, branch, kind, step, body)
        SELECT feed_base + row_number() OVER (ORDER BY f.place), f.build, f.project, f.branch, f.kind, f.step, f.body
        FROM unnest(f_build, f_project, f_branch, f_kind, f_step, f_body) WITH ORDINALITY
            f (build, project, branch, kind, step, body, place)
        WHERE f.build <> ALL (missed);
    END IF;
END
$$;
-- +goose StatementEnd
