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
#include "crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum mode { NOTHING, CONNECTING, RUNNING, CLOSED, SETTLING };

struct crowd all;
static int wanted, text_bytes = 80, connect_port, talker, window;
static char connect_kind = 'r';
static double connect_rate, rate;
static uint64_t message_number, listeners; /* listeners: at the start of a closed phase */
static enum mode mode;
static uint64_t phase_began, phase_end, phase_base, next_talk, next_open;
static int64_t target;

/* --- talking, and everything that happens at a time */

static bool talk(uint64_t now)
{
    static const char filler[] = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ";
    char text[1024], said[600];
    int among = all.peer ? 1 : all.token_count < all.opened ? all.token_count : all.opened;
    struct client *c = NULL;
    for (int tried = 0; tried < among && !c; tried++) {
        talker = (talker + 1) % among;
        if (listening(&all.clients[talker])) c = &all.clients[talker];
    }
    if (!c) return false;
    message_number++;
    int length = snprintf(said, sizeof said, "t%" PRIu64 " ", now);
    for (; length < text_bytes; length++) said[length] = filler[(size_t)length % (sizeof filler - 1)];
    said[length] = 0;
    if (all.peer) {
        all.newest = (int64_t)message_number;
        length = snprintf(text, sizeof text, "42[\"chat\",{\"offset\":%" PRIu64 ",\"text\":\"%s\"}]", message_number, said);
    } else {
        all.ack_sent[message_number & 4095] = now;
        length = snprintf(text, sizeof text, "42%" PRIu64 "[\"chat:send\",{\"stream_id\":\"%s\",\"id\":\"m%d-%d-%" PRIu64
                          "\",\"text\":\"%s\"}]", message_number, all.room, (int)getpid(), all.base, message_number, said);
    }
    all.n.sent++;
    write_frame(c, text, (size_t)length, 1);
    return true;
}

static void do_due(uint64_t now)
{
    static uint64_t looked, looked_slowly;
    if (all.waiting_due && now - looked > 10000) {
        looked = now;
        for (int i = 0; i < all.opened; i++) {
            struct client *c = &all.clients[i];
            if (!c->due || c->due > now) continue;
            if (c->state == IDLE) {
                if (all.in_flight < IN_FLIGHT) open_client(c);
                continue;
            }
            lose(c, "moving"); /* then at once to the next node: this one said so */
            set_due(c, now);
        }
    }
    if (now - looked_slowly < 1000000) return;
    looked_slowly = now;
    for (int i = 0; i < all.opened; i++) {
        struct client *c = &all.clients[i];
        /* It may have begun after `now` was read. */
        if (c->state != IDLE && c->state != READY && now > c->began + ATTEMPT_US) { errno = ETIMEDOUT; lose(c, "waiting"); }
        if (c->stalled && c->kind == 'p' && c->state == READY && c->next_pong < now) {
            c->next_pong = now + 25000000;
            write_frame(c, "3", 1, 1);
        }
    }
}

static void do_opening(uint64_t now)
{
    for (; all.opened < wanted && all.in_flight < IN_FLIGHT && now >= next_open; next_open += (uint64_t)(1e6 / connect_rate)) {
        struct client *c = &all.clients[all.opened];
        *c = (struct client){.number = (uint32_t)all.opened, .kind = connect_kind, .last = all.peer ? -1 : 0};
        c->port = (uint8_t)(connect_port < 0 ? all.opened % all.port_count : connect_port);
        all.opened++;
        open_client(c);
    }
}

static void do_talking(uint64_t now)
{
    if (mode == RUNNING && rate > 0)
        for (; next_talk <= now && now < phase_end; next_talk += (uint64_t)(1e6 / rate)) talk(now);
    if (mode == CLOSED && now < phase_end) {
        while (listeners && all.n.sent - all.n.refused < (all.n.messages - phase_base) / listeners + (uint64_t)window && talk(now)) continue;
    }
}

static void print_histogram(const char *name, const struct histogram *h)
{
    printf("\"%s\":{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f},", name, h->count,
           quantile_ms(h, 0.5), quantile_ms(h, 0.95), quantile_ms(h, 0.99), (double)h->most / 1e3);
}

/* --- commands */

static uint64_t behind_of(int64_t offset)
{
    uint64_t missing = 0;
    for (int i = 0; i < all.opened; i++)
        if (!all.clients[i].stalled && all.clients[i].known && all.clients[i].last >= 0 && all.clients[i].last < offset)
            missing += (uint64_t)(offset - all.clients[i].last);
    return missing;
}

