-- Money. Amounts are minor units (cents) as bigint, currencies ISO 4217 in lower case, as Stripe writes them.
-- `stripe_…` columns name the object at Stripe that a row is a copy of or waits for.

-- --- who has which right

-- `subscription_tier` is what counts: premium when an operator granted it or when payments say so.
ALTER TABLE users ADD COLUMN granted_tier text NOT NULL DEFAULT 'free' CHECK (granted_tier IN ('free', 'premium'));
ALTER TABLE users ADD COLUMN paid_tier text NOT NULL DEFAULT 'free' CHECK (paid_tier IN ('free', 'premium'));
-- Creator's id -> level of the channel subscription that stands now.
ALTER TABLE users ADD COLUMN channels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(channels) = 'object');
UPDATE users SET granted_tier = subscription_tier;
ALTER TABLE users ADD CONSTRAINT users_tier CHECK (
    (subscription_tier = 'premium') = (granted_tier = 'premium' OR paid_tier = 'premium'));

CREATE TABLE rights (
    user_id   uuid NOT NULL REFERENCES users (id),
    scope     text NOT NULL CHECK (scope ~ '^(premium|channel:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$'),
    -- What gave it: `subscription:<our id>`, `gift:<id>`, `comp:<id>`.
    source    text NOT NULL CHECK (source ~ '^(subscription|gift|comp):.{1,200}$'),
    level     smallint NOT NULL CHECK (level BETWEEN 1 AND 3),
    starts_at timestamptz NOT NULL,
    -- Null: until it is taken back.
    until     timestamptz CHECK (until >= starts_at),
    -- A payment failed, and the right stands for some days more.
    in_grace  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, scope, source)
);
CREATE INDEX rights_of_scope ON rights (scope, until);
CREATE INDEX rights_by_source ON rights (source);

-- When time alone changes what somebody may do next. One row a user, none when nothing will.
CREATE TABLE right_changes (
    user_id uuid PRIMARY KEY REFERENCES users (id),
    due_at  timestamptz NOT NULL
);
CREATE INDEX right_changes_due ON right_changes (due_at);

-- --- what people buy

CREATE TABLE stripe_customers (
    user_id            uuid PRIMARY KEY REFERENCES users (id),
    stripe_customer_id text NOT NULL UNIQUE,
    created_at         timestamptz NOT NULL
);

-- Written before Stripe is asked; the id is the idempotency key of everything that is asked for it.
CREATE TABLE orders (
    id                       uuid PRIMARY KEY,
    -- Who pays.
    user_id                  uuid NOT NULL REFERENCES users (id),
    kind                     text NOT NULL CHECK (kind IN ('subscription', 'gift', 'paid_message')),
    plan_id                  text CHECK ((plan_id IS NULL) = (kind = 'paid_message')),
    -- Whose channel; null for premium.
    creator_id               uuid REFERENCES users (id) CHECK (creator_id IS NOT NULL OR kind <> 'paid_message'),
    -- Where the room hears of it.
    stream_id                uuid,
    quantity                 integer NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 100),
    -- Of one; before tax.
    amount_minor             bigint NOT NULL CHECK (amount_minor > 0),
    currency                 text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- open: waits for the card; paid; expired: nobody paid in time; canceled: given up; refunded: wholly.
    state                    text NOT NULL DEFAULT 'open'
                             CHECK (state IN ('open', 'paid', 'expired', 'canceled', 'refunded')),
    -- What is particular to this order: recipients of a gift, where the browser returns to.
    details                  jsonb NOT NULL DEFAULT '{}',
    -- The asker's own Idempotency-Key.
    request_key              text CHECK (length(request_key) BETWEEN 1 AND 200),
    request_sum              bytea,
    stripe_session_id        text UNIQUE,
    checkout_url             text,
    stripe_payment_intent_id text UNIQUE,
    stripe_subscription_id   text,
    created_at               timestamptz NOT NULL,
    expires_at               timestamptz NOT NULL,
    closed_at                timestamptz CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK (creator_id <> user_id)
);
CREATE INDEX orders_of_user ON orders (user_id, created_at DESC, id DESC);
CREATE INDEX orders_of_channel ON orders (creator_id, created_at DESC, id DESC) WHERE creator_id IS NOT NULL;
CREATE INDEX orders_open ON orders (expires_at) WHERE state = 'open';
CREATE INDEX orders_of_subscription ON orders (stripe_subscription_id) WHERE stripe_subscription_id IS NOT NULL;
-- Gifts that nobody took in time, whose money is to go back.
CREATE INDEX orders_to_return ON orders (closed_at) WHERE details ? 'lapsed' AND NOT details ? 'returned';
CREATE UNIQUE INDEX orders_request ON orders (user_id, request_key) WHERE request_key IS NOT NULL;

