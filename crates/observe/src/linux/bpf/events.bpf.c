// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
//
// Tells what happens on the network of this computer while it happens, and by which process. It
// only watches: every program at a cgroup lets everything pass. The hooks that plain.bpf.c has as
// well stand in hooks.h.
//
//   socket_created    cgroup/sock_create    who made a socket, and in which network namespace
//   connect4, 6       cgroup/connect4, 6    an attempt, before anything has left
//   send4, 6          cgroup/sendmsg4, 6    a datagram without connect, to a peer that is new
//   bound4, 6         cgroup/post_bind4, 6  UDP that waits for others
//   released          cgroup/sock_release   the end of UDP, raw and ping sockets, and of attempts
//   leaving, arriving cgroup_skb            first packet with its local port, before it leaves;
//                                           counts of all but TCP; what has names in it: DNS,
//                                           how connections begin
//   state_changed     tp_btf                TCP: listening, opened, accepted, closed
//   error_reported    tp_btf                errors that come later (ICMP)
//   sent, received    tp_btf                another process uses the socket; packet sockets
//   route_found       tp_btf                why an attempt had nowhere to go
//   route6_found      tp_btf                the same for IPv6
//   process_*         tp_btf                processes: start, program, end
//   sockets_seed      iter/task_file        sockets that were there before: who holds them
//   sockets_changed   iter/task_file        the counts that have changed since they were last told
//   introduce         iter/bpf_map          who we are, where PID namespaces are nested

#include "hooks.h"
#include "packets.h"

/* Helper numbers: include/uapi/linux/bpf.h, ___BPF_FUNC_MAPPER. */
static long (*bpf_probe_read_user)(void *to, __u32 size, const void *from) = (void *)112;
static struct unix_sock *(*bpf_skc_to_unix_sock)(void *socket) = (void *)178;
static long (*bpf_ringbuf_output)(void *ring, void *data, __u64 size, __u64 flags) = (void *)130;

#define BPF_ANY 0

/* So many changes of its owner, and of who may be sending, are told of one socket in a second. */
#define MOST_CHANGES 16

#define AF_UNIX 1
#define EAGAIN 11
#define SOCK_DONE 1 /* bit of skc_flags: a FIN has come; enum sock_flags, include/net/sock.h */
#define PF_KTHREAD 0x00200000

struct {
	NUMBER(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	NUMBER(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct process_image);
} images SEC(".maps");

/* Files of Unix sockets over which resolvers are asked. */
struct watched_file {
	__u64 inode;
	__u32 device;
	__u32 padding;
};

#define MOST_WATCHED 8

struct {
	NUMBER(type, BPF_MAP_TYPE_ARRAY);
	NUMBER(max_entries, MOST_WATCHED);
	TYPE(key, __u32);
	TYPE(value, struct watched_file);
} watched_files SEC(".maps");

/* The depth and number of our own PID namespace; known where it is nested. */
struct own {
	__u32 level;
	__u32 pid_namespace;
};

struct {
	NUMBER(type, BPF_MAP_TYPE_ARRAY);
	NUMBER(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct own);
} own_namespace SEC(".maps");

/* The pid of a process as we see it; 0: it is outside of our PID namespace. */
static __attribute__((noinline)) __u32 own_pid(struct task_struct *leader)
{
	__u32 zero = 0, number, pid_namespace = 0;
	struct own *own;
	struct pid *pid;

	if (!nested_pid_namespace)
		return leader->tgid;
	own = bpf_map_lookup_elem(&own_namespace, &zero);
	pid = leader->thread_pid;
	if (!own || !pid || pid->level < own->level)
		return 0;
	number = number_at(pid, own->level, &pid_namespace);
	return pid_namespace == own->pid_namespace ? number : 0;
}

/* Whether a process is the owner that is known: numbers of processes are used again. */
static __always_inline bool is_owner(const struct owner *owner, struct task_struct *task)
{
	return owner->first_pid == task->tgid &&
	       owner->started == task->group_leader->start_boottime;
}

/* Something was told of the owner while another process may be sending. */
static __always_inline void forget_sender(struct owner *owner)
{
	if (owner->sender)
		owner->sender = SEVERAL_SENDERS;
}

/* The process that runs now takes the socket. */
static __always_inline void take(struct owner *owner)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;

	owner->started = leader->start_boottime;
	owner->first_pid = task->tgid;
	owner->thread = task->pid;
	owner->pid = own_pid(leader);
	owner->uid = task->cred->euid.val;
	owner->flags &= ~(EVENT_OUTSIDE | EVENT_KERNEL);
	if (task->flags & PF_KTHREAD)
		owner->flags |= EVENT_KERNEL;
	else if (!owner->pid)
		owner->flags |= EVENT_OUTSIDE;
	__builtin_memcpy(owner->name, leader->comm, sizeof(owner->name));
	forget_sender(owner);
}

