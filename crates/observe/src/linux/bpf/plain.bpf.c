// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
//
// The events of events.bpf.c for kernels that give no type information of themselves (BTF): no
// kernel structure is read here, no program hangs on one. It only watches: every program at a
// cgroup lets everything pass. The hooks that both have stand in hooks.h.
//
//   socket_created    cgroup/sock_create    who made a socket, and in which network namespace
//   connect4, 6       cgroup/connect4, 6    an attempt, before anything has left
//   send4, 6          cgroup/sendmsg4, 6    a datagram without connect, to a peer that is new
//   bound4, 6         cgroup/post_bind4, 6  UDP that waits for others; who binds
//   released          cgroup/sock_release   the end of UDP, raw and ping sockets, of attempts, and
//                                           of TCP that was there before us
//   tcp_changed       sockops               TCP: listening, opened, accepted, closed
//   leaving, arriving cgroup_skb            first packet with its local port, before it leaves;
//                                           counts of all but TCP; FIN and RST; what has names in it:
//                                           DNS, how connections begin
//   error_reported    tracepoint            why TCP failed, from Linux 5.14 on
//   route_found       tracepoint            why an attempt had nowhere to go
//   route6_found      tracepoint            the same for IPv6, without "no route"
//   process_*         tracepoint            processes: start, program, end
//
// When a process started cannot be read here. `started` of an owner is when it was seen to use the
// socket; user space finds out which run had that pid then.

#include "hooks.h"
#include "packets.h"

static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*bpf_get_current_uid_gid)(void) = (void *)15;
static long (*bpf_get_current_comm)(void *name, __u32 size) = (void *)16;
static long (*bpf_sock_ops_cb_flags_set)(void *ctx, int flags) = (void *)59;
static __u64 (*bpf_get_netns_cookie)(void *ctx) = (void *)122;

#define BPF_SOCK_OPS_TCP_CONNECT_CB 3
#define BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB 4
#define BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB 5
#define BPF_SOCK_OPS_STATE_CB 10
#define BPF_SOCK_OPS_TCP_LISTEN_CB 11
#define BPF_SOCK_OPS_STATE_CB_FLAG 4

#define TCP_FIN_WAIT1 4
#define TCP_LAST_ACK 9
#define TCP_CLOSING 11
#define FLAG_FIN 1
#define FLAG_RST 4

#define EPIPE 32
#define ECONNRESET 104
#define ECONNREFUSED 111
#define EHOSTUNREACH 113

#define CLONE_PARENT 0x8000
#define CLONE_THREAD 0x10000

/* The context of sockops (include/uapi/linux/bpf.h): fixed layout. */
struct bpf_sock_ops {
	__u32 op;
	__u32 args[4];
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port; /* network order, in the upper half on little endian */
	__u32 local_port;
	__u32 is_fullsock;
	__u32 between_is_fullsock_and_flags[2];
	__u32 bpf_sock_ops_cb_flags;
	__u32 between_flags_and_rcv_nxt[3];
	__u32 rcv_nxt;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 between_snd_una_and_bytes[14];
	__u64 bytes_received;
	__u64 bytes_acked;
	struct bpf_sock *sk;
};
_Static_assert(__builtin_offsetof(struct bpf_sock_ops, rcv_nxt) == 100, "bpf_sock_ops");
_Static_assert(__builtin_offsetof(struct bpf_sock_ops, sk) == 184, "bpf_sock_ops");

/* Of an owner and of the end of a connection; read in events/plain.rs. */
enum plain_flags {
	PLAIN_OURS = 1 << 12, /* made by us, to learn of a namespace */
	PLAIN_THERE_BEFORE = 1 << 13, /* the socket was there before us */
	PLAIN_RELEASED = 1 << 14,     /* the program has closed it */
	PLAIN_TRACKED = 1 << 15       /* sockops tells its end */
};

/* Of the end of a process. */
#define PROCESS_FIRST_THREAD (1 << 15) /* others may run on */

