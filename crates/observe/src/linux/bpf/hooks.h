/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
 *
 * The hooks at a cgroup that are the same with type information and without. What they do stands in
 * events.bpf.c and plain.bpf.c.
 */
#ifndef WHOCALLS_HOOKS_H
#define WHOCALLS_HOOKS_H

#include "common.h"

/* Where an attempt goes. */
struct destination {
	__be32 address[4];
	__be16 port;
	__u16 family; /* of the socket, in the end */
	bool ipv4;    /* the address is one */
};

static __always_inline int attempt(struct bpf_sock_addr *ctx, struct destination *to,
				   bool connects);
static __always_inline int bound(struct bpf_sock *ctx, const struct event *at);
static __always_inline int packet(struct __sk_buff *skb, bool leaves);

#define ATTEMPT4(name, section, connects)                                                          \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                           \
	{                                                                                          \
		struct destination to = {.family = AF_INET, .ipv4 = true};                         \
                                                                                                   \
		to.address[0] = ctx->user_ip4;                                                     \
		to.port = ctx->user_port;                                                          \
		return attempt(ctx, &to, connects);                                                \
	}

#define ATTEMPT6(name, section, connects)                                                          \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                           \
	{                                                                                          \
		struct destination to = {.family = AF_INET6};                                      \
                                                                                                   \
		to.address[0] = ctx->user_ip6[0];                                                  \
		to.address[1] = ctx->user_ip6[1];                                                  \
		to.address[2] = ctx->user_ip6[2];                                                  \
		to.address[3] = ctx->user_ip6[3];                                                  \
		to.port = ctx->user_port;                                                          \
		return attempt(ctx, &to, connects);                                                \
	}

ATTEMPT4(connect4, "cgroup/connect4", true)
ATTEMPT6(connect6, "cgroup/connect6", true)
ATTEMPT4(send4, "cgroup/sendmsg4", false)
ATTEMPT6(send6, "cgroup/sendmsg6", false)

SEC("cgroup/post_bind4")
int bound4(struct bpf_sock *ctx)
{
	struct event at = {};

	at.local[0] = ctx->src_ip4;
	at.local_port = ctx->src_port;
	return bound(ctx, &at);
}

SEC("cgroup/post_bind6")
int bound6(struct bpf_sock *ctx)
{
	struct event at = {};

	at.local[0] = ctx->src_ip6[0];
	at.local[1] = ctx->src_ip6[1];
	at.local[2] = ctx->src_ip6[2];
	at.local[3] = ctx->src_ip6[3];
	at.local_port = ctx->src_port;
	return bound(ctx, &at);
}

SEC("cgroup_skb/egress")
int leaving(struct __sk_buff *skb)
{
	return packet(skb, true);
}

SEC("cgroup_skb/ingress")
int arriving(struct __sk_buff *skb)
{
	return packet(skb, false);
}

#endif