/* What the kernel knows of a socket by itself. */
static __always_inline void describe(struct event *event, struct sock *sk)
{
	struct sock_common *common = &sk->__sk_common;

	event->family = common->skc_family;
	event->protocol = sk->sk_protocol;
	event->type = sk->sk_type;
	event->netns = common->skc_net.net->ns.inum;
	event->remote_port = common->skc_dport;
	event->local_port = common->skc_num;
	if (event->family == AF_INET6) {
		copy_address(event->local, common->skc_v6_rcv_saddr);
		copy_address(event->remote, common->skc_v6_daddr);
	} else if (event->family == AF_INET) {
		event->local[0] = common->skc_rcv_saddr;
		event->remote[0] = common->skc_daddr;
	}
}

/* At its end a connection has given back its port, which is still written here. */
static __always_inline void remember_port(struct event *event, struct tcp_sock *tcp)
{
	if (!event->local_port)
		event->local_port = __builtin_bswap16(tcp->inet_conn.icsk_inet.inet_sport);
}

static __always_inline void count_tcp(struct event *event, struct tcp_sock *tcp)
{
	__u64 payload = tcp->bytes_sent;

	if (payload)
		payload -= tcp->bytes_retrans;
	event->bytes_sent = payload;
	event->bytes_received = tcp->bytes_received;
	event->flags |= EVENT_BYTES;
}

static __always_inline __u32 current_netns(void)
{
	return bpf_get_current_task_btf()->nsproxy->net_ns->ns.inum;
}

/* Of TCP: what is kept with a socket of which something was told. There is room from its beginning. */
static __always_inline struct owner *told_owner(void *sk)
{
	struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, 0);

	return owner && owner->cookie ? owner : 0;
}

/* ---- a program asks ------------------------------------------------------------------------- */

SEC("cgroup/sock_create")
int socket_created(struct bpf_sock *ctx)
{
	__u32 type = ctx->type, protocol = ctx->protocol, family = ctx->family;
	struct owner *owner;
	struct event *event;
	__u64 cookie;

	/* MPTCP is its subflows, and should have no cookie (socket_record.h). */
	if (is_mptcp(protocol, type))
		return ALLOW;
	/* TCP tells all else itself; but there is room with a new socket only for sure. */
	if (is_tcp(protocol, type)) {
		keep_owner(ctx);
		return ALLOW;
	}
	cookie = bpf_get_socket_cookie(ctx);
	owner = keep_owner(ctx);
	if (!owner)
		return ALLOW;
	owner->cookie = cookie;
	owner->netns = current_netns();
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

/* Whether a network namespace has no route of IPv4 at all, as a new one. */
static __always_inline bool has_no_routes(struct tcp_sock *tcp)
{
	struct net *net;

	if (tcp)
		net = ((struct sock *)tcp)->__sk_common.skc_net.net;
	else
		net = bpf_get_current_task_btf()->nsproxy->net_ns;
	return !net->ipv4.fib_has_custom_rules && !net->ipv4.fib_main && !net->ipv4.fib_default;
}

static __always_inline int attempt(struct bpf_sock_addr *ctx, struct destination *to,
				   bool connects)
{
	__u32 type = ctx->type, protocol = ctx->protocol;
	struct bpf_sock *sk = ctx->sk;
	struct owner *owner, alone = {};
	struct tcp_sock *tcp = 0;
	struct event *event;
	__u64 cookie;

	if (!sk)
		return ALLOW;
	/* So that its packets are known again. */
	if (to->family == AF_INET && sk->family == AF_INET6) {
		map_address(to->address);
		to->family = AF_INET6;
	}
	cookie = bpf_get_socket_cookie(ctx);
	owner = keep_owner(sk);
	or_alone(owner, alone);
	if (is_tcp(protocol, type))
		tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp) {
		owner->netns = ((struct sock *)tcp)->__sk_common.skc_net.net->ns.inum;
		owner->flags = EVENT_ATTEMPTED;
		owner->error = 0;
		owner->sender = 0;
	} else {
		if (owner->cookie != cookie && !owner->netns)
			owner->netns = current_netns();
		if (!is_worth_telling(owner, cookie, to->address, to->port, connects))
			return ALLOW;
	}
	owner->cookie = cookie;
	owner->error = 0;
	take(owner);
	expect_route(cookie);
	event = reserve(EVENT_ATTEMPT, cookie, owner);
	if (!event)
		return ALLOW;
	name_kind(event, to->family, type, protocol);
	copy4(event->remote, to->address);
	event->remote_port = to->port;
	submit(event);
	/* Where there is no table of routes there is no look-up either (fib_lookup). */
	if (to->ipv4 && has_no_routes(tcp))
		route(EAGAIN);
	return ALLOW;
}