/* What owner.peer keeps of TCP, which has no use for it: where the number ranges end that a FIN
 * has closed, and in what direction one was seen. */
#define SENT_END 0
#define RECEIVED_END 1
#define FINS 2
#define FIN_SENT 1
#define FIN_RECEIVED 2

/* Our own pid; set before loading. */
const volatile __u32 own_process = 0;
/* Where the fields lie, as the kernel's files `format` have it; set before loading. */
const volatile __u32 task_newtask_pid = 0;
const volatile __u32 task_newtask_comm = 0;
const volatile __u32 task_newtask_clone_flags = 0;
const volatile __u32 sched_process_exit_group_dead = 0; /* 0: this kernel does not tell */
const volatile __u32 fib_table_lookup_err = 0;
const volatile __u32 fib6_table_lookup_err = 0;
const volatile __u32 inet_sk_error_report_error = 0;
const volatile __u32 inet_sk_error_report_protocol = 0;
const volatile __u32 inet_sk_error_report_sport = 0;
const volatile __u32 inet_sk_error_report_dport = 0;
const volatile __u32 inet_sk_error_report_saddr_v6 = 0;
const volatile __u32 inet_sk_error_report_daddr_v6 = 0;

/* Sockets that were there before us, by cookie: who held them. */
struct seed {
	__u64 seen; /* as owner.started */
	__u32 pid;
	__u32 uid;
	__u32 netns;
	__u32 flags; /* event_flags */
	char name[16];
};

struct {
	NUMBER(type, BPF_MAP_TYPE_HASH);
	NUMBER(map_flags, BPF_F_NO_PREALLOC);
	NUMBER(max_entries, 262144);
	TYPE(key, __u64);
	TYPE(value, struct seed);
} seeds SEC(".maps");

/* The numbers of network namespaces, by their cookies. */
struct {
	NUMBER(type, BPF_MAP_TYPE_HASH);
	NUMBER(map_flags, BPF_F_NO_PREALLOC);
	NUMBER(max_entries, 16384);
	TYPE(key, __u64);
	TYPE(value, __u32);
} namespaces SEC(".maps");

/* The namespace in which we last made a socket ourselves, and whether others are unknown. */
struct learned {
	__u64 cookie;
	__u64 unknown;
};

struct {
	NUMBER(type, BPF_MAP_TYPE_ARRAY);
	NUMBER(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct learned);
} learned SEC(".maps");

/* The process that runs now takes the socket. */
static __always_inline void take(struct owner *owner)
{
	__u64 task = bpf_get_current_pid_tgid();

	owner->started = bpf_ktime_get_boot_ns();
	owner->pid = task >> 32;
	owner->first_pid = task >> 32;
	owner->thread = task;
	owner->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(owner->name, sizeof(owner->name));
}

static __always_inline bool is_ours(void)
{
	return bpf_get_current_pid_tgid() >> 32 == own_process;
}

/* The number of the namespace of a socket; 0: not known. */
static __always_inline __u32 netns_of(void *ctx, bool is_created)
{
	__u64 cookie = bpf_get_netns_cookie(ctx);
	__u32 *number = bpf_map_lookup_elem(&namespaces, &cookie), zero = 0;
	struct learned *last;

	if (number)
		return *number;
	last = bpf_map_lookup_elem(&learned, &zero);
	if (!last)
		return 0;
	if (is_created && is_ours())
		last->cookie = cookie;
	else
		last->unknown = 1;
	return 0;
}

/* A socket that is older than us, or the kernel's own. Who holds it is known some time after the
 * programs are attached, and it may be met before that. */
static __always_inline void adopt(struct owner *owner, __u64 cookie)
{
	struct seed *seed;

	if (!owner->cookie) {
		owner->cookie = cookie;
		owner->flags = PLAIN_THERE_BEFORE;
	}
	if (owner->pid || owner->cookie != cookie || !(owner->flags & PLAIN_THERE_BEFORE))
		return;
	seed = bpf_map_lookup_elem(&seeds, &cookie);
	if (!seed)
		return;
	owner->started = seed->seen;
	owner->pid = seed->pid;
	owner->first_pid = seed->pid;
	owner->thread = seed->pid;
	owner->uid = seed->uid;
	owner->netns = seed->netns;
	owner->flags |= seed->flags;
	__builtin_memcpy(owner->name, seed->name, sizeof(owner->name));
	bpf_map_delete_elem(&seeds, &cookie);
}

