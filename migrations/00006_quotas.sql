-- +goose Up

-- Quotas on log text. A process of the release before counts no holes and cuts
-- no log; to it, text beyond the hole that ends a log that was cut is a gap.

-- Whoever waits for this lock has everybody else wait behind it, for as long as
-- somebody reads the table, such as a backup. So it waits for a moment only, and
-- again later.
-- +goose StatementBegin
DO $$
BEGIN
    LOOP
        BEGIN
            SET LOCAL lock_timeout = '1s';
            LOCK TABLE steps IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd
ALTER TABLE steps
    ADD COLUMN IF NOT EXISTS holes bigint NOT NULL DEFAULT 0 CHECK (holes >= 0), -- bytes of log_bytes that are not kept; of steps from before this column, 0
    ADD COLUMN IF NOT EXISTS cut text COLLATE "C"; -- the quota that was used up, as ci.Quota writes it: the rest of the log is not kept

-- How much log text a project has kept in each hour. Processes add to it every
-- few seconds, outside of the transactions that keep the text, so it is a
-- little behind, and short of what a process that was killed had not told yet.
CREATE TABLE IF NOT EXISTS project_texts (
    project bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    hour    timestamptz NOT NULL,
    bytes   bigint NOT NULL CHECK (bytes > 0),
    PRIMARY KEY (project, hour)
);

-- append_batch with what holes and quotas did to steps (q_…). It is called where
-- there is some, which is seldom; all else calls the one without.
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
    q_build    bigint[], q_number integer[], q_holes bigint[], q_cut text[],
    OUT epoch_ok boolean, OUT missed bigint[], OUT feed_base bigint
)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.epoch_ok, a.missed, a.feed_base INTO epoch_ok, missed, feed_base FROM append_batch(
        in_epoch,
        p_id, p_expect, p_last,
        n_build, n_uuid, n_project, n_number, n_created,
        h_build, h_expect, h_last, h_status, h_ended,
        g_build, g_step, g_silent,
        b_build, b_branch, b_commit, b_title, b_author, b_url, b_trigger, b_started, b_finished,
        s_build, s_number, s_key, s_name, s_needs, s_status, s_exit, s_started, s_finished, s_ended, s_assumed, s_complete, s_reporter,
        l_build, l_number, l_bytes, l_newlines, l_unended, l_heard, l_beat,
        t_build, t_number, t_notes, t_errors, t_warnings, t_notices, t_passed, t_failed, t_skipped,
        e_build, e_last, e_first, e_step, e_kind, e_form, e_offset, e_bytes, e_line, e_body,
        f_build, f_project, f_branch, f_kind, f_step, f_body
    ) a;
    IF epoch_ok THEN
        UPDATE steps s SET holes = q.holes, cut = q.cut
        FROM unnest(q_build, q_number, q_holes, q_cut) q (build, number, holes, cut)
        WHERE s.build = q.build AND s.number = q.number AND q.build <> ALL (missed);
    END IF;
END
$$;
-- +goose StatementEnd
