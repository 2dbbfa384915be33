/* One client's connection: opening it, losing it and coming back, and bytes to frames. */
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 20];

void set_due(struct client *c, uint64_t when)
{
    if (!c->due) all.waiting_due++;
    c->due = when;
}

static void clear_due(struct client *c)
{
    if (c->due) all.waiting_due--;
    c->due = 0;
}

void write_frame(struct client *c, const char *data, size_t size, int opcode)
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

void lose(struct client *c, const char *why)
{
    if (c->state == IDLE) return;
    if (c->state != READY) {
        all.in_flight--;
        all.n.failed++;
        if (all.n.failed < 4) fprintf(stderr, "client %u: %s in state %d: %s\n", c->number, why, c->state, strerror(errno));
    } else {
        all.n.drops++;
        c->lost = now_us();
    }
    close(c->fd);
    free(c->part);
    c->part = NULL;
    c->have = c->capacity = 0;
    c->state = IDLE;
    c->standing = false;
    clear_due(c);
    if (c->stalled || (all.peer && c->known)) return; /* gone for good */
    int power = c->failures < 3 ? c->failures++ : 3;
    uint64_t longest = 1000000ull << power;
    set_due(c, now_us() + longest / 2 + (uint64_t)random() % longest);
    c->port = (uint8_t)((c->port + 1) % all.port_count);
}

void open_client(struct client *c)
{
    int one = 1, small = STALLED_RECEIVE_BYTES;
    clear_due(c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { perror("socket"); exit(1); }
    c->state = TCP;
    c->began = now_us();
    all.in_flight++;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (c->kind != 'r') setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    uint32_t address = 0x7f010002 + (uint32_t)(all.base + (int)c->number) / PER_ADDRESS;
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)all.ports[c->port])};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(c->fd, (struct sockaddr *)&from, sizeof from);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) { lose(c, "connect"); return; }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.u32 = c->number};
    epoll_ctl(all.epoll, EPOLL_CTL_ADD, c->fd, &event);
}

void say_hello(struct client *c)
{
    char text[1024];
    int error = 0, who = all.base + (int)c->number;
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
        all.ports[c->port], 18 + (who >> 16 & 1), who >> 8 & 255, who & 255);
    c->state = HTTP;
    if (send(c->fd, text, (size_t)length, MSG_NOSIGNAL) != length) lose(c, "send");
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

void read_all(struct client *c, bool ended)
{
    while (c->state != IDLE && !(c->stalled && c->state == READY)) {
        size_t have = c->have;
        if (have) memcpy(buffer, c->part, have);
        ssize_t got = recv(c->fd, buffer + have, sizeof buffer - have, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) { lose(c, "ended"); return; }
        all.n.bytes += (uint64_t)got;
        consume(c, buffer, buffer + have + got);
        /* Edge triggered: a short read means there is no more, except the end that came with these bytes: it rings
         * only once, and who misses it here waits for ever on a dead connection. */
        if ((size_t)got < sizeof buffer - have && !ended) return;
    }
}