static __always_inline struct owner *owner_of(struct bpf_sock *sk, __u64 cookie)
{
	struct owner *owner = keep_owner(sk);

	if (owner)
		adopt(owner, cookie);
	return owner;
}

/* ---- a program asks ------------------------------------------------------------------------- */

SEC("cgroup/sock_create")
int socket_created(struct bpf_sock *ctx)
{
	__u32 type = ctx->type, protocol = ctx->protocol, family = ctx->family;
	struct owner *owner;
	struct event *event;
	__u64 cookie;

	cookie = bpf_get_socket_cookie(ctx);
	owner = keep_owner(ctx);
	if (!owner)
		return ALLOW;
	owner->cookie = cookie;
	owner->netns = netns_of(ctx, true);
	if (!owner->netns && is_ours())
		owner->flags = PLAIN_OURS;
	take(owner);
	/* These need no further call before they send and receive. */
	if (type != SOCK_RAW && protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6)
		return ALLOW;
	owner->flags |= EVENT_LISTENED;
	event = reserve(EVENT_LISTENING, cookie, owner);
	if (event) {
		name_kind(event, family, type, protocol);
		submit(event);
	}
	return ALLOW;
}

static __always_inline int attempt(struct bpf_sock_addr *ctx, struct destination *to,
				   bool connects)
{
	__u32 type = ctx->type, protocol = ctx->protocol;
	struct bpf_sock *sk = ctx->sk;
	struct owner *owner, alone = {};
	struct event *event;
	__u64 cookie;

	if (!sk)
		return ALLOW;
	cookie = bpf_get_socket_cookie(ctx);
	owner = owner_of(sk, cookie);
	or_alone(owner, alone);
	if (!owner->netns)
		owner->netns = netns_of(ctx, false);
	if (is_tcp(protocol, type)) {
		owner->flags = EVENT_ATTEMPTED;
		owner->error = 0;
		owner->peer[FINS] = 0;
	} else if (!is_worth_telling(owner, cookie, to->address, to->port, connects)) {
		return ALLOW;
	}
	take(owner);
	expect_route(cookie);
	event = reserve(EVENT_ATTEMPT, cookie, owner);
	if (!event)
		return ALLOW;
	name_kind(event, to->family, type, protocol);
	copy4(event->remote, to->address);
	event->remote_port = to->port;
	submit(event);
	return ALLOW;
}

static __always_inline int bound(struct bpf_sock *ctx, const struct event *at)
{
	__u32 type = ctx->type, protocol = ctx->protocol, family = ctx->family;
	struct owner *owner, alone = {};
	struct event *event;
	__u64 cookie;

	cookie = bpf_get_socket_cookie(ctx);
	owner = owner_of(ctx, cookie);
	or_alone(owner, alone);
	if (!owner->netns)
		owner->netns = netns_of(ctx, false);
	take(owner);
	if (type != SOCK_DGRAM)
		return ALLOW;
	owner->flags |= EVENT_LISTENED;
	event = reserve(EVENT_LISTENING, cookie, owner);
	if (!event)
		return ALLOW;
	name_kind(event, family, type, protocol);
	copy4(event->local, at->local);
	event->local_port = at->local_port;
	submit(event);
	return ALLOW;
}

