/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
 *
 * What a packet tells, and the peers of sockets that have several. No kernel structure is read
 * here, so that it serves with type information and without.
 */
#ifndef WHOCALLS_PACKETS_H
#define WHOCALLS_PACKETS_H

#include "common.h"

enum meeting { KNOWN_PEER, NEW_PEER, NO_ROOM };

/* Keeps a first peer with the socket, and others in the table. */
static __always_inline enum meeting meet_peer(struct owner *owner, __u64 cookie,
					      const __be32 *address, __be16 port)
{
	struct peer_key key = {};
	struct peer peer = {};
	long error;

	if (!owner->peer_port && !owner->peer[0] && !owner->peer[1] && !owner->peer[2] &&
	    !owner->peer[3]) {
		copy4(owner->peer, address);
		owner->peer_port = port;
		return NEW_PEER;
	}
	if (owner->peer_port == port && same4(owner->peer, address))
		return KNOWN_PEER;
	key.cookie = cookie;
	copy4(key.address, address);
	key.port = port;
	if (bpf_map_lookup_elem(&peers, &key))
		return KNOWN_PEER;
	peer.last = bpf_ktime_get_boot_ns();
	owner->flags |= EVENT_MORE_PEERS;
	error = bpf_map_update_elem(&peers, &key, &peer, BPF_NOEXIST);
	if (!error)
		return NEW_PEER;
	/* Another CPU was faster. */
	return error == -EEXIST ? KNOWN_PEER : NO_ROOM;
}

/* Whether an attempt is to be told: a call of connect, or a datagram to a new peer. */
static __always_inline bool is_worth_telling(struct owner *owner, __u64 cookie,
					     const __be32 *address, __be16 port, bool connects)
{
	enum meeting meeting = meet_peer(owner, cookie, address, port);

	if (connects || meeting == NEW_PEER)
		return true;
	/* It is counted here, as it may have nowhere to go, and not again when it leaves. */
	if (meeting == NO_ROOM) {
		count_loss(LOST_PEERS);
		owner->flags |= EVENT_NO_ROOM;
	}
	return false;
}

/* What the heads of a packet tell. */
struct heads {
	__be32 source[4];
	__be32 destination[4];
	__be16 source_port;
	__be16 destination_port;
	__u32 payload; /* where it begins */
	__u32 version; /* 4 or 6 */
};

/* More headers between IPv6 and UDP than any honest program sends. */
#define MOST_OPTIONS 16

/* A header of IPv6 that stands before another one (RFC 8200, 4.1). */
static __always_inline bool is_option(unsigned char next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

static __always_inline bool read_heads(struct __sk_buff *skb, __u32 protocol, __u32 type,
				       struct heads *heads)
{
	unsigned char first = 0, next = 0;
	__be16 ports[2];

	if (bpf_skb_load_bytes(skb, 0, &first, 1))
		return false;
	heads->version = first >> 4;
	if (heads->version == 4) {
		heads->payload = (first & 15) * 4;
		if (bpf_skb_load_bytes(skb, 12, heads->source, 4) ||
		    bpf_skb_load_bytes(skb, 16, heads->destination, 4))
			return false;
	} else {
		heads->payload = 40;
		if (bpf_skb_load_bytes(skb, 8, heads->source, 16) ||
		    bpf_skb_load_bytes(skb, 24, heads->destination, 16) ||
		    bpf_skb_load_bytes(skb, 6, &next, 1))
			return false;
		/* Options in front (hop by hop, routing, fragment, destination) are rare. */
		for (int i = 0; i < MOST_OPTIONS; i++) {
			unsigned char option[2];

			if (!is_option(next))
				break;
			if (bpf_skb_load_bytes(skb, heads->payload, option, 2))
				return false;
			heads->payload += next == 44 ? 8 : (option[1] + 1) * 8;
			next = option[0];
		}
		/* Without an end of them there are no ports to be read, which is better than wrong ones. */
		if (is_option(next))
			return true;
	}
	if (type == SOCK_RAW)
		return true;
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) {
		if (bpf_skb_load_bytes(skb, heads->payload, ports, 4))
			return false;
		heads->source_port = ports[0];
		heads->destination_port = ports[1];
	}
	heads->payload += 8;
	return true;
}

