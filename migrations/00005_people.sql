-- +goose Up

-- People: who has signed in, links for those who have not, runners without a
-- secret of their own, and who did what. A process of the release before knows
-- none of these tables and columns, and every token that it makes is right
-- without them. It does not know that a token may be for one build alone, and
-- takes it for one of the whole project until it is replaced.

-- Whoever waits for this lock has everybody else wait behind it: see 00003.
-- +goose StatementBegin
DO $$
BEGIN
    LOOP
        BEGIN
            SET LOCAL lock_timeout = '1s';
            LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd
ALTER TABLE tokens
    ADD COLUMN IF NOT EXISTS build     uuid,                     -- for that build of the project alone; it need not be there yet
    ADD COLUMN IF NOT EXISTS made_by   text NOT NULL DEFAULT '', -- whose doing it was; empty: of a time when that was not kept
    ADD COLUMN IF NOT EXISTS used_at   timestamptz,              -- the last time, a minute late at most
    ADD COLUMN IF NOT EXISTS used_from text,                     -- and the address of who used it
    ADD COLUMN IF NOT EXISTS link      boolean NOT NULL DEFAULT false CHECK (NOT link OR build IS NOT NULL AND expires_at IS NOT NULL);
CREATE INDEX IF NOT EXISTS tokens_by_age ON tokens (created_at, sum) WHERE NOT link;
CREATE INDEX IF NOT EXISTS tokens_by_build ON tokens (build) WHERE build IS NOT NULL;

-- A session is what a browser with its cookie may do: what the groups of its
-- person are given, or what a token is, and the builds whose links were opened
-- in it. One that has ended is not there.
CREATE TABLE IF NOT EXISTS sessions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        bytea NOT NULL UNIQUE CHECK (octet_length(key) = 32), -- SHA-256 of the part of the cookie that stays
    -- Of whole cookies, SHA-256: the one that the browser is known to have, the
    -- one that it was sent and has not come back with yet, and the one before,
    -- which is good for a moment after the browser was seen with its successor.
    sum        bytea NOT NULL CHECK (octet_length(sum) = 32),
    next       bytea CHECK (octet_length(next) = 32),
    former     bytea CHECK (octet_length(former) = 32),
    sent_at    timestamptz, -- the next one
    rotated_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- when the browser was first seen with this one
    issuer     text,  -- of who signed in at a provider, with
    subject    text,  -- the provider's name for the person; both null: nobody did
    name       text NOT NULL DEFAULT '',
    email      text NOT NULL DEFAULT '',
    groups     text[] NOT NULL DEFAULT '{}',
    token      bytea REFERENCES tokens ON DELETE CASCADE, -- of who pasted one
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(), -- the last time, some minutes late
    expires_at timestamptz NOT NULL,
    CHECK ((issuer IS NULL) = (subject IS NULL)),
    CHECK (issuer IS NULL OR token IS NULL),
    CHECK ((next IS NULL) = (sent_at IS NULL))
);
CREATE INDEX IF NOT EXISTS sessions_by_person ON sessions (issuer, subject);
CREATE INDEX IF NOT EXISTS sessions_by_token ON sessions (token);
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at);

-- A link is a token for one build, whose text opens it in a browser.
CREATE TABLE IF NOT EXISTS session_links (
    session bigint NOT NULL REFERENCES sessions ON DELETE CASCADE,
    token   bytea NOT NULL REFERENCES tokens ON DELETE CASCADE,
    PRIMARY KEY (session, token)
);
CREATE INDEX IF NOT EXISTS session_links_by_token ON session_links (token); -- which is looked for when a token goes

-- Who is on the way to a provider and has not come back yet, to whichever
-- process. What PKCE and the nonce are made of, only the browser has.
CREATE TABLE IF NOT EXISTS sign_ins (
    sum        bytea PRIMARY KEY CHECK (octet_length(sum) = 32), -- SHA-256 of the browser's cookie for it, and the state
    back       text NOT NULL, -- the path to go on to
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sign_ins_by_expiry ON sign_ins (expires_at);

-- Identity tokens of runners that have been exchanged, until they expire by
-- themselves: each is good for one token.
CREATE TABLE IF NOT EXISTS exchanges (
    sum        bytea PRIMARY KEY CHECK (octet_length(sum) = 32), -- SHA-256 of issuer and id
    token      bytea NOT NULL REFERENCES tokens,
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS exchanges_by_expiry ON exchanges (expires_at);
CREATE INDEX IF NOT EXISTS exchanges_by_token ON exchanges (token);

-- Who did what to tokens, projects, links and sessions, written with the change
-- itself and kept for good.
CREATE TABLE IF NOT EXISTS audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor   text NOT NULL,
    address text NOT NULL, -- of the client; empty: none
    action  text COLLATE "C" NOT NULL, -- such as token.create
    project text COLLATE "C" NOT NULL, -- a project or a pattern; *: of the whole server
    target  text NOT NULL,
    detail  jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_by_project ON audit (project, id);

-- Nothing that the server does changes it. The owner of the table, who may drop
-- this trigger, still can.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is added to, and nothing of it is changed or deleted';
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_kept; -- also where a session takes itself for a replica
