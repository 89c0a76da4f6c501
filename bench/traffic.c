// What the benchmarks of the network need and no program of the system does.
//
//   traffic flood KIND INTERFACE SOURCE-MAC GATEWAY-MAC SOURCE GATEWAY WORLD    as fast as it can, by a packet socket, until SIGTERM; then prints how many frames
//   traffic answer PORT                    sends each datagram back; a question is answered with: there is no such name
//   traffic sink PORT                      takes datagrams and does not look at them
//   traffic hold ADDRESS PORT COUNT        opens so many connections, prints how many it could, and holds them until SIGTERM
//   traffic answers ADDRESS PORT SECONDS   ends once somebody takes a connection there, with status 1 when nobody did for so long
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { batch = 64, room = 256 };
static volatile sig_atomic_t ended;
static void end(int signal) { (void)signal; ended = 1; }

static uint64_t state = 88172645463325252ull;
static uint32_t any(void) { // xorshift: the same each time
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 16);
}

static uint32_t add(uint32_t sum, const uint8_t *p, int n) {
  for (int i = 0; i + 1 < n; i += 2) sum += (uint32_t)(p[i] << 8 | p[i + 1]);
  if (n & 1) sum += (uint32_t)(p[n - 1] << 8);
  return sum;
}
static void put16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static void close_sum(uint8_t *p, uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  put16(p, ~sum);
}

static uint8_t here_mac[6], gateway_mac[6], source[4], gateway[4], world[4];

// An IP packet's header for so many bytes after it; returns where those go.
static uint8_t *ip(uint8_t *frame, const uint8_t *to, int protocol, int payload, uint32_t fragment) {
  memcpy(frame, gateway_mac, 6);
  memcpy(frame + 6, here_mac, 6);
  put16(frame + 12, 0x0800);
  uint8_t *p = frame + 14;
  memset(p, 0, 20);
  p[0] = 0x45;
  put16(p + 2, (uint32_t)(20 + payload));
  put16(p + 4, any());
  put16(p + 6, fragment);
  p[8] = 64;
  p[9] = (uint8_t)protocol;
  memcpy(p + 12, source, 4);
  memcpy(p + 16, to, 4);
  close_sum(p + 10, add(0, p, 20));
  return p + 20;
}
static void transport_sum(const uint8_t *to, int protocol, uint8_t *p, int n, int at) {
  close_sum(p + at, add(add(add((uint32_t)(protocol + n), source, 4), to, 4), p, n));
}

static int syn(uint8_t *frame, const uint8_t *to, int port) {
  uint8_t *p = ip(frame, to, IPPROTO_TCP, 20, 0x4000);
  memset(p, 0, 20);
  put16(p, 1024 + any() % 64000);
  put16(p + 2, (uint32_t)port);
  put16(p + 4, any());
  put16(p + 6, any());
  p[12] = 5 << 4;
  p[13] = 2;
  put16(p + 14, 64240);
  transport_sum(to, IPPROTO_TCP, p, 20, 16);
  return 14 + 20 + 20;
}
static int udp(uint8_t *frame, const uint8_t *to, int from, int port, const void *data, int n) {
  uint8_t *p = ip(frame, to, IPPROTO_UDP, 8 + n, 0);
  put16(p, (uint32_t)from);
  put16(p + 2, (uint32_t)port);
  put16(p + 4, (uint32_t)(8 + n));
  put16(p + 6, 0);
  memcpy(p + 8, data, (size_t)n);
  transport_sum(to, IPPROTO_UDP, p, 8 + n, 6);
  return 14 + 20 + 8 + n;
}
static int echo(uint8_t *frame, const uint8_t *to, int id) {
  uint8_t *p = ip(frame, to, IPPROTO_ICMP, 8 + 24, 0);
  memset(p, 0, 8 + 24);
  p[0] = 8;
  put16(p + 4, (uint32_t)id);
  put16(p + 6, any());
  close_sum(p + 2, add(0, p, 8 + 24));
  return 14 + 20 + 8 + 24;
}
static int question(uint8_t *frame) {
  uint8_t q[12 + 16 + 13 + 4] = {0};
  put16(q, any());
  q[2] = 1; // recursion desired
  q[5] = 1; // one question
  q[12] = 15;
  for (int i = 0; i < 15; i++) q[13 + i] = (uint8_t)('a' + any() % 26);
  memcpy(q + 28, "\7example\3net\0\0\1\0\1", 17);
  return udp(frame, gateway, 1024 + (int)(any() % 64000), 53, q, 28 + 17);
}
static int fragment(uint8_t *frame) { // no two of one packet, so that each waits for the others
  uint8_t *p = ip(frame, world, IPPROTO_UDP, 64, 0x2000 | any() % 64);
  for (int i = 0; i < 64; i++) p[i] = (uint8_t)any();
  return 14 + 20 + 64;
}
static int malformed(uint8_t *frame) { // a good packet with a few bytes changed
  int n = any() & 1 ? syn(frame, world, 80) : question(frame);
  for (int i = 0; i < 3; i++) frame[14 + any() % (uint32_t)(n - 14)] = (uint8_t)any();
  return n;
}