CREATE TABLE subscriptions (
    id                     uuid PRIMARY KEY,
    user_id                uuid NOT NULL REFERENCES users (id),
    plan_id                text NOT NULL,
    -- Whose channel; null for premium.
    creator_id             uuid REFERENCES users (id),
    -- active: runs and renews (also while a card fails); canceled: runs until the period's end; expired: over.
    status                 text NOT NULL CHECK (status IN ('active', 'canceled', 'expired')),
    -- Stripe's own word, whatever it is.
    stripe_status          text NOT NULL,
    stripe_subscription_id text NOT NULL UNIQUE,
    stripe_item_id         text,
    order_id               uuid REFERENCES orders (id),
    amount_minor           bigint NOT NULL CHECK (amount_minor >= 0),
    currency               text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    current_period_start   timestamptz NOT NULL,
    current_period_end     timestamptz NOT NULL,
    cancel_at_period_end   boolean NOT NULL DEFAULT false,
    trial_end              timestamptz,
    -- Since when a payment is owed; the rights last some days longer.
    unpaid_since           timestamptz,
    grace_until            timestamptz,
    canceled_at            timestamptz,
    ended_at               timestamptz,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL
);
CREATE INDEX subscriptions_of_user ON subscriptions (user_id, created_at DESC);
CREATE INDEX subscriptions_of_channel ON subscriptions (creator_id, created_at) WHERE creator_id IS NOT NULL;
CREATE INDEX subscriptions_running ON subscriptions (current_period_end) WHERE status <> 'expired';

-- One row for each gifted subscription; an order may be for many.
CREATE TABLE gifts (
    id           uuid PRIMARY KEY,
    order_id     uuid NOT NULL REFERENCES orders (id),
    number       integer NOT NULL CHECK (number BETWEEN 1 AND 100),
    plan_id      text NOT NULL,
    creator_id   uuid REFERENCES users (id),
    giver_id     uuid NOT NULL REFERENCES users (id),
    -- Null: for the room, and nobody has it yet.
    recipient_id uuid REFERENCES users (id),
    months       smallint NOT NULL DEFAULT 1 CHECK (months BETWEEN 1 AND 12),
    -- waiting: paid, without a recipient; taken: somebody has it; withdrawn: the payment was given back.
    state        text NOT NULL CHECK (state IN ('waiting', 'taken', 'withdrawn')),
    starts_at    timestamptz,
    until        timestamptz,
    created_at   timestamptz NOT NULL,
    withdrawn_at timestamptz,
    UNIQUE (order_id, number),
    UNIQUE (order_id, recipient_id),
    CHECK (state <> 'taken' OR (recipient_id IS NOT NULL AND starts_at IS NOT NULL AND until IS NOT NULL))
);
CREATE INDEX gifts_waiting ON gifts (creator_id, created_at) WHERE state = 'waiting';
CREATE INDEX gifts_of_giver ON gifts (giver_id, created_at DESC);
CREATE INDEX gifts_of_channel ON gifts (creator_id, created_at DESC) WHERE creator_id IS NOT NULL;
CREATE INDEX gifts_of_recipient ON gifts (recipient_id, created_at DESC);

