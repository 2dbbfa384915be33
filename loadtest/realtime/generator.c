/* A crowd of Socket.IO clients in one thread, far cheaper than the server it measures.
 *
 * Speaks Engine.IO 4 / Socket.IO 5 over WebSocket. Commands come line by line on stdin, each is answered with one line
 * of JSON: everything counted since the last `reset`.
 *
 *   connect COUNT RATE PORT KIND  open COUNT more clients, RATE a second. PORT: index into --ports, or -1 for round robin.
 *                                 KIND: r reads, s stops reading at `stall`, p stops reading but still sends pongs
 *   run SECONDS RATE              talk RATE times a second (0: only listen)
 *   closed SECONDS WINDOW         talk as fast as everybody has received: WINDOW messages under way
 *   settle SECONDS OFFSET         wait until every reader has OFFSET; `behind` is what they miss
 *   stall | reset | report
 *
 * A client keeps the offset it has. An entry that is not the next one is a gap: it joins again with its position, as
 * the product's client does. One that loses its connection waits 0.5 to 1.5 s (what the official client does), takes
 * the next port and joins with its position. Texts begin with `t<microseconds of CLOCK_MONOTONIC>`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 20000
#define MAX_PORTS 16
#define MAX_TOKENS 1024
#define IN_FLIGHT 200            /* clients that are connecting at once */
#define PER_ADDRESS 5000         /* clients from one loopback address: the kernel has 28,000 outgoing ports for each */
#define BATCH_US 1000            /* after a wake-up, so that one wake-up reads many sockets */
#define ATTEMPT_US 20000000      /* the official client's timeout for one attempt */
#define CONNECTING_US 120000000  /* longest `connect`; who is missing then shows in the report */
#define AROUND_JOIN_US 2000000   /* so long after a join an entry may come twice (docs/events.md) */
#define STALLED_RECEIVE_BYTES 4096

enum state { IDLE, TCP, HTTP, OPEN, CONNECT, JOIN, READY };
enum mode { NOTHING, CONNECTING, RUNNING, CLOSED, SETTLING };

struct client {
    int fd;
    uint8_t state, port, failures;
    char kind;
    bool standing, stalled, known; /* known: was in the room once */
    uint32_t number, have, capacity;
    char *part;                                   /* of a frame that has not arrived whole */
    int64_t last;                                 /* newest offset with nothing missing before it */
    uint64_t began, lost, joined, due, next_pong; /* microseconds; `due`: open again, or leave a draining node */
    char epoch[40];
};

struct histogram { uint64_t count, most, bins[64 * 40]; };

static struct client clients[MAX_CLIENTS];
static int opened, wanted, in_flight, waiting_due, epoll;
static int ports[MAX_PORTS], port_count, token_count, base, text_bytes = 80, connect_port;
static char connect_kind = 'r', *tokens[MAX_TOKENS], *room;
static double connect_rate;
static bool peer;
static char buffer[1 << 20];

static struct {
    uint64_t frames, messages, recovered, bytes, pings, gaps, lagged, resets, lost, duplicates, repeats, sent, acked,
        refused, drops, back, dismissed, failed, cut;
} n;
static struct histogram delay, back, control, connecting, answered;
static int64_t newest;
static uint64_t message_number, ack_sent[4096];

static enum mode mode;
static uint64_t phase_began, phase_end, phase_base, next_talk, next_open;
static double rate;
static int window;
static uint64_t listeners; /* at the start of a closed phase */
static int64_t target;
static int talker;

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- histograms: 64 bins for every power of two, so a value is off by less than 2 % */

static void add(struct histogram *h, uint64_t value)
{
    int bin = (int)value;
    if (value >= 64) {
        int power = 63 - __builtin_clzll(value);
        bin = (power - 5) * 64 + (int)(value >> (power - 6) & 63);
    }
    if (bin >= 64 * 40) bin = 64 * 40 - 1;
    h->bins[bin]++;
    h->count++;
    if (value > h->most) h->most = value;
}

static double quantile_ms(const struct histogram *h, double share)
{
    uint64_t seen = 0;
    for (int bin = 0; bin < 64 * 40; bin++) {
        seen += h->bins[bin];
        if (seen && (double)seen >= share * (double)h->count) {
            if (bin < 64) return bin / 1e3;
            return (double)((uint64_t)(64 + (bin & 63)) << (bin / 64 - 1)) / 1e3;
        }
    }
    return 0;
}

