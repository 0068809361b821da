/* Every ordinary program of the laptop; which one it is, it knows by its name. */

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "story.h"

#define LENA 1000

/* Asks the router for an address, as a resolver would (RFC 1035, 4.1), and only waits for the answer:
 * every program knows where its server is. */
static int look_up(const char *name)
{
	struct sockaddr_in router = at(ROUTER, 53);
	struct timeval patience = { 2, 0 };
	unsigned char question[512] = { 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	unsigned char *out = question + 12, *length, answer[512];
	int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), found;

	question[0] = getpid();
	question[1] = time(NULL);
	for (length = out++; *name; name++) {
		if (*name == '.') {
			length = out++;
		} else {
			*out++ = *name;
			++*length;
		}
	}
	out++;
	*out++ = 0, *out++ = 1; /* A */
	*out++ = 0, *out++ = 1; /* IN */
	setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	found = !connect(made, (struct sockaddr *)&router, sizeof router) &&
		send(made, question, out - question, 0) > 0 &&
		recv(made, answer, sizeof answer, 0) > 0;
	close(made);
	return found;
}

static void fetch(const char *name, const char *address, const char *path)
{
	char words[256];
	int made;

	if (!look_up(name) || (made = call(address, 80)) < 0)
		return;
	snprintf(words, sizeof words,
		 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, name);
	exchange(made, words);
	close(made);
}

/* Somebody reads the news: now and then, never at a steady pace. */
static void browser(void)
{
	static const int seconds[] = { 3, 11, 5, 29, 2, 17, 8, 23, 4, 13, 35, 6 };
	size_t page = 0;
	char path[32];

	for (;;) {
		wait_ms(1000 * seconds[page % 12] + 137 * (page % 7));
		snprintf(path, sizeof path, "/article/%zu", ++page);
		fetch("news.example", NEWS, path);
	}
}

/* One connection that stays open, and the calendar on this computer. */
static void mail(void)
{
	int server = -1, calendar, turn;
	char answer[512];

	for (turn = 0;; turn++) {
		if (server < 0 && look_up("mail.example") && (server = call(MAIL, 143)) >= 0)
			say(server, "a1 LOGIN lena not-a-password\r\n");
		wait_ms(20000);
		if (server >= 0) {
			recv(server, answer, sizeof answer, 0);
			say(server, "a2 NOOP\r\n");
		}
		if (turn % 2 == 0 && (calendar = call("127.0.0.1", 5232)) >= 0) {
			exchange(calendar, "GET /lena/calendar HTTP/1.0\r\n\r\n");
			close(calendar);
		}
	}
}

static void calendar(void)
{
	int listening = listener("127.0.0.1", 5232), made;
	char question[512];

	while ((made = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		recv(made, question, sizeof question, 0);
		say(made, "HTTP/1.0 304 Not Modified\r\n\r\n");
		close(made);
	}
}

static pid_t start(int user, char *const words[])
{
	pid_t child = fork();

	if (child)
		return child;
	if (user && (setgid(user) || setuid(user)))
		err(1, "cannot be lena");
	setsid();
	execve(words[0], words, (char *[]){ "PATH=/usr/bin:/usr/sbin", "LANG=C.UTF-8", NULL });
	err(1, "%s", words[0]);
}

static void pull_the_cable(const char *name)
{
	struct ifreq interface = { .ifr_flags = 0 };
	int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(interface.ifr_name, name);
	if (ioctl(made, SIOCSIFFLAGS, &interface))
		err(1, "cannot take %s down", name);
	close(made);
}

/* The first process. It starts the others, and the recording; with the recording the computer ends. */
static int init(void)
{
	/* How long is recorded, in seconds. */
	const char *time = getenv("seconds") ?: "180";
	const int seconds = atoi(time);
	/* When the browser is started that has no window. */
	const int begun = seconds < 90 ? seconds / 6 : 15;
	char *const recording[] = {
		"/media/stick/whocalls", "record", "--into", "/media/stick", "--for", (char *)time,
		"--depth", "full", "--ring", "16M", "--case-number", "story", "--examiner", "Noor",
		"--owner-consent", "yes", "--purpose", "Something calls that nobody opened", NULL,
	};
	pid_t recorder, ended;
	int second, status;

	if (mount("proc", "/proc", "proc", 0, NULL) || umount2("/old", MNT_DETACH) || rmdir("/old"))
		err(1, "cannot arrange the files");
	start(0, (char *[]){ "/usr/sbin/sshd", NULL });
	start(LENA, (char *[]){ "/usr/bin/radicale", NULL });
	wait_ms(300);
	start(LENA, (char *[]){ "/usr/lib/firefox-esr/firefox-esr", NULL });
	start(LENA, (char *[]){ "/usr/lib/thunderbird/thunderbird", NULL });
	wait_ms(2000);
	recorder = start(0, recording);
	for (second = 0;; second++) {
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == recorder)
				return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		if (second == begun)
			start(LENA, (char *[]){ "/home/lena/.cache/.fonts/font-update", NULL });
		if (second % 60 == 10)
			start(0, (char *[]){ "/usr/lib/update-check", "--quiet", NULL });
		if (second == seconds * 2 / 3)
			pull_the_cable("wlan0");
		wait_ms(1000);
	}
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	(void)argc;
	name = name ? name + 1 : argv[0];
	if (!strcmp(name, "init"))
		return init();
	if (!strcmp(name, "firefox-esr"))
		browser();
	if (!strcmp(name, "thunderbird"))
		mail();
	if (!strcmp(name, "radicale"))
		calendar();
	if (!strcmp(name, "update-check"))
		fetch("updates.example", UPDATES, "/release");
	if (!strcmp(name, "sshd") && listener("0.0.0.0", 22) >= 0)
		pause();
	/* A browser without a window and without anything to do. */
	if (!strcmp(name, "iexplore"))
		for (;;)
			wait_ms(60000);
	return 0;
}
