-- The colour of a name in chat, and the emotes of channels.

ALTER TABLE users ADD COLUMN chat_color text CHECK (chat_color ~ '^#[0-9a-f]{6}$');

CREATE TABLE channel_emotes (
    -- The creator's user id: a channel is a creator.
    channel_id   uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code         text NOT NULL CHECK (code ~ '^[a-z0-9_]{2,24}$'),
    object_key   text NOT NULL UNIQUE,
    content_type text NOT NULL CHECK (content_type IN ('image/png', 'image/gif', 'image/webp')),
    width        integer NOT NULL CHECK (width BETWEEN 28 AND 512),
    height       integer NOT NULL CHECK (height BETWEEN 28 AND 512),
    bytes        integer NOT NULL CHECK (bytes BETWEEN 1 AND 262144),
    -- Of what is served, which is not always what was sent.
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    created_by   uuid NOT NULL REFERENCES users (id),
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (channel_id, code)
);
