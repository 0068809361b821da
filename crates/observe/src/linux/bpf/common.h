/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
 *
 * What the programs with type information (events.bpf.c) and without (plain.bpf.c) share: helpers,
 * the maps that user space reads, and how an event is written.
 */
#ifndef WHOCALLS_COMMON_H
#define WHOCALLS_COMMON_H

#include "events.h"

/* include/uapi/linux/bpf.h: fixed layout. */
struct bpf_tcp_sock {
	__u32 between_start_and_data_segs_out[17];
	__u32 data_segs_out;
	__u32 lost_out;
	__u32 sacked_out;
	__u64 bytes_received;
	__u64 bytes_acked;
};
_Static_assert(__builtin_offsetof(struct bpf_tcp_sock, data_segs_out) == 68, "bpf_tcp_sock");
_Static_assert(__builtin_offsetof(struct bpf_tcp_sock, bytes_acked) == 88, "bpf_tcp_sock");

/* Helper numbers: include/uapi/linux/bpf.h, ___BPF_FUNC_MAPPER. */
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value,
				   __u64 flags) = (void *)2;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_skb_load_bytes)(const void *skb, __u32 offset, void *to,
				  __u32 length) = (void *)26;
static __u64 (*bpf_get_current_cgroup_id)(void) = (void *)80;
static struct bpf_sock *(*bpf_sk_fullsock)(struct bpf_sock *sk) = (void *)95;
static struct bpf_tcp_sock *(*bpf_tcp_sock)(struct bpf_sock *sk) = (void *)96;
static void *(*bpf_sk_storage_get)(void *map, void *sk, void *value, __u64 flags) = (void *)107;
static long (*bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
static __u64 (*bpf_ktime_get_boot_ns)(void) = (void *)125;
static void *(*bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;

#define BPF_NOEXIST 1
#define BPF_SK_STORAGE_GET_F_CREATE 1
#define BPF_F_NO_PREALLOC 1
#define BPF_F_CLONE (1 << 9)
/* The reader looks by itself every few milliseconds. */
#define BPF_RB_NO_WAKEUP 1

#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define IPPROTO_ICMP 1
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define IPPROTO_ICMPV6 58
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define SECOND 1000000000ull
#define DNS_PORT __builtin_bswap16(53)
#define MDNS_PORT __builtin_bswap16(5353)
#define LLMNR_PORT __builtin_bswap16(5355)

#define EEXIST 17

#define ALLOW 1

enum map_types {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27
};

#define NUMBER(name, value) int(*name)[value]
#define TYPE(name, type) type *name

struct {
	NUMBER(type, BPF_MAP_TYPE_SK_STORAGE);
	NUMBER(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	TYPE(key, int);
	TYPE(value, struct owner);
} owners SEC(".maps");

/* Connections have a ring of their own, so that they survive a flood of processes. */
struct {
	NUMBER(type, BPF_MAP_TYPE_RINGBUF);
	NUMBER(max_entries, 16 * 1024 * 1024);
} socket_events SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_RINGBUF);
	NUMBER(max_entries, 8 * 1024 * 1024);
} process_events SEC(".maps");

/* What was said is long, and must not take the room of what happened. */
struct {
	NUMBER(type, BPF_MAP_TYPE_RINGBUF);
	NUMBER(max_entries, 8 * 1024 * 1024);
} said_first SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	NUMBER(max_entries, LOSSES);
	TYPE(key, __u32);
	TYPE(value, struct loss);
} losses SEC(".maps");

/* The peers of UDP sockets, from the second on. User space takes out what has gone silent. */
struct {
	NUMBER(type, BPF_MAP_TYPE_HASH);
	NUMBER(map_flags, BPF_F_NO_PREALLOC);
	NUMBER(max_entries, 65536);
	TYPE(key, struct peer_key);
	TYPE(value, struct peer);
} peers SEC(".maps");

/* The attempt that this CPU's program is making. */
struct attempt {
	__u64 thread;
	__u64 cookie;
	__u64 failed;
	__u64 until;
};

/* The look-up of a route is part of the call that makes the attempt. */
#define ROUTE_FOUND_WITHIN 2000000