SEC("cgroup/sock_release")
int released(struct bpf_sock *ctx)
{
	__u32 type = ctx->type, protocol = ctx->protocol, family = ctx->family;
	__u64 cookie = bpf_get_socket_cookie(ctx);
	struct owner *owner = owner_of(ctx, cookie);
	struct event *event;

	if (!owner || owner->flags & PLAIN_OURS)
		return ALLOW;
	owner->flags |= PLAIN_RELEASED;
	/* Sockops tells the end of TCP, unless nothing came of it, or it is older than us. */
	if (is_tcp(protocol, type)) {
		if (owner->flags & PLAIN_TRACKED)
			return ALLOW;
		if (owner->flags & PLAIN_THERE_BEFORE)
			owner->flags |= EVENT_ESTABLISHED;
		else if (!(owner->flags & EVENT_ATTEMPTED))
			return ALLOW;
	}
	event = reserve(EVENT_CLOSED, cookie, owner);
	if (!event)
		return ALLOW;
	name_kind(event, family, type, protocol);
	if (!is_tcp(protocol, type)) {
		copy4(event->remote, owner->peer);
		event->remote_port = owner->peer_port;
		copy_counts(event, owner);
	}
	submit(event);
	return ALLOW;
}

/* ---- TCP ------------------------------------------------------------------------------------ */

/* What a connection has carried: acknowledged, and on its way. SYN and FIN count there as well. */
static __always_inline void count_tcp(struct event *event, struct bpf_sock_ops *ctx,
				      const struct owner *owner)
{
	__u32 next = ctx->snd_nxt, received = ctx->rcv_nxt;
	__u64 sent = ctx->bytes_acked + (__u32)(next - ctx->snd_una);

	if (sent && owner->flags & EVENT_SYN_SENT)
		sent--;
	if (sent && owner->peer[FINS] & FIN_SENT && owner->peer[SENT_END] == next)
		sent--;
	event->bytes_sent = sent;
	event->bytes_received = ctx->bytes_received;
	/* User space takes it off again. */
	if (owner->peer[FINS] & FIN_RECEIVED && owner->peer[RECEIVED_END] == received)
		event->flags |= EVENT_RECEIVED_FIN;
	event->flags |= EVENT_BYTES;
}