static __always_inline int bound(struct bpf_sock *ctx, const struct event *at)
{
	__u32 type = ctx->type, protocol = ctx->protocol, family = ctx->family;
	struct owner *owner, alone = {};
	struct event *event;
	__u64 cookie;

	if (type != SOCK_DGRAM)
		return ALLOW;
	cookie = bpf_get_socket_cookie(ctx);
	owner = keep_owner(ctx);
	or_alone(owner, alone);
	if (!owner->netns)
		owner->netns = current_netns();
	owner->cookie = cookie;
	owner->flags |= EVENT_LISTENED;
	take(owner);
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
	struct owner *owner;
	struct event *event;

	/* TCP tells its end itself, unless nothing came of it. */
	if (is_tcp(protocol, type) && ctx->state != TCP_CLOSE)
		return ALLOW;
	owner = bpf_sk_storage_get(&owners, ctx, 0, 0);
	if (!owner)
		return ALLOW;
	if (is_tcp(protocol, type) &&
	    (owner->flags & (EVENT_ATTEMPTED | EVENT_SYN_SENT)) != EVENT_ATTEMPTED)
		return ALLOW;
	event = reserve(EVENT_CLOSED, owner->cookie, owner);
	if (!event)
		return ALLOW;
	name_kind(event, family, type, protocol);
	event->error = owner->error;
	if (!is_tcp(protocol, type)) {
		copy4(event->remote, owner->peer);
		event->remote_port = owner->peer_port;
		copy_counts(event, owner);
	}
	submit(event);
	return ALLOW;
}

/* ---- TCP ------------------------------------------------------------------------------------ */

SEC("tp_btf/inet_sock_set_state")
int state_changed(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	int old = ctx[1], new = ctx[2];
	struct owner *owner, alone = {};
	struct event *event;
	struct tcp_sock *tcp;
	__u16 kind;
	__u64 cookie;

	if (new == TCP_ESTABLISHED)
		kind = old == TCP_SYN_RECV ? EVENT_ACCEPTED : EVENT_OPENED;
	else if (new == TCP_LISTEN)
		kind = EVENT_LISTENING;
	else if (new == TCP_CLOSE)
		kind = EVENT_CLOSED;
	else if (new != TCP_SYN_SENT)
		return 0;
	/* MPTCP's own sockets stand for their subflows, which are TCP. */
	if (!is_tcp(sk->sk_protocol, sk->sk_type))
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	if (new == TCP_SYN_SENT || new == TCP_LISTEN) {
		/* Both are the doing of the process that runs now. */
		owner = keep_owner(sk);
		or_alone(owner, alone);
		if (owner->cookie != cookie || new == TCP_LISTEN) {
			owner->cookie = cookie;
			owner->flags = 0;
			owner->netns = sk->__sk_common.skc_net.net->ns.inum;
			take(owner);
		}
		owner->flags |= new == TCP_LISTEN ? EVENT_LISTENED : EVENT_ATTEMPTED;
		if (new == TCP_SYN_SENT)
			return 0;
	} else {
		owner = bpf_sk_storage_get(&owners, sk, 0, 0);
		/* Nothing was told of it. */
		if (owner && !owner->cookie)
			owner->cookie = cookie;
		/* Copied from the listener with the socket, and now a connection's own. */
		if (owner && owner->cookie != cookie) {
			owner->cookie = cookie;
			owner->flags = EVENT_INBOUND | (owner->flags & (EVENT_OUTSIDE | EVENT_KERNEL));
			owner->bytes_sent = 0;
			owner->bytes_received = 0;
			owner->changes = 0;
			owner->error = 0;
		}
	}
	/* Both sides opened it at once, or it called itself: this one did, too. */
	if (kind == EVENT_ACCEPTED && owner && (owner->flags & EVENT_SYN_SENT))
		kind = EVENT_OPENED;
	/* A socket that has ended says so again when its program closes it. */
	if (kind == EVENT_CLOSED && old == TCP_CLOSE)
		return 0;
	event = reserve(kind, cookie, owner);
	if (!event)
		return 0;
	describe(event, sk);
	if (kind == EVENT_LISTENING && event->family == AF_INET6)
		event->more = is_only_ipv6(&sk->__sk_common) ? MORE_ONLY_IPV6 : MORE_BOTH_VERSIONS;
	if (kind == EVENT_OPENED || kind == EVENT_ACCEPTED) {
		event->flags |= EVENT_ESTABLISHED;
		if (owner)
			owner->flags |= EVENT_ESTABLISHED;
	} else if (kind == EVENT_CLOSED) {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp)
			remember_port(event, tcp);
		event->error = sk->sk_err;
		if (sk->__sk_common.skc_flags & (1 << SOCK_DONE))
			event->flags |= EVENT_RECEIVED_FIN;
		if (old != TCP_SYN_SENT && old != TCP_LISTEN) {
			/* It was there before us. */
			event->flags |= EVENT_ESTABLISHED;
			if (tcp)
				count_tcp(event, tcp);
		}
		if (owner)
			owner->flags = 0;
	}
	submit(event);
	return 0;
}

