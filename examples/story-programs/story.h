/* What the programs of the story share: asking for a name, calling a server, waiting. */

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUTER "192.168.1.1"
#define NEWS "203.0.113.9"
#define MAIL "203.0.113.40"
#define UPDATES "198.51.100.10"

static inline struct sockaddr_in at(const char *address, uint16_t port)
{
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, address, &place.sin_addr);
	return place;
}

static inline void wait_ms(long milliseconds)
{
	struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* A connection, or -1. Nobody waits longer than five seconds. */
static inline int call(const char *address, uint16_t port)
{
	struct sockaddr_in place = at(address, port);
	struct timeval patience = { 5, 0 };
	int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(made, (struct sockaddr *)&place, sizeof place)) {
		close(made);
		return -1;
	}
	return made;
}

static inline int listener(const char *address, uint16_t port)
{
	struct sockaddr_in place = at(address, port);
	int one = 1, made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(made, (struct sockaddr *)&place, sizeof place) || listen(made, 8))
		err(1, "cannot listen at %s:%d", address, port);
	return made;
}

static inline void say(int to, const char *words)
{
	send(to, words, strlen(words), MSG_NOSIGNAL);
}

/* Says something, and hears what is said until nothing more comes. */
static inline void exchange(int with, const char *words)
{
	char answer[4096];

	say(with, words);
	while (recv(with, answer, sizeof answer, 0) > 0)
		;
}
