-- +goose Up

-- One row for each history that this database has had; the newest one is in
-- force. `place` is what it was made for: the cluster, its timeline, and the
-- oid of this very table, which a restored dump makes anew. When the place is
-- another than here(), history was rewound and a new epoch begins.
CREATE TABLE epochs (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch   uuid NOT NULL UNIQUE,
    place   text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- +goose StatementBegin
CREATE FUNCTION here() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (pg_control_system()).system_identifier
        || '/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
        || '/' || 'epochs'::regclass::oid
$$;
-- +goose StatementEnd

-- The epoch in force; none when history was rewound and nobody noticed yet. In
-- plpgsql, which keeps its plan: it runs with every batch and every page.
-- +goose StatementBegin
CREATE FUNCTION present_epoch() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT CASE WHEN place = here() THEN epoch END FROM epochs ORDER BY seq DESC LIMIT 1);
END
$$;
-- +goose StatementEnd

CREATE TABLE projects (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200),
    public      boolean NOT NULL DEFAULT false,
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0)
);
-- Two names that differ by case only are one project to a person.
CREATE UNIQUE INDEX projects_name ON projects (lower(name));

-- Row numbers of builds are handed out in blocks, because a build's first
-- events need its number before its row is there.
CREATE SEQUENCE build_rows INCREMENT BY 64;

CREATE TABLE builds (
    id          bigint PRIMARY KEY,
    uuid        uuid NOT NULL UNIQUE,
    project     bigint NOT NULL REFERENCES projects,
    number      bigint NOT NULL CHECK (number > 0),
    branch      text COLLATE "C",
    commit      text COLLATE "C",
    title       text,
    author      text,
    url         text,
    trigger     text,
    status      text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'running', 'passed', 'failed', 'canceled', 'skipped', 'lost')),
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    UNIQUE (project, number)
);
CREATE INDEX builds_by_branch ON builds (project, branch, number DESC);
CREATE INDEX builds_by_creation ON builds (created_at DESC, id DESC);
CREATE INDEX builds_running ON builds (id) WHERE status = 'running';

-- The end of each build's log. last_id is also the version of the build's
-- state, since every change appends an event. The row is locked from the first
-- write of a transaction to its commit: that is what makes ids dense and
-- visible in order.
CREATE TABLE build_heads (
    build    bigint PRIMARY KEY REFERENCES builds ON DELETE CASCADE,
    last_id  bigint NOT NULL CHECK (last_id > 0),
    status   text COLLATE "C" NOT NULL,
    ended_at timestamptz, -- when the status became final or lost
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp() -- the newest event, by this database's clock
) WITH (fillfactor = 50);

CREATE TABLE steps (
    build        bigint NOT NULL REFERENCES builds ON DELETE CASCADE,
    number       integer NOT NULL CHECK (number > 0),
    key          text COLLATE "C" NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 200),
    name         text,
    needs        text[] COLLATE "C",
    status       text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'running', 'passed', 'failed', 'canceled', 'skipped', 'lost')),
    exit_code    bigint,
    started_at   timestamptz,
    finished_at  timestamptz,
    ended_at     timestamptz,                    -- by the server's clock
    assumed      boolean NOT NULL DEFAULT false, -- skipped by the server at the build's end
    log_bytes    bigint NOT NULL DEFAULT 0 CHECK (log_bytes >= 0),
    newlines     bigint NOT NULL DEFAULT 0 CHECK (newlines >= 0),
    unended      boolean NOT NULL DEFAULT false,
    log_complete boolean NOT NULL DEFAULT false,
    heard_at     timestamptz NOT NULL DEFAULT clock_timestamp(), -- the reporter's last sign of life, by this database's clock
    beats        boolean NOT NULL DEFAULT false, -- the reporter sends heartbeats and is held to them
    PRIMARY KEY (build, number),
    UNIQUE (build, key)
) WITH (fillfactor = 50);
CREATE INDEX steps_running ON steps (build) WHERE status = 'running';

-- A row holds consecutive events of one step, or one build or step event. It is
-- keyed by the last id of its run, so that rows of a finished build can be
-- joined later without changing any id. No foreign key: its check would cost
-- more than the insert, and rows are only ever written under their head's lock.
CREATE TABLE events (
    build      bigint NOT NULL,
    last_id    bigint NOT NULL,
    first_id   bigint NOT NULL CHECK (first_id > 0 AND first_id <= last_id),
    step       integer NOT NULL,  -- steps.number; 0 for the build
    kind       smallint NOT NULL CHECK (kind IN (0, 1, 2)), -- build, step, log
    form       smallint NOT NULL, -- of the body: see rows.go
    log_offset bigint,            -- of a log row: the place of its first byte in the step's log,
    log_bytes  bigint,            -- its length there,
    first_line bigint,            -- and the 1-based number of the line that the first byte belongs to
    body       bytea NOT NULL,
    PRIMARY KEY (build, last_id),
    CHECK (kind <> 2 OR (log_offset IS NOT NULL AND log_bytes > 0 AND first_line > 0))
);
-- Bodies arrive compressed with zstd; the server must not try again.
ALTER TABLE events ALTER COLUMN body SET STORAGE EXTERNAL;
-- Byte and line ranges of a step's log; unique, so that no byte is stored twice.
CREATE UNIQUE INDEX events_by_offset ON events (build, step, log_offset) INCLUDE (first_line) WHERE kind = 2;
-- Ranges that are gone for good (bit 1 of the form).
CREATE INDEX events_with_holes ON events (build, step, log_offset) WHERE kind = 2 AND form & 2 <> 0;
-- Readers without logs never touch a log row.
CREATE INDEX events_of_status ON events (build, last_id) WHERE kind <> 2;

