/* SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0
 *
 * What the programs of events.bpf.c tell, and what they keep. The events are read in
 * parse/socket_event.rs and parse/process_event.rs.
 */
#ifndef WHOCALLS_EVENTS_H
#define WHOCALLS_EVENTS_H

#include "socket_record.h"

enum event_kind {
	EVENT_ATTEMPT = 1,
	EVENT_FIRST_PACKET = 2,
	EVENT_OPENED = 3,
	EVENT_ACCEPTED = 4,
	EVENT_LISTENING = 5,
	EVENT_OWNER_CHANGED = 6,
	EVENT_ERROR = 7,
	EVENT_CLOSED = 8,
	EVENT_SAID = 9,      /* with what was said behind it */
	EVENT_ROUTE = 10,    /* how the look-up of a route for an attempt ended */
	EVENT_RESOLVER = 11, /* something was asked over a watched Unix socket */
	EVENT_STARTED = 12,
	EVENT_EXEC = 13,
	EVENT_ENDED = 14,
	EVENT_COUNTED = 15 /* only from the iterator sockets_changed */
};

enum event_flags {
	EVENT_BYTES = 1,       /* the byte counts are known */
	EVENT_PACKETS = 2,     /* the packet counts too */
	EVENT_MORE_PEERS = 4,  /* it had other peers than this one; they are in `peers` */
	EVENT_KERNEL = 8,      /* a socket of the kernel itself */
	EVENT_OUTSIDE = 16,    /* the process is outside of our PID namespace */
	EVENT_SYN_SENT = 32,   /* how far it had come: */
	EVENT_ESTABLISHED = 64,
	EVENT_LISTENED = 128,
	EVENT_ATTEMPTED = 256,
	EVENT_RECEIVED_FIN = 512,
	EVENT_INBOUND = 1024,
	EVENT_NO_ROOM = 2048 /* its last attempt was to a peer that is not kept, and is counted so */
};

/* What some kinds of event tell besides. */
enum event_more {
	MORE_BOTH_VERSIONS = 1, /* listening: it takes IPv4 as well as IPv6 */
	MORE_ONLY_IPV6 = 2,     /* listening: it does not */
	MORE_SENDS = 3, /* owner changed: something of the new one leaves from that time on */
	MORE_HERE = 4,  /* said: by this computer */
	MORE_THERE = 5, /* said: by the other side */
	MORE_WROTE = 6, /* owner changed: the new one wrote, from `sequence` on */
	MORE_MAY_SEND = 7 /* owner changed: this one is at it as well, and may be sending */
};

/* 128 bytes, as a socket record. */
struct event {
	__u64 time; /* ns since boot, suspend included */
	__u64 cookie;
	__u64 started; /* of the process: ns since boot, suspend included */
	__u64 bytes_sent;
	__u64 bytes_received;
	__u32 pid;
	__u32 thread;
	__u32 netns;
	__u32 uid;
	union {
		__u32 packets_sent;
		__u32 sequence; /* TCP, MORE_WROTE: of the first byte */
	};
	__u32 packets_received;
	__u16 kind;
	__u16 flags;
	__u16 family;
	__u16 protocol;
	__u16 error;
	__u8 type;
	__u8 more; /* event_more */
	__u16 local_port; /* host order */
	__be16 remote_port;
	__be32 local[4];
	__be32 remote[4];
	char name[16]; /* of the process, ended by NUL */
};
_Static_assert(sizeof(struct event) == 128, "parse/socket_event.rs reads it at fixed offsets");

/* What may have a name in it: how a connection begins, a message of DNS. Longer ones come in parts. */
struct said {
	struct event event;
	__u32 sequence; /* TCP: of the first byte, as the packet has it */
	__u32 length;
};

#define SAID_SHORT 512
#define SAID_LONG 4096
#define MOST_PARTS 4

struct said_short {
	struct said said;
	unsigned char bytes[SAID_SHORT];
};

struct said_long {
	struct said said;
	unsigned char bytes[SAID_LONG];
};

#define NAME_SPACE 256
#define PATH_SPACE (4096 + NAME_SPACE) /* PATH_MAX */
#define ARGUMENTS_SPACE 4096

struct process_event {
	__u64 time;
	__u64 started;
	__u64 parent_started;
	__u64 inode;
	__u64 cgroup;
	__u32 pid;
	__u32 parent;
	__u32 thread;
	__u32 uid;
	__u32 netns;
	__u32 device;
	__u32 status;
	__u32 links;
	__u16 kind;
	__u16 flags;
	__u32 path_length;
	__u32 arguments_length;
	__u32 arguments_whole; /* how long they are in all */
	char name[16];
};
_Static_assert(sizeof(struct process_event) == 104, "parse/process_event.rs reads it at fixed offsets");

enum process_flags {
	PROCESS_OUTSIDE = 1,     /* of our PID namespace */
	PROCESS_PATH_WHOLE = 2,  /* all of the path is there */
	PROCESS_UNLINKED = 4,    /* the name is gone */
	PROCESS_PARENT_OUTSIDE = 8
};

/* Then follow path_length bytes: the names of file and folders, the file first, each with its
 * NUL, or nothing; then arguments_length bytes of arguments. */
struct process_image {
	struct process_event event;
	unsigned char bytes[PATH_SPACE + ARGUMENTS_SPACE];
};

#define LAST_USERS 4 /* a power of two */
#define SEVERAL_SENDERS (~0u)

/* The owner of a socket and what it did: lives and ends with the socket, and is copied with it when a
 * connection is accepted. */
struct owner {
	__u64 cookie;  /* another one than the socket's own: a copy of the listener's */
	__u64 started; /* of the process */
	__u64 bytes_sent; /* UDP and others: with the first peer; TCP: as last told */
	__u64 bytes_received;
	__u64 changed; /* when another process took it over */
	__u64 sends;   /* when something left that `sender` sends */
	__u32 packets_sent;
	__u32 packets_received;
	__u32 pid;
	__u32 first_pid; /* the same in the first PID namespace */
	__u32 thread;
	__u32 uid;
	__u32 netns;
	__u32 peer[4];
	__be16 peer_port;
	__u16 flags; /* event_flags */
	__u16 error;
	__u16 changes;
	__u32 told; /* how many packets when its counts were last told */
	char name[16];
	/* Those who took it over last: who is not among them is always told. */
	__u32 users[LAST_USERS];
	__u32 next_user;
	/* The thread of another process that is sending; several at once: SEVERAL_SENDERS. Of TCP the
	 * process that was last told to be at it. */
	__u32 sender;
};

/* A peer of a UDP socket that has several. */
struct peer_key {
	__u64 cookie;
	__be32 address[4];
	__be16 port;
	__u16 padding[3];
};

struct peer {
	__u64 bytes_sent;
	__u64 bytes_received;
	__u64 last;
	__u32 packets_sent;
	__u32 packets_received;
};

/* Events that found no room; of LOST_PEERS: datagrams to and from peers that found none; of
 * LOST_OWNERS: times that a socket had no room for its owner. */
struct loss {
	__u64 count;
	__u64 first;
	__u64 last;
};

enum rings {
	RING_SOCKETS = 0,
	RING_PROCESSES = 1,
	LOST_PEERS = 2,
	RING_SAID = 3,
	LOST_OWNERS = 4,
	LOSSES = 5
};

#endif