static int build(const char *kind, uint8_t *frame) {
  static const char data[18] = {0}; // the shortest frame, 60 bytes
  if (!strcmp(kind, "syn-world")) return syn(frame, world, 80);
  if (!strcmp(kind, "syn-gateway")) return syn(frame, gateway, 81);
  if (!strcmp(kind, "udp-port")) return udp(frame, world, 5000, 9, data, sizeof data);
  if (!strcmp(kind, "udp-ports")) return udp(frame, world, 1024 + (int)(any() % 64000), 1024 + (int)(any() % 64000), data, sizeof data);
  if (!strcmp(kind, "udp-answers")) return udp(frame, world, 1024 + (int)(any() % 4096), 7, data, sizeof data);
  if (!strcmp(kind, "echo-gateway")) return echo(frame, gateway, 77);
  if (!strcmp(kind, "echo-world")) return echo(frame, world, (int)(any() & 0xffff));
  if (!strcmp(kind, "dns")) return question(frame);
  if (!strcmp(kind, "fragments")) return fragment(frame);
  if (!strcmp(kind, "malformed")) return malformed(frame);
  fprintf(stderr, "traffic: no kind \"%s\"\n", kind);
  exit(2);
}

static int flood(char **a) {
  static uint8_t frames[4096][room];
  static int lengths[4096];
  unsigned m[6], g[6];
  if (sscanf(a[4], "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6 || sscanf(a[5], "%x:%x:%x:%x:%x:%x", g, g + 1, g + 2, g + 3, g + 4, g + 5) != 6) return 2;
  for (int i = 0; i < 6; i++) { here_mac[i] = (uint8_t)m[i]; gateway_mac[i] = (uint8_t)g[i]; }
  inet_pton(AF_INET, a[6], source);
  inet_pton(AF_INET, a[7], gateway);
  inet_pton(AF_INET, a[8], world);
  int s = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(a[3])};
  setsockopt(s, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  if (s < 0 || bind(s, (struct sockaddr *)&to, sizeof to) < 0) { perror(a[3]); return 1; }
  struct mmsghdr messages[batch] = {0};
  struct iovec vectors[batch];
  uint64_t sent = 0;
  for (uint32_t next = 0; !ended;) {
    for (int i = 0; i < batch; i++) {
      uint32_t at = next++ % 4096;
      lengths[at] = build(a[2], frames[at]);
      vectors[i] = (struct iovec){frames[at], (size_t)lengths[at]};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    int n = sendmmsg(s, messages, batch, 0);
    if (n > 0) sent += (uint64_t)n;
  }
  printf("%llu\n", (unsigned long long)sent);
  return 0;
}

static int serve(int port, int answer) {
  uint8_t b[2048];
  int s = socket(AF_INET, SOCK_DGRAM, 0), small = 4096;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, from;
  if (!answer) setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (bind(s, (struct sockaddr *)&at, sizeof at) < 0) { perror("bind"); return 1; }
  while (!ended) {
    if (!answer) { pause(); continue; }
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(s, b, sizeof b, 0, (struct sockaddr *)&from, &length);
    if (n < 12) continue;
    if (port == 53) {
      b[2] |= 0x80;
      b[3] = 3; // no such name
    }
    sendto(s, b, (size_t)n, 0, (struct sockaddr *)&from, length);
  }
  return 0;
}

static int open_to(char **a, int flags) { // a connection, or one that begins
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *to;
  if (getaddrinfo(a[2], a[3], &hints, &to) != 0) exit(2);
  int s = socket(to->ai_family, SOCK_STREAM | flags, 0), failed = s < 0 || connect(s, to->ai_addr, to->ai_addrlen) < 0;
  freeaddrinfo(to);
  if (!failed || (s >= 0 && flags)) return s;
  if (s >= 0) close(s);
  return -1;
}

static int hold(char **a) {
  int open = 0;
  while (open < atoi(a[4]) && open_to(a, 0) >= 0) open++;
  printf("%d\n", open);
  fflush(stdout);
  while (!ended) pause();
  return 0;
}

static int answers(char **a) {
  time_t until = time(NULL) + atoi(a[4]);
  while (!ended && time(NULL) <= until) { // a SYN that comes too early is repeated after a second only: this gives up before
    struct pollfd p = {.fd = open_to(a, SOCK_NONBLOCK), .events = POLLOUT};
    int error = -1;
    socklen_t length = sizeof error;
    if (p.fd >= 0 && poll(&p, 1, 5) == 1) getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (p.fd >= 0) close(p.fd);
    if (error == 0) return 0;
    usleep(1000);
  }
  return 1;
}

int main(int n, char **a) {
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  if (n == 9 && !strcmp(a[1], "flood")) return flood(a);
  if (n == 3 && !strcmp(a[1], "answer")) return serve(atoi(a[2]), 1);
  if (n == 3 && !strcmp(a[1], "sink")) return serve(atoi(a[2]), 0);
  if (n == 5 && !strcmp(a[1], "hold")) return hold(a);
  if (n == 5 && !strcmp(a[1], "answers")) return answers(a);
  fprintf(stderr, "traffic: see its first lines\n");
  return 2;
}