-- The server-wide log of build and step events.
CREATE TABLE feed (
    id      bigint PRIMARY KEY,
    build   bigint NOT NULL,
    project text COLLATE "C" NOT NULL,
    branch  text COLLATE "C" NOT NULL, -- empty: none
    kind    smallint NOT NULL CHECK (kind IN (0, 1)),
    step    text COLLATE "C" NOT NULL,
    body    bytea NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE feed ALTER COLUMN body SET STORAGE EXTERNAL;

-- Locked by whoever appends to the feed, from then to the commit. It is never
-- updated: a counter here would drag its dead versions along under every dump.
CREATE TABLE feed_lock (one boolean PRIMARY KEY CHECK (one));
INSERT INTO feed_lock VALUES (true);

CREATE TABLE tokens (
    sum        bytea PRIMARY KEY CHECK (octet_length(sum) = 32), -- SHA-256
    name       text NOT NULL,
    scopes     text[] NOT NULL,
    project    text COLLATE "C" NOT NULL, -- a pattern
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- Since when some server could hear what runners say: silence before that is
-- nobody's fault.
CREATE TABLE hearing (
    one   boolean PRIMARY KEY CHECK (one),
    at    timestamptz NOT NULL,
    since timestamptz NOT NULL
);
INSERT INTO hearing VALUES (true, clock_timestamp(), clock_timestamp());

-- append_batch writes one batch that was decided outside, from committed state
-- at known versions. All data is in its parameters, so that nothing travels
-- while a lock is held. It writes only in the epoch that the batch was decided
-- in, and only builds (and, for new builds, projects) that are still at the
-- version expected; the others are returned in `missed`, untouched. Locks are
-- taken in the order projects, heads, feed, each by id.
-- +goose StatementBegin
CREATE FUNCTION append_batch(
    in_epoch   uuid,
    p_id       bigint[], p_expect bigint[], p_last bigint[],
    n_build    bigint[], n_uuid uuid[], n_project bigint[], n_number bigint[], n_created timestamptz[],
    h_build    bigint[], h_expect bigint[], h_last bigint[], h_status text[], h_ended timestamptz[],
    g_build    bigint[], g_step integer[], g_silent double precision[],
    b_build    bigint[], b_branch text[], b_commit text[], b_title text[], b_author text[], b_url text[], b_trigger text[],
    b_started  timestamptz[], b_finished timestamptz[],
    s_build    bigint[], s_number integer[], s_key text[], s_name text[], s_needs text[], s_status text[], s_exit bigint[],
    s_started  timestamptz[], s_finished timestamptz[], s_ended timestamptz[], s_assumed boolean[], s_complete boolean[],
    l_build    bigint[], l_number integer[], l_bytes bigint[], l_newlines bigint[], l_unended boolean[], l_heard boolean[], l_beat boolean[],
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
        INSERT INTO steps (build, number, key, name, needs, status, exit_code, started_at, finished_at, ended_at, assumed, log_complete)
        SELECT s.build, s.number, s.key, s.name, string_to_array(s.needs, ' '), s.status, s.exit_code, s.started, s.finished, s.ended, s.assumed, s.complete
        FROM unnest(s_build, s_number, s_key, s_name, s_needs, s_status, s_exit, s_started, s_finished, s_ended, s_assumed, s_complete)
            s (build, number, key, name, needs, status, exit_code, started, finished, ended, assumed, complete)
        WHERE s.build <> ALL (missed)
        ON CONFLICT (build, number) DO UPDATE SET
            name = excluded.name, needs = excluded.needs, status = excluded.status, exit_code = excluded.exit_code,
            started_at = excluded.started_at, finished_at = excluded.finished_at, ended_at = excluded.ended_at,
            assumed = excluded.assumed, log_complete = excluded.log_complete;
    END IF;

    UPDATE steps s SET
        log_bytes = l.bytes, newlines = l.newlines, unended = l.unended,
        heard_at = CASE WHEN l.heard THEN clock_timestamp() ELSE s.heard_at END,
        beats = s.beats OR l.beat
    FROM unnest(l_build, l_number, l_bytes, l_newlines, l_unended, l_heard, l_beat) l (build, number, bytes, newlines, unended, heard, beat)
    WHERE s.build = l.build AND s.number = l.number AND l.build <> ALL (missed);

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
