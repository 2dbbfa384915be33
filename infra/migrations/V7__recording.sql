-- Recordings of live streams: what was kept of them, until a video was made of it.

-- What is sent while this is on is recorded.
ALTER TABLE streams ADD COLUMN record boolean NOT NULL DEFAULT true;

CREATE TABLE recordings (
    stream_id  uuid PRIMARY KEY REFERENCES streams (id),
    -- open: pieces come, or wait to be joined; made: the video has its own file; done: nothing is left to do.
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'made', 'done')),
    -- Null once done: there was too little to make a video of.
    video_id   uuid,
    -- Why it ended before the stream did.
    cut_short  text,
    attempts   integer NOT NULL DEFAULT 0,
    -- Nobody looks at it before; whoever works at it moves it on.
    next_at    timestamptz NOT NULL
);
CREATE INDEX recordings_to_do ON recordings (next_at) WHERE state <> 'done';

-- One connection of an encoder. Open until all of its pieces are stored.
CREATE TABLE recording_connections (
    stream_id  uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    connection integer NOT NULL,
    -- When whoever holds what is not stored yet was last heard of.
    heard_at   timestamptz NOT NULL,
    closed_at  timestamptz,
    PRIMARY KEY (stream_id, connection)
);

-- Whole segments in the object store, beside the header of their run of the packager.
CREATE TABLE recording_pieces (
    stream_id     uuid NOT NULL,
    connection    integer NOT NULL,
    run           bigint NOT NULL,
    first_segment bigint NOT NULL,
    last_segment  bigint NOT NULL CHECK (last_segment >= first_segment),
    size_bytes    bigint NOT NULL CHECK (size_bytes > 0),
    -- Wall clock of the first sample.
    started_at    timestamptz NOT NULL,
    -- Of each track: its id, its timescale, and where it begins and ends in ticks, as [[id, timescale, from, to], ...];
    -- the picture's first.
    tracks        jsonb NOT NULL,
    PRIMARY KEY (stream_id, connection, run, first_segment),
    FOREIGN KEY (stream_id, connection) REFERENCES recording_connections ON DELETE CASCADE
);