/* An address of IPv4 as a socket of IPv6 has it (RFC 4291, 2.5.5.2). */
static __always_inline void map_address(__be32 *address)
{
	address[3] = address[0];
	address[2] = __builtin_bswap32(0xffff);
	address[1] = 0;
	address[0] = 0;
}

/* Both ends, as the socket has them. */
static __always_inline void place_packet(struct event *about, const struct heads *heads,
					 __u32 family, bool leaves)
{
	const __be32 *remote, *local;

	if (leaves) {
		local = heads->source;
		remote = heads->destination;
		about->local_port = __builtin_bswap16(heads->source_port);
		about->remote_port = heads->destination_port;
	} else {
		local = heads->destination;
		remote = heads->source;
		about->local_port = __builtin_bswap16(heads->destination_port);
		about->remote_port = heads->source_port;
	}
	copy4(about->local, local);
	copy4(about->remote, remote);
	/* A packet of IPv4 may leave from a socket of IPv6. */
	about->family = heads->version == 4 ? AF_INET : AF_INET6;
	if (about->family == AF_INET && family == AF_INET6) {
		map_address(about->remote);
		map_address(about->local);
		about->family = AF_INET6;
	}
}

/* Counts a packet with its socket: several CPUs may have one for it at once. */
static __always_inline void count_own(struct owner *owner, __u32 bytes, bool leaves)
{
	if (leaves) {
		__sync_fetch_and_add(&owner->packets_sent, 1);
		__sync_fetch_and_add(&owner->bytes_sent, bytes);
	} else {
		__sync_fetch_and_add(&owner->packets_received, 1);
		__sync_fetch_and_add(&owner->bytes_received, bytes);
	}
}

static __always_inline bool is_first_peer(const struct owner *owner, const struct event *about)
{
	return owner->peer_port == about->remote_port && same4(owner->peer, about->remote);
}

/* Counts a packet with the peer it came from or goes to. True: nothing was counted there yet. */
static __always_inline bool count_packet(struct owner *owner, const struct event *about,
					 __u32 bytes, bool leaves)
{
	struct peer_key key = {};
	struct peer *peer;
	bool first;

	if (meet_peer(owner, owner->cookie, about->remote, about->remote_port) == NO_ROOM) {
		if (leaves && owner->flags & EVENT_NO_ROOM)
			owner->flags &= ~EVENT_NO_ROOM;
		else
			count_loss(LOST_PEERS);
		return false;
	}
	if (is_first_peer(owner, about)) {
		first = !owner->packets_sent && !owner->packets_received;
		count_own(owner, bytes, leaves);
		return first;
	}
	key.cookie = owner->cookie;
	copy4(key.address, about->remote);
	key.port = about->remote_port;
	peer = bpf_map_lookup_elem(&peers, &key);
	if (!peer)
		return false;
	first = !peer->packets_sent && !peer->packets_received;
	peer->last = bpf_ktime_get_boot_ns();
	if (leaves) {
		__sync_fetch_and_add(&peer->packets_sent, 1);
		__sync_fetch_and_add(&peer->bytes_sent, bytes);
	} else {
		__sync_fetch_and_add(&peer->packets_received, 1);
		__sync_fetch_and_add(&peer->bytes_received, bytes);
	}
	return first;
}

static __always_inline void copy_ends(struct event *to, const struct event *about)
{
	to->family = about->family;
	to->type = about->type;
	to->protocol = about->protocol;
	to->local_port = about->local_port;
	to->remote_port = about->remote_port;
	copy4(to->local, about->local);
	copy4(to->remote, about->remote);
}

/* ---- what may have a name in it --------------------------------------------------------------- */

/* A connection has said what it is when so much has left: a ClientHello is at most 16 KiB. */
#define MOST_FIRST_SEGMENTS 16
#define MOST_FIRST_BYTES 16384

/* Whether what leaves may still be the beginning of a connection. */
static __always_inline bool is_beginning(struct bpf_sock *sk)
{
	struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);

	return tcp && tcp->data_segs_out <= MOST_FIRST_SEGMENTS &&
	       tcp->bytes_acked <= MOST_FIRST_BYTES;
}

