-- Uploads: how a file gets into the object store. The video they become is a document elsewhere.

CREATE TABLE uploads (
    video_id     uuid PRIMARY KEY,
    creator_id   uuid NOT NULL REFERENCES users (id),
    -- Made by us; no word of the sender's is in it.
    object_key   text NOT NULL UNIQUE,
    -- The multipart upload in the store; null until it was begun, and for what was in the store already.
    multipart_id text,
    -- Comes through us as one form: nobody can go on with it, and it ends with its connection.
    is_form      boolean NOT NULL DEFAULT false,
    -- Shown to its owner and used for nothing.
    file_name    text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    -- Counts for the quota while open or stored. Of a form: what it may be at most, until it is there.
    size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
    part_bytes   integer NOT NULL CHECK (part_bytes > 0),
    -- Of the whole file as the sender named it; the transcoder compares.
    sha256       bytea CHECK (octet_length(sha256) = 32),
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'stored', 'refused', 'aborted')),
    -- What follows from the state was done where no transaction reaches: in the object store and the catalogue.
    settled      boolean NOT NULL DEFAULT false,
    -- The Idempotency-Key it was opened with, and the SHA-256 of what was asked.
    request_key  text CHECK (length(request_key) BETWEEN 1 AND 200),
    request_sum  bytea,
    created_at   timestamptz NOT NULL,
    -- Given up then, if it is still open.
    expires_at   timestamptz NOT NULL,
    closed_at    timestamptz CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX uploads_of_creator ON uploads (creator_id, state, created_at DESC);
CREATE UNIQUE INDEX uploads_request ON uploads (creator_id, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX uploads_to_expire ON uploads (expires_at) WHERE state = 'open';
CREATE INDEX uploads_to_settle ON uploads (closed_at) WHERE state <> 'open' AND NOT settled;
CREATE INDEX uploads_multipart ON uploads (multipart_id) WHERE state = 'open';

-- What each part must be: the checksum that its URL was signed with.
CREATE TABLE upload_parts (
    video_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    number   integer NOT NULL CHECK (number BETWEEN 1 AND 10000),
    sha256   bytea NOT NULL CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (video_id, number)
);
