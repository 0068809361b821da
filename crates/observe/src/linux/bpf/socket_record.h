/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
 *
 * One socket of the kernel as a record, and the helpers that all programs use. Kernel memory is
 * read by plain field access only (typed pointers, checked by the verifier), never by
 * bpf_probe_read_kernel, which lockdown forbids. The records are read in parse/socket_record.rs.
 */
#ifndef WHOCALLS_SOCKET_RECORD_H
#define WHOCALLS_SOCKET_RECORD_H

#include "vmlinux.h"

#define SEC(name) __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))

/* Helper numbers: include/uapi/linux/bpf.h, ___BPF_FUNC_MAPPER. */
static __u64 (*bpf_get_socket_cookie)(void *socket) = (void *)46;
static long (*bpf_seq_write)(struct seq_file *seq, const void *data, __u32 size) = (void *)127;
static struct tcp_sock *(*bpf_skc_to_tcp_sock)(void *socket) = (void *)137;
static struct tcp_timewait_sock *(*bpf_skc_to_tcp_timewait_sock)(void *socket) = (void *)138;
static struct task_struct *(*bpf_get_current_task_btf)(void) = (void *)158;
static struct socket *(*bpf_sock_from_file)(struct file *file) = (void *)162;

#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define AF_XDP 44
#define TCP_TIME_WAIT 6
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define SOCK_STREAM 1

enum record_kind {
	RECORD_HELD = 1,    /* whole; pid, fd and started tell the holder */
	RECORD_UNHELD = 2,  /* whole; no holder */
	RECORD_IDENTITY = 3 /* the first IDENTITY_SIZE bytes; somebody should hold it */
};

enum record_flags {
	FLAG_BYTES = 1,  /* the byte counts are known */
	FLAG_SIDE = 2,   /* it is known which side opened the connection ... */
	FLAG_ACTIVE = 4, /* ... and it was this one */
	FLAG_KERNEL = 8, /* a socket of the kernel itself */
	FLAG_SOCKET = 16,   /* it still has a struct socket; without one it is closed or not accepted */
	FLAG_HALF_OPEN = 32, /* a listener with connections that are not established yet */
	FLAG_ONLY_IPV6 = 64  /* takes nothing of IPv4 */
};

struct record {
	__u32 kind;
	__u32 flags;
	__u64 cookie;
	__u64 inode;
	/* end of the identity */
	__u64 started; /* of the holder: ns since boot, suspend included */
	__u64 bytes_sent;
	__u64 bytes_received;
	__u32 pid;
	__u32 fd;
	__u32 netns;
	__u32 interface;
	__u32 uid;
	__u16 family;
	__u16 protocol;
	__u16 local_port;  /* host order */
	__be16 remote_port;
	__u16 type;
	__u16 state;
	__be32 local[4];
	__be32 remote[4];
	char name[16]; /* of the holder, ended by NUL */
};

_Static_assert(sizeof(struct record) == 128, "parse/socket_record.rs reads it at fixed offsets");

#define IDENTITY_SIZE 24

/* 1 when whocalls runs in a PID namespace below the first; set before loading. */
const volatile __u32 nested_pid_namespace = 0;

#define copy_address(to, from)                                                                     \
	do {                                                                                       \
		(to)[0] = (from).in6_u.u6_addr32[0];                                               \
		(to)[1] = (from).in6_u.u6_addr32[1];                                               \
		(to)[2] = (from).in6_u.u6_addr32[2];                                               \
		(to)[3] = (from).in6_u.u6_addr32[3];                                               \
	} while (0)

/* A raw socket may have the number of TCP too, or that of MPTCP, and is neither. */
#define is_tcp(protocol, type) ((protocol) == IPPROTO_TCP && (type) == SOCK_STREAM)
#define is_mptcp(protocol, type) ((protocol) == IPPROTO_MPTCP && (type) == SOCK_STREAM)

/* Sockets that take and send whole frames. */
static __always_inline bool has_frames(__u16 family)
{
	return family == AF_PACKET || family == AF_XDP;
}

/* Whether a socket of IPv6 takes nothing of IPv4. It is one bit in the kernel: enum
 * bpf_core_relo_kind, include/uapi/linux/bpf.h. */
static __always_inline bool is_only_ipv6(struct sock_common *common)
{
#define FIELD_BYTE_OFFSET 0
#define FIELD_LSHIFT_U64 4
#define FIELD_RSHIFT_U64 5
#define WHERE(what) __builtin_preserve_field_info(common->skc_ipv6only, what)
	__u64 bits = *((unsigned char *)common + WHERE(FIELD_BYTE_OFFSET));

	return bits << WHERE(FIELD_LSHIFT_U64) >> WHERE(FIELD_RSHIFT_U64);
#undef WHERE
}

