/* What the three parts of the generator share: the clients, what they counted, and small things for all. */
#ifndef CROWD_H
#define CROWD_H
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "histogram.h"

#define MAX_CLIENTS 20000
#define MAX_PORTS 16
#define MAX_TOKENS 1024
#define IN_FLIGHT 200            /* clients that are connecting at once */
#define PER_ADDRESS 5000         /* clients from one loopback address: the kernel has 28,000 outgoing ports for each */
#define BATCH_US 1000            /* after a wake-up, so that one wake-up reads many sockets */
#define ATTEMPT_US 20000000      /* the official client's timeout for one attempt */
#define CONNECTING_US 300000000  /* longest `connect`; who is missing then shows in the report */
#define AROUND_JOIN_US 2000000   /* so long after a join an entry may come twice (docs/events.md) */
#define STALLED_RECEIVE_BYTES 4096

enum state { IDLE, TCP, HTTP, OPEN, CONNECT, JOIN, READY };
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

struct counts {
    uint64_t frames, messages, recovered, bytes, pings, gaps, lagged, resets, lost, duplicates, repeats, sent, acked,
        refused, drops, back, dismissed, failed, cut;
};

struct crowd {
    struct client clients[MAX_CLIENTS];
    int opened, in_flight, waiting_due, epoll; /* waiting_due: clients with a `due` */
    int ports[MAX_PORTS], port_count, token_count, base;
    char *tokens[MAX_TOKENS], *room;
    bool peer; /* no room given: the server is a peer, which puts everybody into its one room by itself */
    struct counts n;
    struct histogram delay, back, control, connecting, answered;
    int64_t newest;          /* offset that was acknowledged (of a peer: that was sent) */
    uint64_t ack_sent[4096]; /* when, by the low bits of the message's number */
};

extern struct crowd all;

/* socket.c */
void open_client(struct client *c);
void say_hello(struct client *c);
void read_all(struct client *c, bool ended); /* ended: the other side has closed or failed */
void write_frame(struct client *c, const char *data, size_t size, int opcode);
void lose(struct client *c, const char *why);
void set_due(struct client *c, uint64_t when);

/* room.c */
void on_text(struct client *c, char *p, char *end, uint64_t now);
char *find(char *p, char *end, const char *what);

static inline bool listening(const struct client *c) { return c->state == READY && !c->stalled; }

static inline uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

#endif
