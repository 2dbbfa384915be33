/* What a client says and hears in its room: joining, entries in order, gaps, and moving away from a draining node. */
#include "crowd.h"

#include <stdio.h>

static void join(struct client *c)
{
    char text[256];
    int length = snprintf(text, sizeof text, "420[\"room:join\",{\"stream_id\":\"%s\"", all.room);
    if (c->known)
        length += snprintf(text + length, sizeof text - (size_t)length, ",\"epoch\":\"%s\",\"offset\":%" PRId64, c->epoch,
                           c->last);
    length += snprintf(text + length, sizeof text - (size_t)length, "}]");
    write_frame(c, text, (size_t)length, 1);
}

static void enter(struct client *c, uint64_t now)
{
    if (c->state != READY) {
        add(&all.connecting, now - c->began);
        all.in_flight--;
        if (c->lost) {
            all.n.back++;
            add(&all.back, now - c->lost);
        }
    }
    c->state = READY;
    c->lost = 0;
    c->failures = 0;
    c->standing = c->known = true;
    c->joined = now;
}

/* --- what a client hears */

static int64_t number_at(const char *p, const char *end)
{
    int64_t value = 0;
    while (p < end && *p >= '0' && *p <= '9') value = value * 10 + (*p++ - '0');
    return value;
}

char *find(char *p, char *end, const char *what)
{
    char *found = memmem(p, (size_t)(end - p), what, strlen(what));
    return found ? found + strlen(what) : NULL;
}

static void take(struct client *c, int64_t offset, uint64_t stamp, uint64_t now, bool live)
{
    if (live && !c->standing) return;
    if (c->last < 0) c->last = offset - 1; /* a all.peer has no join answer: begin with what comes first */
    if (offset <= c->last) {
        if (now - c->joined < AROUND_JOIN_US && !all.peer) all.n.repeats++;
        else all.n.duplicates++;
        return;
    }
    if (offset != c->last + 1) {
        all.n.gaps++;
        if (all.peer) {
            all.n.lost += (uint64_t)(offset - c->last - 1);
        } else if (live) {
            c->standing = false;
            join(c);
            return;
        }
    }
    c->last = offset;
    if (!live) { all.n.recovered++; return; }
    all.n.messages++;
    if (stamp && now > stamp) add(&all.delay, now - stamp);
}

static void take_entries(struct client *c, char *p, char *end, uint64_t now, bool live)
{
    while ((p = find(p, end, "\"offset\":")) && c->state != IDLE) {
        int64_t offset = number_at(p, end);
        char *next = find(p, end, "\"offset\":"), *last = next ? next : end;
        char *text = find(p, last, "\"text\":\"t"), *removed = find(p, last, "\"message_id\":\"t");
        int64_t before = c->last;
        take(c, offset, text ? (uint64_t)number_at(text, last) : 0, now, live);
        if (removed && before < offset && c->last >= offset) add(&all.control, now - (uint64_t)number_at(removed, last));
    }
}

static void on_joined(struct client *c, char *p, char *end, uint64_t now)
{
    char *epoch = find(p, end, "\"epoch\":\""), *offset = find(p, end, "\"offset\":");
    if (!find(p, end, "\"ok\":true") || !epoch || !offset) {
        if (all.n.refused++ < 3) fprintf(stderr, "join refused: %.*s\n", (int)(end - p), p);
        lose(c, "join");
        return;
    }
    bool first = !c->known;
    int64_t at = number_at(offset, end);
    snprintf(c->epoch, sizeof c->epoch, "%.*s", (int)strcspn(epoch, "\""), epoch);
    enter(c, now);
    if (first) {
        c->last = at;
    } else if (find(p, end, "\"recovered\":true")) {
        char *entries = find(p, end, "\"entries\":[");
        if (entries) take_entries(c, entries, end, now, false);
    } else {
        all.n.resets++;
    }
    if (c->last < at) all.n.lost += (uint64_t)(at - c->last); /* what the answer did not contain */
    c->last = at;
}

static void on_ack(struct client *c, char *p, char *end, uint64_t now)
{
    int64_t id = number_at(p, end);
    if (id == 0) { on_joined(c, p, end, now); return; }
    char *offset = find(p, end, "\"offset\":");
    if (find(p, end, "\"ok\":true") && offset) {
        int64_t at = number_at(offset, end);
        all.n.acked++;
        add(&all.answered, now - all.ack_sent[id & 4095]);
        if (at > all.newest) all.newest = at;
    } else if (all.n.refused++ < 3) {
        fprintf(stderr, "message refused: %.*s\n", (int)(end - p), p);
    }
}

static void on_closing(struct client *c, char *p, char *end, uint64_t now)
{
    char *milliseconds = find(p, end, "\"delay_ms\":");
    if (find(p, end, "\"reconnect\":true")) {
        set_due(c, now + 1000 * (uint64_t)(milliseconds ? number_at(milliseconds, end) : 0));
        return;
    }
    if (all.n.dismissed++ < 3) fprintf(stderr, "dismissed: %.*s\n", (int)(end - p), p);
    c->stalled = true;
}

static void on_event(struct client *c, char *p, char *end, uint64_t now)
{
    if (end - p > 8 && !memcmp(p, "[\"chat\",", 8)) {
        all.n.frames++;
        take_entries(c, p, end, now, true);
    } else if (find(p, end, "\"room:lagged\"") == p + 14) {
        all.n.lagged++;
        c->standing = false;
        join(c);
    } else if (find(p, end, "\"room:reset\"") == p + 13) {
        c->standing = false;
        join(c);
    } else if (find(p, end, "\"session:closing\"") == p + 18) {
        on_closing(c, p, end, now);
    } else {
        char *stamp = find(p, end, "\"title\":\"t");
        if (stamp) add(&all.control, now - (uint64_t)number_at(stamp, end));
    }
}

static void introduce(struct client *c)
{
    char text[4300];
    int length;
    if (all.peer) length = snprintf(text, sizeof text, "40");
    else if ((int)c->number < all.token_count) length = snprintf(text, sizeof text, "40{\"token\":\"%s\"}", all.tokens[c->number]);
    else length = snprintf(text, sizeof text, "40{\"device\":\"crowd-%08u\"}", (uint32_t)all.base + c->number);
    c->state = CONNECT;
    write_frame(c, text, (size_t)length, 1);
}

void on_text(struct client *c, char *p, char *end, uint64_t now)
{
    if (end - p == 1 && *p == '2') {
        all.n.pings++;
        c->next_pong = now + 25000000;
        write_frame(c, "3", 1, 1);
    } else if (*p == '0' && c->state == OPEN) {
        c->next_pong = now + 26000000;
        introduce(c);
    } else if (end - p > 1 && *p == '4') {
        if (p[1] == '0' && all.peer) enter(c, now);
        else if (p[1] == '0') { c->state = JOIN; join(c); }
        else if (p[1] == '2') on_event(c, p + 2, end, now);
        else if (p[1] == '3') on_ack(c, p + 2, end, now);
        else if (p[1] == '4') {
            if (all.n.refused++ < 3) fprintf(stderr, "connection refused: %.*s\n", (int)(end - p), p);
            lose(c, "refused");
        }
    }
}

