-- The work of making videos. A message on the bus is only a nudge: what is to be done, by whom and how often it was
-- tried stands here. A row of `transcodes` stays as long as its video; tasks and segments go when the work is over.

CREATE TABLE transcodes (
    video_id      uuid PRIMARY KEY,
    creator_id    uuid NOT NULL,
    -- The folder of the files; another for each start from scratch.
    build         text NOT NULL CHECK (build ~ '^[a-z0-9]{12}$'),
    poster        text NOT NULL,
    -- failing: given up, but the video's document does not say so yet.
    state         text NOT NULL CHECK (state IN ('running', 'done', 'failing', 'failed')),
    source_key    text NOT NULL,
    size_bytes    bigint NOT NULL CHECK (size_bytes > 0),
    part_bytes    bigint NOT NULL DEFAULT 0,
    part_sums     bytea[] NOT NULL DEFAULT '{}',
    sha256        bytea,
    -- `Probed` and `Plan` (media/vod/plan.py) as JSON, once the source was looked at.
    probed        bytea,
    plan          bytea,
    has_poster     boolean NOT NULL DEFAULT false,
    has_storyboard boolean NOT NULL DEFAULT false,
    -- Renditions that viewers were told of.
    shown         text[] NOT NULL DEFAULT '{}',
    failure       jsonb,
    requested_at  timestamptz NOT NULL,
    began_at      timestamptz,
    -- When its progress was last published, by whichever worker.
    reported_at   timestamptz
);
CREATE INDEX transcodes_failing ON transcodes (video_id) WHERE state = 'failing';

CREATE TABLE transcode_tasks (
    video_id    uuid NOT NULL REFERENCES transcodes ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('prepare', 'low', 'audio', 'poster', 'high', 'pictures', 'finish')),
    chunk       integer NOT NULL DEFAULT 0,
    rank        smallint NOT NULL,
    -- Short enough for the places that are kept free for what somebody waits for.
    quick       boolean NOT NULL,
    weight      real NOT NULL,
    progress    real NOT NULL DEFAULT 0,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done')),
    -- Counted when it is claimed: being killed is an attempt. `excuses` are ends that were nobody's fault in the video.
    attempt     integer NOT NULL DEFAULT 0,
    excuses     integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    -- Drawn from `transcode_claims` at each claim: a result is taken only with the number that holds the lease.
    claim       bigint,
    lease_until timestamptz CHECK ((lease_until IS NULL) = (state <> 'running')),
    PRIMARY KEY (video_id, kind, chunk)
);
CREATE SEQUENCE transcode_claims AS bigint;
CREATE INDEX transcode_tasks_waiting ON transcode_tasks (due_at) WHERE state = 'waiting';
CREATE INDEX transcode_tasks_running ON transcode_tasks (lease_until) WHERE state = 'running';

-- Segments whose files are in the object store, until the video is whole.
CREATE TABLE transcode_segments (
    video_id         uuid NOT NULL REFERENCES transcodes ON DELETE CASCADE,
    rendition        text NOT NULL,
    number           integer NOT NULL CHECK (number >= 0),
    duration_seconds double precision NOT NULL CHECK (duration_seconds > 0),
    size_bytes       bigint NOT NULL CHECK (size_bytes > 0),
    PRIMARY KEY (video_id, rendition, number)
);

-- When a creator's turn was last: who waited longest is next, so that fifty uploads of one keep nobody waiting.
CREATE TABLE transcode_turns (
    creator_id uuid PRIMARY KEY,
    served_at  timestamptz NOT NULL
);

-- Folders (or single files) that nobody needs any more. `due_at` leaves time to workers that have not heard of it yet.
CREATE TABLE transcode_leftovers (
    prefix text PRIMARY KEY CHECK (prefix ~ '^(vod|posters)/[0-9a-f-]{36}/'),
    due_at timestamptz NOT NULL
);
CREATE INDEX transcode_leftovers_due ON transcode_leftovers (due_at);
