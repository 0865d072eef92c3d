/* Publishes readings faster than any broker takes them, and times the answer to each.
 *
 * load PORT KIND BOARDS POINTS COUNT (window | rate) N [EQUATIONS]      with PUBLISHER and READER=user:password
 *
 * Channel c of board b is the point b * POINTS + c; the readings go round all points. KIND says what goes there and back:
 *   numbers   a raw x on piio/b<b>/raw/adc/<c>, retained; x / 1023 * 100 + point % EQUATIONS on piio/b<b>/value/p<c>
 *   blocks    1,000 raws in a block on piio/b<b>/block/adc/<c>; as many f32 in a block on piio/b<b>/values/p<c>
 *   switches  ON and OFF in turns on piio/b<b>/output/o<c>/set; a word on piio/b<b>/output/o<c>, any:
 *             whom this is for lets answers overtake each other
 * `window` sends whenever fewer than N are unanswered; `rate` sends N a second, one by one, whatever is answered.
 * Answers come in order on each topic: one that is missing was lost, one that is another number is wrong. One line of
 * JSON comes out; times are in µs. MQTT 3.1.1, QoS 0.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum kind { NUMBERS, BLOCKS, SWITCHES };

enum {
    SAMPLES = 1000,      /* in a block: as f32 they still fit into one */
    HIGHEST = 1021,      /* raws go from 0 to below it; a prime, so that no point gets the same one again and again */
    LONGEST = 4200,      /* bytes of the largest packet */
    AT_ONCE = 64,        /* packets in one write, at most */
    GIVE_UP = 3,         /* seconds without an answer */
};

static const struct { const char *to, *from; } TOPICS[] = {
    [NUMBERS] = {"piio/b%d/raw/adc/%d", "piio/+/value/+"},
    [BLOCKS] = {"piio/b%d/block/adc/%d", "piio/+/values/+"},
    [SWITCHES] = {"piio/b%d/output/o%d/set", "piio/+/output/+"},
};

static enum kind kind;
static int boards, points, equations = 1;
static long count, window;
static double rate;

static long sent, answered, lost, wrong;
static double *sent_at, *took; /* by number of the reading; by number of the answer */
static long *next;             /* by point: how many of its readings are answered, lost included */
static uint16_t raws[HIGHEST + SAMPLES];

static void give_up(const char *why) { fprintf(stderr, "load: %s\n", why); exit(1); }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

/* --- MQTT -------------------------------------------------------------------------------------------------------- */

static unsigned char *put_length(unsigned char *to, size_t length) {
    do {
        *to = length & 127;
        if (length >>= 7) *to |= 128;
        to++;
    } while (length);
    return to;
}

static unsigned char *put_text(unsigned char *to, const char *text) {
    size_t length = strlen(text);
    *to++ = length >> 8;
    *to++ = length;
    memcpy(to, text, length);
    return to + length;
}

static void ask(int link, unsigned char first, const unsigned char *body, size_t size, size_t answer) {
    unsigned char packet[600], *end = packet;
    *end++ = first;
    end = put_length(end, size);
    memcpy(end, body, size);
    end += size;
    if (write(link, packet, end - packet) != end - packet) give_up("the broker is gone");
    unsigned char said[8];
    if (recv(link, said, answer, MSG_WAITALL) != (ssize_t)answer) give_up("the broker does not answer");
    if (said[answer - 1] != 0) give_up("the broker refuses: are name and password right?");
}

static int join(int port, const char *variable) {
    char who[256] = "", body_id[64];
    if (getenv(variable)) strncpy(who, getenv(variable), sizeof who - 1);
    char *password = strchr(who, ':');
    if (!password) give_up("set PUBLISHER and READER to user:password");
    *password++ = 0;

    int link = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(link, (struct sockaddr *)&at, sizeof at)) give_up("there is no broker at this port");
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    unsigned char body[512], *end = put_text(body, "MQTT");
    memcpy(end, "\4\302\0\0", 4); /* version 3.1.1, a clean session with name and password, no keepalive */
    snprintf(body_id, sizeof body_id, "load-%s-%d", variable, getpid());
    end = put_text(put_text(put_text(end + 4, body_id), who), password);
    ask(link, 0x10, body, end - body, 4);
    return link;
}

