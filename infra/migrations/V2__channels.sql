-- Channels: what their creators and moderators decided. `moderation_log` is the order in which they did; the other
-- tables are what holds now, so that a cold room and a list need not fold it. A channel is a user: channel_id = users.id.

CREATE TABLE channels (
    channel_id    uuid PRIMARY KEY REFERENCES users (id),
    revision      bigint NOT NULL DEFAULT 0 CHECK (revision >= 0),
    settings      jsonb NOT NULL DEFAULT '{}',
    automod       jsonb NOT NULL DEFAULT '{}',
    -- Settings and AutoMod as they were when the shield went up; null while it is down.
    shield_before jsonb,
    -- {stream_id, pin} of what is pinned now.
    pinned        jsonb,
    updated_at    timestamptz NOT NULL
);

CREATE TABLE channel_roles (
    channel_id uuid NOT NULL REFERENCES channels,
    user_id    uuid NOT NULL REFERENCES users (id),
    role       text NOT NULL CHECK (role IN ('moderator', 'vip')),
    by_id      uuid NOT NULL REFERENCES users (id),
    at         timestamptz NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX channel_roles_of_user ON channel_roles (user_id, role);

CREATE TABLE follows (
    channel_id uuid NOT NULL REFERENCES users (id),
    user_id    uuid NOT NULL REFERENCES users (id),
    at         timestamptz NOT NULL,
    PRIMARY KEY (channel_id, user_id),
    CHECK (channel_id <> user_id)
);
CREATE INDEX follows_of_user ON follows (user_id, at DESC);
CREATE INDEX follows_newest ON follows (channel_id, at DESC);

CREATE TABLE channel_terms (
    id         uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES channels,
    text       text NOT NULL CHECK (length(text) BETWEEN 2 AND 500),
    kind       text NOT NULL CHECK (kind IN ('blocked', 'allowed')),
    action     text NOT NULL DEFAULT 'hold' CHECK (action IN ('hold', 'refuse')),
    public     boolean NOT NULL DEFAULT false,
    by_id      uuid NOT NULL REFERENCES users (id),
    at         timestamptz NOT NULL,
    UNIQUE (channel_id, kind, text)
);
CREATE INDEX channel_terms_newest ON channel_terms (channel_id, at DESC, id DESC);

-- Bans and timeouts; a timeout that is over may still stand here.
CREATE TABLE sanctions (
    channel_id uuid NOT NULL REFERENCES channels,
    user_id    uuid NOT NULL REFERENCES users (id),
    kind       text NOT NULL CHECK (kind IN ('ban', 'timeout')),
    until      timestamptz CHECK ((kind = 'ban') = (until IS NULL)),
    reason     text NOT NULL DEFAULT '',
    by_id      uuid NOT NULL REFERENCES users (id),
    by_name    text NOT NULL,
    at         timestamptz NOT NULL,
    action_id  uuid NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX sanctions_newest ON sanctions (channel_id, at DESC, user_id DESC);

-- Warnings that were not acknowledged yet. The id is the action's.
CREATE TABLE cautions (
    channel_id uuid NOT NULL REFERENCES channels,
    user_id    uuid NOT NULL REFERENCES users (id),
    id         uuid NOT NULL,
    reason     text NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);

CREATE TABLE moderation_log (
    id              uuid PRIMARY KEY,
    channel_id      uuid NOT NULL REFERENCES channels,
    revision        bigint NOT NULL,
    stream_id       text,
    action          text NOT NULL CHECK (action ~ '^[a-z_]{1,40}$'),
    -- Names are those of the time. Ids are text: the log outlives accounts.
    actor_id        text NOT NULL,
    actor           jsonb NOT NULL,
    target_id       text,
    target          jsonb,
    message_id      text,
    reason          text NOT NULL DEFAULT '',
    snapshot        jsonb,
    before          jsonb,
    after           jsonb,
    -- The `Change` that rooms apply, as JSON. What it says of AutoMod and terms is left out, as a list of 5,000 terms
    -- in each row would be: `changes_private` says that rooms take the present ones.
    change          bytea NOT NULL,
    changes_private boolean NOT NULL DEFAULT false,
    undoes          uuid UNIQUE REFERENCES moderation_log,
    correlation_id  text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL,
    UNIQUE (channel_id, revision)
);
CREATE INDEX moderation_log_of_actor ON moderation_log (channel_id, actor_id, revision DESC);
CREATE INDEX moderation_log_of_target ON moderation_log (channel_id, target_id, revision DESC);
CREATE INDEX moderation_log_of_action ON moderation_log (channel_id, action, revision DESC);
CREATE INDEX moderation_log_in_time ON moderation_log (channel_id, at, revision);

CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the moderation log is kept for good: % refused', TG_OP;
END $$;
CREATE TRIGGER moderation_log_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON moderation_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget();

CREATE TABLE moderator_notes (
    id         uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES users (id),
    user_id    uuid NOT NULL REFERENCES users (id),
    by_id      uuid NOT NULL REFERENCES users (id),
    by_name    text NOT NULL,
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    at         timestamptz NOT NULL
);
CREATE INDEX moderator_notes_newest ON moderator_notes (channel_id, user_id, at DESC, id DESC);

CREATE TABLE unban_requests (
    id            uuid PRIMARY KEY,
    channel_id    uuid NOT NULL REFERENCES users (id),
    user_id       uuid NOT NULL REFERENCES users (id),
    user_name     text NOT NULL,
    -- The ban it is about.
    ban_id        uuid NOT NULL,
    text          text NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    status        text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied')),
    at            timestamptz NOT NULL,
    resolved_by   jsonb,
    resolved_at   timestamptz,
    resolution    text
);
CREATE UNIQUE INDEX unban_requests_one_pending ON unban_requests (channel_id, user_id) WHERE status = 'pending';
CREATE INDEX unban_requests_by_status ON unban_requests (channel_id, status, at DESC, id DESC);
CREATE INDEX unban_requests_newest ON unban_requests (channel_id, at DESC, id DESC);
CREATE INDEX unban_requests_of_user ON unban_requests (channel_id, user_id, at DESC);
CREATE INDEX unban_requests_of_ban ON unban_requests (ban_id);

-- To find people by the beginning of their name.
CREATE INDEX users_by_name ON users (lower(display_name) text_pattern_ops);