SEC("tp_btf/inet_sk_error_report")
int error_reported(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	int error = sk->sk_err;
	struct owner *owner;
	struct event *event;

	/* TCP tells it at its end. */
	if (!error || is_tcp(sk->sk_protocol, sk->sk_type))
		return 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!owner || owner->error == error)
		return 0;
	owner->error = error;
	event = reserve(EVENT_ERROR, owner->cookie, owner);
	if (!event)
		return 0;
	describe(event, sk);
	/* Not connected: the error does not say whose it is, unless there is one peer only. */
	if (!event->remote_port && !(owner->flags & EVENT_MORE_PEERS)) {
		copy4(event->remote, owner->peer);
		event->remote_port = owner->peer_port;
	}
	event->error = error;
	submit(event);
	return 0;
}

/* ---- packets of all but TCP ------------------------------------------------------------------ */

/* Of TCP: what may have a name in it. */
static __always_inline void tcp_says(struct __sk_buff *skb, struct bpf_sock *sk, bool leaves)
{
	struct tcp_head head = {};
	struct event about = {};
	struct tcp_sock *tcp;
	struct owner *owner;
	__u32 payload;

	payload = read_tcp_head(skb, &head);
	if (!payload || skb->len <= payload)
		return;
	owner = told_owner(sk);
	/* Who calls us does not tell our names for others. */
	if (!owner || owner->flags & EVENT_INBOUND)
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return;
	describe(&about, (struct sock *)tcp);
	about.more = leaves ? MORE_HERE : MORE_THERE;
	say(skb, owner, &about, payload, __builtin_bswap32(head.sequence));
}

/* Of TCP: the first packet of a connection. */
static __always_inline void tcp_begins(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct tcp_sock *tcp;
	struct owner *owner;
	struct event *event;

	owner = told_owner(sk);
	tcp = bpf_skc_to_tcp_sock(sk);
	/* Not the first. */
	if (!owner || !tcp || owner->flags & EVENT_SYN_SENT)
		return;
	owner->flags |= EVENT_SYN_SENT;
	event = reserve(EVENT_FIRST_PACKET, owner->cookie, owner);
	if (event) {
		describe(event, (struct sock *)tcp);
		submit(event);
	}
}

/* Whether so much was told of turns at a socket within this second that others may be left out. If
 * not, one more will be told. */
static __always_inline bool is_crowded(struct owner *owner)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (now - owner->changed >= SECOND) {
		owner->changed = now;
		owner->changes = 0;
	}
	if (owner->changes >= MOST_CHANGES)
		return true;
	owner->changes++;
	return false;
}

/* Tells that the process that runs now may be sending what leaves. Where that is left out, it is
 * told of a later packet: until then nobody takes the socket for one process's own. */
static __attribute__((noinline)) void tell_writer(struct __sk_buff *skb, struct owner *owner,
						  struct tcp_sock *tcp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;
	struct tcp_head head = {};
	struct event *event;
	__u32 payload;

	if (task->flags & PF_KTHREAD)
		return;
	payload = read_tcp_head(skb, &head);
	if (!payload || skb->len <= payload)
		return;
	if (is_crowded(owner))
		return;
	event = reserve(EVENT_OWNER_CHANGED, owner->cookie, 0);
	if (!event)
		return;
	owner->sender = task->tgid;
	/* The end of its call is told whatever else is: it is somebody new then. */
#pragma unroll
	for (int i = 0; i < LAST_USERS; i++)
		if (owner->users[i] == owner->sender)
			owner->users[i] = 0;
	describe(event, (struct sock *)tcp);
	event->more = MORE_MAY_SEND;
	event->started = leader->start_boottime;
	event->pid = own_pid(leader);
	event->thread = task->pid;
	event->uid = task->cred->euid.val;
	event->flags = owner->flags & ~(EVENT_OUTSIDE | EVENT_KERNEL);
	if (!event->pid)
		event->flags |= EVENT_OUTSIDE;
	__builtin_memcpy(event->name, leader->comm, sizeof(event->name));
	submit(event);
}

/* Of TCP: a call may go on sending for long before it ends, and its process is told (`used`). While
 * the socket is owned, only the process that owns it sends with it, and that is the one that runs
 * now. What it found in the backlog may have it send what others have written, and so has closing:
 * neither says anything of it. */
static __always_inline void notice_writer(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct owner *owner;
	struct tcp_sock *tcp;

	if (sk->state != TCP_ESTABLISHED && sk->state != TCP_CLOSE_WAIT)
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || !tcp->inet_conn.icsk_inet.sk.sk_lock.owned ||
	    tcp->inet_conn.icsk_inet.sk.sk_backlog.len)
		return;
	owner = told_owner(sk);
	if (!owner || is_owner(owner, task) || owner->sender == (__u32)task->tgid)
		return;
	tell_writer(skb, owner, tcp);
}

/* Another process than the owner may be sending this. When its call ends it is known (`used`), and
 * told with the time when this left, unless others had to do with the socket meanwhile. */