static void subscribe(int link, const char *filter) {
    unsigned char body[128] = {0, 1}, *end = put_text(body + 2, filter);
    *end++ = 0;
    ask(link, 0x82, body, end - body, 5);
}

/* --- what goes there --------------------------------------------------------------------------------------------- */

static unsigned char *put_block(unsigned char *to, long number) {
    struct __attribute__((packed)) {
        char magic[2]; uint8_t version, type; uint64_t t_ns; uint32_t spacing_ns; uint16_t count, flags; uint32_t lost;
    } head = {{'P', 'B'}, 1, 0, (uint64_t)number + 1, 100000, SAMPLES, 0, 0};
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, raws + number % HIGHEST, SAMPLES * sizeof *raws);
    return to + sizeof head + SAMPLES * sizeof *raws;
}

static unsigned char *put_payload(unsigned char *to, long number) {
    if (kind == BLOCKS) return put_block(to, number);
    if (kind == SWITCHES) return to + sprintf((char *)to, number / (boards * points) % 2 ? "OFF" : "ON");
    return to + sprintf((char *)to, "%ld", number % HIGHEST);
}

static unsigned char *put_reading(unsigned char *to, long number) {
    unsigned char body[LONGEST];
    char topic[64];
    int point = number % (boards * points);
    sprintf(topic, TOPICS[kind].to, point / points, point % points);
    size_t size = put_payload(put_text(body, topic), number) - body;
    *to++ = kind == NUMBERS ? 0x31 : 0x30; /* raws are retained */
    to = put_length(to, size);
    memcpy(to, body, size);
    return to + size;
}

static double due(long number, double begun) { return begun + number / rate; }

static size_t fill(unsigned char *packets, double begun) {
    unsigned char *end = packets;
    double at = now();
    for (int n = 0; n < AT_ONCE && sent < count; n++) {
        if (rate > 0 ? due(sent, begun) > at : sent - answered - lost >= window) break;
        sent_at[sent] = at;
        end = put_reading(end, sent++);
    }
    return end - packets;
}

/* --- what comes back --------------------------------------------------------------------------------------------- */

static int is_answer_to(long number, const unsigned char *payload, size_t size) {
    int point = number % (boards * points);
    if (kind == BLOCKS) {
        uint64_t t_ns;
        float last;
        if (size != 24 + SAMPLES * sizeof last) return 0;
        memcpy(&t_ns, payload + 4, sizeof t_ns);
        memcpy(&last, payload + size - sizeof last, sizeof last);
        double right = raws[number % HIGHEST + SAMPLES - 1] / 1023.0 * 100 + point % equations;
        return t_ns == (uint64_t)number + 1 && fabs(last - right) < 1e-3;
    }
    if (kind == SWITCHES) return 1;
    char text[40] = "";
    memcpy(text, payload, size < sizeof text ? size : sizeof text - 1);
    return fabs(strtod(text, NULL) - (number % HIGHEST / 1023.0 * 100 + point % equations)) < 1e-6;
}

static int point_of(const char *topic, const char *end) {
    int numbers[2] = {0, 0}, found = 0;
    for (const char *at = topic; at < end && found < 2; at++) {
        if (*at < '0' || *at > '9') continue;
        for (; at < end && *at >= '0' && *at <= '9'; at++) numbers[found] = numbers[found] * 10 + *at - '0';
        found++;
    }
    int point = numbers[0] * points + numbers[1];
    return found == 2 && point < boards * points ? point : -1;
}

static void take(const unsigned char *body, size_t size, double at) {
    size_t length = body[0] << 8 | body[1];
    int point = point_of((const char *)body + 2, (const char *)body + 2 + length);
    if (point < 0) return;
    for (long skipped = 0;; skipped++) {
        long number = point + (next[point] + skipped) * boards * points;
        if (number >= sent) break;
        if (!is_answer_to(number, body + 2 + length, size - 2 - length)) continue;
        took[answered++] = at - sent_at[number];
        lost += skipped;
        next[point] += skipped + 1;
        return;
    }
    wrong++;
}