static void print_histogram(const char *name, const struct histogram *h)
{
    printf("\"%s\":{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f},", name, h->count,
           quantile_ms(h, 0.5), quantile_ms(h, 0.95), quantile_ms(h, 0.99), (double)h->most / 1e3);
}

/* --- one client */

static void lose(struct client *c, const char *why);

static bool listening(const struct client *c) { return c->state == READY && !c->stalled; }

static void set_due(struct client *c, uint64_t when)
{
    if (!c->due) waiting_due++;
    c->due = when;
}

static void clear_due(struct client *c)
{
    if (c->due) waiting_due--;
    c->due = 0;
}

static void write_frame(struct client *c, const char *data, size_t size, int opcode)
{
    unsigned char frame[8192];
    size_t at = 0;
    if (size > sizeof frame - 14) { fprintf(stderr, "a frame of %zu bytes is too long\n", size); exit(1); }
    frame[at++] = (unsigned char)(0x80 | opcode);
    if (size < 126) {
        frame[at++] = (unsigned char)(0x80 | size);
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = (unsigned char)(size >> 8);
        frame[at++] = (unsigned char)size;
    }
    unsigned char mask[4];
    for (int i = 0; i < 4; i++) frame[at++] = mask[i] = (unsigned char)(random() >> 7);
    for (size_t i = 0; i < size; i++) frame[at++] = (unsigned char)data[i] ^ mask[i & 3];
    if (send(c->fd, frame, at, MSG_NOSIGNAL) != (ssize_t)at) lose(c, "send");
}

static void lose(struct client *c, const char *why)
{
    if (c->state == IDLE) return;
    if (c->state != READY) {
        in_flight--;
        n.failed++;
        if (n.failed < 4) fprintf(stderr, "client %u: %s in state %d: %s\n", c->number, why, c->state, strerror(errno));
    } else {
        n.drops++;
        c->lost = now_us();
    }
    close(c->fd);
    free(c->part);
    c->part = NULL;
    c->have = c->capacity = 0;
    c->state = IDLE;
    c->standing = false;
    clear_due(c);
    if (c->stalled || (peer && c->known)) return; /* gone for good */
    int power = c->failures < 3 ? c->failures++ : 3;
    uint64_t longest = 1000000ull << power;
    set_due(c, now_us() + longest / 2 + (uint64_t)random() % longest);
    c->port = (uint8_t)((c->port + 1) % port_count);
}

static void open_client(struct client *c)
{
    int one = 1, small = STALLED_RECEIVE_BYTES;
    clear_due(c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { perror("socket"); exit(1); }
    c->state = TCP;
    c->began = now_us();
    in_flight++;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (c->kind != 'r') setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    uint32_t address = 0x7f010002 + (uint32_t)(base + (int)c->number) / PER_ADDRESS;
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ports[c->port])};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(c->fd, (struct sockaddr *)&from, sizeof from);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) { lose(c, "connect"); return; }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.u32 = c->number};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void say_hello(struct client *c)
{
    char text[1024];
    int error = 0, who = base + (int)c->number;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) { errno = error; lose(c, "connect"); return; }
    int length = snprintf(
        text, sizeof text,
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
        "Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\nX-Forwarded-For: 198.%d.%d.%d\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ports[c->port], 18 + (who >> 16 & 1), who >> 8 & 255, who & 255);
    c->state = HTTP;
    if (send(c->fd, text, (size_t)length, MSG_NOSIGNAL) != length) lose(c, "send");
}

static void join(struct client *c)
{
    char text[256];
    int length = snprintf(text, sizeof text, "420[\"room:join\",{\"stream_id\":\"%s\"", room);
    if (c->known)
        length += snprintf(text + length, sizeof text - (size_t)length, ",\"epoch\":\"%s\",\"offset\":%" PRId64, c->epoch,
                           c->last);
    length += snprintf(text + length, sizeof text - (size_t)length, "}]");
    write_frame(c, text, (size_t)length, 1);
}