static void report(uint64_t now)
{
    struct rusage used;
    int ready = 0, standing = 0;
    all.n.cut = 0;
    getrusage(RUSAGE_SELF, &used);
    for (int i = 0; i < all.opened; i++) {
        ready += all.clients[i].state == READY;
        standing += listening(&all.clients[i]) && (all.peer || all.clients[i].standing);
        if (all.clients[i].state == READY && all.clients[i].stalled) {
            struct pollfd end = {.fd = all.clients[i].fd, .events = POLLRDHUP};
            all.n.cut += poll(&end, 1, 0) == 1 && end.revents & (POLLRDHUP | POLLHUP | POLLERR);
        }
    }
    printf("{\"opened\":%d,\"ready\":%d,\"standing\":%d,\"newest\":%" PRId64 ",\"behind\":%" PRIu64 ",\"seconds\":%.6f,"
           "\"cpu\":%.6f,", all.opened, ready, standing, all.newest, behind_of(target > 0 ? target : all.newest),
           (double)(now - phase_began) / 1e6, (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    print_histogram("delay", &all.delay);
    print_histogram("back_after", &all.back);
    print_histogram("control", &all.control);
    print_histogram("connecting", &all.connecting);
    print_histogram("answered", &all.answered);
#define COUNT(name) printf("\"" #name "\":%" PRIu64 ",", all.n.name)
    COUNT(frames); COUNT(messages); COUNT(recovered); COUNT(bytes); COUNT(pings); COUNT(gaps); COUNT(lagged);
    COUNT(resets); COUNT(lost); COUNT(duplicates); COUNT(repeats); COUNT(sent); COUNT(acked); COUNT(refused);
    COUNT(drops); COUNT(back); COUNT(dismissed); COUNT(failed);
    printf("\"cut\":%" PRIu64 "}\n", all.n.cut);
    fflush(stdout);
    mode = NOTHING;
}

static void stall(void)
{
    for (int i = 0; i < all.opened; i++) all.clients[i].stalled = all.clients[i].stalled || all.clients[i].kind != 'r';
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
    phase_base = all.n.messages;
    target = 0;
    if (!strcmp(verb, "connect")) {
        mode = CONNECTING;
        wanted = all.opened + (int)a;
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
        all.n.sent = all.n.refused = listeners = 0;
        for (int i = 0; i < all.opened; i++) listeners += listening(&all.clients[i]);
    } else if (!strcmp(verb, "settle")) {
        mode = SETTLING;
        target = (int64_t)b;
    } else {
        if (!strcmp(verb, "reset")) {
            memset(&all.n, 0, sizeof all.n);
            struct histogram *each[] = {&all.delay, &all.back, &all.control, &all.connecting, &all.answered};
            for (int i = 0; i < 5; i++) memset(each[i], 0, sizeof *each[i]);
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
    for (int i = 0; i < all.opened; i++) {
        const struct client *c = &all.clients[i];
        standing += c->state == READY && (all.peer || c->standing || c->stalled);
    }
    if (mode == CONNECTING) return all.opened == wanted && standing == all.opened;
    return !all.in_flight && !all.waiting_due && behind_of(target) == 0;
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
    while (all.token_count < MAX_TOKENS && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        all.tokens[all.token_count++] = strdup(line);
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
            for (char *part = strtok(optarg, ","); part && all.port_count < MAX_PORTS; part = strtok(NULL, ","))
                all.ports[all.port_count++] = atoi(part);
        else if (option == 'r') all.room = optarg;
        else if (option == 't') read_tokens(optarg);
        else if (option == 'b') all.base = atoi(optarg);
        else if (option == 'x') text_bytes = atoi(optarg) < 500 ? atoi(optarg) : 500;
        else exit(2);
    }
    all.peer = all.room == NULL; /* which has one room, and puts everybody into it by itself */
    if (!all.port_count) { fprintf(stderr, "--ports is missing\n"); exit(2); }
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
    all.epoll = epoll_create1(0);
    for (;;) {
        int got = epoll_wait(all.epoll, events, 4096, (mode == RUNNING && rate > 0) || mode == CLOSED ? 1 : 5);
        if (got > 0 && mode != CONNECTING) usleep(BATCH_US);
        for (int i = 0; i < got; i++) {
            struct client *c = &all.clients[events[i].data.u32];
            if (c->state == TCP && events[i].events & (EPOLLOUT | EPOLLERR)) say_hello(c);
            uint32_t end = events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
            if (c->state > TCP && (end || events[i].events & EPOLLIN)) read_all(c, end != 0);
        }
        uint64_t now = now_us();
        do_due(now);
        do_opening(now);
        do_talking(now);
        commands(now);
    }
}