static __always_inline void notice_sender(struct owner *owner)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (is_owner(owner, task) && !owner->sender)
		return;
	if (__sync_val_compare_and_swap(&owner->sender, 0, task->pid))
		owner->sender = SEVERAL_SENDERS;
	else
		owner->sends = bpf_ktime_get_boot_ns();
}

static __always_inline void datagram(struct __sk_buff *skb, struct bpf_sock *sk, bool leaves)
{
	__u32 length = skb->len, protocol = sk->protocol, type = sk->type, bytes;
	struct heads heads = {};
	struct event about = {};
	struct owner *owner;
	struct event *event;

	if (!read_heads(skb, protocol, type, &heads))
		return;
	bytes = length > heads.payload ? length - heads.payload : 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	if (!owner) {
		/* A socket of the kernel: those it answers with by itself (ICMP) are no program's
		 * doing, UDP is (tunnels, file systems). */
		if (protocol != IPPROTO_UDP)
			return;
		owner = keep_owner(sk);
		if (!owner)
			return;
		owner->cookie = bpf_get_socket_cookie(skb);
		owner->flags = EVENT_KERNEL;
	}
	about.type = type;
	about.protocol = protocol;
	place_packet(&about, &heads, sk->family, leaves);
	if (count_packet(owner, &about, bytes, leaves)) {
		event = reserve(leaves ? EVENT_FIRST_PACKET : EVENT_ACCEPTED, owner->cookie, owner);
		if (event) {
			copy_ends(event, &about);
			submit(event);
		}
		forget_sender(owner);
	}
	say_datagram(skb, owner, &about, heads.payload, bytes, leaves);
	/* Behind all that is told of the owner that is known. */
	if (leaves)
		notice_sender(owner);
}

static __always_inline int packet(struct __sk_buff *skb, bool leaves)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return ALLOW;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return ALLOW;
	/* Nothing is written to the stack before this: most packets are of TCP, and go on here. */
	if (!is_tcp(sk->protocol, sk->type)) {
		datagram(skb, sk, leaves);
	} else if (leaves && sk->state == TCP_SYN_SENT) {
		tcp_begins(skb, sk);
	} else {
		if (leaves)
			notice_writer(skb, sk);
		if (sk->dst_port == DNS_PORT || (leaves && is_beginning(sk)))
			tcp_says(skb, sk, leaves);
	}
	return ALLOW;
}

/* ---- who uses a socket ------------------------------------------------------------------------ */

static __always_inline void asked_resolver(struct sock *sk)
{
	struct unix_sock *this = bpf_skc_to_unix_sock(sk), *other;
	struct watched_file *file;
	struct owner asker = {};
	struct dentry *dentry;
	struct event *event;
	struct inode *inode;
	__u32 device, i;
	__u64 number;

	if (!this || !this->peer)
		return;
	other = bpf_skc_to_unix_sock(this->peer);
	if (!other)
		return;
	dentry = other->path.dentry;
	if (!dentry)
		return;
	inode = dentry->d_inode;
	if (!inode)
		return;
	number = inode->i_ino;
	device = inode->i_sb->s_dev;
#pragma unroll
	for (i = 0; i < MOST_WATCHED; i++) {
		__u32 index = i;

		file = bpf_map_lookup_elem(&watched_files, &index);
		if (!file || !file->inode)
			return;
		if (file->inode != number || file->device != device)
			continue;
		take(&asker);
		asker.netns = current_netns();
		event = reserve(EVENT_RESOLVER, bpf_get_socket_cookie(sk), &asker);
		if (event)
			submit(event);
		return;
	}
}

/* Packet sockets pass no other hook. */
static __always_inline void used_packet_socket(struct sock *sk, int length, bool sends)
{
	struct owner *owner = keep_owner(sk);
	struct event *event;
	__u32 packets;
	bool first;

	if (!owner)
		return;
	first = !owner->cookie;
	if (first) {
		owner->cookie = bpf_get_socket_cookie(sk);
		owner->netns = sk->__sk_common.skc_net.net->ns.inum;
		take(owner);
	}
	count_own(owner, length, sends);
	packets = owner->packets_sent + owner->packets_received;
	/* Its end passes no hook either: the counts are told whenever they have grown by a little. */
	if (!first && packets - owner->told < packets >> 4)
		return;
	owner->told = packets;
	event = reserve(first ? EVENT_LISTENING : EVENT_FIRST_PACKET, owner->cookie, owner);
	if (!event)
		return;
	event->family = AF_PACKET;
	event->type = sk->sk_type;
	event->protocol = sk->sk_protocol;
	copy_counts(event, owner);
	submit(event);
}

static __always_inline bool was_user(const struct owner *owner, __u32 user)
{
#pragma unroll
	for (int i = 0; i < LAST_USERS; i++)
		if (owner->users[i] == user)
			return true;
	return false;
}

/* Where in the stream of TCP is what a call has written that ends now. What was written since by
 * another would be taken for it: nothing is told while another call is at the socket, nor where not
 * all that is written comes from calls as it is (TLS in the kernel, BPF at sockets). */