static void enter(struct client *c, uint64_t now)
{
    if (c->state != READY) {
        add(&connecting, now - c->began);
        in_flight--;
        if (c->lost) {
            n.back++;
            add(&back, now - c->lost);
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

static char *find(char *p, char *end, const char *what)
{
    char *found = memmem(p, (size_t)(end - p), what, strlen(what));
    return found ? found + strlen(what) : NULL;
}

static void take(struct client *c, int64_t offset, uint64_t stamp, uint64_t now, bool live)
{
    if (live && !c->standing) return;
    if (c->last < 0) c->last = offset - 1; /* a peer has no join answer: begin with what comes first */
    if (offset <= c->last) {
        if (now - c->joined < AROUND_JOIN_US && !peer) n.repeats++;
        else n.duplicates++;
        return;
    }
    if (offset != c->last + 1) {
        n.gaps++;
        if (peer) {
            n.lost += (uint64_t)(offset - c->last - 1);
        } else if (live) {
            c->standing = false;
            join(c);
            return;
        }
    }
    c->last = offset;
    if (!live) { n.recovered++; return; }
    n.messages++;
    if (stamp && now > stamp) add(&delay, now - stamp);
}

static void take_entries(struct client *c, char *p, char *end, uint64_t now, bool live)
{
    while ((p = find(p, end, "\"offset\":")) && c->state != IDLE) {
        int64_t offset = number_at(p, end);
        char *text = find(p, end, "\"text\":\"t");
        take(c, offset, text ? (uint64_t)number_at(text, end) : 0, now, live);
    }
}

static void on_joined(struct client *c, char *p, char *end, uint64_t now)
{
    char *epoch = find(p, end, "\"epoch\":\""), *offset = find(p, end, "\"offset\":");
    if (!find(p, end, "\"ok\":true") || !epoch || !offset) {
        if (n.refused++ < 3) fprintf(stderr, "join refused: %.*s\n", (int)(end - p), p);
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
        n.resets++;
    }
    if (c->last < at) n.lost += (uint64_t)(at - c->last); /* what the answer did not contain */
    c->last = at;
}

static void on_ack(struct client *c, char *p, char *end, uint64_t now)
{
    int64_t id = number_at(p, end);
    if (id == 0) { on_joined(c, p, end, now); return; }
    char *offset = find(p, end, "\"offset\":");
    if (find(p, end, "\"ok\":true") && offset) {
        int64_t at = number_at(offset, end);
        n.acked++;
        add(&answered, now - ack_sent[id & 4095]);
        if (at > newest) newest = at;
    } else if (n.refused++ < 3) {
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
    if (n.dismissed++ < 3) fprintf(stderr, "dismissed: %.*s\n", (int)(end - p), p);
    c->stalled = true;
}

static void on_event(struct client *c, char *p, char *end, uint64_t now)
{
    if (end - p > 8 && !memcmp(p, "[\"chat\",", 8)) {
        n.frames++;
        take_entries(c, p, end, now, true);
    } else if (find(p, end, "\"room:lagged\"") == p + 14) {
        n.lagged++;
        c->standing = false;
        join(c);
    } else if (find(p, end, "\"room:reset\"") == p + 13) {
        c->standing = false;
        join(c);
    } else if (find(p, end, "\"session:closing\"") == p + 18) {
        on_closing(c, p, end, now);
    } else {
        char *stamp = find(p, end, "\"title\":\"t");
        if (stamp) add(&control, now - (uint64_t)number_at(stamp, end));
    }
}

static void introduce(struct client *c)
{
    char text[4300];
    int length;
    if (peer) length = snprintf(text, sizeof text, "40");
    else if ((int)c->number < token_count) length = snprintf(text, sizeof text, "40{\"token\":\"%s\"}", tokens[c->number]);
    else length = snprintf(text, sizeof text, "40{\"device\":\"crowd-%08u\"}", (uint32_t)base + c->number);
    c->state = CONNECT;
    write_frame(c, text, (size_t)length, 1);
}

static void on_text(struct client *c, char *p, char *end, uint64_t now)
{
    if (end - p == 1 && *p == '2') {
        n.pings++;
        c->next_pong = now + 25000000;
        write_frame(c, "3", 1, 1);
    } else if (*p == '0' && c->state == OPEN) {
        c->next_pong = now + 26000000;
        introduce(c);
    } else if (end - p > 1 && *p == '4') {
        if (p[1] == '0' && peer) enter(c, now);
        else if (p[1] == '0') { c->state = JOIN; join(c); }
        else if (p[1] == '2') on_event(c, p + 2, end, now);
        else if (p[1] == '3') on_ack(c, p + 2, end, now);
        else if (p[1] == '4') {
            if (n.refused++ < 3) fprintf(stderr, "connection refused: %.*s\n", (int)(end - p), p);
            lose(c, "refused");
        }
    }
}

/* --- bytes to frames */

static void consume(struct client *c, char *p, char *end)
{
    uint64_t now = now_us();
    if (c->state == HTTP) {
        char *body = find(p, end, "\r\n\r\n");
        if (body && strncmp(p, "HTTP/1.1 101", 12)) { lose(c, "no upgrade"); return; }
        if (body) { p = body; c->state = OPEN; }
    }
    while (c->state > HTTP && end - p >= 2) {
        unsigned char *head = (unsigned char *)p;
        size_t size = head[1] & 127, header = size == 127 ? 10 : size == 126 ? 4 : 2;
        if ((size_t)(end - p) < header) break;
        if (header > 2) {
            size = 0;
            for (size_t i = 2; i < header; i++) size = size << 8 | head[i];
        }
        if ((size_t)(end - p) < header + size) break;
        if ((head[0] & 15) == 8) { lose(c, "closed"); return; }
        if ((head[0] & 15) == 9) write_frame(c, p + header, size, 10);
        else if ((head[0] & 15) == 1 && size) on_text(c, p + header, p + header + size, now);
        p += header + size;
    }
    if (c->state == IDLE) return;
    c->have = (uint32_t)(end - p);
    if (c->have > c->capacity) {
        c->capacity = c->have + 2048;
        char *larger = malloc(c->capacity);
        if (!larger) { perror("malloc"); exit(1); }
        memcpy(larger, p, c->have);
        free(c->part);
        c->part = larger;
    } else if (c->have) {
        memmove(c->part, p, c->have);
    } else if (c->part) {
        free(c->part);
        c->part = NULL;
        c->capacity = 0;
    }
}

static void read_all(struct client *c)
{
    while (c->state != IDLE && !(c->stalled && c->state == READY)) {
        size_t have = c->have;
        if (have) memcpy(buffer, c->part, have);
        ssize_t got = recv(c->fd, buffer + have, sizeof buffer - have, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) { lose(c, "ended"); return; }
        n.bytes += (uint64_t)got;
        consume(c, buffer, buffer + have + got);
        if ((size_t)got < sizeof buffer - have) return; /* edge triggered: a short read means there is no more */
    }
}

/* --- talking, and everything that happens at a time */

static bool talk(uint64_t now)
{
    static const char filler[] = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ";
    char text[1024], said[600];
    int among = peer ? 1 : token_count < opened ? token_count : opened;
    struct client *c = NULL;
    for (int tried = 0; tried < among && !c; tried++) {
        talker = (talker + 1) % among;
        if (listening(&clients[talker])) c = &clients[talker];
    }
    if (!c) return false;
    message_number++;
    int length = snprintf(said, sizeof said, "t%" PRIu64 " ", now);
    for (; length < text_bytes; length++) said[length] = filler[(size_t)length % (sizeof filler - 1)];
    said[length] = 0;
    if (peer) {
        newest = (int64_t)message_number;
        length = snprintf(text, sizeof text, "42[\"chat\",{\"offset\":%" PRIu64 ",\"text\":\"%s\"}]", message_number, said);
    } else {
        ack_sent[message_number & 4095] = now;
        length = snprintf(text, sizeof text, "42%" PRIu64 "[\"chat:send\",{\"stream_id\":\"%s\",\"id\":\"m%d-%d-%" PRIu64
                          "\",\"text\":\"%s\"}]", message_number, room, (int)getpid(), base, message_number, said);
    }
    n.sent++;
    write_frame(c, text, (size_t)length, 1);
    return true;
}

static void do_due(uint64_t now)
{
    static uint64_t looked, looked_slowly;
    if (waiting_due && now - looked > 10000) {
        looked = now;
        for (int i = 0; i < opened; i++) {
            struct client *c = &clients[i];
            if (!c->due || c->due > now) continue;
            if (c->state == IDLE) {
                if (in_flight < IN_FLIGHT) open_client(c);
                continue;
            }
            lose(c, "moving"); /* then at once to the next node: this one said so */
            set_due(c, now);
        }
    }
    if (now - looked_slowly < 1000000) return;
    looked_slowly = now;
    for (int i = 0; i < opened; i++) {
        struct client *c = &clients[i];
        if (c->state != IDLE && c->state != READY && now - c->began > ATTEMPT_US) { errno = ETIMEDOUT; lose(c, "waiting"); }
        if (c->stalled && c->kind == 'p' && c->state == READY && c->next_pong < now) {
            c->next_pong = now + 25000000;
            write_frame(c, "3", 1, 1);
        }
    }
}

static void do_opening(uint64_t now)
{
    for (; opened < wanted && in_flight < IN_FLIGHT && now >= next_open; next_open += (uint64_t)(1e6 / connect_rate)) {
        struct client *c = &clients[opened];
        *c = (struct client){.number = (uint32_t)opened, .kind = connect_kind, .last = peer ? -1 : 0};
        c->port = (uint8_t)(connect_port < 0 ? opened % port_count : connect_port);
        opened++;
        open_client(c);
    }
}

static void do_talking(uint64_t now)
{
    if (mode == RUNNING && rate > 0)
        for (; next_talk <= now && now < phase_end; next_talk += (uint64_t)(1e6 / rate)) talk(now);
    if (mode == CLOSED && now < phase_end) {
        while (listeners && n.sent - n.refused < (n.messages - phase_base) / listeners + (uint64_t)window && talk(now)) continue;
    }
}

/* --- commands */

static uint64_t behind_of(int64_t offset)
{
    uint64_t missing = 0;
    for (int i = 0; i < opened; i++)
        if (!clients[i].stalled && clients[i].known && clients[i].last >= 0 && clients[i].last < offset)
            missing += (uint64_t)(offset - clients[i].last);
    return missing;
}

static void report(uint64_t now)
{
    struct rusage used;
    int ready = 0, standing = 0;
    n.cut = 0;
    getrusage(RUSAGE_SELF, &used);
    for (int i = 0; i < opened; i++) {
        ready += clients[i].state == READY;
        standing += listening(&clients[i]) && (peer || clients[i].standing);
        if (clients[i].state == READY && clients[i].stalled) {
            struct pollfd end = {.fd = clients[i].fd, .events = POLLRDHUP};
            n.cut += poll(&end, 1, 0) == 1 && end.revents & (POLLRDHUP | POLLHUP | POLLERR);
        }
    }
    printf("{\"opened\":%d,\"ready\":%d,\"standing\":%d,\"newest\":%" PRId64 ",\"behind\":%" PRIu64 ",\"seconds\":%.6f,"
           "\"cpu\":%.6f,", opened, ready, standing, newest, behind_of(target > 0 ? target : newest),
           (double)(now - phase_began) / 1e6, (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    print_histogram("delay", &delay);
    print_histogram("back_after", &back);
    print_histogram("control", &control);
    print_histogram("connecting", &connecting);
    print_histogram("answered", &answered);
#define COUNT(name) printf("\"" #name "\":%" PRIu64 ",", n.name)
    COUNT(frames); COUNT(messages); COUNT(recovered); COUNT(bytes); COUNT(pings); COUNT(gaps); COUNT(lagged);
    COUNT(resets); COUNT(lost); COUNT(duplicates); COUNT(repeats); COUNT(sent); COUNT(acked); COUNT(refused);
    COUNT(drops); COUNT(back); COUNT(dismissed); COUNT(failed);
    printf("\"cut\":%" PRIu64 "}\n", n.cut);
    fflush(stdout);
    mode = NOTHING;
}

static void stall(void)
{
    for (int i = 0; i < opened; i++) clients[i].stalled = clients[i].stalled || clients[i].kind != 'r';
}

static void obey(char *line)
{
    double a = 0, b = 0;
    int port = -1;
    char verb[16] = "", kind = 'r';
    uint64_t now = now_us();
    sscanf(line, "%15s %lf %lf %d %c", verb, &a, &b, &port, &kind);
    phase_began = next_talk = next_open = now;
    phase_end = now + (uint64_t)(a * 1e6);
    phase_base = n.messages;
    target = 0;
    if (!strcmp(verb, "connect")) {
        mode = CONNECTING;
        wanted = opened + (int)a;
        if (wanted > MAX_CLIENTS) wanted = MAX_CLIENTS;
        connect_rate = b;
        connect_port = port;
        connect_kind = kind;
    } else if (!strcmp(verb, "run")) {
        mode = RUNNING;
        rate = b;
    } else if (!strcmp(verb, "closed")) {
        mode = CLOSED;
        window = (int)b;
        n.sent = n.refused = listeners = 0;
        for (int i = 0; i < opened; i++) listeners += listening(&clients[i]);
    } else if (!strcmp(verb, "settle")) {
        mode = SETTLING;
        target = (int64_t)b;
    } else {
        if (!strcmp(verb, "reset")) {
            memset(&n, 0, sizeof n);
            struct histogram *all[] = {&delay, &back, &control, &connecting, &answered};
            for (int i = 0; i < 5; i++) memset(all[i], 0, sizeof *all[i]);
        } else if (!strcmp(verb, "stall")) {
            stall();
        }
        report(now);
    }
}

static bool over(uint64_t now)
{
    int standing = 0;
    if (mode == RUNNING || mode == CLOSED) return now >= phase_end;
    if (mode == SETTLING && now >= phase_end) return true;
    if (mode == CONNECTING && now - phase_began > CONNECTING_US) return true;
    for (int i = 0; i < opened; i++) standing += clients[i].state == READY && (peer || clients[i].standing || clients[i].stalled);
    if (mode == CONNECTING) return opened == wanted && standing == opened;
    return !in_flight && !waiting_due && behind_of(target) == 0;
}

static void commands(uint64_t now)
{
    static char line[256];
    static size_t have;
    static uint64_t looked;
    if (mode == RUNNING || mode == CLOSED || now - looked > 20000) {
        looked = now;
        if (mode != NOTHING && over(now)) report(now);
    }
    if (mode != NOTHING) return;
    ssize_t got = read(0, line + have, 1); /* byte by byte: commands are rare */
    for (; got == 1 && line[have] != '\n' && have < sizeof line - 2; got = read(0, line + have, 1)) have++;
    if (got == 0) exit(0);
    if (got == 1) {
        line[have] = 0;
        have = 0;
        obey(line);
    }
}

static void read_tokens(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    if (!file) { perror(path); exit(1); }
    while (token_count < MAX_TOKENS && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        tokens[token_count++] = strdup(line);
    }
    free(line);
    fclose(file);
}

static void options(int count, char **words)
{
    static const struct option names[] = {{"ports", 1, 0, 'p'}, {"room", 1, 0, 'r'}, {"tokens", 1, 0, 't'},
                                          {"base", 1, 0, 'b'},  {"text", 1, 0, 'x'}, {0, 0, 0, 0}};
    for (int option; (option = getopt_long(count, words, "", names, NULL)) != -1;) {
        if (option == 'p')
            for (char *part = strtok(optarg, ","); part && port_count < MAX_PORTS; part = strtok(NULL, ","))
                ports[port_count++] = atoi(part);
        else if (option == 'r') room = optarg;
        else if (option == 't') read_tokens(optarg);
        else if (option == 'b') base = atoi(optarg);
        else if (option == 'x') text_bytes = atoi(optarg) < 500 ? atoi(optarg) : 500;
        else exit(2);
    }
    peer = room == NULL; /* a peer puts everybody into its one room by itself */
    if (!port_count) { fprintf(stderr, "--ports is missing\n"); exit(2); }
}

int main(int count, char **words)
{
    static struct epoll_event events[4096];
    struct rlimit files;
    options(count, words);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(0);
    for (;;) {
        int got = epoll_wait(epoll, events, 4096, (mode == RUNNING && rate > 0) || mode == CLOSED ? 1 : 5);
        if (got > 0 && mode != CONNECTING) usleep(BATCH_US);
        for (int i = 0; i < got; i++) {
            struct client *c = &clients[events[i].data.u32];
            if (c->state == TCP && events[i].events & (EPOLLOUT | EPOLLERR)) say_hello(c);
            if (c->state > TCP && events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) read_all(c);
        }
        uint64_t now = now_us();
        do_due(now);
        do_opening(now);
        do_talking(now);
        commands(now);
    }
}
