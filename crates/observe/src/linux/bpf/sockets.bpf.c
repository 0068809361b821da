// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
//
// Reads the socket tables of the running kernel through BPF iterators. Nothing is attached to
// anything: a program runs only while whocalls reads from its iterator, and changes nothing.
//
//   sockets_held  iter/task_file  every socket that a file descriptor holds, in every network
//                                 namespace, once per holder
//   sockets_tcp   iter/tcp        the TCP table of the namespace that opened the iterator
//   sockets_udp   iter/udp        the same for UDP
//
// The two tables exist for what no descriptor holds (TIME_WAIT, half-open, never accepted,
// orphaned, kernel's own): these come as whole records; of the others only the identity is
// written, so that user space can tell what it missed.

#include "socket_record.h"

SEC("iter/task_file")
int sockets_held(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct seq_file *seq = ctx->meta->seq;
	__u32 fd = ctx->fd;
	struct record record = {};
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	record.family = sk->__sk_common.skc_family;
	if (record.family != AF_INET && record.family != AF_INET6 && !has_frames(record.family))
		return 0;
	fill_held(&record, task, file, sk);
	record.fd = fd;
	bpf_seq_write(seq, &record, sizeof(record));
	return 0;
}

/* A socket met in a protocol's table. Written whole when no descriptor can lead to it. */
static __always_inline void table_socket(struct seq_file *seq, struct sock *sk)
{
	struct record record = {};
	struct socket *socket = sk->sk_socket;

	record.cookie = bpf_get_socket_cookie(sk);
	if (socket) {
		struct file *file = socket->file;

		record.flags = FLAG_SOCKET;
		if (file)
			record.inode = file->f_inode->i_ino;
		else
			record.flags |= FLAG_KERNEL;
		/* An MPTCP subflow belongs to a socket that is not its own. */
		if (file && socket->sk == sk) {
			record.kind = RECORD_IDENTITY;
			bpf_seq_write(seq, &record, IDENTITY_SIZE);
			return;
		}
	}
	record.kind = RECORD_UNHELD;
	fill_sock(&record, sk);
	bpf_seq_write(seq, &record, sizeof(record));
}

SEC("iter/tcp")
int sockets_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct seq_file *seq = ctx->meta->seq;
	struct record record = {};
	struct tcp_timewait_sock *waiting;
	struct sock *sk;
	__u16 state;

	if (!common)
		return 0;
	state = common->skc_state;
	if (state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV) {
		sk = (struct sock *)bpf_skc_to_tcp_sock(common);
		if (sk)
			table_socket(seq, sk);
		return 0;
	}
	record.kind = RECORD_UNHELD;
	record.cookie = bpf_get_socket_cookie(common);
	record.protocol = IPPROTO_TCP;
	fill_common(&record, common);
	if (state == TCP_TIME_WAIT) {
		/* A FIN_WAIT_2 without an owner lives on as a small TIME_WAIT structure. */
		waiting = bpf_skc_to_tcp_timewait_sock(common);
		if (waiting)
			record.state = waiting->tw_sk.tw_substate;
	}
	bpf_seq_write(seq, &record, sizeof(record));
	return 0;
}

SEC("iter/udp")
int sockets_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;
	struct seq_file *seq = ctx->meta->seq;

	if (sk)
		table_socket(seq, sk);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