SEC("sockops")
int tcp_changed(struct bpf_sock_ops *ctx)
{
	__u32 op = ctx->op, old = 0, family = ctx->family;
	struct bpf_sock *sk = ctx->sk;
	struct owner *owner, alone = {};
	struct event *event;
	__u64 cookie;
	__u16 kind;

	if (op == BPF_SOCK_OPS_STATE_CB) {
		old = ctx->args[0];
		if (ctx->args[1] != TCP_CLOSE)
			return ALLOW;
		kind = EVENT_CLOSED;
	} else if (op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB) {
		kind = EVENT_OPENED;
	} else if (op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB) {
		kind = EVENT_ACCEPTED;
	} else if (op == BPF_SOCK_OPS_TCP_LISTEN_CB) {
		kind = EVENT_LISTENING;
	} else if (op == BPF_SOCK_OPS_TCP_CONNECT_CB) {
		kind = EVENT_FIRST_PACKET;
	} else {
		return ALLOW;
	}
	if (!sk)
		return ALLOW;
	cookie = bpf_get_socket_cookie(ctx);
	owner = owner_of(sk, cookie);
	alone.cookie = cookie;
	or_alone(owner, alone);
	if (kind == EVENT_CLOSED) {
		/* A copy of its listener's that never became a connection. */
		if (owner->cookie != cookie)
			return ALLOW;
	} else {
		/* Copied from the listener with the socket, and now a connection's own. */
		if (owner->cookie != cookie) {
			owner->cookie = cookie;
			owner->flags = EVENT_INBOUND;
			owner->error = 0;
			owner->peer[FINS] = 0;
		}
		owner->flags |= PLAIN_TRACKED;
		bpf_sock_ops_cb_flags_set(ctx,
					  ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
		/* Whether the SYN really leaves, `leaving` tells. */
		if (kind == EVENT_FIRST_PACKET)
			return ALLOW;
		if (kind == EVENT_LISTENING)
			owner->flags = EVENT_LISTENED | PLAIN_TRACKED;
		else
			owner->flags |= EVENT_ESTABLISHED;
	}
	event = reserve(kind, cookie, owner);
	if (!event)
		return ALLOW;
	event->family = family;
	event->type = SOCK_STREAM;
	event->protocol = IPPROTO_TCP;
	event->local_port = ctx->local_port;
	event->remote_port = ctx->remote_port >> 16;
	if (family == AF_INET6) {
		event->local[0] = ctx->local_ip6[0];
		event->local[1] = ctx->local_ip6[1];
		event->local[2] = ctx->local_ip6[2];
		event->local[3] = ctx->local_ip6[3];
		event->remote[0] = ctx->remote_ip6[0];
		event->remote[1] = ctx->remote_ip6[1];
		event->remote[2] = ctx->remote_ip6[2];
		event->remote[3] = ctx->remote_ip6[3];
	} else {
		event->local[0] = ctx->local_ip4;
		event->remote[0] = ctx->remote_ip4;
	}
	if (kind == EVENT_CLOSED) {
		/* The kernel does not heed every RST. */
		if (event->time - owner->changed < SECOND)
			event->error = owner->error;
		if (old != TCP_SYN_SENT && old != TCP_LISTEN) {
			event->flags |= EVENT_ESTABLISHED;
			count_tcp(event, ctx, owner);
		}
		owner->flags = 0;
	}
	submit(event);
	return ALLOW;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* Both ends of a TCP socket. */
static __always_inline void describe(struct event *event, struct bpf_sock *sk)
{
	__u32 family = sk->family, local = sk->src_ip4, remote = sk->dst_ip4;

	event->family = family;
	event->type = SOCK_STREAM;
	event->protocol = IPPROTO_TCP;
	event->local_port = sk->src_port;
	event->remote_port = sk->dst_port;
	/* Read here: clang would choose the address of one load for both branches, which the
	 * verifier forbids. */
	asm volatile("" : "+r"(local), "+r"(remote));
	if (family == AF_INET6) {
		event->local[0] = sk->src_ip6[0];
		event->local[1] = sk->src_ip6[1];
		event->local[2] = sk->src_ip6[2];
		event->local[3] = sk->src_ip6[3];
		event->remote[0] = sk->dst_ip6[0];
		event->remote[1] = sk->dst_ip6[1];
		event->remote[2] = sk->dst_ip6[2];
		event->remote[3] = sk->dst_ip6[3];
	} else {
		event->local[0] = local;
		event->remote[0] = remote;
	}
}

/* The number behind the FIN of a packet. */
static __always_inline __u32 end_of(const struct tcp_head *head, __u32 payload, __u32 length)
{
	return __builtin_bswap32(head->sequence) + (length > payload ? length - payload : 0) + 1;
}

static __always_inline void tcp_leaves(struct __sk_buff *skb, struct bpf_sock *sk)
{
	__u32 state = sk->state, length = skb->len, payload;
	struct tcp_head head = {};
	struct event about = {};
	struct owner *owner;
	struct event *event;
	bool says = sk->dst_port == DNS_PORT || is_beginning(sk);

	if (!says && state != TCP_SYN_SENT && state != TCP_FIN_WAIT1 && state != TCP_LAST_ACK &&
	    state != TCP_CLOSING)
		return;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!owner)
		return;
	if (state == TCP_SYN_SENT) {
		/* Not the first. */
		if (owner->flags & EVENT_SYN_SENT)
			return;
		owner->flags |= EVENT_SYN_SENT;
		event = reserve(EVENT_FIRST_PACKET, owner->cookie, owner);
		if (event) {
			describe(event, sk);
			submit(event);
		}
		return;
	}
	payload = read_tcp_head(skb, &head);
	if (!payload)
		return;
	if (head.flags & FLAG_FIN) {
		owner->peer[SENT_END] = end_of(&head, payload, length);
		owner->peer[FINS] |= FIN_SENT;
	}
	/* Who calls us does not tell our names for others. */
	if (!says || length <= payload || owner->flags & EVENT_INBOUND)
		return;
	describe(&about, sk);
	about.more = MORE_HERE;
	say(skb, owner, &about, payload, __builtin_bswap32(head.sequence));
}

static __always_inline void tcp_arrives(struct __sk_buff *skb, struct bpf_sock *sk)
{
	__u32 state = sk->state, length = skb->len, payload;
	struct tcp_head head = {};
	struct event about = {};
	struct owner *owner;
	bool answers;

	/* Its connections are to inherit an owner. */
	if (state == TCP_LISTEN) {
		owner_of(sk, bpf_get_socket_cookie(skb));
		return;
	}
	payload = read_tcp_head(skb, &head);
	if (!payload)
		return;
	answers = sk->dst_port == DNS_PORT && length > payload;
	if (!answers && !(head.flags & (FLAG_FIN | FLAG_RST)))
		return;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!owner)
		return;
	if (answers) {
		describe(&about, sk);
		about.more = MORE_THERE;
		say(skb, owner, &about, payload, __builtin_bswap32(head.sequence));
	}
	/* tcp_reset, net/ipv4/tcp_input.c */
	if (head.flags & FLAG_RST) {
		if (state == TCP_SYN_SENT)
			owner->error = ECONNREFUSED;
		else if (state == TCP_CLOSE_WAIT)
			owner->error = EPIPE;
		else
			owner->error = ECONNRESET;
		owner->changed = bpf_ktime_get_boot_ns();
		return;
	}
	if (head.flags & FLAG_FIN) {
		owner->peer[RECEIVED_END] = end_of(&head, payload, length);
		owner->peer[FINS] |= FIN_RECEIVED;
	}
}