/* What is wanted of the head of a TCP packet (RFC 9293, 3.1). */
struct tcp_head {
	__be32 sequence;
	__be32 acknowledged;
	unsigned char offset;
	unsigned char flags;
};

/* Gives where the payload begins; 0: there is no such head. */
static __always_inline __u32 read_tcp_head(struct __sk_buff *skb, struct tcp_head *head)
{
	unsigned char first = 0;
	__u32 at = 40;

	if (bpf_skb_load_bytes(skb, 0, &first, 1))
		return 0;
	if (first >> 4 == 4)
		at = (first & 15) * 4;
	if (bpf_skb_load_bytes(skb, at + 4, head, 10))
		return 0;
	return at + (head->offset >> 4) * 4;
}

/* The first datagrams of QUIC (RFC 9000, 17.2.2 and 14.1; RFC 9369, 3.1 and 3.2): a long header, a
 * version, and long enough to be an Initial. */
static __always_inline bool may_begin_quic(struct __sk_buff *skb, __u32 from, __u32 bytes)
{
	unsigned char head[5];

	if (bytes < 1200 || bpf_skb_load_bytes(skb, from, head, 5) || (head[0] & 0xc0) != 0xc0)
		return false;
	if (head[1] == 0 && head[2] == 0 && head[3] == 0 && head[4] == 1)
		return (head[0] & 0x30) == 0;
	return head[1] == 0x6b && head[2] == 0x33 && head[3] == 0x43 && head[4] == 0xcf &&
	       (head[0] & 0x30) == 0x10;
}

static __always_inline bool is_for_names(__be16 port)
{
	return port == DNS_PORT || port == MDNS_PORT || port == LLMNR_PORT;
}

#define SAY(kind, most)                                                                            \
	do {                                                                                       \
		struct kind *record = bpf_ringbuf_reserve(&said_first, sizeof(*record), 0);        \
                                                                                                   \
		if (!record) {                                                                     \
			count_loss(RING_SAID);                                                     \
			return;                                                                    \
		}                                                                                  \
		begin(&record->said.event, EVENT_SAID, owner->cookie, owner);                      \
		copy_ends(&record->said.event, about);                                             \
		record->said.event.more = about->more;                                             \
		record->said.sequence = sequence;                                                  \
		record->said.length = 0;                                                           \
		/* The verifier follows a range only from one side at a time. */                   \
		asm volatile("" : "+r"(length));                                                   \
		if (length > 0 && length <= (most)) {                                              \
			asm volatile("" : "+r"(length));                                           \
			if (!bpf_skb_load_bytes(skb, from, record->bytes, length))                 \
				record->said.length = length;                                      \
		}                                                                                  \
		submit(record);                                                                    \
	} while (0)

static __always_inline void say_part(struct __sk_buff *skb, struct owner *owner,
				     const struct event *about, __u32 from, __u32 length,
				     __u32 sequence)
{
	if (length <= SAID_SHORT)
		SAY(said_short, SAID_SHORT);
	else
		SAY(said_long, SAID_LONG);
}

/* Tells what a packet carries from `from` on; of more than there is room for, the beginning. */
static __always_inline void say(struct __sk_buff *skb, struct owner *owner,
				const struct event *about, __u32 from, __u32 sequence)
{
	__u32 end = skb->len;

	for (int i = 0; i < MOST_PARTS; i++) {
		__u32 length;

		if (end <= from)
			return;
		length = end - from;
		if (length > SAID_LONG)
			length = SAID_LONG;
		say_part(skb, owner, about, from, length, sequence);
		from += length;
		sequence += length;
	}
}

/* A datagram, where it may have a name in it. */
static __always_inline void say_datagram(struct __sk_buff *skb, struct owner *owner,
					 struct event *about, __u32 from, __u32 bytes, bool leaves)
{
	if (!is_for_names(about->remote_port) && !(leaves && may_begin_quic(skb, from, bytes)))
		return;
	about->more = leaves ? MORE_HERE : MORE_THERE;
	say(skb, owner, about, from, 0);
}

#endif
