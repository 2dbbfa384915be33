-- Accounts, live streams, and the outbox that carries their events to the bus.

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) <= 254),
    display_name      text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 40),
    password_hash     text NOT NULL,
    role              text NOT NULL DEFAULT 'free' CHECK (role IN ('free', 'premium', 'creator', 'admin')),
    subscription_tier text NOT NULL DEFAULT 'free' CHECK (subscription_tier IN ('free', 'premium')),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);

CREATE TABLE streams (
    id             uuid PRIMARY KEY,
    creator_id     uuid NOT NULL REFERENCES users (id),
    -- Public name of the stream in playback URLs: says nothing about the key.
    playback_id    text NOT NULL UNIQUE,
    -- SHA-256 of the key: a stolen copy of this table publishes nothing.
    key_hash       bytea NOT NULL UNIQUE,
    title          text NOT NULL CHECK (length(title) BETWEEN 1 AND 140),
    category       text CHECK (length(category) BETWEEN 1 AND 60),
    latency        text NOT NULL CHECK (latency IN ('low', 'standard')),
    status         text NOT NULL CHECK (status IN ('created', 'live', 'interrupted', 'ended')),
    created_at     timestamptz NOT NULL,
    started_at     timestamptz,
    connected_at   timestamptz,
    interrupted_at timestamptz,
    ended_at       timestamptz,
    end_reason     text,
    -- How often an encoder connected; the packager numbers its discontinuities with it.
    connections    integer NOT NULL DEFAULT 0
);

-- One stream per creator that is not over yet.
CREATE UNIQUE INDEX streams_one_open_per_creator ON streams (creator_id) WHERE status <> 'ended';
CREATE INDEX streams_open ON streams (status, started_at DESC) WHERE status <> 'ended';
CREATE INDEX streams_by_creator ON streams (creator_id, created_at DESC);

CREATE TABLE outbox (
    id             uuid PRIMARY KEY,
    sequence       bigint GENERATED ALWAYS AS IDENTITY,
    topic          text NOT NULL,
    body           bytea NOT NULL,
    correlation_id text NOT NULL DEFAULT '',
    at             timestamptz NOT NULL
);
CREATE INDEX outbox_in_order ON outbox (sequence);