struct {
	NUMBER(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	NUMBER(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct attempt);
} attempts SEC(".maps");

static __always_inline void count_loss(__u32 ring)
{
	struct loss *loss = bpf_map_lookup_elem(&losses, &ring);
	__u64 now = bpf_ktime_get_boot_ns();

	if (!loss)
		return;
	/* A softirq may come between any two lines, and lose something too. */
	if (!loss->first)
		loss->first = now;
	loss->last = now;
	__sync_fetch_and_add(&loss->count, 1);
}

/* What is kept with a socket. Not so where its program has used up the memory that options of one
 * socket may take (sk_omem_alloc): then every hook has to tell what it knows by itself. */
#define keep_owner(sk)                                                                             \
	({                                                                                         \
		struct owner *kept =                                                               \
			bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);           \
                                                                                                   \
		if (!kept)                                                                         \
			count_loss(LOST_OWNERS);                                                   \
		kept;                                                                              \
	})

/* What is kept for this call only. The verifier wants to know first which of them it is. */
#define or_alone(owner, alone)                                                                     \
	do {                                                                                       \
		if (!owner)                                                                        \
			owner = &alone;                                                            \
		asm volatile("" : "+r"(owner));                                                    \
	} while (0)

static __always_inline void copy4(__be32 *to, const __be32 *from)
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

static __always_inline bool same4(const __be32 *one, const __be32 *other)
{
	return one[0] == other[0] && one[1] == other[1] && one[2] == other[2] &&
	       one[3] == other[3];
}

static __always_inline void clear(struct event *event)
{
	__u64 *words = (__u64 *)event;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*event) / sizeof(*words)); i++)
		words[i] = 0;
}

/* Fills in time, socket and owner. */
static __always_inline void begin(struct event *event, __u16 kind, __u64 cookie,
				  const struct owner *owner)
{
	clear(event);
	event->time = bpf_ktime_get_boot_ns();
	event->kind = kind;
	event->cookie = cookie;
	if (owner) {
		event->started = owner->started;
		event->pid = owner->pid;
		event->thread = owner->thread;
		event->uid = owner->uid;
		event->netns = owner->netns;
		event->flags = owner->flags;
		__builtin_memcpy(event->name, owner->name, sizeof(event->name));
	}
}

static __always_inline struct event *reserve(__u16 kind, __u64 cookie, const struct owner *owner)
{
	struct event *event = bpf_ringbuf_reserve(&socket_events, sizeof(*event), 0);

	if (!event) {
		count_loss(RING_SOCKETS);
		return 0;
	}
	begin(event, kind, cookie, owner);
	return event;
}

/* The kernel's numbers for what kind of socket it is. */
static __always_inline void name_kind(struct event *event, __u16 family, __u16 type, __u16 protocol)
{
	event->family = family;
	event->type = type;
	event->protocol = protocol;
}

/* What went with the first peer of a socket that is not TCP. */
static __always_inline void copy_counts(struct event *event, const struct owner *owner)
{
	event->bytes_sent = owner->bytes_sent;
	event->bytes_received = owner->bytes_received;
	event->packets_sent = owner->packets_sent;
	event->packets_received = owner->packets_received;
	event->flags |= EVENT_BYTES | EVENT_PACKETS;
}

#define submit(event) bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP)

/* The next look-up of a route by this thread is for this attempt. */
static __always_inline void expect_route(__u64 cookie)
{
	__u32 zero = 0;
	struct attempt *attempt = bpf_map_lookup_elem(&attempts, &zero);

	if (!attempt)
		return;
	attempt->thread = bpf_get_current_pid_tgid();
	attempt->cookie = cookie;
	attempt->failed = 0;
	attempt->until = bpf_ktime_get_boot_ns() + ROUTE_FOUND_WITHIN;
}

/* How the look-up of a route ended. */
static __always_inline void route(__u16 error)
{
	__u32 zero = 0;
	struct attempt *attempt = bpf_map_lookup_elem(&attempts, &zero);
	struct event *event;

	if (!attempt || attempt->thread != bpf_get_current_pid_tgid())
		return;
	/* What went well is told only when it takes back a failure in another table; later look-ups
	 * of the thread are for something else. */
	if (error == attempt->failed || bpf_ktime_get_boot_ns() > attempt->until)
		return;
	attempt->failed = error;
	event = reserve(EVENT_ROUTE, attempt->cookie, 0);
	if (event) {
		event->error = error;
		submit(event);
	}
}

#endif