static __always_inline void tell_written(struct event *event, struct sock *sk, int length)
{
	struct tcp_sock *tcp;

	if (length <= 0 || !is_tcp(sk->sk_protocol, sk->sk_type))
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || tcp->inet_conn.icsk_ulp_ops || sk->sk_user_data || sk->sk_lock.owned)
		return;
	event->sequence = tcp->write_seq - length;
	event->more = MORE_WROTE;
}

static __always_inline int used(struct sock *sk, int length, bool sends)
{
	__u16 family = sk->__sk_common.skc_family;
	struct owner *owner;
	__u32 user, sender;
	struct event *event;
	bool crowded;
	__u64 task;

	if (family == AF_UNIX && sends) {
		asked_resolver(sk);
		return 0;
	}
	if (family == AF_PACKET && length > 0) {
		used_packet_socket(sk, length, sends);
		return 0;
	}
	if (family != AF_INET && family != AF_INET6)
		return 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	task = bpf_get_current_pid_tgid();
	user = task >> 32;
	if (owner && is_owner(owner, bpf_get_current_task_btf()))
		return 0;
	if (bpf_get_current_task_btf()->flags & PF_KTHREAD)
		return 0;
	if (!owner || !owner->cookie) {
		/* It was there before us, and no descriptor led to it: it was on its way between two
		 * processes. */
		if (is_mptcp(sk->sk_protocol, sk->sk_type))
			return 0;
		if (!owner)
			owner = keep_owner(sk);
		if (!owner)
			return 0;
		owner->cookie = bpf_get_socket_cookie(sk);
		owner->netns = sk->__sk_common.skc_net.net->ns.inum;
		if (!is_tcp(sk->sk_protocol, sk->sk_type))
			owner->flags = EVENT_LISTENED;
	}
	/* Several processes may take turns at it, thousands of times a second. Turns of those who were
	 * told before may be left out for the rest of a second; somebody new is always told. */
	sender = owner->sender;
	owner->sender = 0;
	crowded = is_crowded(owner);
	if (!was_user(owner, user)) {
		owner->users[owner->next_user & (LAST_USERS - 1)] = user;
		owner->next_user++;
	} else if (crowded) {
		return 0;
	}
	take(owner);
	event = reserve(EVENT_OWNER_CHANGED, bpf_get_socket_cookie(sk), owner);
	if (event) {
		describe(event, sk);
		if (sends && sender == (__u32)task && !is_tcp(sk->sk_protocol, sk->sk_type)) {
			event->time = owner->sends;
			event->more = MORE_SENDS;
		} else if (sends) {
			tell_written(event, sk, length);
		}
		submit(event);
	}
	return 0;
}

SEC("tp_btf/sock_send_length")
int sent(__u64 *ctx)
{
	return used((struct sock *)ctx[0], ctx[1], true);
}

SEC("tp_btf/sock_recv_length")
int received(__u64 *ctx)
{
	return used((struct sock *)ctx[0], ctx[1], false);
}

/* ---- routes ----------------------------------------------------------------------------------- */

SEC("tp_btf/fib_table_lookup")
int route_found(__u64 *ctx)
{
	int error = ctx[3];

	route(error < 0 ? -error : 0);
	return 0;
}

SEC("tp_btf/fib6_table_lookup")
int route6_found(__u64 *ctx)
{
	const struct net *net = (const struct net *)ctx[0];
	const struct fib6_result *result = (const struct fib6_result *)ctx[1];
	unsigned char type = result->fib6_type;
	__u16 error = 0;

	/* ip6_rt_type_to_error and fib6_prop, net/ipv6/route.c */
	if (result->f6i == net->ipv6.fib6_null_entry)
		error = EAGAIN;
	else if (type == 7) /* unreachable */
		error = 113;
	else if (type == 8) /* prohibit */
		error = 13;
	else if (type == 6) /* blackhole */
		error = 22;
	route(error);
	return 0;
}

/* ---- processes -------------------------------------------------------------------------------- */

static __always_inline void describe_process(struct process_event *event, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct task_struct *parent = task->real_parent->group_leader;
	struct nsproxy *namespaces = task->nsproxy;

	event->time = bpf_ktime_get_boot_ns();
	event->started = leader->start_boottime;
	event->pid = own_pid(leader);
	event->thread = task->pid;
	event->parent = own_pid(parent);
	event->parent_started = parent->start_boottime;
	event->uid = task->cred->euid.val;
	event->netns = 0;
	if (namespaces)
		event->netns = namespaces->net_ns->ns.inum;
	event->flags = 0;
	if (!event->pid)
		event->flags |= PROCESS_OUTSIDE;
	if (!event->parent)
		event->flags |= PROCESS_PARENT_OUTSIDE;
	event->inode = 0;
	event->device = 0;
	event->links = 0;
	event->status = 0;
	event->path_length = 0;
	event->arguments_length = 0;
	event->arguments_whole = 0;
	event->cgroup = 0;
	__builtin_memcpy(event->name, leader->comm, sizeof(event->name));
}