CREATE TABLE paid_messages (
    -- Also the id of the message in the room.
    order_id       uuid PRIMARY KEY REFERENCES orders (id),
    stream_id      uuid NOT NULL,
    channel_id     uuid NOT NULL REFERENCES users (id),
    user_id        uuid NOT NULL REFERENCES users (id),
    text           text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    on_top_seconds integer NOT NULL CHECK (on_top_seconds >= 0),
    -- draft: not paid; paid: to be offered to the room; held: for a moderator; shown; denied: not shown, to be refunded;
    -- withdrawn: refunded or disputed.
    state          text NOT NULL DEFAULT 'draft'
                   CHECK (state IN ('draft', 'paid', 'held', 'shown', 'denied', 'withdrawn')),
    room_offset    bigint,
    created_at     timestamptz NOT NULL,
    paid_at        timestamptz,
    closed_at      timestamptz
);
CREATE INDEX paid_messages_of_stream ON paid_messages (stream_id, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX paid_messages_of_channel ON paid_messages (channel_id, paid_at DESC) WHERE paid_at IS NOT NULL;
CREATE INDEX paid_messages_held ON paid_messages (paid_at) WHERE state = 'held';
CREATE INDEX paid_messages_of_user ON paid_messages (user_id, created_at DESC, order_id DESC);
CREATE INDEX paid_messages_to_do ON paid_messages (paid_at) WHERE state IN ('paid', 'denied');

-- --- what came from Stripe

CREATE TABLE webhook_inbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL CHECK (length(source) BETWEEN 1 AND 40),
    event_id    text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 255),
    type        text NOT NULL CHECK (length(type) BETWEEN 1 AND 255),
    -- What it says to look at, and the connected account that it is of.
    object_id   text,
    account     text,
    body        bytea NOT NULL,
    -- dead: given up after many attempts; an operator may set it waiting again.
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'ignored', 'dead')),
    attempts    integer NOT NULL DEFAULT 0,
    -- Nobody looks at it before; whoever works at it moves it on.
    next_at     timestamptz NOT NULL,
    failure     text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    done_at     timestamptz,
    UNIQUE (source, event_id)
);
CREATE INDEX webhook_inbox_waiting ON webhook_inbox (next_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_inbox_dead ON webhook_inbox (id) WHERE state = 'dead';
CREATE INDEX webhook_inbox_of_object ON webhook_inbox (object_id, id);
CREATE INDEX webhook_inbox_old ON webhook_inbox (received_at) WHERE state IN ('done', 'ignored');

-- --- what creators are paid

CREATE TABLE payout_accounts (
    creator_id        uuid PRIMARY KEY REFERENCES users (id),
    -- Null until Stripe answered.
    stripe_account_id text UNIQUE,
    country           text CHECK (country ~ '^[A-Z]{2}$'),
    details_submitted boolean NOT NULL DEFAULT false,
    payouts_enabled   boolean NOT NULL DEFAULT false,
    -- What Stripe still wants to know.
    requirements      jsonb NOT NULL DEFAULT '[]',
    schedule          text NOT NULL DEFAULT 'manual' CHECK (schedule IN ('manual', 'weekly', 'monthly')),
    next_payout_at    timestamptz,
    frozen_at         timestamptz,
    frozen_by         uuid REFERENCES users (id),
    frozen_reason     text,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE INDEX payout_accounts_due ON payout_accounts (next_payout_at)
    WHERE next_payout_at IS NOT NULL AND frozen_at IS NULL AND payouts_enabled;

-- asked: booked and to be sent; sent: Stripe has made the transfer; failed: it never will; returned: it came back.
CREATE TABLE payouts (
    id                 uuid PRIMARY KEY,
    creator_id         uuid NOT NULL REFERENCES users (id),
    amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
    currency           text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    state              text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'sent', 'failed', 'returned')),
    asked_by           text NOT NULL CHECK (asked_by IN ('creator', 'schedule', 'admin')),
    stripe_account_id  text NOT NULL,
    stripe_transfer_id text UNIQUE,
    failure            text,
    attempts           integer NOT NULL DEFAULT 0,
    next_at            timestamptz NOT NULL,
    request_key        text CHECK (length(request_key) BETWEEN 1 AND 200),
    asked_at           timestamptz NOT NULL,
    sent_at            timestamptz CHECK (sent_at IS NOT NULL OR state NOT IN ('sent', 'returned')),
    failed_at          timestamptz CHECK ((failed_at IS NOT NULL) = (state = 'failed')),
    returned_at        timestamptz CHECK ((returned_at IS NOT NULL) = (state = 'returned'))
);
CREATE UNIQUE INDEX payouts_one_asked ON payouts (creator_id, currency) WHERE state = 'asked';
CREATE UNIQUE INDEX payouts_request ON payouts (creator_id, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX payouts_of_creator ON payouts (creator_id, asked_at DESC, id DESC);
CREATE INDEX payouts_to_send ON payouts (next_at) WHERE state = 'asked';

-- --- the books. No key to users: the books outlive accounts.

CREATE TABLE journal (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Why it is here, once for all time.
    cause       text NOT NULL UNIQUE CHECK (length(cause) BETWEEN 3 AND 255),
    kind        text NOT NULL CHECK (kind IN (
                    'payment', 'fee', 'refund', 'refund_failed', 'dispute_opened', 'dispute_won', 'dispute_lost',
                    'payout_asked', 'payout_sent', 'payout_failed', 'payout_returned')),
    -- The payment or payout that it belongs to: `invoice:in_1`, `payment:pi_1`, `payout:<id>`.
    about       text NOT NULL,
    currency    text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- How many lines it has: none can be added later.
    lines       smallint NOT NULL CHECK (lines >= 2),
    -- What was sold, to whom and on whose channel.
    source      text CHECK (source IN ('premium', 'subscription', 'gift', 'paid_message')),
    creator_id  uuid,
    payer_id    uuid,
    order_id    uuid,
    stream_id   uuid,
    -- When it happened at Stripe, and when we wrote it.
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (id, currency)
);
CREATE INDEX journal_about ON journal (about, id);
CREATE INDEX journal_of_creator ON journal (creator_id, at DESC, id DESC) WHERE creator_id IS NOT NULL;
CREATE INDEX journal_booked ON journal (creator_id, recorded_at, id) WHERE creator_id IS NOT NULL;
CREATE INDEX journal_of_payer ON journal (payer_id, at DESC) WHERE payer_id IS NOT NULL;
CREATE INDEX journal_of_stream ON journal (stream_id, at) WHERE stream_id IS NOT NULL;
CREATE INDEX journal_of_order ON journal (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX journal_in_time ON journal (at, id);

-- Debit is positive, credit negative.
CREATE TABLE journal_lines (
    entry_id     bigint NOT NULL,
    number       smallint NOT NULL CHECK (number >= 1),
    account      text NOT NULL CHECK (
                     account IN ('stripe', 'disputed', 'fees', 'tax', 'platform')
                     OR account ~ '^(creator|reserve|transit):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency     text NOT NULL,
    -- From when on it may be paid out.
    available_at timestamptz CHECK (available_at IS NULL OR account LIKE 'creator:%'),
    PRIMARY KEY (entry_id, number),
    -- One currency in each entry.
    FOREIGN KEY (entry_id, currency) REFERENCES journal (id, currency)
);
CREATE INDEX journal_lines_of_account ON journal_lines (account, currency) INCLUDE (amount_minor, available_at, entry_id);

CREATE FUNCTION require_balanced_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry journal%ROWTYPE;
    found record;
BEGIN
    IF TG_TABLE_NAME = 'journal' THEN
        entry := NEW;
    ELSE
        SELECT * INTO entry FROM journal WHERE id = NEW.entry_id;
    END IF;
    SELECT count(*) AS lines, count(DISTINCT currency) AS currencies, coalesce(sum(amount_minor), 0) AS total
        INTO found FROM journal_lines WHERE entry_id = entry.id;
    IF found.lines < 2 OR found.lines <> entry.lines OR found.currencies <> 1 OR found.total <> 0 THEN
        RAISE EXCEPTION 'entry % does not balance: % of % lines, % currencies, % left over',
            entry.cause, found.lines, entry.lines, found.currencies, found.total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balances';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_balances AFTER INSERT ON journal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_entry();
CREATE CONSTRAINT TRIGGER journal_lines_balance AFTER INSERT ON journal_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_entry();

-- What an administrator did with somebody's money. Ids are text: it outlives accounts.
CREATE TABLE payment_audit (
    id             uuid PRIMARY KEY,
    actor_id       text NOT NULL,
    actor_name     text NOT NULL,
    action         text NOT NULL CHECK (action ~ '^[a-z_]{1,40}$'),
    -- Whom and what it concerns: a user, and an order, payment, subscription or payout.
    user_id        text,
    about          text,
    reason         text NOT NULL DEFAULT '',
    before         jsonb,
    after          jsonb,
    correlation_id text NOT NULL DEFAULT '',
    at             timestamptz NOT NULL
);
CREATE INDEX payment_audit_newest ON payment_audit (at DESC, id DESC);
CREATE INDEX payment_audit_of_user ON payment_audit (user_id, at DESC, id DESC);

CREATE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books are only added to: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite();
CREATE TRIGGER journal_lines_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite();
CREATE TRIGGER payment_audit_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite();
