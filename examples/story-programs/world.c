/* What lies on the other side of the cable: a router that answers questions for names, a newspaper, a
 * mail server, a server with updates. Nothing else answers, and nothing is passed on. */

#include <poll.h>

#include "story.h"

static void answer_names(int socket)
{
	unsigned char words[600];
	static const unsigned char found[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4 };
	struct sockaddr_in asker;
	socklen_t length = sizeof asker;
	ssize_t size = recvfrom(socket, words, 512, 0, (struct sockaddr *)&asker, &length);
	const char *address;
	struct in_addr number;

	if (size < 17)
		return;
	/* The first letter of the name tells them apart. */
	address = words[13] == 'n' ? NEWS : words[13] == 'm' ? MAIL : UPDATES;
	inet_pton(AF_INET, address, &number);
	words[2] = 0x81, words[3] = 0x80;
	words[7] = 1;
	memcpy(words + size, found, sizeof found);
	memcpy(words + size + sizeof found, &number, 4);
	sendto(socket, words, size + sizeof found + 4, 0, (struct sockaddr *)&asker, length);
}

static void serve_page(int listening, const char *text)
{
	int made = accept(listening, NULL, NULL);
	char words[1024], answer[1024];

	if (recv(made, words, sizeof words, 0) > 0) {
		snprintf(answer, sizeof answer,
			 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n%s",
			 strlen(text), text);
		say(made, answer);
	}
	close(made);
}

/* One line for each that is said. False: it is over. */
static int serve_mail(int made)
{
	char words[512];
	ssize_t size = recv(made, words, sizeof words, 0);

	if (size <= 0)
		return 0;
	if (size > 3)
		words[2] = 0;
	dprintf(made, "%s OK done\r\n", words);
	return 1;
}

int main(void)
{
	struct sockaddr_in router = at(ROUTER, 53);
	struct pollfd all[5] = {
		{ .fd = socket(AF_INET, SOCK_DGRAM, 0) },
		{ .fd = listener(NEWS, 80) },
		{ .fd = listener(UPDATES, 80) },
		{ .fd = listener(MAIL, 143) },
		{ .fd = -1 },
	};
	int each;

	signal(SIGPIPE, SIG_IGN);
	if (bind(all[0].fd, (struct sockaddr *)&router, sizeof router))
		err(1, "no name server");
	for (each = 0; each < 5; each++)
		all[each].events = POLLIN;
	while (poll(all, 5, -1) > 0) {
		if (all[0].revents)
			answer_names(all[0].fd);
		if (all[1].revents)
			serve_page(all[1].fd, "It rained again in the made-up town. Everybody carried umbrellas.\n");
		if (all[2].revents)
			serve_page(all[2].fd, "There is nothing new.\n");
		if (all[3].revents) {
			if (all[4].fd >= 0)
				close(all[4].fd);
			all[4].fd = accept(all[3].fd, NULL, NULL);
			say(all[4].fd, "* OK IMAP4rev1\r\n");
		} else if (all[4].revents && !serve_mail(all[4].fd)) {
			close(all[4].fd);
			all[4].fd = -1;
		}
	}
}