SEC("tp_btf/sched_process_fork")
int process_started(__u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[1];
	struct process_event *event;

	/* A thread. */
	if (child->pid != child->tgid)
		return 0;
	event = bpf_ringbuf_reserve(&process_events, sizeof(*event), 0);
	if (!event) {
		count_loss(RING_PROCESSES);
		return 0;
	}
	describe_process(event, child);
	event->kind = EVENT_STARTED;
	event->cgroup = bpf_get_current_cgroup_id();
	submit(event);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int process_ended(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct signal_struct *signal = task->signal;
	struct process_event *event;

	/* Not its last thread. */
	if (!signal || signal->live.counter > 0)
		return 0;
	event = bpf_ringbuf_reserve(&process_events, sizeof(*event), 0);
	if (!event) {
		count_loss(RING_PROCESSES);
		return 0;
	}
	describe_process(event, task);
	event->kind = EVENT_ENDED;
	event->status = signal->group_exit_code;
	if (!event->status)
		event->status = task->exit_code;
	submit(event);
	return 0;
}

#define read_kernel(to, from) bpf_probe_read_kernel(&(to), sizeof(to), &(from))

/* File, folders and mounts of a path. The verifier goes through all of them, in a time that grows
 * with the square of their number; paths with more are left to /proc, and to user space. */
#define MOST_NAMES 64

/* Writes the names of a file and the folders above it, the file first. */
static __always_inline void read_path(struct process_image *image, struct file *file)
{
	/* Read anew each time: the verifier finds rounds more alike then, and needs fewer steps. */
	volatile __u32 *path_length = &image->event.path_length;
	struct dentry *dentry = file->f_path.dentry;
	struct vfsmount *vfsmount = file->f_path.mnt;
	struct mount *mount, *above;
	struct dentry *root, *parent;
	const unsigned char *name;
	struct hlist_bl_node **hashed;
	__u32 used, length;

	mount = (struct mount *)((char *)vfsmount - __builtin_preserve_field_info(
							    ((struct mount *)0)->mnt, 0));
	read_kernel(hashed, dentry->d_hash.pprev);
	read_kernel(parent, dentry->d_parent);
	if (!hashed && parent != dentry)
		image->event.flags |= PROCESS_UNLINKED;
	for (int i = 0; i < MOST_NAMES; i++) {
		read_kernel(root, mount->mnt.mnt_root);
		read_kernel(parent, dentry->d_parent);
		if (dentry == root || dentry == parent) {
			read_kernel(above, mount->mnt_parent);
			/* The top of all, or a file that is mounted nowhere (a memfd keeps its name). */
			if (above == mount) {
				if (i) {
					image->event.flags |= PROCESS_PATH_WHOLE;
					return;
				}
			} else {
				read_kernel(dentry, mount->mnt_mountpoint);
				mount = above;
				continue;
			}
		}
		read_kernel(name, dentry->d_name.name);
		read_kernel(length, dentry->d_name.len);
		used = *path_length;
		if (length > NAME_SPACE - 1 || used > PATH_SPACE - NAME_SPACE)
			return;
		if (bpf_probe_read_kernel(image->bytes + used, length, name))
			return;
		used += length;
		if (used > PATH_SPACE - 1)
			return;
		image->bytes[used] = 0;
		*path_length = used + 1;
		if (dentry == parent) {
			image->event.flags |= PROCESS_PATH_WHOLE;
			return;
		}
		dentry = parent;
	}
}

SEC("tp_btf/sched_process_exec")
int process_exec(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct linux_binprm *program = (struct linux_binprm *)ctx[2];
	struct file *file = program->file;
	struct mm_struct *memory = task->mm;
	struct process_image *image;
	__u64 from, whole;
	__u32 zero = 0, used, length;

	image = bpf_map_lookup_elem(&images, &zero);
	if (!image)
		return 0;
	describe_process(&image->event, task);
	image->event.kind = EVENT_EXEC;
	image->event.cgroup = bpf_get_current_cgroup_id();
	if (file) {
		struct inode *inode = file->f_inode;

		image->event.inode = inode->i_ino;
		image->event.device = inode->i_sb->s_dev;
		image->event.links = inode->i_nlink;
		read_path(image, file);
	}
	used = image->event.path_length;
	if (used > PATH_SPACE)
		used = PATH_SPACE;
	if (memory) {
		from = memory->arg_start;
		whole = memory->arg_end - from;
		image->event.arguments_whole = whole;
		length = whole > ARGUMENTS_SPACE ? ARGUMENTS_SPACE : whole;
		asm volatile("" : "+r"(length));
		if (length <= ARGUMENTS_SPACE &&
		    !bpf_probe_read_user(image->bytes + used, length, (void *)from)) {
			image->event.arguments_length = length;
			used += length;
		}
	}
	if (used > PATH_SPACE + ARGUMENTS_SPACE)
		used = PATH_SPACE + ARGUMENTS_SPACE;
	if (bpf_ringbuf_output(&process_events, image, sizeof(image->event) + used,
			       BPF_RB_NO_WAKEUP))
		count_loss(RING_PROCESSES);
	return 0;
}

/* ---- looks -------------------------------------------------------------------------------------- */

static __always_inline struct sock *inet_socket_of(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;
	__u16 family;

	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (is_mptcp(sk->sk_protocol, sk->sk_type))
		return 0;
	return family == AF_INET || family == AF_INET6 || has_frames(family) ? sk : 0;
}

static __always_inline void seed(struct owner *owner, struct sock *sk, struct task_struct *holder)
{
	owner->cookie = bpf_get_socket_cookie(sk);
	owner->flags &= ~EVENT_KERNEL;
	if (!is_tcp(sk->sk_protocol, sk->sk_type))
		owner->flags |= EVENT_LISTENED;
	owner->netns = sk->__sk_common.skc_net.net->ns.inum;
	owner->started = holder->start_boottime;
	owner->first_pid = holder->tgid;
	owner->thread = holder->tgid;
	owner->pid = own_pid(holder);
	owner->uid = holder->cred->euid.val;
	__builtin_memcpy(owner->name, holder->comm, sizeof(owner->name));
}

SEC("iter/task_file")
int sockets_seed(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct task_struct *leader;
	struct owner *owner;
	struct sock *sk;

	if (!task || !file)
		return 0;
	sk = inet_socket_of(file);
	if (!sk)
		return 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	/* The first look knows who holds it: what is lost is counted when it is used. */
	if (!owner)
		return 0;
	leader = task->group_leader;
	/* Several processes may hold it: the oldest is taken. A hook that saw one use it since we are
	 * attached knows better; one that saw nothing but packets took it for the kernel's own. */
	if (owner->cookie &&
	    ((owner->flags & ~(EVENT_LISTENED | EVENT_KERNEL | EVENT_MORE_PEERS)) ||
	     (owner->started && owner->started <= leader->start_boottime)))
		return 0;
	seed(owner, sk, leader);
	return 0;
}

/* Counts of open sockets, as far as they have changed. */
SEC("iter/task_file")
int sockets_changed(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct event event = {};
	struct tcp_sock *tcp;
	struct owner *owner;
	struct sock *sk;
	__u16 family;

	if (!task || !file)
		return 0;
	sk = inet_socket_of(file);
	if (!sk)
		return 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, 0);
	family = sk->__sk_common.skc_family;
	/* Was never asked to send or receive: it uses memory that it shares with the kernel
	 * (PACKET_RX_RING, AF_XDP). */
	if (!owner && has_frames(family)) {
		owner = keep_owner(sk);
		if (owner)
			seed(owner, sk, task->group_leader);
	}
	if (!owner)
		return 0;
	if (is_tcp(sk->sk_protocol, sk->sk_type)) {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp || sk->__sk_common.skc_state == TCP_LISTEN)
			return 0;
		count_tcp(&event, tcp);
		if (event.bytes_sent == owner->bytes_sent &&
		    event.bytes_received == owner->bytes_received)
			return 0;
		owner->bytes_sent = event.bytes_sent;
		owner->bytes_received = event.bytes_received;
		if (sk->__sk_common.skc_flags & (1 << SOCK_DONE))
			event.flags |= EVENT_RECEIVED_FIN;
	} else {
		/* Their last told count stands nowhere; one number tells whether there is news. */
		__u32 packets = owner->packets_sent + owner->packets_received;

		/* That a packet socket is still there is news: its end passes no hook. */
		if ((!packets || owner->told == packets) && !has_frames(family))
			return 0;
		owner->told = packets;
		/* What goes through shared memory is counted nowhere. */
		if (packets || !has_frames(family))
			copy_counts(&event, owner);
	}
	if (has_frames(family)) {
		event.started = owner->started;
		event.pid = owner->pid;
		event.thread = owner->thread;
		event.uid = owner->uid;
		__builtin_memcpy(event.name, owner->name, sizeof(event.name));
	}
	event.kind = EVENT_COUNTED;
	event.time = bpf_ktime_get_boot_ns();
	event.cookie = bpf_get_socket_cookie(sk);
	describe(&event, sk);
	if (!is_tcp(sk->sk_protocol, sk->sk_type)) {
		copy4(event.remote, owner->peer);
		event.remote_port = owner->peer_port;
	}
	bpf_seq_write(seq, &event, sizeof(event));
	return 0;
}

struct bpf_map;

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

SEC("iter/bpf_map")
int introduce(struct bpf_iter__bpf_map *ctx)
{
	struct pid *pid = bpf_get_current_task_btf()->thread_pid;
	__u32 zero = 0;
	struct own own = {};

	if (!nested_pid_namespace || !pid)
		return 0;
	own.level = pid->level;
	number_at(pid, own.level, &own.pid_namespace);
	bpf_map_update_elem(&own_namespace, &zero, &own, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