/* What every kind of socket has, TIME_WAIT and half-open ones included. */
static __always_inline void fill_common(struct record *record, struct sock_common *common)
{
	record->family = common->skc_family;
	record->state = common->skc_state;
	record->local_port = common->skc_num;
	record->remote_port = common->skc_dport;
	record->interface = common->skc_bound_dev_if;
	record->netns = common->skc_net.net->ns.inum;
	if (record->family == AF_INET6) {
		copy_address(record->local, common->skc_v6_rcv_saddr);
		copy_address(record->remote, common->skc_v6_daddr);
		if (is_only_ipv6(common))
			record->flags |= FLAG_ONLY_IPV6;
	} else if (record->family == AF_INET) {
		record->local[0] = common->skc_rcv_saddr;
		record->remote[0] = common->skc_daddr;
	}
}

static __always_inline void fill_tcp(struct record *record, struct tcp_sock *tcp)
{
	/* Payload only: what was sent, less what was sent again. bytes_acked would count the SYN
	 * of the side that opened, which in turn tells that side: acknowledged + still on the way
	 * is one more than the payload there, equal on the other side, until a FIN is sent. */
	__u64 payload = tcp->bytes_sent;
	__u64 numbered = tcp->bytes_acked;

	/* Where nothing was sent these are 0; not reading them saves two cache lines a socket. */
	if (payload) {
		payload -= tcp->bytes_retrans;
		numbered += (__u32)(tcp->snd_nxt - tcp->snd_una);
	}
	record->bytes_sent = payload;
	record->bytes_received = tcp->bytes_received;
	record->flags |= FLAG_BYTES;
	/* ESTABLISHED or CLOSE_WAIT: no FIN of ours has been counted yet. */
	if (record->state == 1 || record->state == 8) {
		if (numbered == payload)
			record->flags |= FLAG_SIDE;
		else if (numbered == payload + 1)
			record->flags |= FLAG_SIDE | FLAG_ACTIVE;
	}
}

static __always_inline void fill_sock(struct record *record, struct sock *sk)
{
	struct tcp_sock *tcp;

	fill_common(record, &sk->__sk_common);
	record->uid = sk->sk_uid.val;
	record->protocol = sk->sk_protocol;
	record->type = sk->sk_type;
	if (is_tcp(record->protocol, record->type)) {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (tcp && record->state != TCP_LISTEN)
			fill_tcp(record, tcp);
		else if (tcp && tcp->inet_conn.icsk_accept_queue.qlen.counter > 0)
			record->flags |= FLAG_HALF_OPEN;
	}
}

/* The number of a process in its PID namespace at a depth, and that namespace. The verifier wants
 * constant offsets, and so each depth has its own line; 32 is MAX_PID_NS_LEVEL. A depth beyond that
 * of the process, which is for the caller to know, is read wrongly. */
static __always_inline __u32 number_at(struct pid *pid, __u32 level, __u32 *pid_namespace)
{
	struct pid_number *numbers = (struct pid_number *)&pid->numbers;
	__u32 number = 0;

#define LEVEL(level)                                                                               \
	case level:                                                                                \
		number = numbers[level].nr;                                                        \
		*pid_namespace = numbers[level].ns->ns.inum;                                       \
		break;
#define FOUR_LEVELS(level) LEVEL(level) LEVEL(level + 1) LEVEL(level + 2) LEVEL(level + 3)
	switch (level) {
		FOUR_LEVELS(1)
		FOUR_LEVELS(5)
		FOUR_LEVELS(9)
		FOUR_LEVELS(13)
		FOUR_LEVELS(17)
		FOUR_LEVELS(21)
		FOUR_LEVELS(25)
		FOUR_LEVELS(29)
	}
#undef FOUR_LEVELS
#undef LEVEL
	return number;
}

/* The pid of a task as the reader sees it; a task outside the reader's namespace is never visited. */
static __always_inline __u32 visible_pid(struct task_struct *leader)
{
	__u32 pid_namespace;
	struct pid *pid;

	if (!nested_pid_namespace)
		return leader->tgid;
	pid = leader->thread_pid;
	if (!pid)
		return 0;
	return number_at(pid, bpf_get_current_task_btf()->thread_pid->level, &pid_namespace);
}

/* A socket that a descriptor of a task leads to. */
static __always_inline void fill_held(struct record *record, struct task_struct *task,
				      struct file *file, struct sock *sk)
{
	struct task_struct *leader;

	record->kind = RECORD_HELD;
	record->flags = FLAG_SOCKET;
	fill_sock(record, sk);
	/* A connection that MPTCP accepts copies the cookie of its listener, once that has one: the
	 * inode tells them apart, and we do not give them cookies. */
	if (!is_mptcp(record->protocol, record->type))
		record->cookie = bpf_get_socket_cookie(sk);
	record->inode = file->f_inode->i_ino;
	leader = task->group_leader;
	record->started = leader->start_boottime;
	record->pid = visible_pid(leader);
	/* Taken now: a process that ends before /proc is read keeps at least its name. */
	__builtin_memcpy(record->name, leader->comm, sizeof(record->name));
}

#endif