static __always_inline int packet(struct __sk_buff *skb, bool leaves)
{
	struct bpf_sock *any = skb->sk, *sk;
	__u32 length = skb->len, protocol, type, bytes;
	struct heads heads = {};
	struct event about = {};
	struct owner *owner;
	struct event *event;
	__u64 now;
	bool first;

	if (!any)
		return ALLOW;
	sk = bpf_sk_fullsock(any);
	if (!sk)
		return ALLOW;
	protocol = sk->protocol;
	type = sk->type;
	if (is_tcp(protocol, type)) {
		if (leaves)
			tcp_leaves(skb, sk);
		else
			tcp_arrives(skb, sk);
		return ALLOW;
	}
	if (!read_heads(skb, protocol, type, &heads))
		return ALLOW;
	bytes = length > heads.payload ? length - heads.payload : 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!owner) {
		__u64 cookie = bpf_get_socket_cookie(skb);

		/* Older than us, or the kernel's own: those it answers with by itself (ICMP) are
		 * no program's doing, UDP may be (tunnels, file systems). */
		if (protocol != IPPROTO_UDP && !bpf_map_lookup_elem(&seeds, &cookie))
			return ALLOW;
		owner = owner_of(sk, cookie);
		if (!owner)
			return ALLOW;
	} else {
		adopt(owner, owner->cookie);
	}
	about.type = type;
	about.protocol = protocol;
	place_packet(&about, &heads, sk->family, leaves);
	first = count_packet(owner, &about, bytes, leaves);
	now = bpf_ktime_get_boot_ns();
	if (first) {
		event = reserve(leaves ? EVENT_FIRST_PACKET : EVENT_ACCEPTED, owner->cookie, owner);
		if (event) {
			copy_ends(event, &about);
			submit(event);
		}
	} else if (now - owner->changed > SECOND && is_first_peer(owner, &about)) {
		/* There is no other way to ask for them. */
		event = reserve(EVENT_COUNTED, owner->cookie, owner);
		if (event) {
			copy_ends(event, &about);
			copy_counts(event, owner);
			submit(event);
		}
		owner->changed = now;
	}
	say_datagram(skb, owner, &about, heads.payload, bytes, leaves);
	return ALLOW;
}

/* ---- tracepoints ------------------------------------------------------------------------------ */