static size_t take_all(const unsigned char *bytes, size_t size, double at) {
    size_t done = 0;
    while (done + 2 <= size) {
        size_t length = 0, head = 1;
        int shift = 0, more = 1;
        while (more && done + head < size) {
            length |= (size_t)(bytes[done + head] & 127) << shift;
            more = bytes[done + head++] & 128;
            shift += 7;
        }
        if (more || done + head + length > size) break;
        /* What is retained was there before us. */
        if ((bytes[done] & 0xf1) == 0x30) take(bytes + done + head, length, at);
        done += head + length;
    }
    return done;
}

/* --- both -------------------------------------------------------------------------------------------------------- */

/* As fast as it goes we look at answers by the dozen: whoever wakes for each takes more than what is measured. */
static void nap(void) {
    struct timespec a_while = {0, 300000};
    nanosleep(&a_while, NULL);
}

static double drive(int publisher, int reader) {
    static unsigned char out[AT_ONCE * LONGEST], in[4 << 20];
    size_t filled = 0, written = 0, held = 0;
    double begun = now(), heard = begun;
    while (answered + lost < count && now() - heard < GIVE_UP) {
        if (written == filled) {
            written = 0;
            filled = fill(out, begun);
        }
        if (written < filled) {
            ssize_t n = write(publisher, out + written, filled - written);
            if (n < 0 && errno != EAGAIN) give_up("the broker closed the publisher's connection");
            if (n > 0) written += n;
        }
        double wait = rate > 0 && sent < count ? due(sent, begun) - now() : 0.1;
        if (rate == 0 && written == filled && sent < count && sent - answered - lost < window) wait = 0;
        struct timespec patience = {0, wait < 0 ? 0 : (wait < 0.1 ? wait : 0.1) * 1e9};
        struct pollfd links[2] = {{reader, POLLIN, 0}, {publisher, written < filled ? POLLOUT : 0, 0}};
        ppoll(links, 2, &patience, NULL);
        if (!links[0].revents) continue;
        if (rate == 0) nap();
        ssize_t n = read(reader, in + held, sizeof in - held);
        if (n == 0) give_up("the broker closed the reader's connection");
        if (n < 0) continue;
        held += n;
        heard = now();
        size_t done = take_all(in, held, heard);
        memmove(in, in + done, held - done);
        held -= done;
    }
    return heard - begun;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(double part) { return answered ? took[(long)((answered - 1) * part)] * 1e6 : 0; }

int main(int number, char **word) {
    if (number < 8) give_up("load PORT numbers|blocks|switches BOARDS POINTS COUNT window|rate N [EQUATIONS]");
    kind = *word[2] == 'n' ? NUMBERS : *word[2] == 'b' ? BLOCKS : SWITCHES;
    boards = atoi(word[3]);
    points = atoi(word[4]);
    count = atol(word[5]);
    if (*word[6] == 'r') rate = atof(word[7]);
    else window = atol(word[7]);
    if (number > 8) equations = atoi(word[8]);
    if (boards < 1 || points < 1 || count < 1 || equations < 1 || (rate <= 0 && window < 1)) give_up("nothing to do");

    sent_at = calloc(count, sizeof *sent_at);
    took = calloc(count, sizeof *took);
    next = calloc(boards * points, sizeof *next);
    for (int n = 0; n < HIGHEST + SAMPLES; n++) raws[n] = n % HIGHEST;
    prctl(PR_SET_TIMERSLACK, 1); /* the kernel may wake us 50 µs late otherwise */

    int publisher = join(atoi(word[1]), "PUBLISHER"), reader = join(atoi(word[1]), "READER");
    subscribe(reader, TOPICS[kind].from);
    fcntl(publisher, F_SETFL, O_NONBLOCK);
    fcntl(reader, F_SETFL, O_NONBLOCK);
    double seconds = drive(publisher, reader);
    lost += sent - answered - lost;

    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    qsort(took, answered, sizeof *took, by_size);
    printf("{\"sent\":%ld,\"answered\":%ld,\"lost\":%ld,\"wrong\":%ld,\"seconds\":%.6f,\"p50\":%.1f,\"p90\":%.1f,"
           "\"p99\":%.1f,\"worst\":%.1f,\"cpu\":%.6f}\n",
           sent, answered, lost, wrong, seconds, share(.5), share(.9), share(.99), share(1),
           cpu.tv_sec + cpu.tv_nsec * 1e-9);
    return 0;
}