/* Their records are read by a helper: the verifier allows no offset that it does not know itself. */
#define read_field(to, ctx, offset) bpf_probe_read_kernel(&(to), sizeof(to), (char *)(ctx) + (offset))

/* Without cookie: user space knows the connection by its ends. */
SEC("tracepoint/sock/inet_sk_error_report")
int error_reported(void *ctx)
{
	__u16 protocol = 0, sport = 0, dport = 0;
	struct event *event;
	int error = 0;

	read_field(protocol, ctx, inet_sk_error_report_protocol);
	read_field(error, ctx, inet_sk_error_report_error);
	if (protocol != IPPROTO_TCP || !error)
		return 0;
	event = reserve(EVENT_ERROR, 0, 0);
	if (!event)
		return 0;
	event->family = AF_INET6;
	event->type = SOCK_STREAM;
	event->protocol = IPPROTO_TCP;
	event->error = error;
	read_field(sport, ctx, inet_sk_error_report_sport);
	read_field(dport, ctx, inet_sk_error_report_dport);
	event->local_port = sport;
	event->remote_port = __builtin_bswap16(dport);
	read_field(event->local, ctx, inet_sk_error_report_saddr_v6);
	read_field(event->remote, ctx, inet_sk_error_report_daddr_v6);
	submit(event);
	return 0;
}

SEC("tracepoint/fib/fib_table_lookup")
int route_found(void *ctx)
{
	int error = 0;

	read_field(error, ctx, fib_table_lookup_err);
	route(error < 0 ? -error : 0);
	return 0;
}

SEC("tracepoint/fib6/fib6_table_lookup")
int route6_found(void *ctx)
{
	int error = 0;

	read_field(error, ctx, fib6_table_lookup_err);
	/* The same for a table without a route, and for one that says unreachable. */
	if (error != -EHOSTUNREACH)
		route(error < 0 ? -error : 0);
	return 0;
}

static __always_inline struct process_event *reserve_process(__u16 kind)
{
	struct process_event *event = bpf_ringbuf_reserve(&process_events, sizeof(*event), 0);
	__u64 task = bpf_get_current_pid_tgid();
	__u64 *words = (__u64 *)event;

	if (!event) {
		count_loss(RING_PROCESSES);
		return 0;
	}
#pragma unroll
	for (int i = 0; i < (int)(sizeof(*event) / sizeof(*words)); i++)
		words[i] = 0;
	event->time = bpf_ktime_get_boot_ns();
	event->kind = kind;
	event->pid = task >> 32;
	event->thread = task;
	event->uid = bpf_get_current_uid_gid();
	event->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(event->name, sizeof(event->name));
	return event;
}

SEC("tracepoint/task/task_newtask")
int process_started(void *ctx)
{
	struct process_event *event;
	__u32 flags = 0, pid = 0;

	read_field(flags, ctx, task_newtask_clone_flags);
	if (flags & CLONE_THREAD)
		return 0;
	event = reserve_process(EVENT_STARTED);
	if (!event)
		return 0;
	read_field(pid, ctx, task_newtask_pid);
	if (!(flags & CLONE_PARENT))
		event->parent = event->pid;
	event->pid = pid;
	event->thread = pid;
	read_field(event->name, ctx, task_newtask_comm);
	submit(event);
	return 0;
}

SEC("tracepoint/sched/sched_process_exec")
int process_exec(void *ctx)
{
	struct process_event *event = reserve_process(EVENT_EXEC);

	if (event)
		submit(event);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int process_ended(void *ctx)
{
	__u64 task = bpf_get_current_pid_tgid();
	struct process_event *event;
	unsigned char is_last = 0;

	if (sched_process_exit_group_dead) {
		read_field(is_last, ctx, sched_process_exit_group_dead);
		if (!is_last)
			return 0;
	} else if (task >> 32 != (__u32)task) {
		return 0;
	}
	event = reserve_process(EVENT_ENDED);
	if (!event)
		return 0;
	if (!sched_process_exit_group_dead)
		event->flags |= PROCESS_FIRST_THREAD;
	submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
